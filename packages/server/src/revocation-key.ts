/**
 * The revocation key of a gate: what signs its revocation lists, and nothing else. Whoever steals the permit key cannot take a
 * revocation back with it, and this one makes no permit.
 *
 * @module
 */
import { generateSigningKey, type PrivateJwk, privateKeySigner, type Signer } from '@silentauth/core'
import type { DataFolder } from './data-folder.js'

export const REVOCATION_KEY_FILE = 'revocation-key.json'
/** What verifiers pin for lists, beside `public.jwks.json` for permits: no server hands it out. */
export const REVOCATION_KEYS_FILE = 'revocations.jwks.json'

/**
 * Made on the first start: Ed25519, whose signatures cost the least.
 *
 * @param permitKid of the permit key
 * @throws SilentAuthError `KEY_REJECTED` for a file that holds no good key; TypeError when it is the permit key
 */
export async function revocationKey(folder: DataFolder, permitKid: string): Promise<Signer> {
  const jwk = await folder.readOrMake(REVOCATION_KEY_FILE, () => generateSigningKey('EdDSA'))
  const signer = await privateKeySigner(jwk as PrivateJwk)
  if (signer.kid === permitKid)
    throw new TypeError(`${REVOCATION_KEY_FILE} holds the permit key: revocations need one of their own`)
  await folder.write(REVOCATION_KEYS_FILE, { keys: [signer.publicJwk] })
  return signer
}
