import { describe, expect, it } from 'vitest'
import { backOffMs } from '../src/back-off.js'

describe('back-off', () => {
  it.each([
    [1, 100, 200],
    [2, 200, 400],
    [5, 1600, 3200],
    [7, 5000, 10_000],
    [5_000, 5000, 10_000],
  ])('after %i failures is between %i and %i ms', (failures, least, most) => {
    for (let tries = 0; tries < 100; tries++) {
      const ms = backOffMs(failures, {})
      expect(ms).toBeGreaterThanOrEqual(least)
      expect(ms).toBeLessThanOrEqual(most)
    }
  })

  it('varies, so that clients do not come together', () => {
    expect(new Set(Array.from({ length: 20 }, () => backOffMs(3, {}))).size).toBeGreaterThan(1)
  })

  it('is never shorter than what the gate asked for', () => {
    expect(backOffMs(1, {}, 7)).toBe(7000)
  })
})
