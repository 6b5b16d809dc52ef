/**
 * A time restriction says at which hours and on which days a policy lets nothing through, by the clock on the wall of a zone.
 *
 * @module
 */
import type { EpochMs } from './json.js'

export interface TimeRestrictions {
  /** IANA name. @default the project's zone, else UTC */
  readonly timezone?: string | undefined
  /** Saturday and Sunday. @default false */
  readonly blockWeekends?: boolean | undefined
  /** Hours from, inclusive, to, exclusive; 0 to 24; `[22, 6]` wraps midnight. */
  readonly blockHours?: readonly [from: number, to: number] | undefined
}

/**
 * Whether `now` is blocked. Hours are those of the wall clock: an hour that a change to summer time skips never blocks, one that
 * occurs twice blocks twice.
 *
 * @throws RangeError for a zone that this runtime does not know, so that nothing is let through on a guess
 */
export function blockedAt(restrictions: TimeRestrictions, now: EpochMs, projectZone?: string): boolean {
  const { blockWeekends, blockHours } = restrictions
  if (!blockWeekends && blockHours === undefined) return false
  const { day, hour } = wallClock(now, restrictions.timezone ?? projectZone ?? 'UTC')
  if (blockWeekends && (day === 'Sat' || day === 'Sun')) return true
  if (blockHours === undefined) return false
  const [from, to] = blockHours
  return from < to ? hour >= from && hour < to : hour >= from || hour < to
}

/** True for IANA names that this runtime knows. An offset such as `+02:00` is none: it does not follow summer time. */
export function isTimeZone(zone: string): boolean {
  if (!/^[A-Za-z]/.test(zone)) return false
  try {
    formatterFor(zone)
    return true
  } catch {
    return false
  }
}

function wallClock(now: EpochMs, zone: string): { day: string; hour: number } {
  let day = ''
  let hour = 0
  for (const { type, value } of formatterFor(zone).formatToParts(now)) {
    if (type === 'weekday') day = value
    if (type === 'hour') hour = Number(value)
  }
  return { day, hour }
}

const formatters = new Map<string, Intl.DateTimeFormat>()
/** Above the number of zones that exist; spellings that differ in case must not fill the memory. */
const MAX_FORMATTERS = 700

function formatterFor(zone: string): Intl.DateTimeFormat {
  let formatter = formatters.get(zone)
  if (formatter === undefined) {
    formatter = new Intl.DateTimeFormat('en-US-u-ca-gregory-nu-latn', {
      timeZone: zone,
      weekday: 'short',
      hour: '2-digit',
      hourCycle: 'h23',
    })
    if (formatters.size >= MAX_FORMATTERS) formatters.clear()
    formatters.set(zone, formatter)
  }
  return formatter
}
