/**
 * Token buckets: how often each key may do something. In memory of this process, because what it protects is this process.
 *
 * @module
 */
import { SilentAuthError } from '@silentauth/core'

export interface TokenBuckets {
  /** @throws SilentAuthError `RATE_LIMITED`, saying when there is a token again */
  take(holder: string): void
}

export interface TokenBucketsOptions {
  /** Also how many may come at once. 0: no limit. */
  readonly perMinute: number
  /** Milliseconds of a clock that only moves forward. @default performance.now */
  readonly now?: (() => number) | undefined
}

/** An empty bucket is full again after this; to forget a full one changes nothing for its holder. */
const FULL_AGAIN_MS = 60_000

export function tokenBuckets({ perMinute, now = () => performance.now() }: TokenBucketsOptions): TokenBuckets {
  const buckets = new Map<string, { tokens: number; at: number }>()
  const perMs = perMinute / FULL_AGAIN_MS
  let forgotAt = now()

  const filled = ({ tokens, at }: { tokens: number; at: number }, time: number): number =>
    Math.min(perMinute, tokens + (time - at) * perMs)

  return {
    take(holder) {
      if (perMinute === 0) return
      const time = now()
      const bucket = buckets.get(holder)
      const tokens = bucket ? filled(bucket, time) : perMinute
      if (tokens < 1) {
        throw new SilentAuthError('RATE_LIMITED', `${holder} may do this ${perMinute} times a minute`, {
          retryAfterSeconds: Math.ceil((1 - tokens) / perMs / 1000),
        })
      }
      buckets.set(holder, { tokens: tokens - 1, at: time })
      if (time - forgotAt < FULL_AGAIN_MS) return
      forgotAt = time
      for (const [other, held] of buckets) if (filled(held, time) >= perMinute) buckets.delete(other)
    },
  }
}
