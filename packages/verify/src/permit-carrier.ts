/**
 * Permit carriers: the three ways in which a permit travels with a request. Exactly one of them, once.
 *
 * @module
 */
import { SilentAuthError } from '@silentauth/core'

/** A request, as far as it can carry a permit. */
export interface PermitCarrier {
  /** `headers` of a web request. Of Node's: `rawHeaders`, because `headers` drops the second of two `Authorization` lines. */
  readonly headers: HeadersLike
  /** As parsed; only an object can carry a permit. */
  readonly body?: unknown
}

/** Names in lower case, but for `rawHeaders`: names and values in turn, as they came. */
export type HeadersLike =
  | { get(name: string): string | null }
  | Readonly<Record<string, string | readonly string[] | undefined>>
  | readonly string[]

/**
 * The permit in `Silentauth-Permit: <token>`, `Authorization: Permit <token>`, or the member `permit_token` of the body. Other
 * schemes of `Authorization` are the backend's own and are left alone.
 *
 * @throws SilentAuthError `PERMIT_MISSING`; `PERMIT_MALFORMED` when there are two, even equal ones, and for what is not text
 */
export function permitFromRequest({ headers, body }: PermitCarrier): string {
  const found: unknown[] = valuesOf(headers, 'silentauth-permit')
  for (const value of valuesOf(headers, 'authorization')) {
    const [, token] = /^permit(?: +(.*))?$/is.exec(value) ?? []
    if (/^permit( |$)/i.test(value)) found.push(token ?? '')
  }
  if (isObject(body) && Object.hasOwn(body, BODY_MEMBER)) found.push(body[BODY_MEMBER])
  if (found.length === 0) throw new SilentAuthError('PERMIT_MISSING', 'the request carries no permit')
  const [token] = found
  // Two carriers, of which proxy and backend might read one each; a header that came twice is joined with a comma.
  if (found.length > 1 || (typeof token === 'string' && token.includes(','))) {
    throw new SilentAuthError('PERMIT_MALFORMED', 'the request carries more than one permit')
  }
  if (typeof token !== 'string') throw new SilentAuthError('PERMIT_MALFORMED', 'permit_token is not a text')
  return token
}

/** The body as the action's own: without the permit that travelled in it. */
export function withoutPermit(body: unknown): unknown {
  if (!isObject(body) || !Object.hasOwn(body, BODY_MEMBER)) return body
  const { [BODY_MEMBER]: _, ...rest } = body
  return rest
}

const BODY_MEMBER = 'permit_token'

function valuesOf(headers: HeadersLike, name: string): string[] {
  if (isRaw(headers)) {
    return headers.filter((_, index) => index % 2 === 1 && headers[index - 1]?.toLowerCase() === name)
  }
  const value = isWeb(headers) ? headers.get(name) : headers[name]
  return value === undefined || value === null ? [] : typeof value === 'string' ? [value] : [...value]
}

function isRaw(headers: HeadersLike): headers is readonly string[] {
  return Array.isArray(headers)
}

function isWeb(headers: Exclude<HeadersLike, readonly string[]>): headers is { get(name: string): string | null } {
  return typeof headers.get === 'function'
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value)
}
