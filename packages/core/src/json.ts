/**
 * JSON values as types, and the two texts that are made of them: pointers and digests.
 *
 * @module
 */

export type Json = null | boolean | number | string | readonly Json[] | JsonObject
export interface JsonObject {
  readonly [member: string]: Json
}
/** RFC 6901. The empty text points at the whole. */
export type JsonPointer = '' | `/${string}`
/** `sha-256:` and the base64url of SHA-256 over canonical JSON. Unsalted, so as confidential as what it was made from. */
export type Digest = `sha-256:${string}`
/** Milliseconds since 1970, UTC. Seconds occur only inside a permit, RFC 3339 only on the wire. */
export type EpochMs = number

/** One step of a JSON pointer (RFC 6901, section 3). */
export function pointerStep(member: string | number): `/${string}` {
  return `/${String(member).replaceAll('~', '~0').replaceAll('/', '~1')}`
}
