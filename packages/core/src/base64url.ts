/**
 * Base64url, strictly: the one spelling of some bytes (RFC 4648, section 5, no padding, no stray bits).
 *
 * @module
 */
import { base64url } from 'jose'

/** The bytes of `text`, or undefined when it is empty or not the one spelling of them. */
export function decodeBase64url(text: string): Uint8Array | undefined {
  if (text === '') return undefined
  let bytes: Uint8Array
  try {
    bytes = decode(text)
  } catch {
    return undefined
  }
  // Decoders ignore whitespace, padding, other alphabets and trailing bits; only encoding again tells.
  return encode(bytes) === text ? bytes : undefined
}

export function encodeBase64url(bytes: Uint8Array): string {
  return encode(bytes)
}

// Buffer, where there is one, is several times faster.
const NodeBuffer = globalThis.Buffer as typeof Buffer | undefined

const decode: (text: string) => Uint8Array =
  NodeBuffer === undefined ? base64url.decode : (text) => NodeBuffer.from(text, 'base64url')

const encode: (bytes: Uint8Array) => string =
  NodeBuffer === undefined
    ? base64url.encode
    : (bytes) => NodeBuffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url')
