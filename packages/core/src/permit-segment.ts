/**
 * Segments of a permit: base64url of the canonical JSON of an object, in the one spelling of each.
 *
 * Comparing bytes with the canonical text removes duplicate members, byte order marks, whitespace, other number spellings and
 * every difference between parsers in one stroke.
 *
 * @module
 */
import { decodeBase64url, encodeBase64url } from './base64url.js'
import { canonicalJson } from './canonical-json.js'
import { SilentAuthError } from './errors.js'

/** `typ` of every permit, so that no other JWT of the same issuer can pass for one (RFC 8725, 3.11). */
export const PERMIT_TYP = 'permit+jwt'

/** The protected header of a key's permits. It is constant, so that a verifier can look it up instead of parsing it. */
export function headerSegment(alg: string, kid: string): string {
  return encodeBase64url(new TextEncoder().encode(canonicalJson({ alg, kid, typ: PERMIT_TYP })))
}

/**
 * The object in one segment.
 *
 * @throws SilentAuthError `PERMIT_ENCODING`, `PERMIT_MALFORMED` or `PERMIT_NONCANONICAL`
 */
export function readSegment(segment: string, name: 'header' | 'payload'): Record<string, unknown> {
  const bytes = decodeBase64url(segment)
  if (bytes === undefined) throw new SilentAuthError('PERMIT_ENCODING', `the ${name} is not canonical base64url`)
  let text: string
  try {
    text = utf8.decode(bytes)
  } catch (cause) {
    throw new SilentAuthError('PERMIT_ENCODING', `the ${name} is not UTF-8`, { cause })
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // Without the cause: a parser's message quotes the text.
    throw new SilentAuthError('PERMIT_MALFORMED', `the ${name} is not JSON`)
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value) || !isCanonical(value, text)) {
    throw new SilentAuthError('PERMIT_NONCANONICAL', `the ${name} is not the canonical JSON of an object`)
  }
  return value as Record<string, unknown>
}

// `ignoreBOM` keeps the mark in the text, where JSON refuses it; without, it would vanish.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Whether `text`, which was parsed to `value`, is its canonical text. */
function isCanonical(value: object, text: string): boolean {
  try {
    return canonicalJson(value) === text
  } catch {
    return false // too deep, `__proto__`, half of a surrogate pair
  }
}
