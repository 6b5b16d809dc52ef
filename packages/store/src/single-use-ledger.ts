/**
 * The ledger of single use: one row per approval that was used, kept until none of its permits could be valid any more. What was
 * forgotten is remembered as one instant, so that nothing which might have been forgotten is ever taken for new.
 *
 * @module
 */
import { type EpochMs, SilentAuthError } from '@silentauth/core'

/** A `SingleUseStore` of `@silentauth/verify`. */
export interface SharedSingleUse extends AsyncDisposable {
  readonly scope: 'shared'
  /**
   * Whether this caller is the first, of all that share the database.
   *
   * @param key at most 1 KB
   * @throws SilentAuthError `DB_ERROR` when the database does not answer: then it may be marked or not, and nothing must run
   */
  take(key: string, keepUntil: EpochMs): Promise<boolean>
}

/** The two statements that differ from engine to engine. */
export interface Ledger {
  now(): Promise<EpochMs>
  /** One row, unless there is one, or `keepUntil` lies before what was forgotten. @returns whether it was written */
  insert(key: string, keepUntil: EpochMs): Promise<boolean>
  /** First moves the instant of what was forgotten, then forgets at most `limit` rows up to it. @returns how many */
  forget(until: EpochMs, limit: number): Promise<number>
  close(): Promise<void>
}

export const SINGLE_USE_TABLE = 'silentauth_single_use'
/** Of the row whose `keep_until` is the instant up to which rows were forgotten. Keys are never empty. */
export const FORGOTTEN = ''

const MAX_KEY_LENGTH = 1024
/** Rows stay for so much longer: a process whose clock is off must not find an approval forgotten that it still accepts. */
const GRACE_MS = 3_600_000
const SWEEP_EVERY_MS = 60_000
const SWEEP_EVERY_TAKES = 1000
const SWEEP_BATCH = 5000

export function sharedSingleUse(ledger: Ledger): SharedSingleUse {
  let takes = 0
  let sweptAt = Number.NEGATIVE_INFINITY
  let sweeping: Promise<void> | undefined
  const running = new Set<Promise<unknown>>()
  let closed = false

  const sweep = async (): Promise<void> => {
    const until = (await ledger.now()) - GRACE_MS
    while (!closed && (await ledger.forget(until, SWEEP_BATCH)) === SWEEP_BATCH) {}
  }
  /** Beside the takes, which must not wait for it, nor fail with it: it is tried again with a later one. */
  const sweepSometimes = (): void => {
    takes++
    if (sweeping || (takes % SWEEP_EVERY_TAKES !== 0 && performance.now() - sweptAt < SWEEP_EVERY_MS)) return
    sweptAt = performance.now()
    sweeping = sweep()
      .catch(() => undefined)
      .finally(() => {
        sweeping = undefined
      })
  }

  return {
    scope: 'shared',
    async take(key, keepUntil) {
      if (typeof key !== 'string' || key === '' || key.length > MAX_KEY_LENGTH) {
        throw new TypeError(`a key is a text of 1 to ${MAX_KEY_LENGTH} characters`)
      }
      if (!Number.isSafeInteger(keepUntil)) throw new TypeError('keepUntil is an instant in milliseconds')
      if (closed) throw new SilentAuthError('DB_ERROR', 'the single-use store is closed')
      const taken = ledger.insert(key, keepUntil)
      running.add(taken)
      try {
        const first = await taken
        sweepSometimes()
        return first
      } finally {
        running.delete(taken)
      }
    },
    async [Symbol.asyncDispose]() {
      if (closed) return
      closed = true
      await Promise.allSettled([...running, sweeping])
      await ledger.close()
    },
  }
}
