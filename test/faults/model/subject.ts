/**
 * The subject of the model suite: a gate of its own project over one store, which is given the actions that the reference is given,
 * and of which the same is seen.
 *
 * @module
 */
import {
  acceptRestore,
  type Claim,
  type IntentDraft,
  type IntentId,
  isSilentAuthError,
  type JsonObject,
  type KeyPrincipal,
  type LocalGate,
  localGate,
  logName,
  newId,
  noteSigner,
  type Person,
  type Policy,
  type Principal,
  type ProjectKey,
  parsePolicy,
  randomToken,
  type Signer,
  type Store,
  type UserId,
} from '@silentauth/core'
import type { FakeClock } from '@silentauth/core/testing'
import { faultyStore, type StoreFault } from '../faulty-store.ts'
import { flawsOf, historyOf, placeAll } from '../history.ts'
import { type Action, PEOPLE, type PersonName, type PolicyName, TERMS } from './action.ts'
import { interleavedStore, type Turns, turns } from './interleaved-store.ts'
import type { Seen } from './reference.ts'

export interface Stage {
  /** One for each node. What they store is the same. */
  readonly stores: readonly [Store, ...Store[]]
  readonly clock: FakeClock
  readonly signer: Signer
}

export interface Subject extends AsyncDisposable {
  /** Never rejects: an answer of the gate, `refused`, or `broken` when the store failed. */
  perform(action: Action): Promise<string>
  see(): Promise<readonly Seen[]>
  /** Answers name permits by their ids; this says which of its intent it is. */
  readonly placed: (answer: string) => string
  /** Whether it was declared by the agent, and not by an edit. */
  isDeclared(intent: number): boolean
  /** Whether somebody has this permit's token. */
  has(intent: number, permit: number): boolean
  readonly interleaved: Turns['between']
  /** From now on; undefined: nothing fails. */
  arm(fault: StoreFault | undefined): void
  /** What of the whole history contradicts itself. */
  flaws(): Promise<readonly string[]>
}

const ISSUER = 'urn:silentauth:model'
const ACTION = 'issue_refund'
const FINGERPRINT = 'refund-agent'

