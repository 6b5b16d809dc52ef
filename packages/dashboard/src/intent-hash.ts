/**
 * The check of a review: the page computes `intent_hash` from the very view that it renders, and compares. A vote carries
 * what was computed here, never what the server said.
 *
 * @module
 */
import { canonicalJson, type Digest, digestAnywhere } from '@silentauth/core'
import type { WireReview } from '@silentauth/core/wire'

export type ViewCheck =
  | { readonly type: 'verified'; readonly hash: Digest }
  /** Whatever differs, nobody may vote on it from this page. */
  | {
      readonly type: 'differs'
      readonly what: 'hash' | 'params' | 'intent'
      readonly computed: string
      readonly claimed: string
    }
  /** WebCrypto is missing (the page was not opened over https or loopback), or the view is not plain data. */
  | { readonly type: 'impossible'; readonly reason: 'insecure' | 'unreadable' }

/** `sha-256:` and the base64url of SHA-256 over the canonical JSON of `view`. */
export async function computeIntentHash(view: WireReview['view']): Promise<Digest> {
  return digestAnywhere(canonicalJson(view))
}

/** @param id what the address of the page names: the view must be of that intent */
export async function checkView(id: string, review: WireReview): Promise<ViewCheck> {
  const { view } = review
  try {
    if (view.intent_id !== id) return differs('intent', view.intent_id, id)
    const hash = await computeIntentHash(view)
    if (hash !== review.intent_hash) return differs('hash', hash, review.intent_hash)
    // Where nothing is hidden, the digest that a permit will carry can be recomputed too.
    const whole = view.redacted.length === 0 ? await digestAnywhere(canonicalJson(view.params)) : view.params_digest
    return whole === view.params_digest ? { type: 'verified', hash } : differs('params', whole, view.params_digest)
  } catch {
    return { type: 'impossible', reason: globalThis.crypto?.subtle === undefined ? 'insecure' : 'unreadable' }
  }
}

function differs(what: 'hash' | 'params' | 'intent', computed: string, claimed: string): ViewCheck {
  return { type: 'differs', what, computed, claimed }
}
