/**
 * Signatures of permits, checked by WebCrypto: in any runtime, asynchronously. `node.ts` has the synchronous counterpart.
 *
 * @module
 */
import { type CryptoKey, importJWK } from 'jose'
import type { RingKey } from './key-ring.js'
import { reject } from './public-key.js'

export const SIGNATURE_PARAMS = {
  RS256: { name: 'RSASSA-PKCS1-v1_5' },
  ES256: { name: 'ECDSA', hash: 'SHA-256' },
  EdDSA: { name: 'Ed25519' },
  HS256: { name: 'HMAC' },
} as const

/** Whether `signature` is the key's over `input`. Its length has been checked. */
export async function isSignedBy(key: RingKey, input: string, signature: Uint8Array): Promise<boolean> {
  let imported = importedKeys.get(key)
  if (imported === undefined) {
    imported = importVerificationKey(key)
    importedKeys.set(key, imported)
  }
  const bytes = new TextEncoder().encode(input)
  return crypto.subtle.verify(SIGNATURE_PARAMS[key.alg], await imported, Uint8Array.from(signature), bytes)
}

/** @throws SilentAuthError `KEY_REJECTED`, for a point that is not on its curve */
export async function importVerificationKey(
  key: Pick<RingKey, 'kid' | 'alg'> & ({ readonly jwk: object } | { readonly secret: Uint8Array }),
): Promise<CryptoKey> {
  try {
    if ('jwk' in key) return (await importJWK(key.jwk, key.alg)) as CryptoKey
    const hmac = { name: 'HMAC', hash: 'SHA-256' }
    return await crypto.subtle.importKey('raw', Uint8Array.from(key.secret), hmac, false, ['sign', 'verify'])
  } catch (cause) {
    return reject(`key ${key.kid} cannot be imported`, undefined, cause)
  }
}

const importedKeys = new WeakMap<RingKey, Promise<CryptoKey>>()
