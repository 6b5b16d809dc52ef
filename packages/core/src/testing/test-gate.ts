/**
 * A whole gate for tests: a real `localGate` over memory, with a project, keys, people and policies.
 *
 * @module
 */
import type { Gate } from '../gate.js'
import { newId, type ProjectId, randomToken } from '../id.js'
import type { EpochMs, JsonObject } from '../json.js'
import { type LocalGate, localGate } from '../local-gate.js'
import { memoryStore } from '../memory-store.js'
import type { Policy } from '../policy.js'
import { parsePolicy } from '../policy-form.js'
import type { PublicAlg } from '../public-key.js'
import { RESULT_KEY_BYTES } from '../recorded-result.js'
import type { Agent, KeyPrincipal, Person, Principal, Project, ProjectKey } from '../registry.js'
import { generateSigningKey, privateKeySigner, type Signer } from '../signer.js'
import type { Store } from '../store.js'
import { type FakeClock, fakeClock } from './fake-clock.js'

export interface TestGateOptions {
  /** Policies as in a policy file, in order: the first that matches wins. @default none: a person decides */
  readonly policies?: readonly JsonObject[] | undefined
  readonly project?: Partial<Omit<Project, 'id'>> | undefined
  /** @default a memory store on `clock` */
  readonly store?: Store | undefined
  /** @default a fake clock that starts now */
  readonly clock?: FakeClock | undefined
  /** @default 'EdDSA', the fastest to make */
  readonly alg?: PublicAlg | undefined
  readonly signer?: Signer | undefined
  readonly maxPendingPerKey?: number | undefined
  readonly denialMemorySeconds?: number | undefined
  readonly source?: string | undefined
  /** False: none. @default a new one */
  readonly resultKey?: Uint8Array | false | undefined
}

export interface TestGate extends AsyncDisposable {
  /** Of `key`, an agent key that nobody made, so that nobody is excluded by it. */
  readonly gate: Gate
  readonly key: ProjectKey
  readonly local: LocalGate
  readonly store: Store
  readonly clock: FakeClock
  readonly project: Project
  readonly signer: Signer
  /** An approver who signed in with the browser. */
  readonly approver: Principal
  person(details?: Partial<Omit<Person, 'projectId'>> & { via?: Principal['via'] }): Promise<Principal>
  /** Writes a person again, with other groups, roles or links. */
  change(person: Principal, details: Partial<Omit<Person, 'id' | 'projectId'>>): Promise<void>
  agent(details?: Partial<Omit<Agent, 'projectId'>>): Promise<Agent>
  addKey(
    details?: Partial<Omit<ProjectKey, 'projectId'>>,
  ): Promise<{ key: ProjectKey; gate: Gate; principal: KeyPrincipal }>
  policies(policies: readonly JsonObject[]): Promise<void>
}

function newResultKey(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(RESULT_KEY_BYTES))
}

/** @throws TypeError when `NODE_ENV` is `production` */
export async function testGate(options: TestGateOptions = {}): Promise<TestGate> {
  refuseProduction('testGate')
  const clock = options.clock ?? fakeClock()
  const store = options.store ?? memoryStore({ now: clock.now })
  const signer = options.signer ?? (await privateKeySigner(await generateSigningKey(options.alg ?? 'EdDSA')))
  const project: Project = {
    id: newId('prj'),
    name: 'test project',
    timezone: 'UTC',
    actionTiers: {},
    requireRegisteredAgents: false,
    approverLabels: 'email',
    ...options.project,
  }
  const local = localGate({
    store,
    signer,
    projectId: project.id,
    issuer: 'urn:silentauth:test',
    publicUrl: 'http://127.0.0.1:4747',
    sweepMs: 0,
    pollMs: 0,
    now: clock.now,
    maxPendingPerKey: options.maxPendingPerKey,
    denialMemorySeconds: options.denialMemorySeconds,
    source: options.source,
    resultKey: options.resultKey === false ? undefined : (options.resultKey ?? newResultKey()),
  })
  const setup = <Result>(work: Parameters<typeof local.administer<Result>>[3]): Promise<Result> =>
    local.administer('system:setup', 'registry.changed', {}, work)

  const key = aKey(project.id, clock.now())
  await setup(async (tx) => {
    await tx.putProject(project)
    await tx.putKey(key)
  })

  const test: Omit<TestGate, 'approver'> = {
    gate: local.gateFor(principalOf(key)),
    key,
    local,
    store,
    clock,
    project,
    signer,
    async person({ via = 'session', ...details } = {}) {
      const id = details.id ?? newId('usr')
      const person: Person = {
        id,
        projectId: project.id,
        email: `${id.slice(4, 12)}@example.com`,
        roles: ['approver'],
        groups: [],
        linked: [],
        status: 'active',
        ...details,
      }
      await setup(async (tx) => {
        await tx.putPerson(person)
        for (const group of person.groups) await tx.putGroup(project.id, group)
      })
      return { type: 'person', id, projectId: project.id, via }
    },
    async change(principal, details) {
      const person = await store.person(principal.id)
      if (!person) throw new TypeError(`${principal.id} is nobody`)
      await setup((tx) => tx.putPerson({ ...person, ...details }))
    },
    async agent(details = {}) {
      const id = newId('agt')
      const agent: Agent = {
        id,
        projectId: project.id,
        name: 'test agent',
        fingerprint: `agent-${id.slice(4, 12)}`,
        status: 'active',
        owner: undefined,
        riskSensitivity: undefined,
        enforce: false,
        lastSeenAt: undefined,
        ...details,
      }
      await setup((tx) => tx.putAgent(agent))
      return agent
    },
    async addKey(details = {}) {
      const added = aKey(project.id, clock.now(), details)
      await setup((tx) => tx.putKey(added))
      return { key: added, gate: local.gateFor(principalOf(added)), principal: principalOf(added) }
    },
    async policies(policies) {
      const stored = policies.map((policy, index) => aPolicy(policy, 1_000_000 - index, clock.now()))
      await setup((tx) => tx.putPolicies(project.id, stored))
    },
    async [Symbol.asyncDispose]() {
      await local[Symbol.asyncDispose]()
      if (options.store === undefined) await store[Symbol.asyncDispose]()
    },
  }
  if (options.policies) await test.policies(options.policies)
  return { ...test, approver: await test.person({ email: 'approver@example.com' }) }
}

export function principalOf(key: ProjectKey): KeyPrincipal {
  return { type: 'key', id: key.id, projectId: key.projectId }
}

/** What the testing gates are must never decide anything that matters. */
export function refuseProduction(name: string): void {
  if (globalThis.process?.env?.NODE_ENV === 'production') {
    throw new TypeError(`${name} is for tests: it does not start with NODE_ENV=production`)
  }
}

function aKey(projectId: ProjectId, now: EpochMs, details: Partial<Omit<ProjectKey, 'projectId'>> = {}): ProjectKey {
  const id = details.id ?? newId('key')
  return {
    id,
    lineage: id,
    projectId,
    kind: 'agent',
    name: 'test key',
    agents: [],
    environment: undefined,
    createdBy: 'system:setup',
    status: 'active',
    secretHash: randomToken(32),
    createdAt: now,
    ...details,
  }
}

/** `priority` when the policy says none: the order in which they are given. */
function aPolicy(policy: JsonObject, priority: number, now: EpochMs): Policy {
  const definition = parsePolicy({ name: 'test policy', priority, ...policy })
  return { ...definition, id: newId('pol'), version: 1, createdAt: now }
}
