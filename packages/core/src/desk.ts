/**
 * The desk is the deciding side: inbox, review, votes. It is never reachable with an agent's credential.
 *
 * @module
 */

import type { AgentId, IntentId } from './id.js'
import type { ExecutionState, IntentStatus, Resolution, SourceType, Via } from './intent.js'
import type { Digest, EpochMs, Json, JsonPointer } from './json.js'
import type { Finding } from './oversight.js'
import type { Principal } from './registry.js'
import type { RiskFactor, RiskTier } from './risk.js'
import type { Page } from './store.js'
import type { View } from './view.js'
import type { CanVote, Vote } from './vote.js'

export interface InboxFilter {
  /** @default 'pending' */
  readonly status?: IntentStatus | undefined
  readonly action?: string | undefined
  /** At most 100. @default 50 */
  readonly limit?: number | undefined
  readonly cursor?: string | undefined
}

export interface InboxItem {
  readonly id: IntentId
  readonly status: IntentStatus
  readonly action: string
  readonly riskTier: RiskTier
  readonly riskScore: number
  readonly source: string | undefined
  readonly votes: number
  readonly votesRequired: number
  readonly createdAt: EpochMs
  readonly expiresAt: EpochMs
  readonly canVote: CanVote
}

/** What an approver is shown. */
export interface Review {
  readonly view: View
  readonly intentHash: Digest
  readonly status: IntentStatus
  readonly resolution: Resolution | undefined
  readonly createdAt: EpochMs
  readonly resolvedAt: EpochMs | undefined
  readonly supersededBy: IntentId | undefined
  readonly sourceType: SourceType
  readonly environment: string | undefined
  /** Registered facts, as opposed to claims: undefined when the source is not registered. */
  readonly agent:
    | { readonly id: AgentId; readonly name: string; readonly status: string; readonly owner: string | undefined }
    | undefined
  /** Name of the key that declared it. */
  readonly keyName: string
  readonly policy: { readonly ref: string; readonly name: string } | undefined
  readonly risk: { readonly tier: RiskTier; readonly score: number; readonly factors: readonly RiskFactor[] }
  readonly votes: readonly ReviewVote[]
  readonly canVote: CanVote
  /** The text to type, where this approval asks for it. */
  readonly confirmation: string | undefined
  /** Whether an approver may change the params. */
  readonly editable: boolean
  /** Hidden values that this person has asked to see. */
  readonly revealed: readonly { readonly pointer: JsonPointer; readonly value: Json }[]
  readonly execution: ExecutionState
  /** Until when the approval can be used. */
  readonly useUntil: EpochMs | undefined
  /** Intents of the same principal, action and digest that are started, suspended or unknown: this may be a second time. */
  readonly sameAction: readonly IntentId[]
  /** Those left cannot reach quorum; the intent stays pending. */
  readonly quorumOutOfReach: boolean
  /** A person's denial that answers this request again, as long as it is remembered. */
  readonly denial: ReviewDenial | undefined
}

export interface ReviewDenial {
  /** The intent that was denied: this one, or an earlier one. */
  readonly intentId: IntentId
  readonly rememberedUntil: EpochMs
  readonly canLift: CanVote
}

export interface ReviewVote {
  readonly by: string
  /** Whom this voter stood in for. */
  readonly onBehalfOf: string | undefined
  readonly verdict: Vote['verdict']
  readonly comment: string | undefined
  readonly at: EpochMs
  readonly via: Via
  readonly unseen: readonly JsonPointer[]
  readonly revealed: readonly JsonPointer[]
  readonly edited: boolean
}

export interface Desk {
  /** What this person may see of the project's intents; `canVote` says what waits for their vote. Newest first. */
  inbox(person: Principal, filter?: InboxFilter): Promise<Page<InboxItem>>
  /** @throws SilentAuthError `NOT_FOUND`, `FORBIDDEN` */
  read(person: Principal, id: IntentId): Promise<Review>
  /**
   * @throws SilentAuthError `STALE_VIEW`, `ALREADY_VOTED`, `ALREADY_RESOLVED`, `SELF_APPROVAL`, `NOT_AN_APPROVER`,
   * `CONFIRMATION_REQUIRED`, `ASSURANCE_REQUIRED`, `AGENT_PAUSED`, `AGENT_REVOKED`, `EDITS_NOT_ACCEPTED`
   */
  vote(person: Principal, id: IntentId, vote: Vote): Promise<Review>
  /** By a person who may vote on it, or an admin. */
  withdraw(person: Principal, id: IntentId, reason: string): Promise<Review>
  /** Only while `unknown`, and not before a minute after the permit expired. */
  reconcile(person: Principal, id: IntentId, finding: Finding): Promise<Review>
  /**
   * The agent may ask again for what a person denied; people then decide anew. By a person who could approve it; of no
   * effect once the memory of the denial has ended.
   *
   * @throws SilentAuthError `NOT_FOUND` for what no person denied, `SELF_APPROVAL`, `NOT_AN_APPROVER`, `ASSURANCE_REQUIRED`
   */
  liftDenial(person: Principal, id: IntentId): Promise<Review>
  /** Shows one hidden value to one person; audited. @throws SilentAuthError `FORBIDDEN`, `INVALID_FIELD` */
  reveal(person: Principal, id: IntentId, pointer: JsonPointer): Promise<Json>
}
