/**
 * Recorded results: what a succeeded execution gave, kept for the same call when it comes again. A store has them sealed only; what
 * was altered there, or moved to another place, does not open.
 *
 * @module
 */
import { decodeBase64url, encodeBase64url } from './base64url.js'
import { canonicalJson } from './canonical-json.js'
import { digestOf } from './digest.js'
import { SilentAuthError } from './errors.js'
import type { IntentId, KeyId, ProjectId } from './id.js'
import type { Digest, Json } from './json.js'

/** As a store keeps it: one per intent. */
export interface RecordedResult {
  readonly projectId: ProjectId
  readonly intentId: IntentId
  /** `1.<key id>.<base64url of nonce, ciphertext and tag>`. */
  readonly sealed: string
}

/** What a sealed result is bound to: it opens nowhere else. */
export interface ResultPlace {
  readonly projectId: ProjectId
  readonly intentId: IntentId
  readonly executionId: string
  /** Of the result, as the execution keeps it. */
  readonly digest: Digest
}

/** @param lineage of the key that reported it: no other key gets it back */
export interface ResultSealer {
  seal(place: ResultPlace, lineage: KeyId, result: Json): Promise<RecordedResult>
  /** @throws SilentAuthError `RESULT_UNREADABLE` */
  open(stored: RecordedResult, place: ResultPlace): Promise<{ readonly lineage: KeyId; readonly result: Json }>
}

export const RESULT_KEY_BYTES = 32
/** AES-GCM: 96 random bits, far below the number of results for which that would be too few (NIST SP 800-38D, 8.3). */
const NONCE_BYTES = 12
/** Of what is sealed: a later form must not open as this one. */
const VERSION = 1

/**
 * AES-256-GCM.
 *
 * @param key 32 random bytes, for results and nothing else
 * @throws TypeError for a key of another length
 */
export function resultSealer(key: Uint8Array): ResultSealer {
  if (!(key instanceof Uint8Array) || key.length !== RESULT_KEY_BYTES) {
    throw new TypeError(`resultKey is ${RESULT_KEY_BYTES} random bytes`)
  }
  const own = new Uint8Array(key)
  const kid = digestOf(`silentauth.result-key:${encodeBase64url(own)}`).slice('sha-256:'.length, 'sha-256:'.length + 16)
  const imported = crypto.subtle.importKey('raw', own, 'AES-GCM', false, ['encrypt', 'decrypt'])
  const prefix = `${VERSION}.${kid}.`

  return {
    async seal(place, lineage, result) {
      const iv = crypto.getRandomValues(new Uint8Array(NONCE_BYTES))
      const parameters = { name: 'AES-GCM', iv, additionalData: boundTo(place) }
      const plain = new TextEncoder().encode(canonicalJson({ lineage, result }))
      const closed = new Uint8Array(await crypto.subtle.encrypt(parameters, await imported, plain))
      const bytes = new Uint8Array(iv.length + closed.length)
      bytes.set(iv)
      bytes.set(closed, iv.length)
      return {
        projectId: place.projectId,
        intentId: place.intentId,
        sealed: `${prefix}${encodeBase64url(bytes)}`,
      }
    },

    async open({ sealed }, place) {
      const { intentId } = place
      if (!sealed.startsWith(prefix)) throw unreadable(intentId, 'it was sealed with another key, or in another form')
      const bytes = new Uint8Array(decodeBase64url(sealed.slice(prefix.length)) ?? [])
      const parameters = { name: 'AES-GCM', iv: bytes.subarray(0, NONCE_BYTES), additionalData: boundTo(place) }
      try {
        const plain = await crypto.subtle.decrypt(parameters, await imported, bytes.subarray(NONCE_BYTES))
        return JSON.parse(new TextDecoder().decode(plain)) as { lineage: KeyId; result: Json }
      } catch {
        // Without the cause: a parser's message quotes the text.
        throw unreadable(intentId, 'it was altered, or is of another execution')
      }
    },
  }
}

function boundTo({ projectId, intentId, executionId, digest }: ResultPlace): Uint8Array<ArrayBuffer> {
  const place = { project_id: projectId, intent_id: intentId, execution_id: executionId, digest }
  return new TextEncoder().encode(canonicalJson({ type: 'silentauth.result', v: VERSION, ...place }))
}

export function unreadable(intentId: IntentId, why: string): SilentAuthError {
  return new SilentAuthError('RESULT_UNREADABLE', `${intentId}: what was recorded of its result: ${why}`, { intentId })
}
