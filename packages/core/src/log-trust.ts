/**
 * Trust in a log: one fingerprint, or the text form of one key, that came to the verifier by another way than what it verifies.
 *
 * @module
 */
import { isDigest } from './digest.js'
import { type NoteKey, parseVkey, vkeyFingerprint } from './signed-note.js'

/** Text forms of keys that came with an export: only the one that is trusted is ever used. */
export type OfferedKeys = readonly string[]

/**
 * The key that is trusted; undefined when it is not among those offered.
 *
 * @param trust `sha-256:…` of a key's text form, or that text form
 * @throws TypeError when `trust` is neither
 */
export async function trustedKey(trust: string, offered: OfferedKeys): Promise<NoteKey | undefined> {
  if (isDigest(trust)) {
    for (const vkey of offered) if ((await vkeyFingerprint(vkey)) === trust) return parseVkey(vkey)
    return undefined
  }
  try {
    return await parseVkey(trust)
  } catch (cause) {
    throw new TypeError('trust is the fingerprint of a key (sha-256:…), or its text form', { cause })
  }
}
