/**
 * Signed notes (C2SP signed-note): a text, an empty line, and a line per signature; Ed25519 keys, and the text form that they are
 * published in. Parsed strictly: what has two spellings is refused.
 *
 * @module
 */
import { decodeBase64url, encodeBase64url } from './base64url.js'
import { SilentAuthError } from './errors.js'
import type { Digest } from './json.js'
import { isSignedBy } from './signature.js'
import type { Signer } from './signer.js'

/** A key that signs notes, as others know it. */
export interface NoteKey {
  /** Without whitespace and `+`. */
  readonly name: string
  /** Four bytes in hex: which key of this name. A hint, not an identity. */
  readonly id: string
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array
  /** `<name>+<id>+<base64 of 0x01 ‖ key>` */
  readonly vkey: string
}

export interface NoteSigner extends NoteKey {
  sign(bytes: Uint8Array): Promise<Uint8Array>
}

/** Signs notes under `name` with an Ed25519 key. @throws SilentAuthError `KEY_REJECTED` for another kind of key */
export async function noteSigner(name: string, signer: Signer): Promise<NoteSigner> {
  const jwk = signer.publicJwk
  if (jwk?.alg !== 'EdDSA') throw new SilentAuthError('KEY_REJECTED', 'notes are signed with Ed25519', { field: 'alg' })
  const key = await noteKey(name, decodeBase64url(jwk.x) as Uint8Array)
  return { ...key, sign: (bytes) => signer.sign(bytes) }
}

/** A key from its text form. The id is computed anew. @throws SilentAuthError `KEY_REJECTED` */
export async function parseVkey(vkey: string): Promise<NoteKey> {
  const [name = '', id, ...rest] = vkey.split('+')
  const bytes = decodeBase64(rest.join('+'))
  if (bytes?.length !== 33 || bytes[0] !== ED25519) {
    throw new SilentAuthError('KEY_REJECTED', 'a key of notes is <name>+<id>+<base64 of an Ed25519 key>', {
      field: 'vkey',
    })
  }
  const key = await noteKey(name, bytes.slice(1))
  if (key.id !== id) throw new SilentAuthError('KEY_REJECTED', 'the id is not of this name and key', { field: 'vkey' })
  return key
}

/** `sha-256:…` over the text form, so over name and key: what people compare, and what `--trust` takes. */
export async function vkeyFingerprint(vkey: string): Promise<Digest> {
  return `sha-256:${encodeBase64url(await sha256(utf8.encode(vkey)))}`
}

/**
 * The text with a signature of each.
 *
 * @throws TypeError for a text that no note can have: without a last line feed, with control characters, or not Unicode
 */
export async function signNote(text: string, signers: readonly NoteSigner[]): Promise<string> {
  if (!isNoteText(text) || signers.length === 0) throw new TypeError('a note is lines of text, and is signed')
  const lines: string[] = []
  for (const { name, id, sign } of signers) {
    const signature = await sign(utf8.encode(text))
    lines.push(`${DASH} ${name} ${encodeBase64(Uint8Array.from([...hexBytes(id), ...signature]))}\n`)
  }
  return `${text}\n${lines.join('')}`
}

export interface OpenNote {
  readonly text: string
  /** Those of the given keys that signed it; at least one. Signatures of others are not looked at. */
  readonly signedBy: readonly NoteKey[]
}

/**
 * The text of a note that at least one of `keys` signed.
 *
 * @throws SilentAuthError `INVALID_FIELD`, `field` being `note` (not a note), `signature` (wrong, or malformed) or `signer` (none that is known)
 */
export async function openNote(note: string, keys: readonly NoteKey[]): Promise<OpenNote> {
  const cut = note.lastIndexOf('\n\n')
  const text = note.slice(0, cut + 1)
  if (cut < 0 || note.length > MAX_NOTE || !note.endsWith('\n') || !isNoteText(text))
    refuse('note', 'it is no signed note')
  const lines = note.slice(cut + 2, -1).split('\n')
  if (lines.length > MAX_SIGNATURES) refuse('note', 'it has too many signatures')
  const signedBy: NoteKey[] = []
  for (const line of lines) {
    const [dash, name = '', coded = '', ...rest] = line.split(' ')
    const bytes = decodeBase64(coded)
    if (dash !== DASH || !isKeyName(name) || rest.length > 0 || !bytes || bytes.length < 5) {
      refuse('signature', 'a line of signatures is malformed')
    }
    const id = hex((bytes as Uint8Array).subarray(0, 4))
    const key = keys.find((known) => known.name === name && known.id === id)
    if (!key || signedBy.includes(key)) continue
    const signature = (bytes as Uint8Array).slice(4)
    if (signature.length !== 64 || !(await isSigned(key, text, signature))) {
      refuse('signature', `the signature of ${name} is not of this text`)
    }
    signedBy.push(key)
  }
  if (signedBy.length === 0) refuse('signer', 'no known key signed it')
  return { text, signedBy }
}

/** Base64 of RFC 4648, section 4, in its one spelling. */
export function decodeBase64(text: string): Uint8Array | undefined {
  if (/[-_]/.test(text) || text.length % 4 !== 0) return undefined
  const bytes = decodeBase64url(
    text
      .replaceAll('+', '-')
      .replaceAll('/', '_')
      .replace(/={1,2}$/, ''),
  )
  return bytes && encodeBase64(bytes) === text ? bytes : undefined
}

export function encodeBase64(bytes: Uint8Array): string {
  const text = encodeBase64url(bytes).replaceAll('-', '+').replaceAll('_', '/')
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=')
}

/** An em dash begins a line of signatures. */
const DASH = '\u2014'
/** Type of signature and key (C2SP signed-note). */
const ED25519 = 1
const MAX_NOTE = 64 * 1024
const MAX_SIGNATURES = 100
const utf8 = new TextEncoder()

async function noteKey(name: string, publicKey: Uint8Array): Promise<NoteKey> {
  if (!isKeyName(name)) {
    throw new SilentAuthError('KEY_REJECTED', 'a key of notes has a name without whitespace and +', { field: 'vkey' })
  }
  const typed = Uint8Array.from([ED25519, ...publicKey])
  const id = hex((await sha256(Uint8Array.from([...utf8.encode(`${name}\n`), ...typed]))).subarray(0, 4))
  return { name, id, publicKey, vkey: `${name}+${id}+${encodeBase64(typed)}` }
}

function isSigned({ name, publicKey }: NoteKey, text: string, signature: Uint8Array): Promise<boolean> {
  const x = encodeBase64url(publicKey)
  const jwk = { kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', use: 'sig', kid: name, x } as const
  return isSignedBy({ kid: name, alg: 'EdDSA', jwk } as Parameters<typeof isSignedBy>[0], text, signature)
}

function isKeyName(name: string): boolean {
  return /^[^\s+\p{Cc}]+$/u.test(name) && isUnicode(name)
}

/** Lines of Unicode without control characters. */
function isNoteText(text: string): boolean {
  return text.endsWith('\n') && !/[^\n\P{Cc}]/u.test(text) && isUnicode(text)
}

function isUnicode(text: string): boolean {
  return !/\p{Cs}/u.test(text)
}

async function sha256(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', Uint8Array.from(bytes)))
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

function hexBytes(text: string): number[] {
  return (text.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16))
}

function refuse(field: string, reason: string): never {
  throw new SilentAuthError('INVALID_FIELD', reason, { field })
}
