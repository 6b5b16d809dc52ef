/**
 * The view is what an approver is shown, and what `intent_hash` is the hash of: the redacted params with everything
 * that the gate knows or was told about the intent. It never changes, so it is stable over votes.
 *
 * @module
 */
import { canonicalJson } from './canonical-json.js'
import { digestOf } from './digest.js'
import type { IntentId, PolicyRef, ProjectId, UserId } from './id.js'
import type { Delivery, Edits } from './intent.js'
import type { Digest, JsonObject, JsonPointer } from './json.js'
import type { RiskTier } from './risk.js'

/** Preimage of `intent_hash`, in wire spelling. Absent is null; instants RFC 3339 with milliseconds; durations seconds. */
export interface View {
  readonly type: 'silentauth.view'
  readonly v: 1
  readonly intent_id: IntentId
  readonly project_id: ProjectId
  readonly action: string
  readonly params_digest: Digest
  /** Redacted; always the unrevealed form. */
  readonly params: JsonObject
  readonly redacted: readonly JsonPointer[]
  readonly context: JsonObject | null
  readonly metadata: JsonObject | null
  readonly source: string | null
  readonly requested_by: string | null
  readonly risk_tier: RiskTier
  readonly policy: PolicyRef | null
  readonly approvals_required: number
  readonly aud: string
  readonly expires_at: string
  readonly execution_window: number
  readonly delivery: Delivery
  readonly edits: Edits
  readonly reenters: boolean
  readonly idempotent: boolean
  readonly supersedes: IntentId | null
}

/** `intent_hash`: of the canonical JSON of the view. A page computes the same from what it rendered. */
export function intentHash(view: View): Digest {
  return digestOf(canonicalJson(view))
}

/** What a passkey signs, once evidence is enforced: the decision with the hash of what was shown. */
export interface ApprovalStatement {
  readonly type: 'silentauth.approval'
  readonly v: 1
  readonly decision: 'approve' | 'deny' | 'request_changes'
  readonly intent_id: IntentId
  readonly intent_hash: Digest
  readonly params_digest: Digest
  readonly aud: string
  readonly approver: `user:${UserId}`
  readonly nonce: string
  /** Seconds. */
  readonly iat: number
  readonly exp: number
}

/** Digest of an approval statement: the challenge of the assertion is its bytes. */
export function statementDigest(statement: ApprovalStatement): Digest {
  return digestOf(canonicalJson(statement))
}

/** What a critical approval is confirmed with: made by the gate from the action and the digest, never from agent text. */
export function confirmationText(view: Pick<View, 'action' | 'params_digest'>): string {
  return `${view.action} ${view.params_digest.slice(-4)}`
}
