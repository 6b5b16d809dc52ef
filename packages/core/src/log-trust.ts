/**
 * Trust in a log: one fingerprint, or the text form of one key, that came to the verifier by another way than what it verifies.
 *
 * @module
 */
import { SilentAuthError } from './errors.js'
import { type NoteKey, parseVkey, vkeyFingerprint } from './signed-note.js'

/** Text forms of keys that came with an export: only the one that is trusted is ever used. */
export type OfferedKeys = readonly string[]

/**
 * The key that is trusted.
 *
 * @param trust `sha-256:…` of a key's text form, or that text form
 * @throws SilentAuthError `KEY_REJECTED` when none of those offered has this fingerprint
 */
export async function trustedKey(trust: string, offered: OfferedKeys): Promise<NoteKey> {
  if (trust.includes('+')) return parseVkey(trust)
  for (const vkey of offered) {
    if ((await vkeyFingerprint(vkey)) === trust) return parseVkey(vkey)
  }
  throw new SilentAuthError('KEY_REJECTED', 'the key that came with it is not the trusted one', { field: 'vkey' })
}
