/**
 * A result summary is what an execution says of its result: digest and size. The result itself is recorded elsewhere, sealed.
 *
 * @module
 */
import { canonicalJson } from './canonical-json.js'
import { digestOf } from './digest.js'
import { SilentAuthError } from './errors.js'
import type { Json } from './json.js'
import type { ResultSummary } from './state.js'

const MAX_RESULT_BYTES = 16 * 1024

/** @throws SilentAuthError `TOO_LARGE` over 16 KB, `PARAMS_NOT_CANONICAL` for what is not JSON */
export function summaryOf(result: Json | undefined): ResultSummary | undefined {
  if (result === undefined) return undefined
  const text = canonicalJson(result)
  const bytes = new TextEncoder().encode(text).length
  if (bytes > MAX_RESULT_BYTES) throw new SilentAuthError('TOO_LARGE', 'result is over 16 KB', { field: 'result' })
  return { digest: digestOf(text), bytes }
}
