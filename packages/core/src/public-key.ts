/**
 * Public keys: the JWKs that permits may be verified with, and the rules by which any other is refused.
 *
 * Judged from the members alone, without importing, so that every runtime refuses the same keys. JOSE libraries and runtimes
 * are more lenient: RSA with e = 1 lets anybody forge, and short moduli or foreign curves are accepted by some.
 *
 * @module
 */
import { decodeBase64url } from './base64url.js'
import { SilentAuthError } from './errors.js'

/** One algorithm per key, pinned when it is imported; `EdDSA` is the only spelling of Ed25519. */
export type PublicAlg = 'RS256' | 'ES256' | 'EdDSA'

export type PublicJwk = RsaPublicJwk | EcPublicJwk | EdPublicJwk
export interface RsaPublicJwk {
  readonly kty: 'RSA'
  readonly alg: 'RS256'
  readonly kid: string
  readonly use: 'sig'
  readonly n: string
  readonly e: string
}
export interface EcPublicJwk {
  readonly kty: 'EC'
  readonly alg: 'ES256'
  readonly kid: string
  readonly use: 'sig'
  readonly crv: 'P-256'
  readonly x: string
  readonly y: string
}
export interface EdPublicJwk {
  readonly kty: 'OKP'
  readonly alg: 'EdDSA'
  readonly kid: string
  readonly use: 'sig'
  readonly crv: 'Ed25519'
  readonly x: string
}

/**
 * A frozen copy of `jwk` with the members above and no others.
 *
 * @throws SilentAuthError `KEY_REJECTED` unless it is RSA of 2048 to 8192 bits with an odd e from 65537 to 2^32-1, P-256, or
 * Ed25519, with `alg` and `kid`, without private members, and meant for signatures
 */
export function publicJwk(jwk: unknown): PublicJwk {
  if (jwk === null || typeof jwk !== 'object' || Array.isArray(jwk)) return reject('a key is not an object')
  const members = jwk as Readonly<Record<string, unknown>>
  for (const name of PRIVATE_MEMBERS) {
    if (Object.hasOwn(members, name)) reject(`a key with the private or symmetric member ${name}`, name)
  }
  const kid = kidOf(members.kid)
  if (members.use !== undefined && members.use !== 'sig') reject(`key ${kid} is not for signatures`, 'use')
  const operations = members.key_ops
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) {
    reject(`key ${kid} is not for verification`, 'key_ops')
  }
  switch (members.alg) {
    case 'RS256': {
      expect(members, kid, 'kty', 'RSA')
      return Object.freeze({
        kty: 'RSA',
        alg: 'RS256',
        kid,
        use: 'sig',
        n: modulus(members.n, kid),
        e: exponent(members.e, kid),
      })
    }
    case 'ES256': {
      expect(members, kid, 'kty', 'EC')
      expect(members, kid, 'crv', 'P-256')
      const x = coordinate(members.x, 'x', kid)
      return Object.freeze({
        kty: 'EC',
        alg: 'ES256',
        kid,
        use: 'sig',
        crv: 'P-256',
        x,
        y: coordinate(members.y, 'y', kid),
      })
    }
    case 'EdDSA': {
      expect(members, kid, 'kty', 'OKP')
      expect(members, kid, 'crv', 'Ed25519')
      return Object.freeze({
        kty: 'OKP',
        alg: 'EdDSA',
        kid,
        use: 'sig',
        crv: 'Ed25519',
        x: coordinate(members.x, 'x', kid),
      })
    }
  }
  return reject(`key ${kid} has no alg, or one that is not RS256, ES256 or EdDSA`, 'alg')
}

/** How many bytes every signature of the key has. */
export function signatureBytes(jwk: PublicJwk): number {
  return jwk.kty === 'RSA' ? Math.floor((jwk.n.length * 3) / 4) : 64
}

/** @throws SilentAuthError `KEY_REJECTED` unless it is a well-formed text of 1 to 256 characters */
export function kidOf(kid: unknown): string {
  if (typeof kid !== 'string' || kid === '' || kid.length > 256 || /\p{Surrogate}/u.test(kid)) {
    return reject('a key has no usable kid', 'kid')
  }
  return kid
}

export function reject(message: string, field?: string, cause?: unknown): never {
  throw new SilentAuthError('KEY_REJECTED', message, { cause, ...(field !== undefined && { field }) })
}

const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const

function expect(members: Readonly<Record<string, unknown>>, kid: string, name: string, value: string): void {
  if (members[name] !== value) reject(`key ${kid}: ${name} does not fit its alg`, name)
}

function modulus(n: unknown, kid: string): string {
  const bytes = octets(n, 'n', kid)
  const bits = bytes.length * 8 - Math.clz32(bytes[0] ?? 0) + 24
  if (bits < 2048 || bits > 8192) reject(`key ${kid}: RSA modulus of ${bits} bits`, 'n')
  if (((bytes[bytes.length - 1] ?? 0) & 1) === 0) reject(`key ${kid}: RSA modulus is even`, 'n')
  return n as string
}

function exponent(e: unknown, kid: string): string {
  const bytes = octets(e, 'e', kid)
  let value = 0
  for (const byte of bytes.subarray(0, 8)) value = value * 256 + byte
  // Above 2^32 some runtimes refuse to import and others do not.
  if (bytes.length > 4 || value < 65_537 || value % 2 === 0) reject(`key ${kid}: RSA exponent`, 'e')
  return e as string
}

/** An unsigned integer without leading zeros (RFC 7518, section 2). */
function octets(value: unknown, name: string, kid: string): Uint8Array {
  const bytes = typeof value === 'string' ? decodeBase64url(value) : undefined
  if (bytes === undefined || bytes[0] === 0) return reject(`key ${kid}: ${name} is not spelled as RFC 7518 asks`, name)
  return bytes
}

function coordinate(value: unknown, name: string, kid: string): string {
  const bytes = typeof value === 'string' ? decodeBase64url(value) : undefined
  if (bytes?.length !== 32) return reject(`key ${kid}: ${name} is not 32 bytes`, name)
  return value as string
}
