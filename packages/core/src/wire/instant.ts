/**
 * Instants on the wire: RFC 3339 with milliseconds outside, epoch milliseconds inside; absent is null.
 *
 * @module
 */
import type { EpochMs } from '../json.js'

/** What absent is on the wire. */
export type Nullable<Value> = Value | null

/** RFC 3339 with milliseconds, UTC. */
export function instant(at: EpochMs): string {
  return new Date(at).toISOString()
}

export function maybeInstant(at: EpochMs | undefined): string | null {
  return at === undefined ? null : instant(at)
}

/** @throws TypeError when the text is no instant */
export function epoch(text: string): EpochMs {
  const at = Date.parse(text)
  if (Number.isNaN(at)) throw new TypeError('not an RFC 3339 instant')
  return at
}
