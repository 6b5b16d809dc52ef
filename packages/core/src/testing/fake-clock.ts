/**
 * A clock that moves only when it is told to.
 *
 * @module
 */
import type { EpochMs } from '../json.js'

export interface FakeClock {
  now(): EpochMs
  /** Moves it forward. */
  advance(ms: number): void
}

/** @param start epoch milliseconds. @default the current time */
export function fakeClock(start: EpochMs = Date.now()): FakeClock {
  let now = start
  return {
    now: () => now,
    advance(ms) {
      if (!(ms >= 0)) throw new TypeError('a clock only moves forward')
      now += ms
    },
  }
}
