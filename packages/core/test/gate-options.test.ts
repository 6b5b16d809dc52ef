import { describe, expect, it } from 'vitest'
import {
  checkGateOptions,
  type ErrorCode,
  type GatedToolOptions,
  needsGate,
  passesByItself,
  type Refusal,
  refusalRoute,
} from '../src/index.ts'
import { approvingGate } from '../src/testing.ts'

const gate = approvingGate()
const refused = (code: ErrorCode, closed?: Refusal['closed']): Refusal => ({
  type: 'refused',
  code,
  intent: undefined,
  closed,
  cause: undefined,
})

describe('options', () => {
  const both = { waits: ['hold', 'suspend'], ends: true } as const

  it.each<[string, object]>([
    ['none but a gate', {}],
    ['suspend, with a pending gate error', { wait: 'suspend', onGateError: 'pending' }],
    ['an end of the run', { onDenied: 'end' }],
  ])('with %s are accepted', (_, options) => {
    expect(() => checkGateOptions('refund', { gate, ...options } as never, both)).not.toThrow()
  })

  it.each<[string, object, object?]>([
    ['no gate', { gate: undefined }],
    ['a wait that the framework cannot', { wait: 'suspend' }, { waits: ['hold'], ends: true }],
    ['a wait that is none', { wait: 'auto' }],
    ['an end that the framework cannot', { onDenied: 'end' }, { waits: ['hold'], ends: false }],
    ['a pending gate error where the process waits', { onGateError: 'pending' }],
    ['a replay that is none', { replay: true }],
    ['a projection that can be edited', { params: () => ({}), allowEdits: true }],
    ['no time', { timeoutMs: 0 }],
    ['time that is no number', { timeoutMs: Number.NaN }],
  ])('with %s are refused', (_, options, can = both) => {
    expect(() => checkGateOptions('refund', { gate, ...options } as never, can as never)).toThrow(TypeError)
  })
})

describe('a call', () => {
  it.each([
    ['forgets to answer', undefined, true],
    ['answers with a member that is missing', null, true],
    ['answers with nothing', 0, true],
    ['answers with a text', 'false', true],
    ['says yes', true, true],
    ['says no', false, false],
  ])('is asked for by a condition that %s', async (_, answer, asked) => {
    expect(await needsGate({ when: (() => answer) as never }, {}, {})).toBe(asked)
    expect(await needsGate({ when: (async () => answer) as never }, {}, {})).toBe(asked)
  })

  it('is asked for without any condition', async () => {
    expect(await needsGate({}, {}, {})).toBe(true)
  })
})

describe('a call that does not run', () => {
  type Options = Partial<GatedToolOptions<never, never>>
  it.each<[ErrorCode, Options, string]>([
    ['INTENT_DENIED', {}, 'message'],
    ['INTENT_DENIED', { onDenied: 'end', onGateError: 'throw' }, 'end'],
    ['WAIT_TIMEOUT', { onDenied: 'throw' }, 'throw'],
    ['GATE_UNAVAILABLE', { onDenied: 'throw' }, 'message'],
    ['GATE_UNAVAILABLE', { onGateError: 'throw' }, 'throw'],
    ['GATE_UNAVAILABLE', { wait: 'suspend' }, 'pending'],
    ['GATE_UNAVAILABLE', { wait: 'suspend', onGateError: 'message' }, 'message'],
    ['RATE_LIMITED', { wait: 'suspend' }, 'pending'],
    ['AGENT_REVOKED', { wait: 'suspend' }, 'message'],
    ['INTENT_DENIED', { wait: 'suspend' }, 'message'],
    ['IDEMPOTENCY_MISMATCH', { wait: 'suspend' }, 'message'],
    ['PERMIT_SIGNATURE', { wait: 'suspend' }, 'message'],
  ])('with %s and %o: %s', (code, options, route) => {
    expect(refusalRoute(refused(code), { gate, ...options })).toBe(route)
  })

  it.each([
    ['recorded', 'message'],
    ['error', 'throw'],
  ] as const)('because it ran before is answered by replay: %s', (replay, route) => {
    const recorded = { type: 'recorded', intent: {} as never, outcome: { status: 'failed' } } as const
    expect(refusalRoute(recorded, { gate, replay, onGateError: 'throw' })).toBe(
      replay === 'recorded' ? 'message' : route,
    )
  })

  it('may pass by itself when another process has it, and not when nobody knows what came of it', () => {
    const intent = {} as never
    expect([
      passesByItself({ type: 'running', intent, deadline: 0 }),
      passesByItself(refused('NOT_CLAIMABLE', 'suspended_elsewhere')),
      passesByItself(refused('NOT_CLAIMABLE', 'window')),
      passesByItself({ type: 'unknown', intent }),
    ]).toEqual([true, true, false, false])
  })
})
