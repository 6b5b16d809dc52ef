/**
 * The registrar over a store. Whoever reads the registry to change it has locked it first, so that of two changes at once
 * neither is lost: an agent that is revoked stays revoked.
 *
 * @module
 */
import { canonicalJson } from './canonical-json.js'
import { delegationOf, isSameDelegation } from './delegation.js'
import type { Engine } from './engine.js'
import { SilentAuthError } from './errors.js'
import { accountsOf } from './human.js'
import { type AgentId, newId, type UserId } from './id.js'
import type { JsonObject } from './json.js'
import type { KeyDraft, Registrar } from './registrar.js'
import type { Agent, Person, Principal, ProjectKey, Role } from './registry.js'
import type { StoreReader, StoreTransaction } from './store.js'

const READERS: readonly Role[] = ['owner', 'admin', 'auditor']
const KEEPERS: readonly Role[] = ['owner', 'admin']

/** Who keeps the registry. */
interface Keeper extends Person {
  /** All of this human being, over any number of links, as votes are counted: none of them may get around a rule. */
  readonly accounts: readonly UserId[]
}

/** What the log is told; absent when nothing was changed. */
interface Done<Result> {
  readonly result: Result
  readonly event?: { readonly type: string; readonly data: JsonObject }
}

export function localRegistrar({ engine: own }: { readonly engine: Engine }): Registrar {
  const { store, projectId } = own

  const personOf = async (reader: StoreReader, { id }: { readonly id: UserId }): Promise<Person> => {
    const person = await reader.person(id)
    if (person?.projectId !== projectId) throw notFound('person', id)
    return person
  }
  const withRole = async (reader: StoreReader, by: Principal, roles: readonly Role[]): Promise<Person> => {
    const person = await personOf(reader, by)
    if (!hasRole(person, roles)) throw forbidden(`person ${by.id} has none of the roles ${roles.join(', ')}`)
    return person
  }
  const agentOf = async (reader: StoreReader, id: AgentId): Promise<Agent> => {
    const agent = await reader.agent(id)
    if (agent?.projectId !== projectId) throw notFound('agent', id)
    return agent
  }
  const change = <Result>(by: Principal, work: (tx: StoreTransaction) => Promise<Done<Result>>): Promise<Result> =>
    own.write(async ({ tx, leaf }) => {
      await tx.lockRegistry(projectId)
      const { result, event } = await work(tx)
      if (event) await leaf(`user:${by.id}`, [{ ...event, intentId: undefined }])
      return result
    })
  const keep = <Result>(
    by: Principal,
    work: (tx: StoreTransaction, keeper: Keeper) => Promise<Done<Result>>,
  ): Promise<Result> => change(by, async (tx) => work(tx, await keeperOf(tx, by)))
  const keeperOf = async (tx: StoreTransaction, by: Principal): Promise<Keeper> => {
    const person = await withRole(tx, by, KEEPERS)
    return { ...person, accounts: accountsOf(person.id, await tx.directory(projectId)) }
  }

  const putPerson = async (tx: StoreTransaction, keeper: Keeper, before: Person, after: Person): Promise<void> => {
    requireMayChange(keeper, before, after)
    await tx.putPerson(after)
    if (isOwner(before) && !isOwner(after)) {
      const { people } = await tx.directory(projectId)
      if (!people.some(isOwner)) throw forbidden('the project keeps an active owner')
    }
  }

  return {
    async agents(by) {
      await withRole(store, by, READERS)
      return store.agents(projectId)
    },
    async agent(by, id) {
      await withRole(store, by, READERS)
      return agentOf(store, id)
    },

    registerAgent: (by, draft) =>
      keep<{ agent: Agent; created: boolean }>(by, async (tx) => {
        await requireOwner(tx, draft.owner, personOf)
        const found = await tx.agentByFingerprint(projectId, draft.fingerprint)
        if (found) {
          if (!same(draft, found)) throw invalid('fingerprint', `it is registered as ${found.id} with other details`)
          return { result: { agent: found, created: false } }
        }
        const agent: Agent = { id: newId('agt'), projectId, status: 'active', lastSeenAt: undefined, ...draft }
        await tx.putAgent(agent)
        const data = { agent_id: agent.id, owner: agent.owner ?? null }
        return { result: { agent, created: true }, event: { type: 'agent.registered', data } }
      }),

    changeAgent: (by, id, changes) =>
      keep(by, async (tx, keeper) => {
        const before = await agentOf(tx, id)
        const after = { ...before, ...changes }
        if (same(before, after)) return { result: before }
        if (after.owner !== before.owner) {
          if (isSamePerson(keeper, before.owner)) throw forbidden(`${id}: its owner cannot name another one`)
          await requireOwner(tx, after.owner, personOf)
        }
        await tx.putAgent(after)
        const { owner = null, riskSensitivity = null, enforce } = after
        const data = { agent_id: id, owner, risk_sensitivity: riskSensitivity, enforce }
        return { result: after, event: { type: 'agent.changed', data } }
      }),

    setAgentStatus: (by, id, status) =>
      change(by, async (tx) => {
        const person = await personOf(tx, by)
        const before = await agentOf(tx, id)
        // Who answers for it may stop it, and no more: what an admin stopped stays stopped.
        const stops = status !== 'active' && person.status === 'active' && before.owner === person.id
        if (!stops) await withRole(tx, by, KEEPERS)
        if (before.status === status) return { result: before }
        if (before.status === 'revoked') throw new SilentAuthError('AGENT_REVOKED', `agent ${id} is revoked`)
        const after = { ...before, status }
        await tx.putAgent(after)
        const data = { agent_id: id, from: before.status, to: status }
        return { result: after, event: { type: 'agent.status_changed', data } }
      }),

    async keys(by) {
      await withRole(store, by, READERS)
      return store.keys(projectId)
    },

    createKey: (by, draft) =>
      keep<{ key: ProjectKey; created: boolean }>(by, async (tx) => {
        const found = await tx.key(draft.id)
        const key = await newKey(tx, draft, by)
        if (found) {
          if (found.projectId !== projectId || !same(keyDetails(found), keyDetails(key))) {
            throw new SilentAuthError('IDEMPOTENCY_MISMATCH', `key ${draft.id} was created with other details`)
          }
          return { result: { key: found, created: false } }
        }
        await tx.putKey(key)
        const data = { key_id: key.id, kind: key.kind, agents: [...key.agents], replaces: draft.replaces ?? null }
        return { result: { key, created: true }, event: { type: 'key.created', data } }
      }),

    disableKey: (by, id) =>
      keep<ProjectKey>(by, async (tx) => {
        const before = await tx.key(id)
        if (before?.projectId !== projectId) throw notFound('key', id)
        if (before.status === 'disabled') return { result: before }
        const after = { ...before, status: 'disabled' } as const
        await tx.putKey(after)
        return { result: after, event: { type: 'key.disabled', data: { key_id: id } } }
      }),

    async directory(by) {
      await withRole(store, by, READERS)
      return store.directory(projectId)
    },

    addPerson: (by, draft) =>
      keep<{ person: Person; created: boolean }>(by, async (tx, keeper) => {
        const { people, groups } = await tx.directory(projectId)
        const unknown = draft.groups.find((group) => !groups.includes(group))
        if (unknown !== undefined) throw invalid('groups', 'it names a group that is not there')
        const found = people.find(({ email }) => email.toLowerCase() === draft.email.toLowerCase())
        if (found) {
          if (!same({ ...draft, email: found.email }, found))
            throw invalid('email', `it is that of ${found.id} already`)
          return { result: { person: found, created: false } }
        }
        const person: Person = { id: newId('usr'), projectId, linked: [], status: 'active', ...draft }
        await putPerson(tx, keeper, { ...person, roles: [], groups: [] }, person)
        const data = { user_id: person.id, roles: [...person.roles], groups: [...person.groups] }
        return { result: { person, created: true }, event: { type: 'person.added', data } }
      }),

    changePerson: (by, id, changes) =>
      keep(by, async (tx, keeper) => {
        const before = await personOf(tx, { id })
        const after = { ...before, ...changes }
        if (same(before, after)) return { result: before }
        const { groups } = await tx.directory(projectId)
        if (after.groups.some((group) => !groups.includes(group)))
          throw invalid('groups', 'it names a group that is not there')
        for (const other of after.linked) if (other === id) throw invalid('linked', 'nobody is linked to themselves')
        await putPerson(tx, keeper, before, after)
        await relink(tx, keeper, { before, after }, personOf)
        const { roles, status, linked } = after
        const data = { user_id: id, roles: [...roles], groups: [...after.groups], linked: [...linked], status }
        return { result: after, event: { type: 'person.changed', data } }
      }),

    delegate: (by, id, draft) =>
      change(by, async (tx) => {
        const before = await mayDelegate(tx, by, id, draft.to)
        const delegate = await personOf(tx, { id: draft.to })
        const now = await tx.now()
        const directory = await tx.directory(projectId)
        const delegation = delegationOf(before, delegate, draft, { directory, now })
        if (isSameDelegation(before.delegation, draft, now)) return { result: before }
        const after = { ...before, delegation }
        await tx.putPerson(after)
        const { to, startsAt, endsAt } = delegation
        const data = { user_id: id, to, starts_at: startsAt, ends_at: endsAt }
        return { result: after, event: { type: 'person.delegated', data } }
      }),

    endDelegation: (by, id) =>
      change(by, async (tx) => {
        const own = await personOf(tx, { id: by.id })
        const standsIn = own.status === 'active' && (await tx.person(id))?.delegation?.to === by.id
        const before = standsIn ? await personOf(tx, { id }) : await mayDelegate(tx, by, id)
        const { delegation, ...after } = before
        if (!delegation) return { result: before }
        await tx.putPerson(after)
        return { result: after, event: { type: 'person.delegation_ended', data: { user_id: id, to: delegation.to } } }
      }),

    addGroup: (by, group) =>
      keep<{ created: boolean }>(by, async (tx) => {
        const { groups } = await tx.directory(projectId)
        if (groups.includes(group)) return { result: { created: false } }
        await tx.putGroup(projectId, group)
        return { result: { created: true }, event: { type: 'group.added', data: { group } } }
      }),

    setMember: (by, group, id, member) =>
      keep(by, async (tx, keeper) => {
        const { groups } = await tx.directory(projectId)
        if (!groups.includes(group)) throw new SilentAuthError('NOT_FOUND', 'no group of this project has this name')
        const before = await personOf(tx, { id })
        if (before.groups.includes(group) === member) return { result: before }
        const others = before.groups.filter((name) => name !== group)
        const after = { ...before, groups: member ? [...others, group] : others }
        await putPerson(tx, keeper, before, after)
        const type = member ? 'group.member_added' : 'group.member_removed'
        return { result: after, event: { type, data: { group, user_id: id } } }
      }),
  }

  /** The person themselves, or a keeper, who would otherwise take the seat of whoever they like. */
  async function mayDelegate(tx: StoreTransaction, by: Principal, id: UserId, to?: UserId): Promise<Person> {
    if (by.id === id) {
      const person = await personOf(tx, by)
      if (person.status !== 'active') throw forbidden(`person ${id} is not active`)
      return person
    }
    const keeper = await keeperOf(tx, by)
    const person = await personOf(tx, { id })
    requireMayChange(keeper, person, person)
    if (isSamePerson(keeper, to)) throw forbidden('who delegates for somebody else cannot name themselves')
    return person
  }

  async function newKey(tx: StoreTransaction, draft: KeyDraft, by: Principal): Promise<ProjectKey> {
    const { replaces, ...details } = draft
    const earlier = replaces === undefined ? undefined : await tx.key(replaces)
    if (replaces !== undefined && earlier?.projectId !== projectId) throw notFound('key', replaces)
    if (earlier && (earlier.kind !== draft.kind || !same({ agents: earlier.agents }, { agents: draft.agents }))) {
      throw invalid('replaces', 'the key in its place has the same kind and the same agents')
    }
    if (draft.kind === 'verifier' && draft.agents.length > 0)
      throw invalid('agents', 'a verifier key speaks for no agent')
    for (const id of draft.agents) {
      const { status } = await agentOf(tx, id)
      if (status === 'revoked') throw new SilentAuthError('AGENT_REVOKED', `agent ${id} is revoked`)
    }
    const lineage = earlier?.lineage ?? draft.id
    return { ...details, lineage, projectId, createdBy: by.id, status: 'active', createdAt: await tx.now() }
  }
}

