import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareText } from '../src/compare-text.js'

describe('compareText', () => {
  it('orders as the bytes of UTF-8 do', () => {
    const text = fc.string({ unit: 'binary', maxLength: 6 })
    fc.assert(
      fc.property(text, text, (one, other) => {
        expect(Math.sign(compareText(one, other))).toBe(Buffer.compare(Buffer.from(one), Buffer.from(other)))
      }),
      { numRuns: 2000 },
    )
  })

  it.each([
    ['a letter before the emoji that JavaScript puts after it', 'ﬀ', '😀'],
    ['capitals before small letters', 'Z', 'a'],
    ['the shorter of two that begin alike', 'a', 'ab'],
    ['two emoji that differ in their second half', '😀', '😁'],
  ])('puts %s', (_, first, second) => {
    expect([second, first].sort(compareText)).toEqual([first, second])
  })
})
