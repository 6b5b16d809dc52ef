import { expect, it } from 'vitest'
import { callKey } from '../src/call-key.js'

const CALL = { scope: 'thread-1', run: 'run-1', agent: 'refunds', callId: 'call_1', occurrence: 0 }

it('is the same after a restart', () => {
  expect(callKey({ ...CALL })).toBe(callKey(CALL))
})

it.each([
  { scope: 'thread-2' },
  { run: 'run-2' },
  { agent: 'payments' },
  { agent: undefined },
  { callId: 'call_2' },
  { callId: undefined },
  { occurrence: 1 },
])('tells calls apart by %o', (change) => {
  expect(callKey({ ...CALL, ...change })).not.toBe(callKey(CALL))
})

it('cannot be made equal by moving text from one member to the next', () => {
  expect(callKey({ scope: 'a', run: 'bc', occurrence: 0 })).not.toBe(callKey({ scope: 'ab', run: 'c', occurrence: 0 }))
})

it('takes the absent agent for none, not for a name', () => {
  expect(callKey({ ...CALL, agent: undefined })).not.toBe(callKey({ ...CALL, agent: 'null' }))
})

it('fits an idempotency key and an execution id, whatever it is made from', () => {
  expect(callKey({ ...CALL, scope: 'a'.repeat(100_000) })).toMatch(/^call1:[A-Za-z0-9_-]{43}$/)
})

it('refuses an empty run, with which every call of the process would be one', () => {
  expect(() => callKey({ ...CALL, run: '' })).toThrow(TypeError)
})
