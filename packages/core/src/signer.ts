/**
 * Signers: what holds a signing key. A key file by default; a KMS can stand behind the same three members.
 *
 * @module
 */
import { type CryptoKey, calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK } from 'jose'
import { HMAC_KID, secretOf } from './key-ring.js'
import { kidOf, type PublicAlg, type PublicJwk, publicJwk, reject } from './public-key.js'
import { importVerificationKey, SIGNATURE_PARAMS } from './signature.js'

export interface Signer {
  readonly alg: PublicAlg | 'HS256'
  readonly kid: string
  /** What verifiers need; undefined for a shared secret. */
  readonly publicJwk: PublicJwk | undefined
  /** The JWS signature of `bytes` (RFC 7518): for ES256 r and s, 64 bytes. */
  sign(bytes: Uint8Array): Promise<Uint8Array>
}

/** A public JWK and its private members, as in a key file. */
export type PrivateJwk = PublicJwk & { readonly d: string; readonly [member: string]: unknown }

/** A new key pair. `kid` is its RFC 7638 thumbprint. RSA has 2048 bits. */
export async function generateSigningKey(alg: PublicAlg): Promise<PrivateJwk> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true })
  const { key_ops: _, ext: __, ...members } = await exportJWK(privateKey)
  return { ...members, alg, use: 'sig', kid: await calculateJwkThumbprint(members) } as unknown as PrivateJwk
}

/**
 * Signs with a private JWK, which it does not keep: the imported key cannot be exported.
 *
 * @throws SilentAuthError `KEY_REJECTED` by the rules for public keys, and when the private members do not fit the public ones
 */
export async function privateKeySigner(jwk: PrivateJwk): Promise<Signer> {
  const own = publicJwk(withoutPrivateMembers(jwk))
  const { alg, kid } = own
  const key = await importPrivateKey(jwk, own)
  const signer: Signer = {
    alg,
    kid,
    publicJwk: own,
    sign: async (bytes) => new Uint8Array(await crypto.subtle.sign(SIGNATURE_PARAMS[alg], key, exact(bytes))),
  }
  // A file whose halves do not belong together would make permits that nobody accepts.
  const probe = new TextEncoder().encode('silentauth: does this key fit itself?')
  const verifier = await importVerificationKey({ alg, kid, jwk: own })
  if (!(await crypto.subtle.verify(SIGNATURE_PARAMS[alg], verifier, exact(await signer.sign(probe)), probe))) {
    return reject(`key ${kid}: its private and public members do not fit`, 'd')
  }
  return signer
}

/**
 * Signs with a shared secret (HS256 profile): every holder of it can make permits.
 *
 * @throws SilentAuthError `KEY_REJECTED` for a text, or for less than 32 bytes
 */
export function secretSigner(secret: Uint8Array, { kid = HMAC_KID }: { readonly kid?: string } = {}): Signer {
  const key = importVerificationKey({ alg: 'HS256', kid: kidOf(kid), secret: secretOf(secret) })
  key.catch(() => {}) // it is awaited, and fails, where it is used
  return {
    alg: 'HS256',
    kid,
    publicJwk: undefined,
    sign: async (bytes) => new Uint8Array(await crypto.subtle.sign(SIGNATURE_PARAMS.HS256, await key, exact(bytes))),
  }
}

async function importPrivateKey(jwk: PrivateJwk, own: PublicJwk): Promise<CryptoKey> {
  const { kid: _, use: __, key_ops: ___, ext: ____, ...members } = jwk as PrivateJwk & Record<string, unknown>
  if (typeof jwk.d !== 'string') return reject(`key ${own.kid} has no private member`, 'd')
  try {
    return (await importJWK(members as Parameters<typeof importJWK>[0], own.alg)) as CryptoKey
  } catch {
    // Without the cause: what is wrong with a private key is not for logs.
    return reject(`key ${own.kid} cannot be imported`)
  }
}

function withoutPrivateMembers(jwk: PrivateJwk): unknown {
  if (jwk === null || typeof jwk !== 'object') return jwk
  const {
    d: _,
    p: __,
    q: ___,
    dp: ____,
    dq: _____,
    qi: ______,
    key_ops: _______,
    ...rest
  } = jwk as Record<string, unknown>
  return rest
}

/** WebCrypto's types want bytes that no other thread can change. */
function exact(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : Uint8Array.from(bytes)
}
