/**
 * The contract of gates: claims and reports.
 *
 * @module
 */
import { expect } from 'vitest'
import { verifyPermit } from '../permit.js'
import { aDraft, anAttempt, approved, decide, expectCode, permitIdOf, run, TWO_PEOPLE } from './gate-steps.js'
import type { GateTest } from './gate-test.js'

export const CLAIM_TESTS: readonly GateTest[] = [
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
]
