/**
 * Key rings: the keys by which one issuer's permits are verified. Public keys and shared secrets are two types that no ring mixes.
 *
 * @module
 */
import { canonicalJson } from './canonical-json.js'
import { headerSegment } from './permit-segment.js'
import { kidOf, type PublicJwk, publicJwk, reject, signatureBytes } from './public-key.js'

/** The public keys of one issuer, as in its JWKS. Made by `keyRing`; frozen, so a rotation is a new ring. */
export interface KeyRing {
  readonly keys: readonly PublicJwk[]
}

/** Shared secrets, for the HS256 profile. Whoever verifies with one can also sign. */
export interface HmacKeyRing {
  readonly kids: readonly string[]
}

export interface HmacSecret {
  /** @default 'hs256' */
  readonly kid?: string | undefined
  /** 32 bytes at least, never a text. */
  readonly secret: Uint8Array
}

/** One key as the verifiers use it. Rings keep one object per key for good, so that what is imported from it can be cached by it. */
export type RingKey =
  | { readonly kid: string; readonly alg: PublicJwk['alg']; readonly jwk: PublicJwk; readonly signatureBytes: number }
  | { readonly kid: string; readonly alg: 'HS256'; readonly secret: Uint8Array; readonly signatureBytes: number }

/** Of a ring, as looked up while verifying. */
export interface RingIndex {
  readonly profile: 'v1' | 'hs256'
  /** A permit's header is constant per key: one hit replaces parsing it and checking alg, typ and kid. */
  readonly byHeader: ReadonlyMap<string, RingKey>
  readonly byKid: ReadonlyMap<string, RingKey>
}

/** `kid` of a secret when none is given: both sides know the secret and nothing else. */
export const HMAC_KID = 'hs256'

/**
 * The ring of `keys`, the array in a JWKS. At most 32 keys and 64 KB, each with its own `kid`; members that are not needed are dropped.
 *
 * @throws SilentAuthError `KEY_REJECTED` when any key breaks a rule: a set is good as a whole or not at all
 */
export function keyRing(keys: readonly unknown[]): KeyRing {
  if (!Array.isArray(keys) || keys.length > 32) return reject('a key set is an array of at most 32 keys', 'keys')
  if (textLength(keys) > 65_536) reject('a key set is at most 64 KB', 'keys')
  const ring = Object.freeze({ keys: Object.freeze(keys.map(publicJwk)) })
  indexes.set(
    ring,
    index(
      'v1',
      ring.keys.map((jwk) => ({ kid: jwk.kid, alg: jwk.alg, jwk, signatureBytes: signatureBytes(jwk) })),
    ),
  )
  return ring
}

/**
 * The ring of one secret, or of several while they rotate.
 *
 * @throws SilentAuthError `KEY_REJECTED` for a text, for less than 32 bytes, or for two secrets of one `kid`
 */
export function secretRing(secrets: Uint8Array | readonly HmacSecret[]): HmacKeyRing {
  const list: readonly HmacSecret[] = secrets instanceof Uint8Array ? [{ secret: secrets }] : secrets
  if (!Array.isArray(list) || list.length > 32)
    return reject('a secret ring takes bytes, or at most 32 secrets', 'secret')
  const keys = list.map(
    ({ kid = HMAC_KID, secret }): RingKey => ({
      kid: kidOf(kid),
      alg: 'HS256',
      secret: secretOf(secret),
      signatureBytes: 32,
    }),
  )
  const ring: HmacKeyRing = { kids: Object.freeze(keys.map((key) => key.kid)) }
  // Under a registered symbol, so that another copy of this package can use the ring; not enumerable, so that no log prints it.
  Object.defineProperty(ring, SECRETS, { value: keys })
  indexes.set(Object.freeze(ring), index('hs256', keys))
  return ring
}

/** @throws SilentAuthError `KEY_REJECTED` for a text, or for less than 32 bytes */
export function secretOf(secret: unknown): Uint8Array {
  if (!(secret instanceof Uint8Array)) return reject('a secret is bytes, never a text', 'secret')
  if (secret.length < 32) return reject('a secret has at least 32 bytes', 'secret')
  return Uint8Array.from(secret)
}

/** @throws TypeError for anything that neither `keyRing` nor `secretRing` made, and for a ring of the other profile */
export function indexOf(ring: KeyRing | HmacKeyRing, profile: RingIndex['profile']): RingIndex {
  const found = indexes.get(ring) ?? adopt(ring)
  if (found.profile !== profile) {
    throw new TypeError(
      profile === 'v1' ? 'keys must be a keyRing(…), not secrets' : "profile 'hs256' takes a secretRing(…)",
    )
  }
  return found
}

const SECRETS = Symbol.for('silentauth.secrets')
const indexes = new WeakMap<object, RingIndex>()

/** A ring that another copy of this package made: its keys are judged again, by the rules of this one. */
function adopt(ring: KeyRing | HmacKeyRing): RingIndex {
  if (typeof ring === 'object' && ring !== null && Object.isFrozen(ring)) {
    if (SECRETS in ring) return keep(ring, secretRing(ring[SECRETS] as readonly HmacSecret[]))
    // Frozen, or what is cached for it could be out of date.
    if ('keys' in ring && Object.isFrozen(ring.keys)) return keep(ring, keyRing(ring.keys))
  }
  throw new TypeError('keys must be made by keyRing(jwks.keys) or secretRing(secret)')
}

function keep(ring: object, own: KeyRing | HmacKeyRing): RingIndex {
  const found = indexes.get(own) as RingIndex
  indexes.set(ring, found)
  return found
}

function index(profile: RingIndex['profile'], keys: readonly RingKey[]): RingIndex {
  // Maps, so that a kid of `__proto__` finds nothing.
  const byKid = new Map(keys.map((key) => [key.kid, key]))
  if (byKid.size !== keys.length) reject('two keys of a set have the same kid', 'kid')
  return { profile, byKid, byHeader: new Map(keys.map((key) => [headerSegment(key.alg, key.kid), key])) }
}

function textLength(keys: readonly unknown[]): number {
  try {
    return canonicalJson(keys).length
  } catch (cause) {
    return reject('a key set is plain JSON', 'keys', cause)
  }
}
