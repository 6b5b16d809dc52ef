/**
 * Transport retries: a request that was sent, and whose answer was lost, is sent again with the same `Idempotency-Key` and
 * the same body, and has one effect. Another body under that key is a mistake, and is refused. The answer is rendered
 * anew: no answer, and so no token, is stored.
 *
 * @module
 */
import {
  type Digest,
  digestOf,
  type IntentId,
  isSilentAuthError,
  type Person,
  type Review,
  SilentAuthError,
  type Store,
  type Vote,
} from '@silentauth/core'

export interface TransportRetry {
  readonly key: string
  /** Of method, path and body: the same key on another route is another body. */
  readonly bodyDigest: Digest
}

const KEPT_MS = 24 * 3600 * 1000
/** Visible ASCII, as the draft of the header's RFC has it. */
const KEY = /^[\x21-\x7e]{1,255}$/

/** @throws SilentAuthError `INVALID_FIELD` for a key that is none */
export function transportRetryOf(request: Request, body: string): TransportRetry | undefined {
  const key = request.headers.get('idempotency-key')
  if (key === null) return undefined
  if (!KEY.test(key)) {
    throw new SilentAuthError('INVALID_FIELD', 'Idempotency-Key must be 1 to 255 visible ASCII characters', {
      field: 'Idempotency-Key',
    })
  }
  const { pathname } = new URL(request.url)
  return { key, bodyDigest: digestOf(`${request.method} ${pathname}\n${body}`) }
}

/**
 * Remembers a request before it is carried out, for those that can be carried out twice with one effect: a claim and a
 * report have their attempt, a redemption its id, a person one vote.
 *
 * @param principal key or user id
 * @throws SilentAuthError `IDEMPOTENCY_MISMATCH`
 */
export async function rememberRequest(
  store: Store,
  principal: string,
  intentId: IntentId | undefined,
  retry: TransportRetry | undefined,
): Promise<{ readonly repeated: boolean }> {
  if (retry === undefined || intentId === undefined) return { repeated: false }
  return store.transaction(async (tx) => {
    const before = await tx.request(principal, retry.key)
    const now = await tx.now()
    if (before === undefined || before.expiresAt <= now) {
      await tx.putRequest({ principal, ...retry, intentId, expiresAt: now + KEPT_MS })
      return { repeated: false }
    }
    if (before.bodyDigest === retry.bodyDigest) return { repeated: true }
    throw new SilentAuthError('IDEMPOTENCY_MISMATCH', 'the same Idempotency-Key came with another body')
  })
}

/** A refusal of a repeated vote that only says that the first one counted: then the review answers both. */
export function isSameVote(error: unknown, { votes }: Review, person: Person, verdict: Vote['verdict']): boolean {
  const already = isSilentAuthError(error) && (error.code === 'ALREADY_VOTED' || error.code === 'ALREADY_RESOLVED')
  return already && votes.some(({ by, ...vote }) => [person.email, person.id].includes(by) && vote.verdict === verdict)
}
