/**
 * The contract of gates: where the kill switch of an agent holds, and that no tool runs there (P4, DESIGN §7 rule 9).
 *
 * @module
 */
import { expect, vi } from 'vitest'
import { guard } from '../gate.js'
import type { Agent } from '../registry.js'
import type { GateHarness } from './gate-harness.js'
import { aCall, aDraft, anAttempt, approved, decide, expectCode } from './gate-steps.js'
import type { GateTest } from './gate-test.js'

const STOPPED = [
  ['paused', 'AGENT_PAUSED'],
  ['revoked', 'AGENT_REVOKED'],
] as const satisfies readonly [Agent['status'], string][]

/** One place at which an agent can be stopped. */
type Place = (harness: GateHarness & { stop(): Promise<void> }, code: (typeof STOPPED)[number][1]) => Promise<void>

const PLACES: Readonly<Record<string, Place>> = {
  'when it declares': async ({ gate, stop }, code) => {
    await stop()
    const execute = vi.fn()
    await expectCode(guard(gate, aCall(), execute), code)
    expect(execute).not.toHaveBeenCalled()
  },

  'when a person approves; a denial still counts (I10)': async (
    { gate, desk, approver, secondApprover, stop },
    code,
  ) => {
    const { id } = await gate.declare(aDraft())
    await stop()
    await expectCode(decide(desk, approver, id, 'approve'), code)
    expect((await desk.read(approver, id)).status).toBe('pending')
    await decide(desk, secondApprover, id, 'deny')
    expect((await gate.read(id)).status).toBe('denied')
  },

  'when a permit is handed out': async (harness, _code) => {
    const { gate, stop } = harness
    const { id, permitToken } = await approved(harness, { delivery: 'token' })
    expect(permitToken).toBeTypeOf('string')
    await stop()
    expect((await gate.read(id)).permitToken).toBeUndefined()
    expect((await gate.wait(id)).permitToken).toBeUndefined()
    // A declaration that is repeated hands out nothing either.
    await expectCode(gate.declare(aDraft({ delivery: 'token' })), _code)
  },

  'when it claims': async (harness, code) => {
    const { gate, desk, approver, stop } = harness
    const call = aCall()
    const { id } = await gate.declare({ ...call.draft, params: call.snapshot.value, idempotencyKey: call.key })
    await decide(desk, approver, id, 'approve')
    await stop()
    await expectCode(gate.claim(id, anAttempt()), code)
    const execute = vi.fn()
    await expectCode(guard(gate, call, execute), code)
    expect(execute).not.toHaveBeenCalled()
    expect((await gate.read(id)).execution.state).toBe('none')
  },

  'when it continues (E8: nothing changes)': async (harness, code) => {
    const { gate, stop } = harness
    const { id } = await approved(harness, { reenters: true })
    const attempt = anAttempt()
    await gate.claim(id, attempt)
    await gate.report(id, attempt, { status: 'suspended' })
    await stop()
    await expectCode(
      gate.claim(id, { ...attempt, ...anAttempt(), executionId: attempt.executionId, continues: 1 }),
      code,
    )
    expect((await gate.read(id)).execution.state).toBe('suspended')
  },

  'while it waits: paused, it hears what was decided, revoked, not even that, and never gets a permit': async (
    { gate, desk, approver, stop },
    code,
  ) => {
    const { id } = await gate.declare(aDraft({ delivery: 'token' }))
    const waiting = gate.wait(id).catch((error: unknown) => error)
    await gate.read(id) // by then, it waits
    await stop()
    await decide(desk, approver, id, 'deny')
    const expected = code === 'AGENT_REVOKED' ? { code } : { status: 'denied', permitToken: undefined }
    expect(await waiting).toMatchObject(expected)
  },
}

export const KILL_SWITCH_TESTS: readonly GateTest[] = STOPPED.flatMap(([status, code]) =>
  Object.entries(PLACES).map(
    ([place, run]): GateTest => ({
      name: `stops an agent that is ${status} ${place}`,
      run: (harness) => run({ ...harness, stop: () => harness.setAgentStatus(status) }, code),
    }),
  ),
)
