/**
 * The signing key of a gate: a key file in its data folder, made on the first start; or, for the HS256 profile, the
 * operator's secret.
 *
 * @module
 */
import {
  type EpochMs,
  generateSigningKey,
  type PrivateJwk,
  type PublicAlg,
  privateKeySigner,
  type Signer,
  secretSigner,
} from '@silentauth/core'
import type { DataFolder } from './data-folder.js'
import { replacedKeys } from './replaced-keys.js'

export const PERMIT_KEY_FILE = 'permit-key.json'
/** What verifiers of an embedded gate pin, instead of fetching keys from a port that anybody could have bound. */
export const PUBLIC_KEYS_FILE = 'public.jwks.json'

/**
 * @param alg of a new key; one that is there keeps its own
 * @param now of the clock that decides until when a replaced key is shown
 * @throws SilentAuthError `KEY_REJECTED` for a file that holds no good key
 */
export async function signingKey(folder: DataFolder, alg: PublicAlg, now: EpochMs = Date.now()): Promise<Signer> {
  const jwk = await folder.readOrMake(PERMIT_KEY_FILE, () => generateSigningKey(alg))
  const signer = await privateKeySigner(jwk as PrivateJwk)
  const replaced = (await replacedKeys(folder, now)).filter(({ kid }) => kid !== signer.kid)
  await folder.write(PUBLIC_KEYS_FILE, { keys: [signer.publicJwk, ...replaced] })
  return signer
}

/** What tutorials, templates and examples hold; a secret that is made of one is no secret. */
const PLACEHOLDERS = [
  'changeme',
  'change-me',
  'change_me',
  'default',
  'example',
  'password',
  'placeholder',
  'replace',
  'secret',
  'silentauth',
  'your-',
  'your_',
]
const MIN_SECRET_BYTES = 32
const MIN_DIFFERENT_CHARACTERS = 12

/**
 * The signer of `EXECUTION_SECRET`.
 *
 * @throws TypeError for a default or short secret, without repeating it
 */
export function secretKey(secret: string): Signer {
  const bytes = new TextEncoder().encode(secret)
  if (bytes.length < MIN_SECRET_BYTES) throw new TypeError(`EXECUTION_SECRET has fewer than ${MIN_SECRET_BYTES} bytes`)
  const looksDefault = PLACEHOLDERS.some((word) => secret.toLowerCase().includes(word))
  if (looksDefault || new Set(secret).size < MIN_DIFFERENT_CHARACTERS) {
    throw new TypeError('EXECUTION_SECRET is a default: make one with `openssl rand -base64 32`')
  }
  return secretSigner(bytes)
}