type PersonOf = (reader: StoreReader, of: { readonly id: UserId }) => Promise<Person>

async function requireOwner(tx: StoreTransaction, owner: UserId | undefined, personOf: PersonOf): Promise<void> {
  if (owner === undefined) return
  const person = await personOf(tx, { id: owner })
  if (person.status !== 'active') throw invalid('owner', `person ${owner} is disabled`)
}

/** Whoever may choose who votes could otherwise choose themselves; owners answer for the whole project. */
function requireMayChange(keeper: Keeper, before: Person, after: Person): void {
  if (keeper.roles.includes('owner')) return
  if (before.roles.includes('owner') || after.roles.includes('owner'))
    throw forbidden('only an owner makes or changes one')
  if (isSamePerson(keeper, before.id)) throw forbidden('an admin does not change their own account')
}

/** Two accounts of one human being name each other: whichever of them is looked at finds the other one. */
async function relink(
  tx: StoreTransaction,
  keeper: Keeper,
  { before, after }: { before: Person; after: Person },
  personOf: PersonOf,
): Promise<void> {
  for (const id of new Set([...before.linked, ...after.linked])) {
    const isLinked = after.linked.includes(id)
    if (isLinked === before.linked.includes(id)) continue
    const other = await personOf(tx, { id })
    const others = other.linked.filter((linked) => linked !== after.id)
    const changed = { ...other, linked: isLinked ? [...others, after.id] : others }
    requireMayChange(keeper, other, changed)
    await tx.putPerson(changed)
  }
}

