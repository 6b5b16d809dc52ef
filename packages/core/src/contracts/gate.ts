/**
 * The contract of gates: what a gate answers to those who ask, whether it is in this process or behind HTTP. One suite
 * holds `localGate` and the SDK over a real server to the same behaviour.
 *
 * @module
 */
import { describe, expect, it, type TestContext, vi } from 'vitest'
import { type GateCall, type GateEvent, guard } from '../gate.js'
import { newId } from '../id.js'
import { snapshot } from '../params.js'
import { verifyPermit } from '../permit.js'
import { DECISION_TESTS } from './gate-decisions.js'
import { DELEGATION_TESTS } from './gate-delegations.js'
import { DENIAL_TESTS } from './gate-denials.js'
import { EXECUTION_TESTS } from './gate-executions.js'
import type { GateHarness } from './gate-harness.js'
import { KILL_SWITCH_TESTS } from './gate-kill-switch.js'
import { PERMIT_TESTS } from './gate-permits.js'
import {
  aCall,
  aDraft,
  anAttempt,
  approved,
  decide,
  errorOf,
  expectCode,
  permitIdOf,
  run,
  TWO_PEOPLE,
} from './gate-steps.js'
import type { GateTest } from './gate-test.js'

export interface DescribeGateOptions {
  /** Name of a test → why this gate cannot do it. */
  readonly skip?: Readonly<Record<string, string>> | undefined
}

export function describeGate(
  name: string,
  makeHarness: () => Promise<GateHarness>,
  { skip = {} }: DescribeGateOptions = {},
): void {
  const unknown = Object.keys(skip).filter((skipped) => !GATE_TESTS.some((test) => test.name === skipped))
  if (unknown.length > 0) throw new TypeError(`no test of the contract is called ${unknown.join(', ')}`)

  describe(name, () => {
    for (const { name: title, clock, run } of GATE_TESTS) {
      const reason = skip[title]
      if (reason !== undefined) it.skip(`${title} (${reason})`)
      else {
        it(title, async (context: TestContext) => {
          await using harness = await makeHarness()
          const { advance } = harness
          if (clock && advance === undefined) context.skip('the clock of this gate cannot be moved')
          await run({ ...harnessOf(harness), advance: advance ?? NOT_MOVABLE })
        })
      }
    }
  })
}

/** Spread by hand: a harness may have its members on a prototype. */
function harnessOf(harness: GateHarness): GateHarness {
  return {
    gate: harness.gate,
    otherGate: harness.otherGate,
    desk: harness.desk,
    counter: harness.counter,
    approver: harness.approver,
    secondApprover: harness.secondApprover,
    person: (details) => harness.person(details),
    change: (person, details) => harness.change(person, details),
    setPolicies: (policies) => harness.setPolicies(policies),
    setAgentStatus: (status) => harness.setAgentStatus(status),
    setAgentOwner: (owner) => harness.setAgentOwner(owner),
    now: () => harness.now(),
    sweep: () => harness.sweep(),
    [Symbol.asyncDispose]: () => harness[Symbol.asyncDispose](),
  }
}

const NOT_MOVABLE = (): never => {
  throw new TypeError('this gate has no clock that can be moved')
}

const SECRET = 'hunter2-must-never-be-in-a-message'
const READS = { name: 'reads', match: { action_pattern: 'read_*' }, decision: 'auto_approve', any_params: true }

