import { describe, expect, it } from 'vitest'
import { blockedAt, isTimeZone } from '../src/time-restriction.js'

const at = (instant: string) => Date.parse(instant)

describe('blockedAt', () => {
  const night = { timezone: 'Europe/Berlin', blockHours: [0, 6] } as const
  const late = { timezone: 'Europe/Berlin', blockHours: [22, 6] } as const
  const weekends = { timezone: 'Europe/Berlin', blockWeekends: true } as const

  it.each([
    ['nothing is blocked without hours or days', { timezone: 'Europe/Berlin' }, '2026-03-14T03:00:00Z', false],
    ['weekends that are not blocked', { blockWeekends: false }, '2026-03-14T03:00:00Z', false],
    ['the first hour is blocked', night, '2026-01-12T23:00:00Z', true],
    ['just before it is not', night, '2026-01-12T22:59:59.999Z', false],
    ['the last second before the end is blocked', night, '2026-01-13T04:59:59.999Z', true],
    ['the end is not', night, '2026-01-13T05:00:00Z', false],
    ['in summer the same hours come earlier in UTC', night, '2026-07-13T22:00:00Z', true],
    ['and end earlier', night, '2026-07-14T04:00:00Z', false],
    // 2026-03-29, 01:00 UTC: 02:00 becomes 03:00.
    ['the second before the clock goes forward, 01:59', night, '2026-03-29T00:59:59Z', true],
    ['an hour that does not exist blocks nothing', { ...night, blockHours: [2, 3] }, '2026-03-29T01:00:00Z', false],
    ['the hour after it is three', { ...night, blockHours: [3, 4] }, '2026-03-29T01:00:00Z', true],
    ['six on that day comes at four UTC', night, '2026-03-29T04:00:00Z', false],
    ['just before it is blocked', night, '2026-03-29T03:59:59Z', true],
    // 2026-10-25, 01:00 UTC: 03:00 becomes 02:00.
    ['the first of the two hours', { ...night, blockHours: [2, 3] }, '2026-10-25T00:30:00Z', true],
    ['the second of the two hours', { ...night, blockHours: [2, 3] }, '2026-10-25T01:30:00Z', true],
    ['and not the third', { ...night, blockHours: [2, 3] }, '2026-10-25T02:00:00Z', false],
    ['wrapping midnight: before it', late, '2026-01-12T21:00:00Z', true],
    ['wrapping midnight: at it', late, '2026-01-12T23:00:00Z', true],
    ['wrapping midnight: after it', late, '2026-01-13T04:59:59Z', true],
    ['wrapping midnight: by day', late, '2026-01-13T05:00:00Z', false],
    ['wrapping midnight: the hour before', late, '2026-01-13T20:59:59Z', false],
    ['until midnight as 24', { ...night, blockHours: [18, 24] }, '2026-01-12T22:59:59Z', true],
    ['24 is not the next day', { ...night, blockHours: [18, 24] }, '2026-01-12T23:00:00Z', false],
    ['the whole day', { ...night, blockHours: [0, 24] }, '2026-01-12T11:00:00Z', true],
    ['Saturday begins in Berlin while it is Friday in UTC', weekends, '2026-01-09T23:00:00Z', true],
    ['Friday evening there', weekends, '2026-01-09T22:59:59Z', false],
    ['Sunday', weekends, '2026-01-11T12:00:00Z', true],
    ['Monday begins there while it is Sunday in UTC', weekends, '2026-01-11T23:00:00Z', false],
    ['a weekend with hours too', { ...night, blockWeekends: true }, '2026-01-10T12:00:00Z', true],
    ['a zone with half an hour', { timezone: 'Asia/Kolkata', blockHours: [0, 6] }, '2026-01-12T00:29:59Z', true],
    ['and its end', { timezone: 'Asia/Kolkata', blockHours: [0, 6] }, '2026-01-12T00:30:00Z', false],
  ] as const)('%s', (_, restrictions, instant, expected) => {
    expect(blockedAt(restrictions, at(instant))).toBe(expected)
  })

  it.each([
    ['the zone of the project', 'Europe/Berlin', '2026-01-09T23:00:00Z', true],
    ['UTC without one', undefined, '2026-01-09T23:00:00Z', false],
    ['UTC without one, on Saturday', undefined, '2026-01-10T00:00:00Z', true],
  ])('goes by %s', (_, projectZone, instant, expected) => {
    expect(blockedAt({ blockWeekends: true }, at(instant), projectZone)).toBe(expected)
  })

  it('prefers its own zone to that of the project', () => {
    expect(blockedAt({ timezone: 'UTC', blockWeekends: true }, at('2026-01-09T23:00:00Z'), 'Europe/Berlin')).toBe(false)
  })

  it('does not guess in a zone that it does not know', () => {
    expect(() => blockedAt({ timezone: 'Mars/Olympus', blockWeekends: true }, 0)).toThrow(RangeError)
  })
})

describe('isTimeZone', () => {
  it.each([
    ['Europe/Berlin', true],
    ['UTC', true],
    ['America/Argentina/Buenos_Aires', true],
    ['Mars/Olympus', false],
    ['+02:00', false],
    ['-08:00', false],
    ['', false],
    ['Europe/Berlin ', false],
  ])('%j: %s', (zone, expected) => {
    expect(isTimeZone(zone)).toBe(expected)
  })
})
