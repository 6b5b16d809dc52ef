/**
 * The contract of gates: whoever stands in for somebody votes in their stead, on one seat, and for nobody who asked for it.
 *
 * @module
 */
import { expect, vi } from 'vitest'
import { guard } from '../gate.js'
import type { UserId } from '../id.js'
import type { Person, Principal } from '../registry.js'
import type { GateHarness } from './gate-harness.js'
import { aCall, aDraft, decide, expectCode } from './gate-steps.js'
import type { GateTest } from './gate-test.js'

export const DELEGATION_TESTS: readonly GateTest[] = [
  {
    name: 'I9 takes the vote of who stands in for an approver whom the policy names',
    async run(harness) {
      const { gate, desk, secondApprover } = harness
      await leadIsAway(harness, secondApprover.id)
      const { id } = await gate.declare(aDraft())
      await decide(desk, secondApprover, id, 'approve')
      expect((await gate.read(id)).status).toBe('approved')
    },
  },
  {
    name: 'I9 takes no such vote before it begins, once it is over, or after it was ended',
    clock: true,
    async run(harness) {
      const { gate, desk, secondApprover, change, now, advance } = harness
      const lead = await leadIsAway(harness, secondApprover.id, { startsAt: now() + MINUTE_MS })
      const { id } = await gate.declare(aDraft())
      const refused = () => expectCode(decide(desk, secondApprover, id, 'approve'), 'NOT_AN_APPROVER')
      await refused()
      await change(lead, { delegation: undefined })
      await refused()
      await change(lead, { delegation: { to: secondApprover.id, startsAt: now(), endsAt: now() + MINUTE_MS } })
      await advance(MINUTE_MS)
      await refused()
      expect((await gate.read(id)).status).toBe('pending')
    },
  },
  {
    name: 'I9 counts a delegate and who they stood in for once, whoever of them votes first',
    async run(harness) {
      const { gate, desk, secondApprover } = harness
      const other = await harness.person({ email: 'deputy@example.com' })
      const lead = await leadIsAway(harness, secondApprover.id, {}, 2, [other])
      const [one, two] = [await gate.declare(aDraft()), await gate.declare(aDraft({ params: { amount: 1 } }))]
      await decide(desk, secondApprover, one.id, 'approve')
      await expectCode(decide(desk, lead, one.id, 'approve'), 'ALREADY_VOTED')
      await decide(desk, lead, two.id, 'approve')
      await expectCode(decide(desk, secondApprover, two.id, 'approve'), 'ALREADY_VOTED')
      expect([(await gate.read(one.id)).status, (await gate.read(two.id)).status]).toEqual(['pending', 'pending'])
      await decide(desk, other, one.id, 'approve')
      expect((await gate.read(one.id)).status).toBe('approved')
    },
  },
  {
    name: 'I11 runs no tool on the vote of who stands in for the owner of the agent',
    async run(harness) {
      const { gate, desk, secondApprover, setAgentOwner } = harness
      const lead = await leadIsAway(harness, secondApprover.id)
      await setAgentOwner(lead.id)
      const execute = vi.fn()
      const controller = new AbortController()
      const voted: Promise<void>[] = []
      const guarded = guard(gate, aCall(), execute, {
        signal: controller.signal,
        onEvent(event) {
          if (event.type !== 'pending') return
          const vote = expectCode(decide(desk, secondApprover, event.intent.id, 'approve'), 'NOT_AN_APPROVER')
          voted.push(vote.finally(() => controller.abort(new Error('nobody approves it'))))
        },
      })
      await expect(guarded).rejects.toThrow('nobody approves it')
      await Promise.all(voted)
      expect([voted.length, execute.mock.calls.length]).toEqual([1, 0])
    },
  },
  {
    name: 'I11 takes no vote of the owner of the agent in the stead of somebody else',
    async run(harness) {
      const { gate, desk, secondApprover, setAgentOwner } = harness
      await leadIsAway(harness, secondApprover.id)
      await setAgentOwner(secondApprover.id)
      const { id } = await gate.declare(aDraft())
      await expectCode(decide(desk, secondApprover, id, 'approve'), 'SELF_APPROVAL')
    },
  },
  {
    name: 'I9 hands no seat on to a second delegate',
    async run(harness) {
      const { gate, desk, secondApprover, change, now } = harness
      await leadIsAway(harness, secondApprover.id)
      const third = await harness.person({ email: 'third@example.com' })
      await change(secondApprover, { delegation: { to: third.id, startsAt: now(), endsAt: now() + MINUTE_MS } })
      const { id } = await gate.declare(aDraft())
      await expectCode(decide(desk, third, id, 'approve'), 'NOT_AN_APPROVER')
    },
  },
]

const MINUTE_MS = 60_000

/** The one whom the policy names, besides `others`, has left their vote to `to`, for a minute unless `times` say otherwise. */
async function leadIsAway(
  { person, change, setPolicies, now }: GateHarness,
  to: UserId,
  times: { readonly startsAt?: number; readonly endsAt?: number } = {},
  approvers = 1,
  others: readonly Principal[] = [],
): Promise<Principal> {
  const lead = await person({ email: 'lead@example.com' })
  const allowed = [lead.id, ...others.map(({ id }) => id)]
  const approval = { approvers_required: approvers, allowed_approvers: allowed }
  await setPolicies([{ name: 'the lead decides', match: {}, decision: 'require_approval', approval }])
  const delegation: Person['delegation'] = { to, startsAt: now() - MINUTE_MS, endsAt: now() + 2 * MINUTE_MS, ...times }
  await change(lead, { delegation })
  return lead
}