const GATE_TESTS: readonly GateTest[] = [
  ...DECISION_TESTS,
  ...DENIAL_TESTS,
  ...DELEGATION_TESTS,
  ...KILL_SWITCH_TESTS,
  ...EXECUTION_TESTS,
  ...PERMIT_TESTS,

  // Declaring
  {
    name: 'I1 declares an intent that waits for a person',
    async run({ gate }) {
      const intent = await gate.declare(aDraft())
      expect(intent).toMatchObject({
        status: 'pending',
        decision: 'require_approval',
        action: 'issue_refund',
        params: { amount: 250, customer_id: 'cust_4821' },
        paramsDigest: snapshot(aDraft().params).digest,
        delivery: 'claim',
        approvalUrl: expect.stringMatching(new RegExp(`/inbox/${intent.id}$`)),
        execution: { state: 'none', continuations: 0, disputed: false },
        permitToken: undefined,
      })
    },
  },
  {
    name: 'I15 answers the same declaration under one key with the same intent',
    async run({ gate }) {
      const draft = aDraft({ idempotencyKey: 'call-1' })
      const [first, second] = [await gate.declare(draft), await gate.declare(draft)]
      expect(second.id).toBe(first.id)
    },
  },
  {
    name: 'I15 makes one intent of ten declarations at once under one key',
    async run({ gate }) {
      const draft = aDraft({ idempotencyKey: 'call-1' })
      const intents = await Promise.all(Array.from({ length: 10 }, () => gate.declare(draft)))
      expect(new Set(intents.map(({ id }) => id)).size).toBe(1)
    },
  },
  {
    name: 'makes two intents of two declarations without a key',
    async run({ gate }) {
      const [first, second] = [await gate.declare(aDraft()), await gate.declare(aDraft())]
      expect(second.id).not.toBe(first.id)
    },
  },
  {
    name: 'I15 refuses other params under the same key',
    async run({ gate }) {
      await gate.declare(aDraft({ idempotencyKey: 'call-1' }))
      const other = aDraft({ idempotencyKey: 'call-1', params: { customer_id: 'cust_4821', amount: 2500 } })
      await expectCode(gate.declare(other), 'IDEMPOTENCY_MISMATCH')
    },
  },
  {
    name: 'I15 keeps the idempotency keys of two keys apart',
    async run({ gate, otherGate }) {
      const draft = aDraft({ idempotencyKey: 'call-1' })
      expect((await otherGate.declare(draft)).id).not.toBe((await gate.declare(draft)).id)
    },
  },
  {
    name: 'I1 P2 settles at once what a policy approves, without a permit in sight',
    async run({ gate, setPolicies }) {
      await setPolicies([READS])
      const intent = await gate.declare(aDraft({ action: 'read_logs' }))
      expect(intent).toMatchObject({ status: 'approved', decision: 'auto_approve', permitToken: undefined })
    },
  },
  {
    name: 'I1 settles at once what a policy denies',
    async run({ gate, setPolicies }) {
      await setPolicies([{ name: 'never', match: { action_pattern: 'issue_*' }, decision: 'auto_deny' }])
      const intent = await gate.declare(aDraft())
      expect(intent).toMatchObject({ status: 'denied', decision: 'auto_deny', resolution: { by: 'policy' } })
    },
  },
  {
    name: 'declares nothing for a paused agent',
    async run({ gate, setAgentStatus }) {
      await setAgentStatus('paused')
      await expectCode(gate.declare(aDraft()), 'AGENT_PAUSED')
    },
  },
  {
    name: 'declares nothing for a revoked agent',
    async run({ gate, setAgentStatus }) {
      await setAgentStatus('revoked')
      await expectCode(gate.declare(aDraft()), 'AGENT_REVOKED')
    },
  },
  {
    name: 'refuses the source of another agent',
    async run({ gate }) {
      await expectCode(gate.declare(aDraft({ source: 'somebody-else' })), 'SOURCE_MISMATCH')
    },
  },
  {
    name: 'refuses approvers whom nobody knows',
    async run({ gate }) {
      await expectCode(gate.declare(aDraft({ approvers: ['nobody@example.com'] })), 'UNKNOWN_APPROVER')
    },
  },
  {
    name: 'refuses params that are not canonical, and names the place',
    async run({ gate }) {
      const error = await errorOf(gate.declare(aDraft({ params: { amount: Number.NaN, note: SECRET } })))
      expect(error).toMatchObject({ code: 'PARAMS_NOT_CANONICAL', field: '/amount' })
    },
  },
  {
    name: 'declares nothing once the signal has aborted',
    async run({ gate }) {
      const reason = new Error('gone')
      await expect(
        gate.declare(aDraft({ idempotencyKey: 'call-1' }), { signal: AbortSignal.abort(reason) }),
      ).rejects.toBe(reason)
      await expectCode(gate.read({ idempotencyKey: 'call-1' }), 'NOT_FOUND')
    },
  },

  // Reading
  {
    name: 'reads by id and by idempotency key',
    async run({ gate }) {
      const { id } = await gate.declare(aDraft({ idempotencyKey: 'call-1' }))
      const [byId, byKey] = [await gate.read(id), await gate.read({ idempotencyKey: 'call-1' })]
      expect([byId.id, byKey.id]).toEqual([id, id])
    },
  },
  {
    name: 'finds neither an unknown id nor an unknown idempotency key',
    async run({ gate }) {
      await expectCode(gate.read(newId('int')), 'NOT_FOUND')
      await expectCode(gate.read({ idempotencyKey: 'never' }), 'NOT_FOUND')
    },
  },
  {
    name: "hides an intent from the project's other keys, whatever they want of it",
    async run({ gate, otherGate, desk, approver }) {
      const { id } = await gate.declare(aDraft({ idempotencyKey: 'call-1' }))
      await decide(desk, approver, id, 'approve')
      await expectCode(otherGate.read(id), 'NOT_FOUND')
      await expectCode(otherGate.read({ idempotencyKey: 'call-1' }), 'NOT_FOUND')
      await expectCode(otherGate.wait(id), 'NOT_FOUND')
      await expectCode(otherGate.cancel(id, 'mine now'), 'NOT_FOUND')
      await expectCode(otherGate.claim(id, anAttempt()), 'NOT_FOUND')
      await expectCode(otherGate.report(id, anAttempt(), { status: 'succeeded' }), 'NOT_FOUND')
      await expectCode(otherGate.declare(aDraft({ supersedes: id })), 'NOT_FOUND')
    },
  },

  // Waiting
  {
    name: 'does not wait for what is decided already',
    async run({ gate, desk, approver }) {
      const { id } = await gate.declare(aDraft())
      await decide(desk, approver, id, 'approve')
      expect(await gate.wait(id)).toMatchObject({ status: 'approved', resolution: { by: 'person' } })
    },
  },
  {
    name: 'waits until a person decides',
    async run({ gate, desk, approver }) {
      const { id } = await gate.declare(aDraft())
      const waiting = gate.wait(id)
      await decide(desk, approver, id, 'deny', 'not this customer')
      expect(await waiting).toMatchObject({
        status: 'denied',
        resolution: { by: 'person', comment: 'not this customer' },
      })
    },
  },
  {
    name: 'wakes everybody who waits',
    async run({ gate, desk, approver }) {
      const { id } = await gate.declare(aDraft())
      const waiting = [gate.wait(id), gate.wait(id), gate.wait(id)]
      await decide(desk, approver, id, 'approve')
      expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual(['approved', 'approved', 'approved'])
    },
  },
  {
    name: 'waits for the second of two approvers',
    async run({ gate, desk, approver, secondApprover, setPolicies }) {
      await setPolicies([TWO_PEOPLE])
      const { id } = await gate.declare(aDraft())
      const waiting = gate.wait(id)
      await decide(desk, approver, id, 'approve')
      expect((await gate.read(id)).status).toBe('pending')
      await decide(desk, secondApprover, id, 'approve')
      expect((await waiting).approvals).toHaveLength(2)
    },
  },
  {
    name: 'waits only as long as it was told to, and leaves the intent pending',
    async run({ gate }) {
      const { id } = await gate.declare(aDraft())
      await expectCode(gate.wait(id, { timeoutMs: 1 }), 'WAIT_TIMEOUT')
      expect((await gate.read(id)).status).toBe('pending')
    },
  },
  {
    name: 'stops waiting on abort, with the reason of the signal',
    async run({ gate }) {
      const { id } = await gate.declare(aDraft())
      const controller = new AbortController()
      const reason = new Error('gone')
      const waiting = gate.wait(id, { signal: controller.signal })
      controller.abort(reason)
      await expect(waiting).rejects.toBe(reason)
      expect((await gate.read(id)).status).toBe('pending')
    },
  },
  {
    name: 'I7 expires what nobody decides, and wakes who waits for it',
    clock: true,
    async run({ gate, advance, sweep }) {
      const { id } = await gate.declare(aDraft({ expiresInSeconds: 60 }))
      const waiting = gate.wait(id)
      await advance(60_000)
      await sweep()
      expect(await waiting).toMatchObject({ status: 'expired', resolution: { by: 'clock' } })
    },
  },

  // Cancelling
  {
    name: 'I6 cancels what is pending, and says why',
    async run({ gate, desk, approver }) {
      const { id } = await gate.declare(aDraft())
      const cancelled = await gate.cancel(id, 'the user left')
      expect(cancelled).toMatchObject({ status: 'cancelled', resolution: { by: 'agent', comment: 'the user left' } })
      await expectCode(decide(desk, approver, id, 'approve'), 'ALREADY_RESOLVED')
    },
  },
  {
    name: 'E14 abandons what is approved and not claimed',
    async run(harness) {
      const { gate } = harness
      const { id } = await approved(harness)
      expect(await gate.cancel(id, 'no need')).toMatchObject({ status: 'approved', execution: { state: 'abandoned' } })
      expect(await gate.claim(id, anAttempt())).toEqual({ type: 'closed', reason: 'abandoned' })
    },
  },
  {
    name: 'cannot cancel what has begun',
    async run(harness) {
      const { gate } = harness
      const { id } = await approved(harness)
      await gate.claim(id, anAttempt())
      await expectCode(gate.cancel(id, 'too late'), 'IN_FLIGHT')
    },
  },
  {
    name: 'cannot cancel what was denied',
    async run({ gate, desk, approver }) {
      const { id } = await gate.declare(aDraft())
      await decide(desk, approver, id, 'deny')
      await expectCode(gate.cancel(id, 'too late'), 'ALREADY_RESOLVED')
    },
  },
  {
    name: "takes an agent's own intent out of the way when another supersedes it",
    async run({ gate }) {
      const first = await gate.declare(aDraft())
      const second = await gate.declare(aDraft({ supersedes: first.id, params: { amount: 10 } }))
      expect(await gate.read(first.id)).toMatchObject({ status: 'cancelled', supersededBy: undefined })
      expect(second).toMatchObject({ status: 'pending', supersedes: first.id })
    },
  },

  // Claiming
  {
    name: 'does not grant what is pending',
    async run({ gate }) {
      const { id } = await gate.declare(aDraft())
      await expectCode(gate.claim(id, anAttempt()), 'NOT_APPROVED')
    },
  },
  {
    name: 'does not grant what was denied',
    async run({ gate, desk, approver }) {
      const { id } = await gate.declare(aDraft())
      await decide(desk, approver, id, 'deny')
      await expectCode(gate.claim(id, anAttempt()), 'NOT_APPROVED')
    },
  },
  {
    name: 'grants an approved intent with a permit that its own trust verifies',
    async run(harness) {
      const { gate, now } = harness
      const intent = await approved(harness)
      const claim = await gate.claim(intent.id, anAttempt())
      if (claim.type !== 'granted') throw new Error(`the claim is ${claim.type}`)
      const { keys, issuer, projectId } = await gate.trust()
      if (keys === undefined) throw new Error('the contract is for gates with public keys')
      const permit = await verifyPermit(claim.permit, {
        keys,
        issuer,
        projectId,
        action: intent.action,
        params: claim.params,
        audience: intent.audience,
        now,
      })
      expect(permit.claims).toMatchObject({
        intent_id: intent.id,
        params_digest: intent.paramsDigest,
        context_digest: intent.intentHash,
      })
    },
  },
  {
    name: 'E1 grants exactly one of fifty claims at once',
    async run(harness) {
      const { gate } = harness
      const { id } = await approved(harness)
      const claims = await Promise.all(Array.from({ length: 50 }, () => gate.claim(id, anAttempt())))
      const types = claims.map(({ type }) => type)
      expect([
        types.filter((type) => type === 'granted').length,
        types.filter((type) => type === 'running').length,
      ]).toEqual([1, 49])
    },
  },
  {
    name: 'E2 grants the same attempt once more, with the same permit',
    async run(harness) {
      const { gate } = harness
      const { id } = await approved(harness)
      const attempt = anAttempt()
      const [first, second] = [await gate.claim(id, attempt), await gate.claim(id, attempt)]
      expect([permitIdOf(first), permitIdOf(second)]).toEqual([permitIdOf(first), permitIdOf(first)])
    },
  },
  {
    name: 'E3 tells another attempt until when the first may run',
    async run(harness) {
      const { gate } = harness
      const { id } = await approved(harness)
      await gate.claim(id, anAttempt())
      const { execution } = await gate.read(id)
      expect(await gate.claim(id, anAttempt())).toMatchObject({ type: 'running', deadline: execution.deadline })
    },
  },
  {
    name: 'E11 records a success, and never grants again',
    async run(harness) {
      const { gate } = harness
      const { id } = await approved(harness)
      await run(harness, id, { status: 'succeeded' })
      expect(await gate.claim(id, anAttempt())).toEqual({
        type: 'recorded',
        outcome: { status: 'succeeded', resultRecorded: false },
      })
      expect((await gate.read(id)).execution).toMatchObject({ state: 'succeeded', reportedBy: 'agent' })
    },
  },
  {
    name: 'E11 gives a recorded result back to the same execution of the same key, and to no other',
    async run(harness) {
      const { gate, otherGate } = harness
      const { id } = await approved(harness)
      const result = { refund: 'rf_1', lines: [1, null] }
      await run(harness, id, { status: 'succeeded', result })
      expect(await gate.claim(id, anAttempt())).toEqual({
        type: 'recorded',
        outcome: { status: 'succeeded', resultRecorded: true, result },
      })
      expect(await gate.claim(id, anAttempt({ executionId: 'execution-2' }))).toEqual({
        type: 'recorded',
        outcome: { status: 'succeeded', resultRecorded: false },
      })
      await expectCode(otherGate.claim(id, anAttempt()), 'NOT_FOUND')
    },
  },
  {
    name: 'gives no recorded result to an agent that was stopped',
    async run(harness) {
      const { gate, setAgentStatus } = harness
      const { id } = await approved(harness)
      await run(harness, id, { status: 'succeeded', result: 'refunded' })
      await setAgentStatus('paused')
      await expectCode(gate.claim(id, anAttempt()), 'AGENT_PAUSED')
      await setAgentStatus('revoked')
      await expectCode(gate.claim(id, anAttempt()), 'AGENT_REVOKED')
    },
  },
  {
    name: 'records a failure, and never grants again',
    async run(harness) {
      const { gate } = harness
      const { id } = await approved(harness)
      await run(harness, id, { status: 'failed' })
      expect(await gate.claim(id, anAttempt())).toEqual({ type: 'recorded', outcome: { status: 'failed' } })
    },
  },
  {
    name: 'lets an idempotent intent run again after a failure, for the same execution',
    async run(harness) {
      const { gate } = harness
      const { id } = await approved(harness, { idempotent: true })
      await run(harness, id, { status: 'failed' })
      expect((await gate.claim(id, anAttempt())).type).toBe('granted')
    },
  },
  {
    name: 'grants nothing once the agent is paused, and grants again once it is resumed',
    async run(harness) {
      const { gate, setAgentStatus } = harness
      const { id } = await approved(harness)
      await setAgentStatus('paused')
      await expectCode(gate.claim(id, anAttempt()), 'AGENT_PAUSED')
      await setAgentStatus('active')
      expect((await gate.claim(id, anAttempt())).type).toBe('granted')
    },
  },
  {
    name: 'grants nothing that the current policy no longer approves',
    async run(harness) {
      const { gate, setPolicies } = harness
      const { id } = await approved(harness)
      await setPolicies([TWO_PEOPLE])
      await expectCode(gate.claim(id, anAttempt()), 'POLICY_CHANGED')
      expect(await gate.claim(id, anAttempt())).toEqual({ type: 'closed', reason: 'abandoned' })
    },
  },
  {
    name: 'grants nothing after a person withdrew the approval',
    async run(harness) {
      const { gate, desk, approver } = harness
      const { id } = await approved(harness)
      await desk.withdraw(approver, id, 'a mistake')
      expect(await gate.claim(id, anAttempt())).toEqual({ type: 'closed', reason: 'abandoned' })
    },
  },
  {
    name: 'grants nothing once the execution window is over',
    clock: true,
    async run(harness) {
      const { gate, advance } = harness
      const { id, executionWindowSeconds } = await approved(harness)
      await advance(executionWindowSeconds * 1000)
      expect(await gate.claim(id, anAttempt())).toEqual({ type: 'closed', reason: 'window' })
    },
  },
  {
    name: 'answers unknown past the deadline, until a person reconciles',
    clock: true,
    async run(harness) {
      const { gate, desk, approver, advance } = harness
      const { id } = await approved(harness)
      await gate.claim(id, anAttempt())
      await advance(900_000)
      expect(await gate.claim(id, anAttempt())).toEqual({ type: 'unknown' })
      await desk.reconcile(approver, id, { finding: 'happened' })
      expect(await gate.claim(id, anAttempt())).toMatchObject({ type: 'recorded', outcome: { status: 'succeeded' } })
    },
  },

  // Reporting
  {
    name: 'takes a repeated report for the lost answer that it is',
    async run(harness) {
      const { gate } = harness
      const { id } = await approved(harness)
      const attempt = await run(harness, id, { status: 'succeeded' })
      await gate.report(id, attempt, { status: 'succeeded' })
      expect((await gate.read(id)).execution).toMatchObject({ state: 'succeeded', disputed: false })
    },
  },
  {
    name: 'takes no other report once it is final',
    async run(harness) {
      const { gate } = harness
      const { id } = await approved(harness)
      const attempt = await run(harness, id, { status: 'succeeded' })
      await expectCode(gate.report(id, attempt, { status: 'failed' }), 'ALREADY_RESOLVED')
    },
  },
  {
    name: 'takes reports from the granted attempt only',
    async run(harness) {
      const { gate } = harness
      const { id } = await approved(harness)
      await gate.claim(id, anAttempt())
      await expectCode(gate.report(id, anAttempt(), { status: 'succeeded' }), 'FORBIDDEN')
      expect((await gate.read(id)).execution.state).toBe('started')
    },
  },
  {
    name: 'E10 takes a grant back that was never entered',
    async run(harness) {
      const { gate } = harness
      const { id } = await approved(harness)
      await run(harness, id, { status: 'not_started' })
      expect(await gate.claim(id, anAttempt())).toEqual({ type: 'closed', reason: 'abandoned' })
    },
  },
  {
    name: 'suspends and continues an execution that reenters',
    async run(harness) {
      const { gate } = harness
      const { id } = await approved(harness, { reenters: true })
      await run(harness, id, { status: 'suspended' })
      expect((await gate.read(id)).execution).toMatchObject({ state: 'suspended', continuations: 1 })
      expect(await gate.claim(id, anAttempt({ continues: 0 }))).toEqual({
        type: 'closed',
        reason: 'suspended_elsewhere',
      })
      expect((await gate.claim(id, anAttempt({ continues: 1 }))).type).toBe('granted')
    },
  },
  {
    name: 'suspends nothing that does not reenter',
    async run(harness) {
      const { gate } = harness
      const { id } = await approved(harness)
      const attempt = anAttempt()
      await gate.claim(id, attempt)
      await expectCode(gate.report(id, attempt, { status: 'suspended' }), 'INVALID_FIELD')
    },
  },
  {
    name: 'has every report at the gate once it is disposed',
    async run(harness) {
      const { gate, desk, approver } = harness
      const { id } = await approved(harness)
      const attempt = anAttempt()
      await gate.claim(id, attempt)
      const reported = gate.report(id, attempt, { status: 'succeeded' })
      await gate[Symbol.asyncDispose]()
      expect((await desk.read(approver, id)).execution.state).toBe('succeeded')
      await reported
    },
  },

  // Errors
  {
    name: 'refuses with a code and a hint, and never with a value',
    async run({ gate }) {
      await gate.declare(aDraft({ idempotencyKey: 'call-1', params: { password: SECRET } }))
      const errors = await Promise.all([
        errorOf(gate.declare(aDraft({ idempotencyKey: 'call-1', params: { password: `${SECRET}!` } }))),
        errorOf(gate.declare(aDraft({ params: { [SECRET]: 1, amount: Number.NaN } }))),
        errorOf(gate.declare(aDraft({ action: `Bad ${SECRET}` }))),
        errorOf(gate.declare(aDraft({ context: { note: SECRET, bad: Number.POSITIVE_INFINITY } }))),
        errorOf(gate.declare(aDraft({ approvers: [SECRET] }))),
        errorOf(gate.read({ idempotencyKey: SECRET })),
      ])
      for (const error of errors) {
        expect(error.hint).not.toBe('')
        expect(`${error.message} ${error.hint}`).not.toContain(SECRET)
      }
    },
  },

  // The whole way
  {
    name: 'guards a tool from the call to the report',
    async run({ gate, desk, approver }) {
      const events: GateEvent['type'][] = []
      const execute = vi.fn(() => 'refunded')
      let decided: Promise<void> | undefined
      const result = await guard(gate, aCall(), execute, {
        onEvent(event) {
          events.push(event.type)
          if (event.type === 'pending') decided = decide(desk, approver, event.intent.id, 'approve')
        },
      })
      await decided
      expect([result, execute.mock.calls.length, events]).toEqual([
        'refunded',
        1,
        ['pending', 'decided', 'claimed', 'finished'],
      ])
    },
  },
  {
    name: 'runs no tool that a person denies',
    async run({ gate, desk, approver }) {
      const execute = vi.fn()
      let decided: Promise<void> | undefined
      const guarded = guard(gate, aCall(), execute, {
        onEvent(event) {
          if (event.type === 'pending') decided = decide(desk, approver, event.intent.id, 'deny')
        },
      })
      await expectCode(guarded, 'INTENT_DENIED')
      await decided
      expect(execute).not.toHaveBeenCalled()
    },
  },
  {
    name: 'runs a tool once, however often the same call is guarded',
    async run({ gate, desk, approver }) {
      const execute = vi.fn(() => 'refunded')
      const call = aCall()
      const decided: Promise<void>[] = []
      const onEvent = (event: GateEvent) => {
        if (event.type === 'pending')
          decided.push(decide(desk, approver, event.intent.id, 'approve').catch(() => undefined))
      }
      await Promise.allSettled(Array.from({ length: 5 }, () => guard(gate, call, execute, { onEvent })))
      await Promise.all(decided)
      await expectCode(guard(gate, call, execute), 'ALREADY_EXECUTED')
      expect(execute).toHaveBeenCalledTimes(1)
    },
  },
  {
    name: 'runs no tool with params that the approved call did not have',
    async run({ gate, desk, approver }) {
      const execute = vi.fn()
      const call = aCall()
      const { id } = await gate.declare({ ...call.draft, params: call.snapshot.value, idempotencyKey: call.key })
      await decide(desk, approver, id, 'approve')
      const changed: GateCall = { ...call, snapshot: snapshot({ customer_id: 'cust_4821', amount: 2500 }) }
      await expectCode(guard(gate, changed, execute), 'IDEMPOTENCY_MISMATCH')
      expect(execute).not.toHaveBeenCalled()
    },
  },
  {
    name: 'cancels the intent of a call that is aborted, and does not run the tool',
    async run({ gate }) {
      const execute = vi.fn()
      const controller = new AbortController()
      const reason = new Error('the user left')
      const call = aCall()
      const guarded = guard(gate, call, execute, {
        signal: controller.signal,
        onEvent: (event) => event.type === 'pending' && controller.abort(reason),
      })
      await expect(guarded).rejects.toBe(reason)
      expect((await gate.read({ idempotencyKey: call.key })).status).toBe('cancelled')
      expect(execute).not.toHaveBeenCalled()
    },
  },
]
