/**
 * The log key of a gate: what signs the checkpoints of its audit log, and nothing else. Whoever steals another key of the gate
 * cannot rewrite its log with it.
 *
 * @module
 */
import {
  generateSigningKey,
  logName,
  type NoteSigner,
  noteSigner,
  type PrivateJwk,
  parseVkey,
  privateKeySigner,
  type Signer,
  vkeyFingerprint,
} from '@silentauth/core'
import { z } from 'zod'
import type { DataFolder } from './data-folder.js'
import type { Identity } from './embedded.js'

export const LOG_KEY_FILE = 'log-key.json'
/** What an auditor pins: `vkey` and its fingerprint. No export and no server is believed about it. */
export const LOG_VKEY_FILE = 'log-vkey.json'
const vkeyForm = z.object({ vkey: z.string() })

/**
 * Made on the first start, unless somebody else holds it.
 *
 * @param others the keys that sign permits and revocations
 * @param given in place of the key file; Ed25519
 * @throws SilentAuthError `KEY_REJECTED` for a file that holds no good key; TypeError when it is one of `others`
 */
export async function logKey(
  folder: DataFolder,
  { issuer, projectId }: Identity,
  others: readonly Signer[],
  given?: Signer | undefined,
): Promise<NoteSigner> {
  const own = given ?? (await keyIn(folder))
  if (others.some((other) => isSameKey(own, other))) {
    throw new TypeError('the key of the audit log signs something else too: checkpoints need one of their own')
  }
  const signer = await noteSigner(logName(issuer, projectId), own)
  await folder.write(LOG_VKEY_FILE, { vkey: signer.vkey, fingerprint: await vkeyFingerprint(signer.vkey) })
  return signer
}

/** Whether the log that was signed for last in this folder is this one; undefined: nothing says which it was. */
export async function signedFor(folder: DataFolder, { issuer, projectId }: Identity): Promise<boolean | undefined> {
  const shown = vkeyForm.safeParse(await folder.read(LOG_VKEY_FILE))
  return shown.success ? (await parseVkey(shown.data.vkey)).name === logName(issuer, projectId) : undefined
}

async function keyIn(folder: DataFolder): Promise<Signer> {
  return privateKeySigner((await folder.readOrMake(LOG_KEY_FILE, () => generateSigningKey('EdDSA'))) as PrivateJwk)
}

/** A name can be given to any key: what is the same is the key itself. */
function isSameKey(one: Signer, other: Signer): boolean {
  const [mine, theirs] = [one.publicJwk, other.publicJwk]
  if (one.kid === other.kid) return true
  return mine?.alg === 'EdDSA' && theirs?.alg === 'EdDSA' && mine.x === theirs.x
}
