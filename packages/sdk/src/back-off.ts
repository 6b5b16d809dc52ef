/**
 * Back-off: how long to wait before a request is repeated. It doubles, and it varies, so that the clients of a gate that
 * comes back do not all come at once.
 *
 * @module
 */

export interface BackOff {
  /** Before the first repetition. @default 200 */
  readonly baseMs?: number | undefined
  /** @default 10_000 */
  readonly maxMs?: number | undefined
}

/**
 * @param failures so far, from 1
 * @param retryAfterSeconds what the gate asked for; never waited for less
 */
export function backOffMs(
  failures: number,
  { baseMs = 200, maxMs = 10_000 }: BackOff,
  retryAfterSeconds: number | undefined = 0,
): number {
  const longest = Math.min(baseMs * 2 ** (failures - 1), maxMs)
  return Math.max(longest * (0.5 + Math.random() / 2), retryAfterSeconds * 1000)
}
