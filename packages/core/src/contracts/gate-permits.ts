/**
 * The contract of gates: permits, each by its number of docs/lifecycle.md (P1 to P4).
 *
 * @module
 */
import { expect } from 'vitest'
import type { IntentId } from '../id.js'
import type { JsonObject } from '../json.js'
import type { Attempt } from '../state.js'
import type { GateHarness } from './gate-harness.js'
import { aDraft, anAttempt, approved, expectCode, permitIdOf, redeem, tokenOf, verify } from './gate-steps.js'
import type { GateTest } from './gate-test.js'

const ALL_PASS: JsonObject = { name: 'all', match: {}, decision: 'auto_approve', any_params: true }

/** Every way in which an execution ends takes its permits back. */
const ENDS: Readonly<Record<string, (harness: GateHarness, id: IntentId, attempt: Attempt) => Promise<unknown>>> = {
  'E5 a suspension': ({ gate }, id, attempt) => gate.report(id, attempt, { status: 'suspended' }),
  'E9 a report': ({ gate }, id, attempt) => gate.report(id, attempt, { status: 'succeeded' }),
  'E10 an execution that did not start': ({ gate }, id, attempt) => gate.report(id, attempt, { status: 'not_started' }),
  'E15 a withdrawal': ({ desk, approver }, id) => desk.withdraw(approver, id, 'a mistake'),
}

export const PERMIT_TESTS: readonly GateTest[] = [
  {
    name: 'P1 ends every permit of an intent with its window at the latest, which is the same in all of them',
    clock: true,
    async run(harness) {
      const { gate, advance } = harness
      const intent = await approved(harness, { reenters: true })
      const attempt = anAttempt()
      const first = await verify(harness, intent, tokenOf(await gate.claim(intent.id, attempt)))
      await gate.report(intent.id, attempt, { status: 'suspended' })
      await advance((intent.executionWindowSeconds - 100) * 1000)
      const claim = await gate.claim(intent.id, anAttempt({ continues: 1 }))
      const second = await verify(harness, intent, tokenOf(claim))
      expect(second.use_until).toBe(first.use_until)
      expect([first.exp - first.iat, second.exp]).toEqual([300, first.use_until])
    },
  },
  {
    name: 'P2 mints nothing when it is read: a delivered token is the same one, and then none',
    clock: true,
    async run({ gate, advance, setPolicies }) {
      await setPolicies([ALL_PASS])
      const { id, permitToken } = await gate.declare(aDraft({ delivery: 'token', idempotencyKey: 'call-1' }))
      const again = await gate.declare(aDraft({ delivery: 'token', idempotencyKey: 'call-1' }))
      expect([(await gate.read(id)).permitToken, again.permitToken]).toEqual([permitToken, permitToken])
      await advance(300_000)
      expect((await gate.read(id)).permitToken).toBeUndefined()
    },
  },
  {
    name: 'P3 lets an approval be used once, whichever of its permits is shown',
    async run(harness) {
      const { gate } = harness
      const intent = await approved(harness, { idempotent: true })
      const attempt = anAttempt()
      const first = await gate.claim(intent.id, attempt)
      await redeem(harness, intent, first)
      await gate.report(intent.id, attempt, { status: 'failed' })
      const second = await gate.claim(intent.id, anAttempt())
      expect(permitIdOf(second)).not.toBe(permitIdOf(first))
      await expectCode(redeem(harness, intent, second), 'ALREADY_REDEEMED')
    },
  },
  ...Object.entries(ENDS).map(
    ([name, end]): GateTest => ({
      name: `P4 ${name} takes the permit back`,
      async run(harness) {
        const { gate } = harness
        const intent = await approved(harness, { reenters: true })
        const attempt = anAttempt()
        const claim = await gate.claim(intent.id, attempt)
        await verify(harness, intent, tokenOf(claim))
        await end(harness, intent.id, attempt)
        await expectCode(verify(harness, intent, tokenOf(claim)), 'PERMIT_REVOKED')
        await expectCode(redeem(harness, intent, claim), 'PERMIT_REVOKED')
      },
    }),
  ),
  {
    name: 'P4 a stopped agent and an unknown outcome take the permit back',
    clock: true,
    async run(harness) {
      const { gate, advance, setAgentStatus, setPolicies } = harness
      const permit = { ttl_seconds: 600 }
      const intent = { execution_deadline: 660 }
      await setPolicies([{ name: 'long', match: {}, decision: 'require_approval', permit, intent }])
      const running = await approved(harness)
      const claim = await gate.claim(running.id, anAttempt())
      await setAgentStatus('paused')
      await expectCode(verify(harness, running, tokenOf(claim)), 'AGENT_PAUSED')
      await expectCode(redeem(harness, running, claim), 'AGENT_PAUSED')
      await setAgentStatus('active')
      await verify(harness, running, tokenOf(claim))
      await advance(660_000)
      await expectCode(redeem(harness, running, claim), 'PERMIT_EXPIRED')
    },
  },
]
