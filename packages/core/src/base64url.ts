/**
 * Base64url, strictly: the one spelling of some bytes (RFC 4648, section 5, no padding, no stray bits).
 *
 * @module
 */
import { base64url } from 'jose'

/** The bytes of `text`, or undefined when it is empty or not the one spelling of them. */
export function decodeBase64url(text: string): Uint8Array | undefined {
  if (text === '') return undefined
  // Decoders ignore whitespace, padding, other alphabets and trailing bits; only encoding again tells.
  if (NodeBuffer !== undefined) {
    const bytes = NodeBuffer.from(text, 'base64url')
    return bytes.toString('base64url') === text ? bytes : undefined
  }
  try {
    const bytes = base64url.decode(text)
    return base64url.encode(bytes) === text ? bytes : undefined
  } catch {
    return undefined
  }
}

/**
 * The text that `text` spells, when that is its one spelling and all of it is ASCII; else undefined, or not ASCII: then the letters
 * are not those that were meant, and the caller must not take them.
 */
export function asciiOfBase64url(text: string): string | undefined {
  if (scratch === undefined) {
    const bytes = decodeBase64url(text)
    return bytes && String.fromCharCode(...bytes)
  }
  if (text.length > MOST) return undefined
  const end = scratch.write(text, 0, MOST, 'base64url')
  return scratch.toString('base64url', 0, end) === text ? scratch.toString('latin1', 0, end) : undefined
}

export function encodeBase64url(bytes: Uint8Array): string {
  if (NodeBuffer === undefined) return base64url.encode(bytes)
  return NodeBuffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url')
}

// Buffer, where there is one, is several times faster.
const NodeBuffer = globalThis.Buffer as typeof Buffer | undefined

/** A permit's length: what is longer is not worth a short way. */
const MOST = 8192
/** Used within one call, by nobody else meanwhile. */
const scratch = NodeBuffer?.allocUnsafeSlow(MOST)
