/**
 * The stage on which a scripted agent plays: a real gate with its people, an agent whose status can change, and hooks
 * around every call to the gate, so that the gate can be away, late, or in other hands at any step.
 *
 * @module
 */
import type { Desk } from '../desk.js'
import { type ErrorCode, SilentAuthError } from '../errors.js'
import type { Claim, Gate } from '../gate.js'
import { type IntentId, type ProjectId, randomToken } from '../id.js'
import type { Intent } from '../intent.js'
import type { EpochMs, JsonObject } from '../json.js'
import type { Agent, Principal, ProjectKey } from '../registry.js'
import type { Store, StoreTransaction } from '../store.js'

/** `testGate` of `@silentauth/core/testing`, as far as it is needed here. */
export interface GateOnStage extends AsyncDisposable {
  readonly project: { readonly id: ProjectId }
  readonly local: {
    readonly desk: Desk
    sweep(): Promise<number>
    administer<Result>(
      actor: string,
      event: string,
      data: JsonObject,
      work: (tx: StoreTransaction) => Promise<Result>,
    ): Promise<Result>
  }
  readonly store: Store
  readonly clock: { now(): EpochMs; advance(ms: number): void }
  readonly approver: Principal
  person(): Promise<Principal>
  agent(): Promise<Agent>
  addKey(details: Partial<Pick<ProjectKey, 'agents'>>): Promise<{ readonly gate: Gate }>
  policies(policies: readonly JsonObject[]): Promise<void>
}

/** In place of a call to the gate; `next` makes it. */
export interface GateHooks {
  declare?: (next: () => Promise<Intent>) => Promise<Intent>
  read?: (next: () => Promise<Intent>) => Promise<Intent>
  wait?: (next: () => ReturnType<Gate['wait']>) => ReturnType<Gate['wait']>
  claim?: (next: () => Promise<Claim>) => Promise<Claim>
  report?: (next: () => Promise<void>) => Promise<void>
}

/** What people do with an intent once somebody waits for it. */
export type Decide = (stage: Stage, intent: Intent) => Promise<unknown>

export interface Stage {
  /** The agent's own, with hooks. It holds a key, as a client of a gate does. */
  readonly gate: Gate & { readonly secretKey: string }
  readonly controller: AbortController
  /** Every permit that left the gate, and every one that the adapter was given in place of it. */
  readonly permits: readonly string[]
  /** What went wrong in the decisions; empty unless the scenario itself is wrong. */
  readonly faults: readonly unknown[]
  approve(intent: Intent, by?: 'another person'): Promise<unknown>
  deny(intent: Intent, comment: string): Promise<unknown>
  requestChanges(intent: Intent, comment: string): Promise<unknown>
  edit(intent: Intent, params: JsonObject): Promise<unknown>
  cancel(intent: Intent): Promise<unknown>
  expire(intent: Intent): Promise<unknown>
  /** Past every deadline of an execution. */
  passTime(): void
  setAgent(status: Agent['status']): Promise<void>
  policies(policies: readonly JsonObject[]): Promise<void>
  /** `<status> <execution>` of every intent, sorted. */
  statuses(): Promise<string[]>
  /** What nobody waits for in a process is decided now; what was not decided a round ago expires. */
  decideWaiting(): Promise<void>
  /** Ends when every decision has been made and no call to the gate is under way: an agent may be gone before its adapter. */
  settle(): Promise<void>
  intents(): Promise<readonly Intent[]>
}

