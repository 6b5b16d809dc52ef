/**
 * The gate's clock: what the countdown and "expired" go by, since the clock of a laptop or phone may be minutes off.
 *
 * @module
 */
import type { EpochMs } from '@silentauth/core'

export interface Clock {
  /** In whole seconds, so that all parts of one render agree. */
  now(): EpochMs
  /** An instant that an answer of the gate carried. */
  set(at: EpochMs): void
  /** Calls `listener` once a second; gives the way to stop. */
  subscribe(listener: () => void): () => void
}

/** HTTP dates have whole seconds, and an answer travels: less than this is no difference. */
const TOLERANCE_MS = 2_500

export function gateClock(local: () => EpochMs = Date.now): Clock {
  const listeners = new Set<() => void>()
  let offset = 0
  let timer: ReturnType<typeof setInterval> | undefined
  const tick = (): void => {
    for (const listener of listeners) listener()
  }
  return {
    now: () => Math.floor((local() + offset) / 1_000) * 1_000,
    set(at) {
      const difference = at - local()
      const next = Math.abs(difference) < TOLERANCE_MS ? 0 : difference
      if (Math.abs(next - offset) < TOLERANCE_MS) return
      offset = next
      tick()
    },
    subscribe(listener) {
      listeners.add(listener)
      timer ??= setInterval(tick, 1_000)
      return () => {
        listeners.delete(listener)
        if (listeners.size > 0) return
        clearInterval(timer)
        timer = undefined
      }
    },
  }
}