export async function subject({ stores, clock, signer }: Stage): Promise<Subject> {
  const [inner] = stores
  const recorded = faultyStore(inner)
  const faulty = [recorded, ...stores.slice(1).map(faultyStore)]
  const meeting = turns()
  const projectId = newId('prj')
  const gates = faulty.map(({ store }) =>
    localGate({
      store: interleavedStore(store, meeting),
      signer,
      projectId,
      issuer: ISSUER,
      publicUrl: 'http://127.0.0.1:4747',
      sweepMs: 0,
      pollMs: 0,
      now: clock.now,
    }),
  )
  let asked = 0
  /** Each time another one: what one node did, the next one must know. */
  const node = (): LocalGate => gates[asked++ % gates.length] as LocalGate
  const started = clock.now()
  const names = new Map(PEOPLE.map((name) => [name, newId('usr')]))
  const agentKey = aKey('agent')
  const verifierKey = aKey('verifier')
  const agentId = newId('agt')
  await node().administer('system:setup', 'project.created', {}, async (tx) => {
    await tx.putProject({
      id: projectId,
      name: 'model',
      timezone: 'UTC',
      actionTiers: {},
      requireRegisteredAgents: false,
      approverLabels: 'email',
    })
    await tx.putKey(agentKey)
    await tx.putKey(verifierKey)
    for (const name of PEOPLE) await tx.putPerson(personCalled(name, true))
    await tx.putAgent(agent(false))
    await tx.putPolicies(projectId, [aPolicy('one', started)])
  })
  const ids: IntentId[] = []
  const tokens = new Map<string, string>()
  const permits = new Map<string, { intent: number; permit: number }>()
  let drafts = 0
  const drafted: IntentDraft[] = []
  /** Declared, and not answered. */
  const lost = new Map<string, IntentDraft>()

  function aKey(kind: ProjectKey['kind']): ProjectKey {
    const id = newId('key')
    return {
      id,
      lineage: id,
      projectId,
      kind,
      name: kind,
      agents: [],
      environment: undefined,
      createdBy: 'system:setup',
      status: 'active',
      secretHash: randomToken(32),
      createdAt: started,
    }
  }

  function personCalled(name: PersonName, active: boolean): Person {
    const linked = name === 'annAgain' ? [names.get('ann') as UserId] : []
    return {
      id: names.get(name) as UserId,
      projectId,
      email: `${name.toLowerCase()}@example.com`,
      roles: ['approver'],
      groups: [],
      linked,
      status: active ? 'active' : 'disabled',
    }
  }

  function agent(paused: boolean) {
    return {
      id: agentId,
      projectId,
      name: 'agent',
      fingerprint: FINGERPRINT,
      status: paused ? ('paused' as const) : ('active' as const),
      owner: names.get('olga'),
      riskSensitivity: undefined,
      enforce: false,
      lastSeenAt: undefined,
    }
  }

  const principal = (name: PersonName): Principal => ({
    type: 'person',
    id: names.get(name) as UserId,
    projectId,
    via: 'session',
  })
  const idOf = (intent: number): IntentId => {
    const id = ids[intent]
    if (!id) throw new TypeError(`there is no intent ${intent}`)
    return id
  }
  const since = (at: number | undefined): number | undefined => (at === undefined ? undefined : (at - started) / 1000)
  /** Its place, or the next one: whoever asks in the order of declaring gives places in that order. */
  function placeOf(id: IntentId): number {
    const known = ids.indexOf(id)
    return known >= 0 ? known : ids.push(id) - 1
  }

  async function ask(action: Action): Promise<string> {
    const local = node()
    const gate = local.gateFor(principalOf(agentKey))
    switch (action.type) {
      case 'tick':
        clock.advance(action.seconds * 1000)
        return 'ok'
      case 'sweep':
        await local.sweep()
        return 'ok'
      case 'restore':
        await acceptRestore({
          store: recorded.store,
          projectId,
          issuer: ISSUER,
          signer: await noteSigner(logName(ISSUER, projectId), signer),
        })
        await local.administer('system:setup', 'keys.changed', {}, async (tx) => {
          await tx.putKey(agentKey)
          await tx.putKey(verifierKey)
        })
        return 'ok'
      case 'agent':
        await local.administer('system:setup', 'agent.changed', {}, (tx) => tx.putAgent(agent(action.paused)))
        return 'ok'
      case 'policy':
        await local.administer('system:setup', 'policies.changed', {}, (tx) =>
          tx.putPolicies(projectId, [aPolicy(action.policy, clock.now())]),
        )
        return 'ok'
      case 'person':
        await local.administer('system:setup', 'person.changed', {}, (tx) =>
          tx.putPerson(personCalled(action.person, action.active)),
        )
        return 'ok'
      case 'declare': {
        const { delivery, reenters, idempotent, edits, supersedes } = action
        const number = drafts++
        const draft: IntentDraft = {
          action: ACTION,
          params: { number },
          source: FINGERPRINT,
          idempotencyKey: `call ${number}`,
          delivery,
          reenters,
          idempotent,
          ...(edits && { edits: { schema: EDITED } }),
          ...(supersedes !== undefined && { supersedes: idOf(supersedes) }),
        }
        lost.set(`call ${number}`, draft)
        const { id } = await gate.declare(draft)
        lost.delete(`call ${number}`)
        drafted[placeOf(id)] = draft
        return `intent ${placeOf(id)}`
      }
      case 'repeat': {
        const draft = drafted[action.intent]
        if (!draft) throw new TypeError(`nobody declared intent ${action.intent}`)
        const { id } = await gate.declare({ ...draft, ...(action.changed && { params: { number: -1 } }) })
        return `intent ${placeOf(id)}`
      }
      case 'vote':
      case 'edit': {
        const id = idOf(action.intent)
        const intentHash = (await inner.intent(id))?.declaration.intentHash ?? 'sha-256:'
        const vote =
          action.type === 'vote'
            ? { verdict: action.verdict, intentHash }
            : { verdict: 'approve' as const, intentHash, params: { number: 1000 + drafts++ } }
        await local.desk.vote(principal(action.by), id, vote)
        return 'ok'
      }
      case 'cancel':
        await gate.cancel(idOf(action.intent), 'not needed any more')
        return 'ok'
      case 'claim': {
        const { execution: executionId, attempt: attemptId, continues } = action
        return claimed(await gate.claim(idOf(action.intent), { executionId, attemptId, continues }))
      }
      case 'report': {
        const { execution: executionId, attempt: attemptId, status } = action
        await gate.report(idOf(action.intent), { executionId, attemptId }, { status })
        return 'ok'
      }
      case 'redeem': {
        const { token, paramsDigest, audience } = await shownAt(action.intent, action.permit)
        const { replayed } = await local.counter.redeem(principalOf(verifierKey), {
          token,
          redemptionId: action.redemption.padEnd(24, '.'),
          action: ACTION,
          paramsDigest,
          audience,
          idempotent: action.optIn,
        })
        return replayed ? 'used before' : 'used'
      }
      case 'verify': {
        const { token, params, audience } = await shownAt(action.intent, action.permit)
        await local.counter.verify(principalOf(verifierKey), { token, action: ACTION, params, audience })
        return 'ok'
      }
      case 'log': {
        const permitId = (await inner.intent(idOf(action.intent)))?.permits[action.permit]?.id
        if (!permitId) throw new TypeError('there is no such permit')
        await local.counter.logExecution(principalOf(verifierKey), { permitId, status: action.status })
        return 'ok'
      }
      case 'withdraw':
        await local.desk.withdraw(principal(action.by), idOf(action.intent), 'a mistake')
        return 'ok'
      case 'reconcile': {
        const finding = action.happened ? 'happened' : 'did_not_happen'
        await local.desk.reconcile(principal(action.by), idOf(action.intent), { finding })
        return 'ok'
      }
    }
  }

  function claimed(claim: Claim): string {
    switch (claim.type) {
      case 'granted': {
        const { jti, exp, use_until: useUntil } = claimsOf(claim.permit)
        tokens.set(jti, claim.permit)
        return `granted ${jti} until ${exp - started / 1000}, ${useUntil - started / 1000}`
      }
      case 'running':
        return `running ${since(claim.deadline)}`
      case 'recorded':
      case 'unknown':
      case 'closed':
        return claim.type
    }
  }

  async function shownAt(intent: number, permit: number) {
    const state = await inner.intent(idOf(intent))
    const token = tokens.get(state?.permits[permit]?.id ?? '')
    if (!state || token === undefined) throw new TypeError('nobody has this token')
    const { params, paramsDigest, view } = state.declaration
    return { token, params, paramsDigest, audience: view.aud }
  }

  async function seen(place: number): Promise<Seen> {
    const id = idOf(place)
    const gate = node().gateFor(principalOf(agentKey))
    const [intent, state] = [await gate.read(id), await inner.intent(id)]
    if (!state) throw new TypeError(`${id} is gone`)
    if (intent.permitToken !== undefined) tokens.set(claimsOf(intent.permitToken).jti, intent.permitToken)
    for (const [permit, { id: jti }] of state.permits.entries()) permits.set(jti, { intent: place, permit })
    const named = new Map([...names].map(([name, userId]) => [userId as string, name]))
    const placeOfPermit = (permitId: string): number => state.permits.findIndex((permit) => permit.id === permitId)
    return {
      status: intent.status,
      execution: intent.execution.state,
      continuations: intent.execution.continuations,
      deadline: since(intent.execution.deadline),
      reportedBy: intent.execution.reportedBy,
      disputed: intent.execution.disputed,
      useUntil: since(state.useUntil),
      votes: state.votes.map(({ by, verdict, edited }) => `${named.get(by)} ${edited ? 'edit' : verdict}`).sort(),
      permits: state.permits.map(({ exp }) => (exp ?? 0) - started / 1000),
      redemptions: state.redemptions.map(
        ({ id: redemption, permitId, replayed }) =>
          `${redemption.replace(/\.+$/, '')} ${placeOfPermit(permitId)} ${replayed}`,
      ),
      supersededBy: intent.supersededBy && placeOf(intent.supersededBy),
      live: ['started', 'delivered'].includes(intent.execution.state) && state.permits.at(-1)?.revokedAt === undefined,
      withdrawn: state.execution.withdrawnAt !== undefined,
      shown: intent.permitToken !== undefined,
    }
  }

  return {
    async perform(action) {
      try {
        return await ask(action)
      } catch (error) {
        if (!isSilentAuthError(error)) throw error
        return error.code === 'DB_ERROR' || error.code === 'AUDIT_UNAVAILABLE' ? 'broken' : 'refused'
      }
    },
    async see() {
      await findLost()
      const all: Seen[] = []
      // Successors come to light while looking, and are looked at, too.
      for (let place = 0; place < ids.length; place++) all.push(await seen(place))
      return all
    },
    placed: (answer) => answer.replace(/pmt_\w+/, (jti) => String(permits.get(jti)?.permit ?? jti)),
    isDeclared: (intent) => drafted[intent] !== undefined,
    has(intent, permit) {
      for (const [jti, at] of permits) if (at.intent === intent && at.permit === permit) return tokens.has(jti)
      return false
    },
    interleaved: meeting.between,
    arm(fault) {
      for (const each of faulty) each.arm(fault)
    },
    async flaws() {
      await placeAll(inner, projectId)
      const flaws = flawsOf(
        await historyOf(
          inner,
          projectId,
          faulty.flatMap(({ outbox }) => outbox),
        ),
      )
      return Object.entries(flaws).flatMap(([name, times]) => (times > 0 ? [`${name} ${times}`] : []))
    },
    async [Symbol.asyncDispose]() {
      for (const gate of gates) await gate[Symbol.asyncDispose]()
    },
  }

  /** One whose answer was lost is there all the same, or never will be. */
  async function findLost(): Promise<void> {
    for (const [key, draft] of lost) {
      const found = await inner.intentByIdempotencyKey(`key:${agentKey.lineage}`, key)
      if (found !== undefined) drafted[placeOf(found)] = draft
    }
    lost.clear()
  }
}

/** Only numbers of this suite. */
const EDITED: JsonObject = {
  type: 'object',
  properties: { number: { type: 'integer' } },
  required: ['number'],
  additionalProperties: false,
}

function aPolicy(name: PolicyName, now: number): Policy {
  const decision = name === 'auto' ? 'auto_approve' : name === 'never' ? 'auto_deny' : 'require_approval'
  const definition = parsePolicy({
    name,
    priority: 1,
    match: { action_pattern: '*' },
    decision,
    ...(name === 'auto' && { any_params: true, allow: ['reenters', 'idempotent'] }),
    ...(decision === 'require_approval' && {
      approval: { approvers_required: name === 'two' ? 2 : 1, deny_threshold: name === 'patient' ? 2 : 1 },
    }),
    permit: { ttl_seconds: TERMS.ttl },
    intent: { expires_in: TERMS.expiresIn, execution_window: TERMS.window, execution_deadline: TERMS.deadline },
  })
  return { ...definition, id: newId('pol'), version: 1, createdAt: now }
}

function principalOf({ id, projectId }: ProjectKey): KeyPrincipal {
  return { type: 'key', id, projectId }
}

function claimsOf(token: string): { jti: string; exp: number; use_until: number } {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
}
