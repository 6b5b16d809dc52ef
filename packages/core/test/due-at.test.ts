import { describe, expect, it } from 'vitest'
import { aBegunState, aState, THEN } from '../src/contracts/stored.js'
import { dueAt } from '../src/due-at.js'
import { clock } from '../src/lifecycle.js'

const USE_UNTIL = THEN + 3_600_000

describe('dueAt', () => {
  it.each([
    ['a pending intent expires', aState({ expiresAt: THEN + 10 })],
    ['a window ends that nobody used', aBegunState({ state: 'none' })],
    ['a deadline passes', aBegunState({ state: 'started', deadline: THEN + 20 })],
    ['a window ends on a suspended execution', aBegunState({ state: 'suspended' })],
  ])('is the first instant at which the clock changes it: %s', (_, state) => {
    const at = dueAt(state) ?? Number.NaN
    expect([clock(state, at - 1).state === state, clock(state, at).state === state]).toEqual([true, false])
  })

  it.each([
    ['denied', aState({ expiresAt: THEN + 10 }, { status: 'denied' })],
    ['delivered', aBegunState({ state: 'delivered' })],
    ['succeeded', aBegunState({ state: 'succeeded', deadline: THEN + 20 })],
    ['failed', aBegunState({ state: 'failed' })],
    ['unknown', aBegunState({ state: 'unknown', deadline: THEN + 20 })],
    ['abandoned', aBegunState({ state: 'abandoned' })],
    ['started, but not yet sequenced', aBegunState({ state: 'started', deadline: undefined })],
  ])('is never where the clock changes nothing: %s', (_, state) => {
    expect(dueAt(state)).toBeUndefined()
    expect(clock(state, USE_UNTIL + 1e9).state).toBe(state)
  })
})
