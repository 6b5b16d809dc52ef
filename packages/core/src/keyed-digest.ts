/**
 * Keyed digests: HMAC-SHA256 (RFC 2104) for commitments and for the prefixes that stand for hidden values.
 *
 * @module
 */

/** Base64url of HMAC-SHA256 over the UTF-8 of `text`. @throws TypeError in a runtime without `node:crypto` */
export function hmacSha256(key: string, text: string): string {
  const node = globalThis.process?.getBuiltinModule?.('node:crypto')
  if (node === undefined) throw new TypeError('hmacSha256 needs node:crypto')
  return node.createHmac('sha256', key).update(text, 'utf8').digest('base64url')
}
