/**
 * Ids: a prefix that names the kind, and 128 random bits.
 *
 * @module
 */

export type IntentId = `int_${string}`
export type PermitId = `pmt_${string}`
export type PolicyId = `pol_${string}`
/** A policy at one version, as it stands in the view and in permits. */
export type PolicyRef = `${PolicyId}@${number}`
export type AgentId = `agt_${string}`
export type KeyId = `key_${string}`
export type UserId = `usr_${string}`
export type ProjectId = `prj_${string}`
export type LeafId = `leaf_${string}`
export type SessionId = `ses_${string}`

/** Crockford's base32 in lower case: no letter that is read for another, and a double click selects all of it. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'

/** 128 random bits as 26 characters. Made in the application, so that no store needs a sequence. */
export function newId<Prefix extends string>(prefix: Prefix): `${Prefix}_${string}` {
  const bytes = randomBytes(16)
  let text = ''
  let bits = 0
  let held = 0
  for (const byte of bytes) {
    held = (held << 8) | byte
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += ALPHABET[(held >>> bits) & 31]
    }
    held &= (1 << bits) - 1
  }
  return `${prefix}_${text}${ALPHABET[(held << (5 - bits)) & 31]}`
}

/** 128 random bits in base64url: attempts and redemptions. */
export function randomToken(byteLength = 16): string {
  const bytes = randomBytes(byteLength)
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
}

const POOL_BYTES = 4096
let pool = new Uint8Array()
let drawn = 0

/** Drawn in bulk: asking the system each time costs more than all else that an id needs. A byte is given out once. */
function randomBytes(length: number): Uint8Array {
  if (length > POOL_BYTES) return crypto.getRandomValues(new Uint8Array(length))
  if (drawn + length > pool.length) {
    pool = crypto.getRandomValues(new Uint8Array(POOL_BYTES))
    drawn = 0
  }
  const bytes = pool.slice(drawn, drawn + length)
  pool.fill(0, drawn, drawn + length)
  drawn += length
  return bytes
}
