/**
 * The answer of a gate over HTTP: its data, or a refusal with one of our codes. Whatever else comes back from that address is
 * not an answer, and counts as no gate being there.
 *
 * @module
 */
import { ERROR_STATUS, type ErrorCode, type ErrorDetails, type IntentId, SilentAuthError } from '@silentauth/core'

/** What of a fetch response is read. */
export interface HttpResponse {
  readonly status: number
  readonly headers: { get(name: string): string | null }
  text(): Promise<string>
}

export type GateAnswer =
  | { readonly type: 'data'; readonly status: number; readonly body: Readonly<Record<string, unknown>> }
  /** `transient`: the same request, repeated with the same ids, may have another answer a little later. */
  | { readonly type: 'refused'; readonly error: SilentAuthError; readonly transient: boolean }

/** @throws what reading the body throws: a lost connection, an abort */
export async function gateAnswer(response: HttpResponse, intentId?: IntentId): Promise<GateAnswer> {
  const { status } = response
  const body = parse(await response.text())
  const details: ErrorDetails = { ...(intentId && { intentId }), ...retryAfter(response) }
  const none = (reason: string, transient: boolean): GateAnswer => ({
    type: 'refused',
    transient,
    error: new SilentAuthError('GATE_UNAVAILABLE', `the gate ${reason}`, details),
  })
  const failed = status >= 500 || status === 429 || status === 408
  // Followed, a redirect would carry the key to wherever it leads.
  if (status < 200 || (status >= 300 && status < 400)) return none(`redirects (HTTP ${status})`, false)
  // A page of whatever stands before the gate; it may be gone in a moment.
  if (body === undefined) return none(`answered HTTP ${status} with something else than JSON`, failed || status < 300)
  if (body.error === null && status < 400) return { type: 'data', status, body }

  const { code, message } = membersOf(body.error)
  if (typeof code !== 'string') return none(`answered HTTP ${status} without a code`, failed)
  // A code of a newer gate, or one that no gate sends: it is not for us to guess what it permits.
  if (!isSent(code)) return none(`answered ${named(code)}, which this version does not know`, failed)
  const text = typeof message === 'string' ? message.slice(0, 500) : 'refused by the gate'
  const error = new SilentAuthError(code, text.startsWith(`${code}: `) ? text.slice(code.length + 2) : text, details)
  return { type: 'refused', transient: TRANSIENT.has(code), error }
}

/** That no gate answered; `cause` is kept. */
export function gateUnavailable(reason: string, cause?: unknown, intentId?: IntentId): SilentAuthError {
  return new SilentAuthError('GATE_UNAVAILABLE', `the gate ${reason}`, { cause, ...(intentId && { intentId }) })
}

/** `NOT_SEQUENCED` is not among them: the claim stands, and whoever claims repeats it. */
const TRANSIENT: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'DB_ERROR',
  'AUDIT_UNAVAILABLE',
  'RATE_LIMITED',
  'TOO_MANY_WAITERS',
])

/** Codes without a status are made by clients, so no gate sends them. */
function isSent(code: string): code is ErrorCode {
  return Object.hasOwn(ERROR_STATUS, code) && ERROR_STATUS[code as ErrorCode] !== null
}

function named(code: string): string {
  return /^[A-Z][A-Z_]{2,40}$/.test(code) ? code : 'a code'
}

/** Seconds, or a date (RFC 9110, section 10.2.3); at most an hour. */
function retryAfter({ headers }: HttpResponse): { retryAfterSeconds?: number } {
  const value = headers.get('retry-after')
  if (value === null) return {}
  const seconds = /^\d{1,9}$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000
  return Number.isNaN(seconds) ? {} : { retryAfterSeconds: Math.min(Math.max(seconds, 0), 3600) }
}

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : undefined
  } catch {
    return undefined
  }
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
}
