/**
 * Digests: `sha-256:` and the base64url of SHA-256 over the UTF-8 of a text.
 *
 * @module
 */
import { base64url } from 'jose'
import type { Digest } from './json.js'

const DIGEST = /^sha-256:[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/

/** Whether `value` is spelled as a digest; 32 bytes leave the last character 16 spellings. */
export function isDigest(value: unknown): value is Digest {
  return typeof value === 'string' && DIGEST.test(value)
}

/**
 * Synchronous, because what is digested on the way to a tool must not be able to change meanwhile.
 *
 * @throws TypeError in a runtime without `node:crypto` (browsers, edge runtimes without Node compatibility)
 */
export function digestOf(text: string): Digest {
  if (sha256 === undefined) {
    throw new TypeError(
      'digestOf needs node:crypto (Node 22.3 or newer, Deno, Bun, or an edge runtime with Node compatibility)',
    )
  }
  return `sha-256:${sha256(text)}`
}

/** The same in any runtime, by WebCrypto where `node:crypto` is missing. */
export async function digestAnywhere(text: string): Promise<Digest> {
  if (sha256 !== undefined) return digestOf(text)
  const bytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return `sha-256:${base64url.encode(new Uint8Array(bytes))}`
}

// No static import of node:crypto: the main entry must load in every runtime.
const sha256 = nodeSha256()

function nodeSha256(): ((text: string) => string) | undefined {
  const node = globalThis.process?.getBuiltinModule?.('node:crypto')
  if (node === undefined) return undefined
  const { hash, createHash } = node
  return typeof hash === 'function'
    ? (text) => hash('sha256', text, 'base64url')
    : (text) => createHash('sha256').update(text, 'utf8').digest('base64url')
}
