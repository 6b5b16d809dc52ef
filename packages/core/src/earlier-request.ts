/**
 * An earlier request: a transport retry under one `Idempotency-Key` is answered with what the first one did, for 24 hours.
 *
 * @module
 */
import { SilentAuthError } from './errors.js'
import type { IntentId } from './id.js'
import type { Digest } from './json.js'
import type { KeyPrincipal } from './registry.js'
import type { StoreTransaction } from './store.js'

/** The `Idempotency-Key` of a request, and what its body digests to. */
export interface RequestKey {
  readonly key: string
  readonly bodyDigest: Digest
}

const KEPT_MS = 24 * 3600 * 1000

/**
 * The intent that this request made or changed before. Looked up in the transaction that would do it again: of two at
 * once, the second finds the first.
 *
 * @throws SilentAuthError `IDEMPOTENCY_MISMATCH` for another body
 */
export async function earlierRequest(
  tx: StoreTransaction,
  principal: KeyPrincipal,
  request: RequestKey | undefined,
): Promise<IntentId | undefined> {
  if (!request) return undefined
  const before = await tx.request(principal.id, request.key)
  if (!before || before.expiresAt <= (await tx.now())) return undefined
  if (before.bodyDigest !== request.bodyDigest) throw mismatch()
  return before.intentId
}

export async function rememberRequest(
  tx: StoreTransaction,
  principal: KeyPrincipal,
  intentId: IntentId,
  request: RequestKey | undefined,
): Promise<void> {
  if (!request) return
  const expiresAt = (await tx.now()) + KEPT_MS
  await tx.putRequest({ principal: principal.id, ...request, intentId, expiresAt })
}

export function mismatch(): SilentAuthError {
  return new SilentAuthError('IDEMPOTENCY_MISMATCH', 'the same Idempotency-Key came with another body')
}
