import { expect, it } from 'vitest'
import { parseDuration } from '../src/duration.js'

it.each([
  ['24h', 86_400],
  ['1d', 86_400],
  ['90d', 90 * 86_400],
  ['2w', 14 * 86_400],
])('%s are %i seconds', (text, seconds) => {
  expect(parseDuration(text)).toBe(seconds)
})

it.each(['', 'd', '0d', '23h', '-1d', '1.5d', '90', '90 d', '90D', '1y', '999999d', 'Infinityd'])(
  '%j is none',
  (text) => {
    expect(() => parseDuration(text)).toThrow('at least a day')
  },
)
