import { describe, expect, it, vi } from 'vitest'
import { type GateCall, type GateEvent, type GuardOptions, hold } from '../src/gate.js'
import type { Execution } from '../src/granted-execution.js'
import { randomToken } from '../src/id.js'
import { snapshot } from '../src/params.js'
import { type TestGate, type TestGateOptions, testGate } from '../src/testing.js'

const AUTO = { match: {}, decision: 'auto_approve', any_params: true, allow: ['reenters'] }

async function begun(
  draft: Partial<GateCall['draft']> = {},
  options: TestGateOptions & Pick<GuardOptions, 'onEvent'> = {},
): Promise<{ test: TestGate; execution: Execution; state(): Promise<string> }> {
  const { onEvent, ...gate } = options
  const test = await testGate({ policies: [AUTO], ...gate })
  const call = {
    key: `call-${randomToken()}`,
    snapshot: snapshot({ amount: 250 }),
    draft: { action: 'issue_refund', ...draft },
  }
  const held = await hold(test.gate, call, { onEvent })
  if (held.type !== 'begun') throw new Error(held.type)
  const { execution } = held
  return { test, execution, state: async () => (await test.gate.read(execution.intent.id)).execution.state }
}

describe('run', () => {
  it.each([
    ['a millisecond before', -1, true],
    ['exactly when', 0, false],
  ])('E22 enters the tool %s the permit expires: %s', async (_, off, enters) => {
    const { test, execution } = await begun()
    test.clock.advance(execution.permit.expiresAt - test.clock.now() + off)
    const step = vi.fn()
    const run = () => execution.run(step)
    if (enters) run()
    else expect(run).toThrow(expect.objectContaining({ code: 'PERMIT_EXPIRED' }))
    expect(step).toHaveBeenCalledTimes(enters ? 1 : 0)
  })

  it('E22 refuses by the monotonic clock, though the wall clock was set back', async () => {
    const { test, execution } = await begun()
    const start = performance.now()
    const late = execution.permit.expiresAt - test.clock.now()
    const clock = vi.spyOn(performance, 'now').mockReturnValue(start + late + 1)
    const step = vi.fn()
    try {
      expect(() => execution.run(step)).toThrow(expect.objectContaining({ code: 'PERMIT_EXPIRED' }))
    } finally {
      clock.mockRestore()
    }
    expect(step).not.toHaveBeenCalled()
  })

  it('E22 asks only when first entered: what has begun may end', async () => {
    const { test, execution } = await begun()
    execution.run(() => 'first')
    test.clock.advance(3_600_000)
    expect(execution.run(() => 'second')).toBe('second')
  })

  it('E22 a tool that came too late was not started', async () => {
    const { test, execution, state } = await begun()
    test.clock.advance(301_000)
    let error: unknown
    try {
      execution.run(() => 'refunded')
    } catch (thrown) {
      error = thrown
    }
    await execution.fail(error)
    expect(await state()).toBe('abandoned')
  })

  it('enters nothing that was given back', async () => {
    const { execution } = await begun()
    await execution.notStarted()
    const step = vi.fn()
    expect(() => execution.run(step)).toThrow(TypeError)
    expect(step).not.toHaveBeenCalled()
  })
})

describe('the end', () => {
  it.each([
    ['succeed', 'succeeded', (execution: Execution) => execution.succeed({ ok: true })],
    ['fail', 'failed', (execution: Execution) => execution.fail(new Error('declined'))],
    ['suspend', 'suspended', (execution: Execution) => execution.suspend()],
  ])('%s after it ran: %s', async (_, expected, end) => {
    const { execution, state } = await begun({ reenters: true })
    execution.run(() => undefined)
    await end(execution)
    expect(await state()).toBe(expected)
  })

  it.each([
    ['fail', (execution: Execution) => execution.fail(new Error('invalid arguments'))],
    ['notStarted', (execution: Execution) => execution.notStarted()],
  ])('E10 %s before it ran gives the grant back', async (_, end) => {
    const { execution, state } = await begun()
    await end(execution)
    expect(await state()).toBe('abandoned')
  })

  it('E10 nothing that ran was not started', async () => {
    const { execution, state } = await begun()
    execution.run(() => undefined)
    await expect(execution.notStarted()).rejects.toThrow(TypeError)
    expect(await state()).toBe('started')
  })

  it('comes once', async () => {
    const { execution } = await begun()
    execution.run(() => undefined)
    await execution.succeed()
    await expect(execution.fail(new Error('late'))).rejects.toThrow(TypeError)
  })

  it('is no suspension without reenters', async () => {
    const { execution } = await begun()
    await expect(execution.suspend()).rejects.toThrow(TypeError)
  })

  it('is a success, and told to be without its result, at a gate that has no key for results', async () => {
    const events: GateEvent[] = []
    const { execution, state, test } = await begun({}, { resultKey: false, onEvent: (event) => events.push(event) })
    execution.run(() => undefined)
    await execution.succeed('refunded')
    expect(await state()).toBe('succeeded')
    expect(events.slice(-2)).toMatchObject([
      { type: 'report_failed', error: { code: 'INVALID_FIELD', field: 'result' } },
      { type: 'finished' },
    ])
    expect(await test.store.recordedResult(test.project.id, execution.intent.id)).toBeUndefined()
  })

  it.each([
    ['over 16 KB', 'a'.repeat(20_000)],
    ['no JSON', Number.NaN],
  ])('is a success, though the result is %s', async (_, result) => {
    const { execution, state } = await begun()
    execution.run(() => undefined)
    await execution.succeed(result)
    expect(await state()).toBe('succeeded')
  })
})

describe('fail', () => {
  it.each([
    ['an error', new Error('card declined'), 'failed'],
    ['a timeout of the tool: it may happen yet', new DOMException('no answer', 'TimeoutError'), 'started'],
    ['nothing at all', undefined, 'failed'],
  ])('once the tool was entered, with %s, leaves it %s', async (_, error, state) => {
    const it = await begun()
    it.execution.run(() => undefined)
    await it.execution.fail(error)
    expect(await it.state()).toBe(state)
  })

  it('before the tool was entered, gives the grant back, whatever the error is', async () => {
    const it = await begun()
    await it.execution.fail(new DOMException('no answer', 'TimeoutError'))
    expect(await it.state()).toBe('abandoned')
  })

  it('is over after a timeout, too', async () => {
    const { execution } = await begun()
    execution.run(() => undefined)
    await execution.fail(new DOMException('no answer', 'TimeoutError'))
    await expect(execution.succeed()).rejects.toThrow(TypeError)
  })
})
