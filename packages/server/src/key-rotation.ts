/**
 * Rotating the permit key of a gate. What the old one signed stays good until it is over; unless somebody else may have the key:
 * then nothing that it signed is.
 *
 * @module
 */
import { generateSigningKey, type PrivateJwk, type PublicAlg, privateKeySigner } from '@silentauth/core'
import { dataFolder } from './data-folder.js'
import { addReplacedKey } from './replaced-keys.js'
import { retirePermitKey } from './retired-keys.js'
import { PERMIT_KEY_FILE, signingKey } from './signing-key.js'

export interface KeyRotation {
  readonly replaced: string
  readonly kid: string
}

/**
 * In the data folder of a gate, which signs with the new key from its next start on.
 *
 * @param options.compromised somebody else may have it: it, and those before it, stand in every revocation list from then on
 * @throws TypeError when no gate has signed there with a key pair
 */
export async function rotatePermitKey(
  path: string,
  { compromised = false }: { readonly compromised?: boolean } = {},
): Promise<KeyRotation> {
  const folder = await dataFolder(path)
  const stored = (await folder.read(PERMIT_KEY_FILE)) as PrivateJwk | undefined
  if (stored === undefined) throw new TypeError(`${folder.path} has no permit key: start the gate there first`)
  const old = await privateKeySigner(stored)
  // Before the new one signs: at every moment, what signed is either shown or on the list.
  if (compromised) await retirePermitKey(folder, undefined)
  else {
    if (old.publicJwk) await addReplacedKey(folder, old.publicJwk)
    await folder.write(PERMIT_KEY_FILE, await generateSigningKey(old.alg as PublicAlg))
  }
  // Where there is none now, it makes one, unless a gate that starts has done so.
  const { kid } = await signingKey(folder, old.alg as PublicAlg)
  return { replaced: old.kid, kid }
}
