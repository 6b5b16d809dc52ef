/**
 * The contract of gates: executions, each by its number of docs/lifecycle.md (E1 to E23).
 *
 * @module
 */
import { expect } from 'vitest'
import type { JsonObject } from '../json.js'
import {
  aDraft,
  anAttempt,
  approved,
  decide,
  expectCode,
  permitIdOf,
  redeem,
  run,
  TWO_PEOPLE,
  tokenOf,
  verify,
} from './gate-steps.js'
import type { GateTest } from './gate-test.js'

const ALL_PASS: JsonObject = { name: 'all', match: {}, decision: 'auto_approve', any_params: true }
const NEVER: JsonObject = { name: 'never', match: {}, decision: 'auto_deny' }

export const EXECUTION_TESTS: readonly GateTest[] = [
  {
    name: 'E2 gives the holder no permit that is over, revoked or used',
    clock: true,
    async run(harness) {
      const { gate, advance, desk, approver } = harness
      const spent = { type: 'closed', reason: 'permit_spent' }
      const attempt = anAttempt()
      const over = await approved(harness)
      await gate.claim(over.id, attempt)
      await advance(300_000)
      expect(await gate.claim(over.id, attempt)).toEqual(spent)
      const used = await approved(harness, { params: { amount: 1 } })
      await redeem(harness, used, await gate.claim(used.id, attempt))
      expect(await gate.claim(used.id, attempt)).toEqual(spent)
      const withdrawn = await approved(harness, { params: { amount: 2 } })
      await gate.claim(withdrawn.id, attempt)
      await desk.withdraw(approver, withdrawn.id, 'a mistake')
      expect(await gate.claim(withdrawn.id, attempt)).toEqual(spent)
    },
  },
  {
    name: 'E3 tells every other attempt that one runs, also of the same execution',
    async run(harness) {
      const { gate } = harness
      const { id } = await approved(harness)
      await gate.claim(id, anAttempt())
      const others = [anAttempt(), anAttempt({ executionId: 'execution-2' })]
      for (const other of others) expect((await gate.claim(id, other)).type).toBe('running')
    },
  },
  {
    name: 'E4 E20 is unknown past its deadline, also to its holder, and before anybody wrote so',
    clock: true,
    async run(harness) {
      const { gate, advance, sweep } = harness
      const { id } = await approved(harness)
      const attempt = anAttempt()
      await gate.claim(id, attempt)
      await advance(899_000)
      expect((await gate.read(id)).execution.state).toBe('started')
      await advance(1_000)
      expect((await gate.read(id)).execution.state).toBe('unknown')
      await sweep()
      expect(await gate.claim(id, attempt)).toEqual({ type: 'unknown' })
    },
  },
  {
    name: 'E5 suspends at most twenty times, and never late',
    clock: true,
    async run(harness) {
      const { gate, advance } = harness
      const { id } = await approved(harness, { reenters: true })
      let attempt = anAttempt()
      for (let continues = 0; continues < 20; continues++) {
        attempt = anAttempt({ continues })
        expect((await gate.claim(id, attempt)).type).toBe('granted')
        await gate.report(id, attempt, { status: 'suspended' })
      }
      const last = anAttempt({ continues: 20 })
      await gate.claim(id, last)
      await expectCode(gate.report(id, last, { status: 'suspended' }), 'NOT_CLAIMABLE')
      await advance(900_000)
      await expectCode(gate.report(id, last, { status: 'suspended' }), 'NOT_CLAIMABLE')
      expect((await gate.read(id)).execution.state).toBe('unknown')
    },
  },
  {
    name: 'E6 E7 continues only the same execution, by a fresh attempt that has seen every suspension',
    async run(harness) {
      const { gate } = harness
      const { id } = await approved(harness, { reenters: true })
      const attempt = await run(harness, id, { status: 'suspended' })
      const elsewhere = { type: 'closed', reason: 'suspended_elsewhere' }
      expect(await gate.claim(id, { ...attempt, continues: 1 })).toEqual(elsewhere)
      expect(await gate.claim(id, anAttempt({ continues: 2 }))).toEqual(elsewhere)
      expect(await gate.claim(id, anAttempt())).toEqual(elsewhere)
      expect(await gate.claim(id, anAttempt({ executionId: 'execution-2', continues: 1 }))).toEqual(elsewhere)
      const claims = await Promise.all(Array.from({ length: 10 }, () => gate.claim(id, anAttempt({ continues: 1 }))))
      expect(claims.filter(({ type }) => type === 'granted')).toHaveLength(1)
    },
  },
  {
    name: 'E6 E7 continues nothing that was redeemed, and nothing after the window',
    clock: true,
    async run(harness) {
      const { gate, advance } = harness
      const redeemed = await approved(harness, { reenters: true })
      const attempt = anAttempt()
      await redeem(harness, redeemed, await gate.claim(redeemed.id, attempt))
      await gate.report(redeemed.id, attempt, { status: 'suspended' })
      expect(await gate.claim(redeemed.id, anAttempt({ continues: 1 }))).toEqual({
        type: 'closed',
        reason: 'permit_spent',
      })
      const late = await approved(harness, { reenters: true, params: { amount: 1 } })
      await run(harness, late.id, { status: 'suspended' })
      await advance(late.executionWindowSeconds * 1000)
      expect(await gate.claim(late.id, anAttempt({ continues: 1 }))).toEqual({ type: 'closed', reason: 'window' })
    },
  },
  {
    name: 'E8 begins nothing that policy would now deny, or whose approvers no longer qualify',
    async run(harness) {
      const { gate, desk, person, change, setPolicies } = harness
      const voter = await person({ groups: ['ops'] })
      const spoiled: (() => Promise<void>)[] = [
        () => setPolicies([NEVER]),
        () => setPolicies([TWO_PEOPLE]),
        () => change(voter, { roles: ['developer'] }),
        () => change(voter, { status: 'disabled' }),
      ]
      for (const [amount, spoil] of spoiled.entries()) {
        await setPolicies([])
        await change(voter, { roles: ['approver'], status: 'active' })
        const { id } = await gate.declare(aDraft({ params: { amount } }))
        await decide(desk, voter, id, 'approve')
        await spoil()
        await expectCode(gate.claim(id, anAttempt()), 'POLICY_CHANGED')
        await setPolicies([])
        await change(voter, { roles: ['approver'], status: 'active' })
        expect(await gate.claim(id, anAttempt())).toEqual({ type: 'closed', reason: 'abandoned' })
      }
    },
  },
  {
    name: 'E8 begins what policy alone approved only while policy alone would approve it',
    async run(harness) {
      const { gate, setPolicies } = harness
      await setPolicies([ALL_PASS])
      const [kept, lost] = [await gate.declare(aDraft()), await gate.declare(aDraft({ params: { amount: 1 } }))]
      expect((await gate.claim(kept.id, anAttempt())).type).toBe('granted')
      await setPolicies([])
      await expectCode(gate.claim(lost.id, anAttempt()), 'POLICY_CHANGED')
    },
  },
  {
    name: 'E8 keeps what a looser policy would have approved under the one that was shown',
    async run(harness) {
      const { gate, desk, approver, secondApprover, setPolicies } = harness
      await setPolicies([TWO_PEOPLE])
      const { id } = await gate.declare(aDraft())
      await decide(desk, approver, id, 'approve')
      await setPolicies([ALL_PASS])
      expect((await gate.read(id)).status).toBe('pending')
      await expectCode(gate.claim(id, anAttempt()), 'NOT_APPROVED')
      await decide(desk, secondApprover, id, 'approve')
      expect((await gate.claim(id, anAttempt())).type).toBe('granted')
    },
  },
  {
    name: 'E8 continues nothing that policy no longer approves: nobody knows what came of it',
    async run(harness) {
      const { gate, setPolicies } = harness
      const { id } = await approved(harness, { reenters: true })
      await run(harness, id, { status: 'suspended' })
      await setPolicies([NEVER])
      await expectCode(gate.claim(id, anAttempt({ continues: 1 })), 'POLICY_CHANGED')
      expect((await gate.read(id)).execution.state).toBe('unknown')
    },
  },
  {
    name: 'E8 changes nothing at a time that policy blocks, nor while the agent is stopped',
    async run(harness) {
      const { gate, now, setPolicies, setAgentStatus } = harness
      const { id } = await approved(harness)
      const hour = new Date(now()).getUTCHours()
      const block_hours = [hour, (hour + 2) % 24]
      const time_restrictions = { timezone: 'UTC', block_hours }
      await setPolicies([{ name: 'nights', match: {}, decision: 'require_approval', time_restrictions }])
      await expectCode(gate.claim(id, anAttempt()), 'TIME_RESTRICTED')
      await setPolicies([])
      await setAgentStatus('paused')
      await expectCode(gate.claim(id, anAttempt()), 'AGENT_PAUSED')
      await setAgentStatus('active')
      expect((await gate.claim(id, anAttempt())).type).toBe('granted')
    },
  },
  {
    name: 'E8 E2 gives a holder nothing again that policy no longer approves',
    async run(harness) {
      const { gate, setPolicies } = harness
      const { id } = await approved(harness)
      const attempt = anAttempt()
      await gate.claim(id, attempt)
      await setPolicies([NEVER])
      await expectCode(gate.claim(id, attempt), 'POLICY_CHANGED')
      await gate.report(id, attempt, { status: 'succeeded' })
      expect((await gate.read(id)).execution.state).toBe('succeeded')
    },
  },
  {
    name: 'E9 takes a final report late, and keeps it beside what a person found',
    clock: true,
    async run(harness) {
      const { gate, desk, approver, advance } = harness
      const [late, found] = [await approved(harness), await approved(harness, { params: { amount: 1 } })]
      const attempt = anAttempt()
      for (const { id } of [late, found]) await gate.claim(id, attempt)
      await advance(900_000)
      await gate.report(late.id, attempt, { status: 'succeeded' })
      expect((await gate.read(late.id)).execution).toMatchObject({ state: 'succeeded', disputed: false })
      await desk.reconcile(approver, found.id, { finding: 'did_not_happen' })
      await gate.report(found.id, attempt, { status: 'succeeded' })
      expect((await gate.read(found.id)).execution).toMatchObject({
        state: 'failed',
        reportedBy: 'person',
        disputed: true,
      })
    },
  },
  {
    name: 'E10 believes no "not started" once a backend has used the permit',
    async run(harness) {
      const { gate } = harness
      const intent = await approved(harness)
      const attempt = anAttempt()
      await redeem(harness, intent, await gate.claim(intent.id, attempt))
      await expectCode(gate.report(intent.id, attempt, { status: 'not_started' }), 'ALREADY_REDEEMED')
      expect((await gate.read(intent.id)).execution.state).toBe('started')
    },
  },
  {
    name: 'E11 E20 answers everybody with what is recorded, its holder too',
    async run(harness) {
      const { gate } = harness
      const { id } = await approved(harness, { reenters: true })
      await run(harness, id, { status: 'suspended' })
      const attempt = anAttempt({ continues: 1 })
      await gate.claim(id, attempt)
      await gate.report(id, attempt, { status: 'failed' })
      for (const claimed of [attempt, anAttempt(), anAttempt({ executionId: 'execution-2', continues: 1 })]) {
        expect(await gate.claim(id, claimed)).toEqual({ type: 'recorded', outcome: { status: 'failed' } })
      }
    },
  },
  {
    name: 'E12 E13 runs again only what is idempotent, for the same execution, and not after a success',
    clock: true,
    async run(harness) {
      const { gate, advance } = harness
      const plain = await approved(harness)
      const again = await approved(harness, { idempotent: true, params: { amount: 1 } })
      for (const { id } of [plain, again]) await gate.claim(id, anAttempt())
      expect((await gate.claim(again.id, anAttempt())).type).toBe('running')
      await advance(900_000)
      expect(await gate.claim(plain.id, anAttempt())).toEqual({ type: 'unknown' })
      expect(await gate.claim(again.id, anAttempt({ executionId: 'execution-2' }))).toEqual({ type: 'unknown' })
      const second = anAttempt()
      expect((await gate.claim(again.id, second)).type).toBe('granted')
      await gate.report(again.id, second, { status: 'succeeded' })
      expect((await gate.claim(again.id, anAttempt())).type).toBe('recorded')
    },
  },
  {
    name: 'E13 E18 hands an approval that was used on as replayed, and only to who takes that',
    async run(harness) {
      const { gate } = harness
      const intent = await approved(harness, { idempotent: true })
      const attempt = anAttempt()
      expect(await redeem(harness, intent, await gate.claim(intent.id, attempt))).toEqual({ replayed: false })
      await gate.report(intent.id, attempt, { status: 'failed' })
      const claim = await gate.claim(intent.id, anAttempt())
      await expectCode(redeem(harness, intent, claim), 'ALREADY_REDEEMED')
      expect(await redeem(harness, intent, claim, { idempotent: true })).toEqual({ replayed: true })
      await expectCode(redeem(harness, intent, claim, { idempotent: true }), 'ALREADY_REDEEMED')
    },
  },
  {
    name: 'E14 a cancel abandons what has not begun, is too late for what has, and leaves a pause unknown',
    async run(harness) {
      const { gate } = harness
      const [started, suspended] = [
        await approved(harness),
        await approved(harness, { reenters: true, params: { amount: 1 } }),
      ]
      await gate.claim(started.id, anAttempt())
      await expectCode(gate.cancel(started.id, 'too late'), 'IN_FLIGHT')
      await run(harness, suspended.id, { status: 'suspended' })
      expect((await gate.cancel(suspended.id, 'no need')).execution.state).toBe('unknown')
      expect((await gate.claim(suspended.id, anAttempt({ continues: 1 }))).type).toBe('unknown')
    },
  },
  {
    name: 'E14 a cancel after the token was delivered takes the permit back, and says delivered',
    async run(harness) {
      const { gate, setPolicies } = harness
      await setPolicies([ALL_PASS])
      const intent = await gate.declare(aDraft({ delivery: 'token' }))
      await expectCode(gate.claim(intent.id, anAttempt()), 'NOT_CLAIMABLE')
      const cancelled = await gate.cancel(intent.id, 'no need')
      expect([cancelled.execution.state, cancelled.permitToken]).toEqual(['delivered', undefined])
      await expectCode(verify(harness, intent, intent.permitToken), 'PERMIT_REVOKED')
    },
  },
  {
    name: 'E15 a person who may vote withdraws: no permit holds, nothing continues',
    async run(harness) {
      const { gate, desk, approver, person } = harness
      const developer = await person({ roles: ['developer'] })
      const admin = await person({ roles: ['admin'] })
      const started = await approved(harness)
      const claim = await gate.claim(started.id, anAttempt())
      await expectCode(desk.withdraw(developer, started.id, 'a mistake'), 'NOT_AN_APPROVER')
      await verify(harness, started, tokenOf(claim))
      await desk.withdraw(admin, started.id, 'a mistake')
      await expectCode(verify(harness, started, tokenOf(claim)), 'PERMIT_REVOKED')
      await expectCode(redeem(harness, started, claim), 'PERMIT_REVOKED')
      const suspended = await approved(harness, { reenters: true, params: { amount: 1 } })
      await run(harness, suspended.id, { status: 'suspended' })
      await desk.withdraw(approver, suspended.id, 'a mistake')
      expect(await gate.claim(suspended.id, anAttempt({ continues: 1 }))).toEqual({
        type: 'closed',
        reason: 'abandoned',
      })
      const pending = await gate.declare(aDraft({ params: { amount: 2 } }))
      await expectCode(desk.withdraw(approver, pending.id, 'a mistake'), 'NOT_APPROVED')
    },
  },
  {
    name: 'E16 the end of the window abandons what has not begun, and leaves a pause unknown',
    clock: true,
    async run(harness) {
      const { gate, advance, sweep } = harness
      const [none, suspended] = [
        await approved(harness),
        await approved(harness, { reenters: true, params: { amount: 1 } }),
      ]
      await run(harness, suspended.id, { status: 'suspended' })
      await advance(none.executionWindowSeconds * 1000)
      await sweep()
      const read = await Promise.all([gate.read(none.id), gate.read(suspended.id)])
      expect(read.map(({ execution }) => execution.state)).toEqual(['abandoned', 'unknown'])
    },
  },
  {
    name: 'E17 a person who may vote reconciles, and not while a permit could still be used',
    clock: true,
    async run(harness) {
      const { gate, desk, approver, person, advance, setPolicies } = harness
      const permit = { ttl_seconds: 300 }
      const intent = { execution_deadline: 360 }
      await setPolicies([{ name: 'short', match: {}, decision: 'require_approval', permit, intent }])
      const [happened, not] = [await approved(harness), await approved(harness, { params: { amount: 1 } })]
      await expectCode(desk.reconcile(approver, not.id, { finding: 'happened' }), 'IN_FLIGHT')
      for (const { id } of [happened, not]) await gate.claim(id, anAttempt())
      await expectCode(desk.reconcile(approver, not.id, { finding: 'happened' }), 'IN_FLIGHT')
      await advance(360_000)
      const admin = await person({ roles: ['developer'] })
      await expectCode(desk.reconcile(admin, not.id, { finding: 'happened' }), 'NOT_AN_APPROVER')
      await desk.reconcile(approver, happened.id, { finding: 'happened' })
      await desk.reconcile(approver, not.id, { finding: 'did_not_happen' })
      await expectCode(desk.reconcile(approver, not.id, { finding: 'happened' }), 'ALREADY_RESOLVED')
      const read = await Promise.all([gate.read(happened.id), gate.read(not.id)])
      expect(read.map(({ execution }) => [execution.state, execution.reportedBy])).toEqual([
        ['succeeded', 'person'],
        ['failed', 'person'],
      ])
    },
  },
  {
    name: 'E18 marks an approval as used once, of however many at once, and gives the same redemption the same answer',
    async run(harness) {
      const { gate } = harness
      const intent = await approved(harness)
      const attempt = anAttempt()
      const claim = await gate.claim(intent.id, attempt)
      const redemptions = await Promise.allSettled(Array.from({ length: 10 }, () => redeem(harness, intent, claim)))
      expect(redemptions.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      const other = await approved(harness, { params: { amount: 1 } })
      const otherClaim = await gate.claim(other.id, anAttempt())
      const redemptionId = 'redemption-0123456789abcdef'
      const same = { redemptionId }
      expect(await redeem(harness, other, otherClaim, same)).toEqual({ replayed: false })
      expect(await redeem(harness, other, otherClaim, same)).toEqual({ replayed: false })
    },
  },
  {
    name: 'E18 uses nothing that was reported',
    async run(harness) {
      const { gate } = harness
      const intent = await approved(harness)
      const attempt = anAttempt()
      const claim = await gate.claim(intent.id, attempt)
      await gate.report(intent.id, attempt, { status: 'failed' })
      await expectCode(redeem(harness, intent, claim), 'PERMIT_REVOKED')
    },
  },
  {
    name: "E19 the backend's report outranks the agent's, whichever came first; a contradiction is shown",
    async run(harness) {
      const { gate, counter, desk, approver } = harness
      const reports: readonly (readonly ['agent' | 'verifier', 'succeeded' | 'failed'][])[] = [
        [
          ['agent', 'succeeded'],
          ['verifier', 'failed'],
        ],
        [
          ['verifier', 'failed'],
          ['agent', 'succeeded'],
        ],
        [
          ['agent', 'failed'],
          ['verifier', 'failed'],
        ],
      ]
      const ends: unknown[] = []
      for (const [amount, said] of reports.entries()) {
        const { id } = await approved(harness, { params: { amount } })
        const attempt = anAttempt()
        const permitId = permitIdOf(await gate.claim(id, attempt)) as `pmt_${string}`
        for (const [by, status] of said) {
          if (by === 'agent') await gate.report(id, attempt, { status })
          else await counter.logExecution({ permitId, status })
        }
        const { execution } = await desk.read(approver, id)
        ends.push([execution.state, execution.reportedBy, execution.disputed])
      }
      expect(ends).toEqual([
        ['failed', 'verifier', true],
        ['failed', 'verifier', true],
        ['failed', 'verifier', false],
      ])
    },
  },
  {
    name: 'E19 a backend that used an abandoned approval is believed, and the contradiction shown',
    async run(harness) {
      const { gate, counter } = harness
      const { id } = await approved(harness)
      const attempt = anAttempt()
      const permitId = permitIdOf(await gate.claim(id, attempt)) as `pmt_${string}`
      await gate.report(id, attempt, { status: 'not_started' })
      await counter.logExecution({ permitId, status: 'succeeded' })
      expect((await gate.read(id)).execution).toMatchObject({ state: 'succeeded', disputed: true })
    },
  },
  {
    name: 'E21 stores no policy whose execution is given up while its permit still holds',
    async run({ setPolicies }) {
      const policy = { name: 'short', match: {}, decision: 'require_approval', permit: { ttl_seconds: 300 } }
      await expectCode(setPolicies([{ ...policy, intent: { execution_deadline: 359 } }]), 'INVALID_FIELD')
      await setPolicies([{ ...policy, intent: { execution_deadline: 360 } }])
      const tooLong = { ...policy, intent: { execution_window: 30 * 24 * 3600 + 1 } }
      await expectCode(setPolicies([tooLong]), 'INVALID_FIELD')
    },
  },
  {
    name: 'E23 shows an approver what may have happened before',
    async run(harness) {
      const { gate, desk, approver } = harness
      const first = await approved(harness)
      await gate.claim(first.id, anAttempt())
      const second = await gate.declare(aDraft())
      expect((await desk.read(approver, second.id)).sameAction).toEqual([first.id])
      expect(second.riskFactors.map(({ name }) => name)).toContain('maybe_repeated')
    },
  },
]
