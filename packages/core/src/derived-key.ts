/**
 * Derived keys: what a gate's own secret can protect outside of it, such as a run that waits in an application's database.
 * The method has a registered symbol for its name, so that an adapter finds it in every loaded copy.
 *
 * @module
 */

export const DERIVE_KEY: unique symbol = Symbol.for('silentauth.derive-key') as never

/** A gate that can derive keys; the same one for the same label and secret, in every process. */
export interface KeyDeriving {
  [DERIVE_KEY](label: string): Promise<Uint8Array>
}

/** 32 bytes, HKDF-SHA256 (RFC 5869) with the label as `info`. */
export async function deriveKey(secret: Uint8Array, label: string): Promise<Uint8Array> {
  const key = await crypto.subtle.importKey('raw', secret as Uint8Array<ArrayBuffer>, 'HKDF', false, ['deriveBits'])
  const info = new TextEncoder().encode(`silentauth/${label}`)
  const derivation = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info }
  return new Uint8Array(await crypto.subtle.deriveBits(derivation, key, 256))
}

/** Undefined for a gate that derives no keys. */
export async function derivedKeyOf(gate: object, label: string): Promise<Uint8Array | undefined> {
  return DERIVE_KEY in gate ? (gate as KeyDeriving)[DERIVE_KEY](label) : undefined
}
