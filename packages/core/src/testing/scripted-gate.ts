/**
 * Gates for the tests of those who gate their tools: what people decide is written down beforehand, everything else is
 * the real gate over memory, permits included.
 *
 * @module
 */
import type { CallOptions, Gate } from '../gate.js'
import type { Intent, IntentDraft } from '../intent.js'
import type { JsonObject } from '../json.js'
import type { Principal } from '../registry.js'
import type { Vote } from '../vote.js'
import type { FakeClock } from './fake-clock.js'
import { refuseProduction, type TestGate, testGate } from './test-gate.js'

/** What happens to one new intent. */
export type ScriptedDecision =
  | 'approve'
  | 'deny'
  | { readonly deny: string }
  | { readonly requestChanges: string }
  /** An approver changes the params, and another one approves that. */
  | { readonly edit: JsonObject }
  | 'expire'
  /** Nobody decides. */
  | 'wait'

export interface ScriptedGate extends Gate {
  /** Every intent that was declared, in order, as it was then. */
  readonly intents: readonly Intent[]
  /** The clock of the gate; it starts at the current time. */
  readonly clock: FakeClock
  /** Decides the oldest intent that waits. */
  decide(decision: Exclude<ScriptedDecision, 'wait'>): Promise<void>
}

/** Every intent is approved by a person, at once. @throws TypeError when `NODE_ENV` is `production` */
export function approvingGate(): ScriptedGate {
  return scripted('approvingGate', () => 'approve')
}

/** Every intent is denied by a person who says `reason`. @throws TypeError when `NODE_ENV` is `production` */
export function denyingGate(reason = 'denied by denyingGate'): ScriptedGate {
  return scripted('denyingGate', () => ({ deny: reason }))
}

/**
 * New intents are decided as the script says, one after the other.
 *
 * @throws TypeError when `NODE_ENV` is `production`; from `declare` when the script is at its end
 */
export function scriptedGate(script: readonly ScriptedDecision[]): ScriptedGate {
  const left = [...script]
  return scripted('scriptedGate', () => {
    const decision = left.shift()
    if (decision === undefined) throw new TypeError('scriptedGate: the script has no decision for another intent')
    return decision
  })
}

function scripted(name: string, next: () => ScriptedDecision): ScriptedGate {
  refuseProduction(name)
  const ready = testGate()
  const intents: Intent[] = []
  const clock: { current?: FakeClock } = {}
  ready.then((test) => {
    clock.current = test.clock
  })
  const seen = new Set<string>()
  const running = new Set<Promise<unknown>>()
  // Decisions come after the declare has answered, as they do from people; whoever waits sees them.
  const background = (work: Promise<unknown>): void => {
    running.add(work)
    work.catch(() => undefined)
  }

  return {
    intents,
    get clock() {
      if (!clock.current) throw new TypeError(`${name}: its clock exists after the first call`)
      return clock.current
    },
    async decide(decision) {
      const test = await ready
      const open = await Promise.all(intents.map(({ id }) => test.gate.read(id)))
      const oldest = open.find(({ status }) => status === 'pending')
      if (!oldest) throw new TypeError(`${name}: no intent waits for a decision`)
      await decide(test, oldest, decision)
    },
    async declare(draft: IntentDraft, options?: CallOptions) {
      const test = await ready
      const intent = await test.gate.declare(draft, options)
      if (seen.has(intent.id)) return intent
      seen.add(intent.id)
      intents.push(intent)
      const decision = next()
      if (decision !== 'wait' && intent.status === 'pending') background(decide(test, intent, decision))
      return intent
    },
    read: async (ref, options) => (await ready).gate.read(ref, options),
    wait: async (id, options) => (await ready).gate.wait(id, options),
    cancel: async (id, reason, options) => (await ready).gate.cancel(id, reason, options),
    claim: async (id, attempt, options) => (await ready).gate.claim(id, attempt, options),
    report: async (id, attempt, outcome, options) => (await ready).gate.report(id, attempt, outcome, options),
    trust: async (options) => (await ready).gate.trust(options),
    async [Symbol.asyncDispose]() {
      const decided = await Promise.allSettled(running)
      await (await ready)[Symbol.asyncDispose]()
      // A decision that the script wrote and the gate refused is a mistake in the test.
      const failed = decided.find((one) => one.status === 'rejected')
      if (failed) throw failed.reason
    },
  }
}

async function decide(
  test: TestGate,
  { id, expiresAt }: Intent,
  decision: Exclude<ScriptedDecision, 'wait'>,
): Promise<void> {
  const { desk } = test.local
  const vote = async (person: Principal, on: Intent['id'], verdict: Vote['verdict'], rest: Partial<Vote> = {}) => {
    const { intentHash, confirmation, view } = await desk.read(person, on)
    // A policy can hide values from everyone but owners and admins; such an intent is for a test of its own.
    for (const pointer of view.redacted) await desk.reveal(person, on, pointer).catch(() => undefined)
    return desk.vote(person, on, { verdict, intentHash, confirm: confirmation, ...rest })
  }
  const { approver } = test
  if (decision === 'approve') await vote(approver, id, 'approve')
  else if (decision === 'deny') await vote(approver, id, 'deny')
  else if (decision === 'expire') {
    test.clock.advance(Math.max(0, expiresAt - test.clock.now()))
    await test.local.sweep()
  } else if ('deny' in decision) await vote(approver, id, 'deny', { comment: decision.deny })
  else if ('requestChanges' in decision)
    await vote(approver, id, 'request_changes', { comment: decision.requestChanges })
  else {
    const { supersededBy } = await vote(approver, id, 'approve', { params: decision.edit })
    if (!supersededBy) return
    const second = await test.person()
    const successor = await desk.read(second, supersededBy)
    if (successor.status === 'pending') await vote(second, supersededBy, 'approve')
  }
}