export async function stageOf(
  test: GateOnStage,
  scene: { decide?: Decide; hooks?: (stage: Stage) => GateHooks },
): Promise<Stage> {
  const agent = await test.agent()
  const { gate } = await test.addKey({ agents: [agent.id] })
  const { desk } = test.local
  const permits: string[] = []
  const faults: unknown[] = []
  const decisions = new Map<IntentId, Promise<unknown>>()
  const calls = new Set<Promise<unknown>>()

  const vote = async (
    person: Principal,
    { id }: Intent,
    verdict: 'approve' | 'deny' | 'request_changes',
    rest: { comment?: string; params?: JsonObject } = {},
  ) => {
    const { intentHash, confirmation } = await desk.read(person, id)
    return desk.vote(person, id, { verdict, intentHash, confirm: confirmation, ...rest })
  }
  const noted = (claim: Claim): Claim => {
    if (claim.type === 'granted' && !permits.includes(claim.permit)) permits.push(claim.permit)
    return claim
  }
  const stage: Stage = {
    gate: {
      secretKey: `sk_test_${randomToken(32)}`,
      declare: (draft, options) => through(calls, hooks.declare, () => gate.declare(draft, options)),
      read: (ref, options) => through(calls, hooks.read, () => gate.read(ref, options)),
      wait(id, options) {
        const waiting = through(calls, hooks.wait, () => gate.wait(id, options))
        if (!decisions.has(id)) decisions.set(id, decideOn(id))
        return waiting
      },
      cancel: (id, reason, options) => through(calls, undefined, () => gate.cancel(id, reason, options)),
      claim: async (id, attempt, options) =>
        noted(await through(calls, hooks.claim, async () => noted(await gate.claim(id, attempt, options)))),
      report: (id, attempt, outcome, options) =>
        through(calls, hooks.report, () => gate.report(id, attempt, outcome, options)),
      trust: (options) => gate.trust(options),
      [Symbol.asyncDispose]: () => gate[Symbol.asyncDispose](),
    },
    controller: new AbortController(),
    permits,
    faults,
    approve: async (intent, by) => vote(by ? await test.person() : test.approver, intent, 'approve'),
    deny: (intent, comment) => vote(test.approver, intent, 'deny', { comment }),
    requestChanges: (intent, comment) => vote(test.approver, intent, 'request_changes', { comment }),
    edit: (intent, params) => vote(test.approver, intent, 'approve', { params }),
    cancel: ({ id }) => gate.cancel(id, 'somebody else cancelled it'),
    expire: ({ expiresAt }) => {
      test.clock.advance(expiresAt - test.clock.now())
      return test.local.sweep()
    },
    passTime: () => test.clock.advance(24 * 3600 * 1000),
    setAgent: (status) =>
      test.local.administer('system:test', 'agent.status_changed', {}, (tx) => tx.putAgent({ ...agent, status })),
    policies: (policies) => test.policies(policies),
    statuses: async () => (await stage.intents()).map(({ status, execution }) => `${status} ${execution.state}`).sort(),
    async decideWaiting() {
      for (const intent of await stage.intents()) {
        if (intent.status !== 'pending') continue
        const known = scene.decide === undefined || decisions.has(intent.id)
        const decided = known ? stage.expire(intent) : decideOn(intent.id)
        if (!decisions.has(intent.id)) decisions.set(intent.id, decided)
        await decided
      }
    },
    async settle() {
      await Promise.all(decisions.values())
      do {
        await Promise.allSettled(calls)
        await new Promise((resolve) => setTimeout(resolve))
      } while (calls.size > 0)
    },
    async intents() {
      const { items } = await test.store.intents({ projectId: test.project.id, limit: 100 })
      return Promise.all(items.map(({ declaration }) => gate.read(declaration.id)))
    },
  }
  const hooks = scene.hooks?.(stage) ?? {}

  /** While somebody waits, as people do; what goes wrong in it is a fault of the scenario. */
  async function decideOn(id: IntentId): Promise<void> {
    try {
      await scene.decide?.(stage, await gate.read(id))
    } catch (error) {
      faults.push(error)
    }
  }
  return stage
}

export function refusedBy(code: ErrorCode): SilentAuthError {
  return new SilentAuthError(code, 'said by the stage')
}

async function through<Result>(
  calls: Set<Promise<unknown>>,
  hook: ((next: () => Promise<Result>) => Promise<Result>) | undefined,
  next: () => Promise<Result>,
): Promise<Result> {
  const call = hook ? hook(next) : next()
  calls.add(call)
  try {
    return await call
  } finally {
    calls.delete(call)
  }
}
