import { afterEach, describe, expect, it, vi } from 'vitest'
import { guard } from '../src/gate.js'
import { randomToken } from '../src/id.js'
import { snapshot } from '../src/params.js'
import {
  approvingGate,
  denyingGate,
  fakeClock,
  type ScriptedDecision,
  type ScriptedGate,
  scriptedGate,
  testGate,
} from '../src/testing.js'

function guarded(gate: ScriptedGate, execute: (params: object) => unknown, draft = {}) {
  const call = {
    key: `call-${randomToken()}`,
    snapshot: snapshot({ amount: 250 }),
    draft: { action: 'issue_refund', ...draft },
  }
  return guard(gate, call, ({ params }) => execute(params))
}

afterEach(() => void vi.unstubAllEnvs())

describe('in production', () => {
  it.each([
    ['approvingGate', approvingGate],
    ['denyingGate', denyingGate],
    ['scriptedGate', () => scriptedGate([])],
    ['testGate', testGate],
  ])('%s does not start', async (_, start) => {
    vi.stubEnv('NODE_ENV', 'production')
    await expect(async () => start()).rejects.toThrow(TypeError)
  })
})

it('approvingGate approves, and records what it saw', async () => {
  await using gate = approvingGate()
  const execute = vi.fn(() => 'refunded')
  expect(await guarded(gate, execute)).toBe('refunded')
  expect(gate.intents.map(({ action, status }) => `${action} ${status}`)).toEqual(['issue_refund pending'])
})

it('approvingGate approves critical intents with hidden values too', async () => {
  await using gate = approvingGate()
  const call = { key: 'call-1', snapshot: snapshot({ password: 'open sesame' }) }
  const draft = { action: 'rotate_password', riskTier: 'critical' } as const
  expect(await guard(gate, { ...call, draft }, () => 'rotated')).toBe('rotated')
})

it('denyingGate denies with its reason, and the tool does not run', async () => {
  await using gate = denyingGate('not on my watch')
  const execute = vi.fn()
  await expect(guarded(gate, execute)).rejects.toMatchObject({ code: 'INTENT_DENIED' })
  expect(execute).not.toHaveBeenCalled()
  expect((await gate.read(gate.intents[0]?.id as `int_${string}`)).resolution?.comment).toBe('not on my watch')
})

it.each<[ScriptedDecision, string | undefined]>([
  ['approve', undefined],
  ['deny', 'INTENT_DENIED'],
  [{ deny: 'no' }, 'INTENT_DENIED'],
  [{ requestChanges: 'less' }, 'CHANGES_REQUESTED'],
  ['expire', 'INTENT_EXPIRED'],
])('scriptedGate decides %o', async (decision, code) => {
  await using gate = scriptedGate([decision])
  const execute = vi.fn()
  const error = await guarded(gate, execute).then(
    () => undefined,
    (refused: { code: string }) => refused.code,
  )
  expect([error, execute.mock.calls.length]).toEqual([code, code === undefined ? 1 : 0])
})

it('scriptedGate edits, and somebody else approves that', async () => {
  await using gate = scriptedGate([{ edit: { amount: 10 } }])
  expect(await guarded(gate, (params) => params, { edits: { schema: {} } })).toEqual({ amount: 10 })
})

it('scriptedGate waits until it is told', async () => {
  await using gate = scriptedGate(['wait'])
  const execute = vi.fn(() => 'refunded')
  const running = guarded(gate, execute)
  await vi.waitUntil(() => gate.intents.length === 1)
  expect(execute).not.toHaveBeenCalled()
  await gate.decide('approve')
  expect(await running).toBe('refunded')
})

it('scriptedGate refuses what the script does not foresee', async () => {
  await using gate = scriptedGate([])
  const execute = vi.fn()
  await expect(guarded(gate, execute)).rejects.toThrow()
  expect(execute).not.toHaveBeenCalled()
})

it('scriptedGate fails when it is disposed, if the gate refused what the script decided', async () => {
  const gate = scriptedGate([{ edit: { amount: 10 } }])
  await gate.declare({ action: 'issue_refund', params: { amount: 250 } })
  await expect(gate[Symbol.asyncDispose]()).rejects.toMatchObject({ code: 'EDITS_NOT_ACCEPTED' })
})

it('fakeClock moves only forward, and only when told', () => {
  const clock = fakeClock(5)
  clock.advance(10)
  expect(clock.now()).toBe(15)
  expect(() => clock.advance(-1)).toThrow(TypeError)
})
