/**
 * The contract of gates: declaring, reading, waiting and cancelling.
 *
 * @module
 */
import { expect } from 'vitest'
import { newId } from '../id.js'
import { snapshot } from '../params.js'
import { aDraft, anAttempt, approved, decide, errorOf, expectCode, TWO_PEOPLE } from './gate-steps.js'
import type { GateTest } from './gate-test.js'

const SECRET = 'hunter2-must-never-be-in-a-message'
const READS = { name: 'reads', match: { action_pattern: 'read_*' }, decision: 'auto_approve', any_params: true }

export const ASKING_TESTS: readonly GateTest[] = [
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
]
