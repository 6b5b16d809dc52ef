/**
 * The contract of gates: what a person denied is denied again at once, for a while, unless an approver lifts it.
 *
 * @module
 */
import { expect } from 'vitest'
import type { Intent } from '../intent.js'
import type { GateHarness } from './gate-harness.js'
import { aDraft, decide, expectCode } from './gate-steps.js'
import type { GateTest } from './gate-test.js'

export const DENIAL_TESTS: readonly GateTest[] = [
  {
    name: 'denies at once what a person has just denied, and names that intent',
    async run(harness) {
      const { gate } = harness
      const first = await denied(harness)
      const again = await gate.declare(aDraft())
      expect(again).toMatchObject({
        status: 'denied',
        decision: 'require_approval',
        resolution: { by: 'person', code: 'INTENT_DENIED', earlierIntent: first.id },
      })
      expect(again.id).not.toBe(first.id)
    },
  },
  {
    name: 'denies it also where policy would now approve by itself',
    async run(harness) {
      const { gate, setPolicies } = harness
      await denied(harness)
      await setPolicies([{ name: 'all', match: {}, decision: 'auto_approve', any_params: true }])
      expect(await gate.declare(aDraft())).toMatchObject({ status: 'denied', decision: 'auto_approve' })
    },
  },
  {
    name: 'asks people about other params, and about the same of another key',
    async run(harness) {
      const { gate, otherGate } = harness
      await denied(harness)
      expect((await gate.declare(aDraft({ params: { amount: 1 } }))).status).toBe('pending')
      expect((await otherGate.declare(aDraft())).status).toBe('pending')
    },
  },
  {
    name: 'does not remember requests for changes and cancellations',
    async run({ gate, desk, approver }) {
      const changes = await gate.declare(aDraft())
      await decide(desk, approver, changes.id, 'request_changes')
      const cancelled = await gate.declare(aDraft())
      await gate.cancel(cancelled.id, 'no need')
      expect((await gate.declare(aDraft())).status).toBe('pending')
    },
  },
  {
    name: 'asks people again once an approver has lifted the denial',
    async run(harness) {
      const { gate, desk, approver, secondApprover } = harness
      const first = await denied(harness)
      expect((await desk.read(secondApprover, first.id)).denial).toMatchObject({
        intentId: first.id,
        canLift: { ok: true },
      })
      await desk.liftDenial(secondApprover, first.id)
      expect((await desk.read(approver, first.id)).denial).toBeUndefined()
      expect((await gate.read(first.id)).status).toBe('denied')
      const { id, status } = await gate.declare(aDraft())
      expect(status).toBe('pending')
      await decide(desk, approver, id, 'approve')
      expect((await gate.read(id)).status).toBe('approved')
    },
  },
  {
    name: 'lifts the denial that a person looked at, not a later one of the same thing',
    async run(harness) {
      const { gate, desk, approver } = harness
      const first = await denied(harness)
      await desk.liftDenial(approver, first.id)
      const second = await denied(harness)
      await desk.liftDenial(approver, first.id)
      expect((await gate.declare(aDraft())).resolution?.earlierIntent).toBe(second.id)
      await desk.liftDenial(approver, second.id)
      expect((await gate.declare(aDraft())).status).toBe('pending')
    },
  },
  {
    name: 'lifts a denial also on the page of what it answered',
    async run(harness) {
      const { gate, desk, approver } = harness
      await denied(harness)
      const again = await gate.declare(aDraft())
      await desk.liftDenial(approver, again.id)
      expect((await gate.declare(aDraft())).status).toBe('pending')
    },
  },
  {
    name: 'lifts nothing for whom the policy does not name, nor where nobody denied',
    async run(harness) {
      const { gate, desk, approver, person, setPolicies } = harness
      const { id } = await denied(harness)
      const developer = await person({ roles: ['developer'] })
      await expectCode(desk.liftDenial(developer, id), 'NOT_AN_APPROVER')
      expect((await gate.declare(aDraft())).status).toBe('denied')
      await setPolicies([{ name: 'never', match: {}, decision: 'auto_deny' }])
      const byPolicy = await gate.declare(aDraft({ params: { amount: 7 } }))
      await setPolicies([])
      await expectCode(desk.liftDenial(approver, byPolicy.id), 'NOT_FOUND')
    },
  },
  {
    name: 'forgets a denial after ten minutes, and a denial that was answered prolongs nothing',
    clock: true,
    async run(harness) {
      const { gate, advance } = harness
      await denied(harness)
      await advance(599_000)
      expect((await gate.declare(aDraft())).status).toBe('denied')
      await advance(1_000)
      expect((await gate.declare(aDraft())).status).toBe('pending')
    },
  },
]

async function denied({ gate, desk, approver }: GateHarness): Promise<Intent> {
  const { id } = await gate.declare(aDraft())
  await decide(desk, approver, id, 'deny')
  return gate.read(id)
}
