/**
 * Answers: `{ "data", "error" }` in every case. An error says its code, its message and what to do next, with the status of
 * its code; what is not one of ours becomes a generic 500 that tells nothing of what went wrong inside.
 *
 * @module
 */
import { ERROR_HINT, ERROR_STATUS, type ErrorCode, isSilentAuthError } from '@silentauth/core'

/** An answer before it is written, to a `Response` or to a raw socket. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** What a handler says. */
export interface Result<Data> {
  readonly data: Data
  /** Members beside `data`. */
  readonly beside?: Readonly<Record<string, unknown>> | undefined
  /** @default the status of the route */
  readonly status?: number | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
}

/** Nothing of an answer is kept by a browser or a proxy, shown as a page, or read by another origin. */
export const ANSWER_HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'application/json',
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
}

export function dataAnswer({ data, beside, status = 200, headers }: Result<unknown>): Answer {
  return {
    status,
    headers: { ...ANSWER_HEADERS, ...headers },
    body: JSON.stringify({ ...beside, data, error: null }),
  }
}

/** Seconds after which a refusal that passes by itself is worth repeating, when the error does not say. */
const RETRY_AFTER_SECONDS: Partial<Record<ErrorCode, number>> = {
  RATE_LIMITED: 1,
  TOO_MANY_WAITERS: 2,
  NOT_SEQUENCED: 1,
  AUDIT_UNAVAILABLE: 5,
  LOG_REWRITTEN: 30,
  GATE_UNAVAILABLE: 2,
}

export function errorAnswer(error: unknown, requestId: string): Answer {
  const { code, message, retryAfterSeconds } = isSilentAuthError(error)
    ? error
    : { code: 'DB_ERROR' as const, message: '', retryAfterSeconds: undefined }
  const seconds = retryAfterSeconds ?? RETRY_AFTER_SECONDS[code]
  return {
    status: statusOf(code),
    headers: { ...ANSWER_HEADERS, ...(seconds !== undefined && { 'retry-after': String(Math.ceil(seconds)) }) },
    body: JSON.stringify({
      data: null,
      error: {
        code,
        message: isSilentAuthError(error)
          ? message.replace(`${code}: `, '')
          : `the gate failed; its log has the cause under ${requestId}`,
        hint: ERROR_HINT[code],
      },
    }),
  }
}

/** The code by which an error goes into an answer and into the log. */
export function codeOf(error: unknown): ErrorCode {
  return isSilentAuthError(error) ? error.code : 'DB_ERROR'
}

export function toResponse({ status, headers, body }: Answer, more: Readonly<Record<string, string>>): Response {
  return new Response(body, { status, headers: { ...headers, ...more } })
}

/** A code of the client side has no status: a gate that throws one is closing, or broken. */
function statusOf(code: ErrorCode): number {
  return ERROR_STATUS[code] ?? (code === 'GATE_UNAVAILABLE' ? 503 : 500)
}
