/**
 * The contract of gates: decisions, each by its number of docs/lifecycle.md (I1 to I17).
 *
 * @module
 */
import { expect } from 'vitest'
import type { IntentId } from '../id.js'
import type { Intent, IntentDraft } from '../intent.js'
import type { JsonObject } from '../json.js'
import { aDraft, anAttempt, approved, decide, edit, expectCode, TWO_PEOPLE } from './gate-steps.js'
import type { GateTest } from './gate-test.js'

const EDITS: IntentDraft['edits'] = { schema: { type: 'object', properties: { amount: { type: 'number' } } } }
const TWO_DENIALS: JsonObject = {
  name: 'two denials',
  match: {},
  decision: 'require_approval',
  approval: { deny_threshold: 2 },
}
const ALL_PASS: JsonObject = { name: 'all', match: {}, decision: 'auto_approve', any_params: true }

export const DECISION_TESTS: readonly GateTest[] = [
  {
    name: 'I2 fixes once, with the approval, until when it can be used',
    clock: true,
    async run(harness) {
      const { gate, desk, approver, advance, now } = harness
      const { id, executionWindowSeconds } = await gate.declare(aDraft({ reenters: true }))
      await advance(10_000)
      await decide(desk, approver, id, 'approve')
      const until = (Math.floor(now() / 1000) + executionWindowSeconds) * 1000
      const attempt = anAttempt()
      await gate.claim(id, attempt)
      await gate.report(id, attempt, { status: 'suspended' })
      await advance(60_000)
      await gate.claim(id, anAttempt({ continues: 1 }))
      expect((await desk.read(approver, id)).useUntil).toBe(until)
    },
  },
  {
    name: 'I3 is denied by as many denials as policy says',
    async run({ gate, desk, approver, secondApprover, setPolicies }) {
      await setPolicies([TWO_DENIALS])
      const { id } = await gate.declare(aDraft())
      await decide(desk, approver, id, 'deny')
      expect((await gate.read(id)).status).toBe('pending')
      await decide(desk, secondApprover, id, 'deny')
      expect((await gate.read(id)).status).toBe('denied')
    },
  },
  {
    name: 'I4 a request for changes settles it, or counts as a denial where several are needed',
    async run({ gate, desk, approver, secondApprover, setPolicies }) {
      const first = await gate.declare(aDraft())
      await decide(desk, approver, first.id, 'request_changes', 'half of it')
      expect(await gate.read(first.id)).toMatchObject({
        status: 'changes_requested',
        resolution: { by: 'person', code: 'CHANGES_REQUESTED', comment: 'half of it' },
      })
      await setPolicies([TWO_DENIALS])
      const second = await gate.declare(aDraft({ params: { amount: 1 } }))
      await decide(desk, approver, second.id, 'request_changes')
      expect((await gate.read(second.id)).status).toBe('pending')
      await decide(desk, secondApprover, second.id, 'deny')
      expect((await gate.read(second.id)).status).toBe('denied')
    },
  },
  {
    name: 'I5 an approval with edits makes way for a successor that policy judges like any other',
    async run({ gate, desk, approver, secondApprover }) {
      const { id } = await gate.declare(aDraft({ edits: EDITS }))
      await edit(desk, approver, id, { amount: 10 })
      const { status, supersededBy } = await gate.read(id)
      expect(status).toBe('superseded')
      await expectCode(gate.claim(id, anAttempt()), 'NOT_APPROVED')
      const successor = await gate.read(supersededBy as IntentId)
      expect(successor).toMatchObject({ status: 'pending', params: { amount: 10 }, supersedes: id })
      await decide(desk, secondApprover, successor.id, 'approve')
      expect((await gate.claim(successor.id, anAttempt())).type).toBe('granted')
    },
  },
  {
    name: 'I8 nothing moves what is settled',
    async run(harness) {
      const { gate, desk, approver, secondApprover } = harness
      const settled: Intent[] = []
      for (const verdict of ['approve', 'deny', 'request_changes'] as const) {
        const intent = await gate.declare(aDraft({ params: { verdict } }))
        await decide(desk, approver, intent.id, verdict)
        settled.push(await gate.read(intent.id))
      }
      const cancelled = await gate.declare(aDraft())
      settled.push(await gate.cancel(cancelled.id, 'no need'))
      for (const { id, status } of settled) {
        for (const verdict of ['approve', 'deny', 'request_changes'] as const) {
          await expectCode(decide(desk, secondApprover, id, verdict), 'ALREADY_RESOLVED')
        }
        if (status !== 'approved') await expectCode(gate.cancel(id, 'too late'), 'ALREADY_RESOLVED')
        expect((await gate.read(id)).status).toBe(status)
      }
    },
  },
  {
    name: 'I9 counts one final vote per person, however many come at once',
    async run({ gate, desk, approver, secondApprover, setPolicies }) {
      await setPolicies([TWO_PEOPLE])
      const { id } = await gate.declare(aDraft())
      const votes = await Promise.allSettled(Array.from({ length: 5 }, () => decide(desk, approver, id, 'approve')))
      expect(votes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      await expectCode(decide(desk, approver, id, 'deny'), 'ALREADY_VOTED')
      expect((await gate.read(id)).status).toBe('pending')
      await decide(desk, secondApprover, id, 'approve')
      expect((await gate.read(id)).status).toBe('approved')
    },
  },
  {
    name: 'I9 counts accounts of one human being as one person',
    async run({ gate, desk, approver, person, setPolicies }) {
      await setPolicies([TWO_PEOPLE])
      const alias = await person({ linked: [approver.id] })
      const { id } = await gate.declare(aDraft())
      await decide(desk, approver, id, 'approve')
      await expectCode(decide(desk, alias, id, 'approve'), 'ALREADY_VOTED')
      expect((await gate.read(id)).status).toBe('pending')
    },
  },
  {
    name: 'I9 wants enough of each group that policy names',
    async run({ gate, desk, approver, secondApprover, person, setPolicies }) {
      const allOf = [
        { group: 'security', count: 1 },
        { group: 'finance', count: 1 },
      ]
      const security = await person({ groups: ['security'] })
      const finance = await person({ groups: ['finance'] })
      await setPolicies([
        { name: 'both', match: {}, decision: 'require_approval', approval: { approvers_required: 2, all_of: allOf } },
      ])
      const { id } = await gate.declare(aDraft())
      await decide(desk, approver, id, 'approve')
      await decide(desk, secondApprover, id, 'approve')
      await decide(desk, security, id, 'approve')
      expect((await gate.read(id)).status).toBe('pending')
      await decide(desk, finance, id, 'approve')
      expect((await gate.read(id)).status).toBe('approved')
    },
  },
  {
    name: 'I9 counts nobody who was taken out of the group before voting, or between the votes',
    async run({ gate, desk, approver, person, change, setPolicies }) {
      const ops = { allowed_approvers: ['ops'], approvers_required: 2 }
      const [one, two, three] = [
        await person({ groups: ['ops'] }),
        await person({ groups: ['ops'] }),
        await person({ groups: ['ops'] }),
      ]
      await setPolicies([{ name: 'ops', match: {}, decision: 'require_approval', approval: ops }])
      const { id } = await gate.declare(aDraft())
      await expectCode(decide(desk, approver, id, 'approve'), 'NOT_AN_APPROVER')
      await decide(desk, one, id, 'approve')
      await change(one, { groups: [] })
      await decide(desk, two, id, 'approve')
      expect((await gate.read(id)).status).toBe('pending')
      await change(three, { groups: [] })
      await expectCode(decide(desk, three, id, 'approve'), 'NOT_AN_APPROVER')
      expect((await desk.read(approver, id)).quorumOutOfReach).toBe(true)
      await change(three, { groups: ['ops'] })
      await decide(desk, three, id, 'approve')
      expect((await gate.read(id)).status).toBe('approved')
    },
  },
  {
    name: 'I9 takes the votes that the policy of now would not have counted for none',
    async run({ gate, desk, approver, secondApprover, person, setPolicies }) {
      await setPolicies([TWO_PEOPLE])
      const { id } = await gate.declare(aDraft())
      await decide(desk, approver, id, 'approve')
      const [one, two] = [await person({ groups: ['ops'] }), await person({ groups: ['ops'] })]
      const ops = { allowed_approvers: ['ops'], approvers_required: 2 }
      await setPolicies([{ name: 'ops', match: {}, decision: 'require_approval', approval: ops }])
      await expectCode(decide(desk, secondApprover, id, 'approve'), 'NOT_AN_APPROVER')
      await decide(desk, one, id, 'approve')
      expect((await gate.read(id)).status).toBe('pending')
      await decide(desk, two, id, 'approve')
      expect((await gate.read(id)).status).toBe('approved')
    },
  },
  {
    name: 'I10 a stopped agent blocks approvals, never denials',
    async run({ gate, desk, approver, setAgentStatus }) {
      const [one, two] = [await gate.declare(aDraft()), await gate.declare(aDraft({ params: { amount: 1 } }))]
      await setAgentStatus('paused')
      await expectCode(decide(desk, approver, one.id, 'approve'), 'AGENT_PAUSED')
      await decide(desk, approver, one.id, 'deny')
      await setAgentStatus('revoked')
      await expectCode(decide(desk, approver, two.id, 'approve'), 'AGENT_REVOKED')
      await decide(desk, approver, two.id, 'deny')
    },
  },
  {
    name: 'I11 excludes the owner of the agent, whom it was requested by, and their other accounts',
    async run({ gate, desk, person, setAgentOwner }) {
      const owner = await person()
      const alias = await person({ linked: [owner.id] })
      const requester = await person({ email: 'requester@example.com' })
      const { id } = await gate.declare(aDraft({ requestedBy: 'Requester@example.com' }))
      await setAgentOwner(owner.id)
      for (const who of [owner, alias, requester]) {
        for (const verdict of ['approve', 'deny'] as const) {
          await expectCode(decide(desk, who, id, verdict), 'SELF_APPROVAL')
        }
      }
      expect((await gate.read(id)).status).toBe('pending')
    },
  },
  {
    name: 'I11 excludes every editor of the chain, down the chain, whoever declares the next',
    async run({ gate, desk, approver, secondApprover, person }) {
      const third = await person()
      const first = await gate.declare(aDraft({ edits: EDITS }))
      await edit(desk, approver, first.id, { amount: 10 })
      const second = (await gate.read(first.id)).supersededBy as IntentId
      await edit(desk, secondApprover, second, { amount: 5 })
      const edited = (await gate.read(second)).supersededBy as IntentId
      const { id } = await gate.declare(aDraft({ supersedes: edited, params: { amount: 4 } }))
      for (const who of [approver, secondApprover]) {
        for (const of of [edited, id]) {
          const verdict = of === edited ? 'ALREADY_RESOLVED' : 'SELF_APPROVAL'
          await expectCode(decide(desk, who, of, 'approve'), verdict)
        }
      }
      await decide(desk, third, id, 'approve')
      expect((await gate.read(id)).status).toBe('approved')
    },
  },
  {
    name: 'I11 frees an editor where policy says so, and never at high or critical',
    async run({ gate, desk, approver, setPolicies }) {
      const approval = { editor_may_approve: true, typed_confirmation: false }
      await setPolicies([{ name: 'editors', match: {}, decision: 'require_approval', approval }])
      const decided: string[] = []
      for (const riskTier of ['medium', 'high', 'critical'] as const) {
        const { id } = await gate.declare(aDraft({ edits: EDITS, riskTier, params: { riskTier, amount: 250 } }))
        await edit(desk, approver, id, { riskTier, amount: 10 })
        const successor = (await gate.read(id)).supersededBy as IntentId
        if (riskTier === 'medium') await decide(desk, approver, successor, 'approve')
        else await expectCode(decide(desk, approver, successor, 'approve'), 'SELF_APPROVAL')
        decided.push((await gate.read(successor)).status)
      }
      expect(decided).toEqual(['approved', 'pending', 'pending'])
    },
  },
  {
    name: 'I12 takes edits only where they were declared, change something, and no denials are counted',
    async run({ gate, desk, approver, setPolicies }) {
      const plain = await gate.declare(aDraft())
      await expectCode(edit(desk, approver, plain.id, { amount: 10 }), 'EDITS_NOT_ACCEPTED')
      const editable = await gate.declare(aDraft({ edits: EDITS }))
      await expectCode(edit(desk, approver, editable.id, aDraft().params), 'INVALID_FIELD')
      await expectCode(edit(desk, approver, editable.id, { amount: 'ten' }), 'INVALID_FIELD')
      await setPolicies([TWO_DENIALS])
      await expectCode(edit(desk, approver, editable.id, { amount: 10 }), 'EDITS_NOT_ACCEPTED')
      expect(await gate.read(editable.id)).toMatchObject({ status: 'pending', approvals: [] })
    },
  },
  {
    name: 'I12 answers the old idempotency key with the original, whose successor leads on',
    async run({ gate, desk, approver }) {
      const draft = aDraft({ edits: EDITS, idempotencyKey: 'call-1' })
      const { id } = await gate.declare(draft)
      await edit(desk, approver, id, { amount: 10 })
      const [again, read] = [await gate.declare(draft), await gate.read({ idempotencyKey: 'call-1' })]
      expect([again.id, read.id, again.supersededBy !== undefined]).toEqual([id, id, true])
    },
  },
  {
    name: "I13 an agent's own successor cancels what is pending, abandons what is approved, and leaves what has begun",
    async run(harness) {
      const { gate } = harness
      const pending = await gate.declare(aDraft())
      await gate.declare(aDraft({ supersedes: pending.id }))
      expect(await gate.read(pending.id)).toMatchObject({ status: 'cancelled', supersededBy: undefined })
      const unclaimed = await approved(harness, { params: { amount: 1 } })
      await gate.declare(aDraft({ supersedes: unclaimed.id }))
      expect((await gate.read(unclaimed.id)).execution.state).toBe('abandoned')
      const begun = await approved(harness, { params: { amount: 2 } })
      await gate.claim(begun.id, anAttempt())
      await expectCode(gate.declare(aDraft({ supersedes: begun.id, idempotencyKey: 'successor' })), 'IN_FLIGHT')
      await expectCode(gate.read({ idempotencyKey: 'successor' }), 'NOT_FOUND')
    },
  },
  {
    name: 'I13 a chain has at most ten intents, whoever makes them',
    async run({ gate, desk, approver }) {
      let { id } = await gate.declare(aDraft({ edits: EDITS }))
      for (let length = 2; length <= 10; length++) {
        ;({ id } = await gate.declare(aDraft({ edits: EDITS, supersedes: id, params: { amount: length } })))
      }
      await expectCode(gate.declare(aDraft({ supersedes: id })), 'INVALID_FIELD')
      await expectCode(edit(desk, approver, id, { amount: 100 }), 'INVALID_FIELD')
      expect((await gate.read(id)).status).toBe('pending')
    },
  },
  {
    name: 'I14 stores no policy that approves by a claim alone, nor one that says nothing of the params',
    async run({ gate, setPolicies }) {
      const trusting = { ...ALL_PASS, match: { risk_tier: 'low' } }
      await expectCode(setPolicies([trusting]), 'INVALID_FIELD')
      await expectCode(setPolicies([{ name: 'all', match: {}, decision: 'auto_approve' }]), 'INVALID_FIELD')
      await setPolicies([{ ...trusting, trust_claims: ['risk_tier'] }])
      const tiers = ['low', undefined] as const
      const declared = await Promise.all(tiers.map((riskTier) => gate.declare(aDraft({ riskTier }))))
      expect(declared.map(({ status }) => status)).toEqual(['approved', 'pending'])
    },
  },
  {
    name: 'I16 is never armed again: trying again is another intent, with its own decision',
    async run(harness) {
      const { gate, desk, approver } = harness
      const { id } = await approved(harness, { idempotencyKey: 'call-1' })
      await gate.cancel(id, 'no need')
      expect((await gate.declare(aDraft({ idempotencyKey: 'call-1' }))).id).toBe(id)
      await expectCode(decide(desk, approver, id, 'approve'), 'ALREADY_RESOLVED')
      expect(await gate.claim(id, anAttempt())).toEqual({ type: 'closed', reason: 'abandoned' })
      const again = await gate.declare(aDraft({ idempotencyKey: 'call-2' }))
      expect([again.id !== id, again.status]).toEqual([true, 'pending'])
    },
  },
  {
    name: 'I17 keeps what policy said, whatever becomes of it',
    async run(harness) {
      const { gate, desk, approver, setPolicies } = harness
      const byPerson = await gate.declare(aDraft())
      await setPolicies([ALL_PASS])
      const byPolicy = await gate.declare(aDraft({ params: { amount: 1 } }))
      await setPolicies([])
      await decide(desk, approver, byPerson.id, 'deny', 'not today')
      await gate.cancel(byPolicy.id, 'no need')
      const read = await Promise.all([gate.read(byPerson.id), gate.read(byPolicy.id)])
      expect(read.map(({ decision, status, resolution }) => [decision, status, resolution?.by])).toEqual([
        ['require_approval', 'denied', 'person'],
        ['auto_approve', 'approved', 'policy'],
      ])
    },
  },
]
