/**
 * The synchronous verifier, on node:crypto: for hot paths and for handlers that cannot wait. Same checks, order and codes as
 * `verifyPermit`.
 *
 * @module
 */
import { createHmac, createPublicKey, createSecretKey, type KeyObject, timingSafeEqual, verify } from 'node:crypto'
import { digestOf } from './digest.js'
import { SilentAuthError } from './errors.js'
import type { RingKey } from './key-ring.js'
import { canonicalParams } from './params.js'
import {
  type HmacVerifyOptions,
  type Revocable,
  revocable,
  seal,
  type VerifiedPermit,
  type VerifyOptions,
} from './permit.js'
import {
  checkAction,
  checkApprovals,
  checkParams,
  checkRevoked,
  needsProof,
  openPermit,
  readClaims,
} from './permit-checks.js'
import type { HmacClaims, PermitClaims } from './permit-claims.js'
import { fullyExpected } from './permit-demands.js'
import { reject } from './public-key.js'

/** Hooks answer at once. */
interface SyncHooks {
  /** Throws when there is no proof. A promise is a TypeError. */
  readonly verifyProof?: ((claims: PermitClaims, token: string) => void) | undefined
  /** Anything but false is `PERMIT_REVOKED`, a promise included. */
  readonly isRevoked?: ((permit: Revocable) => boolean) | undefined
}
export type VerifySyncOptions<Action extends string = string> = Omit<VerifyOptions<Action>, keyof SyncHooks> & SyncHooks
export type HmacVerifySyncOptions<Action extends string = string> = Omit<HmacVerifyOptions<Action>, keyof SyncHooks> &
  SyncHooks

/**
 * As `verifyPermit`, at once.
 *
 * @throws SilentAuthError the first failing `PERMIT_*`, or `PARAMS_NOT_CANONICAL`; TypeError when an option is missing
 */
export function verifyPermitSync<const Action extends string>(
  token: string,
  options: VerifySyncOptions<Action>,
): VerifiedPermit<Action>
export function verifyPermitSync<const Action extends string>(
  token: string,
  options: HmacVerifySyncOptions<Action>,
): VerifiedPermit<Action, HmacClaims>
export function verifyPermitSync<Action extends string>(
  token: string,
  options: VerifySyncOptions<Action> | HmacVerifySyncOptions<Action>,
): VerifiedPermit<Action> {
  const expected = fullyExpected(options)
  const { key, signingInput, signature, payload } = openPermit(token, expected.ring)
  if (!isSignedBy(key, signingInput, signature)) {
    throw new SilentAuthError('PERMIT_SIGNATURE', 'the signature is not of the key that the header names')
  }
  const permit = readClaims(payload, expected)
  const { claims } = permit
  if (options.isRevoked !== undefined) checkRevoked(options.isRevoked(revocable(claims, key.kid)), claims)
  checkAction(claims, expected)
  const params = canonicalParams(options.params, options.paramsLimits)
  const bound = checkParams(claims, digestOf(params.text), expected)
  checkApprovals(permit, expected)
  if (needsProof(claims, expected, options.verifyProof !== undefined)) {
    const answer: unknown = options.verifyProof?.(claims, token)
    if (answer !== undefined) throw new TypeError('verifyPermitSync takes a verifyProof that is not asynchronous')
  }
  return seal(claims, key.kid, params.value, bound)
}

function isSignedBy(key: RingKey, input: string, signature: Uint8Array): boolean {
  const bytes = scratch.subarray(0, scratch.write(input))
  switch (key.alg) {
    case 'RS256':
      return verify('sha256', bytes, keyObject(key), signature)
    case 'ES256':
      return verify('sha256', bytes, keyObject(key), toDer(signature))
    case 'EdDSA':
      return verify(null, bytes, keyObject(key), signature)
    case 'HS256':
      return timingSafeEqual(createHmac('sha256', keyObject(key)).update(bytes).digest(), signature)
  }
}

const scratch = Buffer.allocUnsafeSlow(8192 * 3)
const keyObjects = new WeakMap<RingKey, KeyObject>()

function keyObject(key: RingKey): KeyObject {
  const known = keyObjects.get(key)
  if (known !== undefined) return known
  let imported: KeyObject
  try {
    imported =
      key.alg === 'HS256' ? createSecretKey(key.secret) : createPublicKey({ key: { ...key.jwk }, format: 'jwk' })
  } catch (cause) {
    return reject(`key ${key.kid} cannot be imported`, undefined, cause)
  }
  keyObjects.set(key, imported)
  return imported
}

/**
 * r and s, 32 bytes each, as the DER that OpenSSL wants. Node 24 takes half as long again when it converts by itself
 * (`dsaEncoding: 'ieee-p1363'`).
 */
function toDer(signature: Uint8Array): Uint8Array {
  let r = 0
  let s = 32
  while (r < 31 && signature[r] === 0) r++
  while (s < 63 && signature[s] === 0) s++
  // A leading bit would make the integer negative.
  const rPad = (signature[r] as number) >> 7
  const sPad = (signature[s] as number) >> 7
  const rLength = 32 - r + rPad
  const sLength = 64 - s + sPad
  const der = new Uint8Array(6 + rLength + sLength)
  der[0] = 0x30
  der[1] = 4 + rLength + sLength
  der[2] = 2
  der[3] = rLength
  for (let from = r, to = 4 + rPad; from < 32; ) der[to++] = signature[from++] as number
  der[4 + rLength] = 2
  der[5 + rLength] = sLength
  for (let from = s, to = 6 + rLength + sPad; from < 64; ) der[to++] = signature[from++] as number
  return der
}
