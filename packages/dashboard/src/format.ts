/**
 * Instants and durations as people read them, by Intl.
 *
 * @module
 */
import type { EpochMs } from '@silentauth/core'
import { messages } from './messages.js'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** The reader's own variety of the language of the pages, for dates. */
const locale = varietyOf(messages.language, globalThis.navigator?.languages ?? [])

const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto', style: 'short' })
const full = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'medium' })

/** "3 min. ago"; below ten seconds "now". */
export function formatAge(at: EpochMs, now: EpochMs): string {
  const age = Math.max(0, now - at)
  if (age < 10 * SECOND) return relative.format(0, 'second')
  if (age < MINUTE) return relative.format(-Math.floor(age / SECOND), 'second')
  if (age < HOUR) return relative.format(-Math.floor(age / MINUTE), 'minute')
  if (age < DAY) return relative.format(-Math.floor(age / HOUR), 'hour')
  return relative.format(-Math.floor(age / DAY), 'day')
}

/** "1 hr 5 min", "42 min", "9 min 30 sec", "45 sec": no finer than a person needs. Below zero counts as zero. */
export function formatDuration(ms: number): string {
  const left = Math.max(0, ms)
  const [big, small] =
    left >= DAY
      ? ([unit(left / DAY, 'day'), unit((left % DAY) / HOUR, 'hour')] as const)
      : left >= HOUR
        ? ([unit(left / HOUR, 'hour'), unit((left % HOUR) / MINUTE, 'minute')] as const)
        : left >= 10 * MINUTE
          ? ([unit(left / MINUTE, 'minute'), undefined] as const)
          : left >= MINUTE
            ? ([unit(left / MINUTE, 'minute'), unit((left % MINUTE) / SECOND, 'second')] as const)
            : ([unit(left / SECOND, 'second'), undefined] as const)
  return small === undefined || Number.parseInt(small, 10) === 0 ? big : `${big} ${small}`
}

/** "21 Nov 2026, 14:03:12", in the reader's zone. */
export function formatInstant(at: EpochMs): string {
  return full.format(at)
}

function unit(value: number, name: 'day' | 'hour' | 'minute' | 'second'): string {
  const format = new Intl.NumberFormat(locale, { style: 'unit', unit: name, unitDisplay: 'short' })
  return format.format(Math.floor(value))
}

/** The first tag of `language` that is well formed: browsers hand on what the system is called, `en-US@posix` for one. */
export function varietyOf(language: string, tags: readonly string[]): string {
  return tags.find((tag) => tag.split('-')[0] === language && isTag(tag)) ?? language
}

function isTag(tag: string): boolean {
  try {
    return Intl.DateTimeFormat.supportedLocalesOf(tag).length > 0
  } catch {
    return false
  }
}
