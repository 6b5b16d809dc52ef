/**
 * Single use: a backend's memory of the approvals that it has executed, until none of their permits could be valid any more.
 *
 * @module
 */
import { type EpochMs, SilentAuthError } from '@silentauth/core'

/** Where uses are remembered. A shared one makes "once per approval" hold over all processes of a backend. */
export interface SingleUseStore {
  /** `shared`: durable, and one for all processes. `per-process`: others do not see it, and a restart forgets it. */
  readonly scope: 'shared' | 'per-process'
  /**
   * Marks `key` as used. True for the one caller that was first, false for every other until `keepUntil`; atomic over all that
   * share the store. Awaited before the action is executed, so a crash in between leaves the approval used.
   *
   * @param key at most 1 KB of text, made of the intent id and the issuer
   * @param keepUntil afterwards the mark may go, never before: a full store throws rather than forget
   */
  take(key: string, keepUntil: EpochMs): boolean | Promise<boolean>
}

export interface MemorySingleUseOptions {
  /** Marks at once; about 200 bytes each. @default 1_000_000 */
  readonly maxEntries?: number | undefined
  /** @default Date.now */
  readonly now?: (() => EpochMs) | undefined
}

/**
 * Remembers in this process alone.
 *
 * @throws SilentAuthError (from `take`) `RATE_LIMITED` when it is full: what is remembered is never dropped to make room
 */
export function memorySingleUse(options: MemorySingleUseOptions = {}): SingleUseStore {
  const { maxEntries = 1_000_000, now = Date.now } = options
  if (!Number.isSafeInteger(maxEntries) || maxEntries < 1) throw new TypeError('maxEntries is a whole number from 1')
  const used = new Set<string>()
  /** Keys by the second in which they may go. */
  const buckets = new Map<number, string[]>()
  let soonest = Number.POSITIVE_INFINITY
  /** Everything up to this second has gone. */
  let goneUntil = 0

  const forget = (second: number): void => {
    if (second > goneUntil) goneUntil = second
    if (second < soonest) return
    soonest = Number.POSITIVE_INFINITY
    for (const [end, keys] of buckets) {
      if (end > second) soonest = Math.min(soonest, end)
      else {
        for (const key of keys) used.delete(key)
        buckets.delete(end)
      }
    }
  }

  return {
    scope: 'per-process',
    take(key, keepUntil) {
      forget(Math.floor(now() / 1000))
      if (used.has(key)) return false
      const end = Math.ceil(keepUntil / 1000)
      // A clock that was set back: whether this key was used is no longer known.
      if (!(end > goneUntil)) return false
      if (used.size >= maxEntries) {
        throw new SilentAuthError('RATE_LIMITED', `${maxEntries} approvals are remembered, and none may go yet`, {
          retryAfterSeconds: Math.max(soonest - goneUntil, 1),
        })
      }
      used.add(key)
      soonest = Math.min(soonest, end)
      const bucket = buckets.get(end)
      if (bucket) bucket.push(key)
      else buckets.set(end, [key])
      return true
    },
  }
}
