import { describe, expect, it } from 'vitest'
import { formatAge, formatDuration, varietyOf } from '../src/format.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

describe('formatDuration', () => {
  it.each([
    [-1, '0 sec'],
    [45 * SECOND + 999, '45 sec'],
    [MINUTE, '1 min'],
    [9 * MINUTE + 30 * SECOND, '9 min 30 sec'],
    [42 * MINUTE + 59 * SECOND, '42 min'],
    [HOUR + 5 * MINUTE, '1 hr 5 min'],
    [30 * 24 * HOUR + 2 * HOUR, '30 days 2 hr'],
  ])('writes %i ms as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text)
  })
})

describe('formatAge', () => {
  it.each([
    [0, 'now'],
    [-5 * MINUTE, 'now'],
    [30 * SECOND, '30 sec. ago'],
    [3 * MINUTE, '3 min. ago'],
    [5 * HOUR, '5 hr. ago'],
    [24 * HOUR, 'yesterday'],
  ])('writes what was %i ms ago as %s', (age, text) => {
    expect(formatAge(0, age)).toBe(text)
  })
})

describe('varietyOf', () => {
  it.each([
    [['de-DE', 'en-GB', 'en'], 'en-GB'],
    [['en-US@posix', 'en-AU'], 'en-AU'],
    [['eng'], 'en'],
    [[], 'en'],
  ])('picks out of %j', (tags, tag) => {
    expect(varietyOf('en', tags)).toBe(tag)
  })
})