function isSamePerson({ accounts }: Keeper, id: UserId | undefined): boolean {
  return id !== undefined && accounts.includes(id)
}

function isOwner({ status, roles }: Person): boolean {
  return status === 'active' && roles.includes('owner')
}

function hasRole(person: Person, roles: readonly Role[]): boolean {
  return person.status === 'active' && roles.some((role) => person.roles.includes(role))
}

/** What two requests for one key must agree on; the secret is another in each. */
function keyDetails({ kind, name, agents, environment, lineage, createdBy }: ProjectKey): object {
  return { kind, name, agents, environment, lineage, createdBy }
}

/** Whether all members of `some` say the same in `whole`. */
function same(some: object, whole: object): boolean {
  const form = (of: object): string =>
    canonicalJson(Object.keys(some).map((name) => (of as Record<string, unknown>)[name] ?? null))
  return form(some) === form(whole)
}

function notFound(what: 'agent' | 'key' | 'person', id: string): SilentAuthError {
  return new SilentAuthError('NOT_FOUND', `${what} ${id} is not of this project`)
}

function forbidden(message: string): SilentAuthError {
  return new SilentAuthError('FORBIDDEN', message)
}

function invalid(field: string, reason: string): SilentAuthError {
  return new SilentAuthError('INVALID_FIELD', `${field}: ${reason}`, { field })
}
