/**
 * Reviews and inboxes on the wire, as approvers see them.
 *
 * @module
 */
import type { InboxItem, Review } from '../desk.js'
import type { Intent } from '../intent.js'
import { executionToWire, type WireExecution } from './execution.js'
import { instant, maybeInstant, type Nullable } from './instant.js'
import { resolutionToWire, type WireResolution } from './resolution.js'

export interface WireCanVote {
  ok: boolean
  code: Nullable<string>
  reason: Nullable<string>
  /** E-mail of the person in whose stead it would be. */
  on_behalf_of: Nullable<string>
}
export interface WireInboxItem {
  id: string
  status: Intent['status']
  action: string
  risk_tier: Intent['riskTier']
  risk_score: number
  source: Nullable<string>
  votes: number
  votes_required: number
  created_at: string
  expires_at: string
  can_vote: WireCanVote
}
export interface WireReview {
  view: Review['view']
  intent_hash: string
  status: Intent['status']
  resolution: Nullable<WireResolution>
  created_at: string
  resolved_at: Nullable<string>
  superseded_by: Nullable<string>
  source_type: Intent['sourceType']
  environment: Nullable<string>
  agent: Nullable<{ id: string; name: string; status: string; owner: Nullable<string> }>
  key_name: string
  policy: Nullable<{ ref: string; name: string }>
  risk: Review['risk']
  votes: readonly WireVote[]
  can_vote: WireCanVote
  confirmation: Nullable<string>
  editable: boolean
  revealed: Review['revealed']
  execution: WireExecution
  use_until: Nullable<string>
  same_action: readonly string[]
  quorum_out_of_reach: boolean
  /** A person's denial that answers this request again, as long as it is remembered. */
  denial: Nullable<{ intent_id: string; remembered_until: string; can_lift: WireCanVote }>
}
export interface WireVote {
  by: string
  /** The person in whose stead. */
  on_behalf_of: Nullable<string>
  verdict: 'approve' | 'deny' | 'request_changes'
  comment: Nullable<string>
  at: string
  via: string
  unseen: readonly string[]
  revealed: readonly string[]
  edited: boolean
}

export function inboxItemToWire(item: InboxItem): WireInboxItem {
  return {
    id: item.id,
    status: item.status,
    action: item.action,
    risk_tier: item.riskTier,
    risk_score: item.riskScore,
    source: item.source ?? null,
    votes: item.votes,
    votes_required: item.votesRequired,
    created_at: instant(item.createdAt),
    expires_at: instant(item.expiresAt),
    can_vote: canVoteToWire(item.canVote),
  }
}

export function reviewToWire(review: Review): WireReview {
  const { agent, denial } = review
  return {
    view: review.view,
    intent_hash: review.intentHash,
    status: review.status,
    resolution: resolutionToWire(review.resolution),
    created_at: instant(review.createdAt),
    resolved_at: maybeInstant(review.resolvedAt),
    superseded_by: review.supersededBy ?? null,
    source_type: review.sourceType,
    environment: review.environment ?? null,
    agent: agent ? { id: agent.id, name: agent.name, status: agent.status, owner: agent.owner ?? null } : null,
    key_name: review.keyName,
    policy: review.policy ?? null,
    risk: review.risk,
    votes: review.votes.map(({ onBehalfOf, ...vote }) => ({
      ...vote,
      on_behalf_of: onBehalfOf ?? null,
      comment: vote.comment ?? null,
      at: instant(vote.at),
    })),
    can_vote: canVoteToWire(review.canVote),
    confirmation: review.confirmation ?? null,
    editable: review.editable,
    revealed: review.revealed,
    execution: executionToWire(review.execution),
    use_until: maybeInstant(review.useUntil),
    same_action: review.sameAction,
    quorum_out_of_reach: review.quorumOutOfReach,
    denial: denial
      ? {
          intent_id: denial.intentId,
          remembered_until: instant(denial.rememberedUntil),
          can_lift: canVoteToWire(denial.canLift),
        }
      : null,
  }
}

function canVoteToWire(answer: Review['canVote']): WireCanVote {
  const { ok, code = null, reason = null } = answer
  return { ok, code, reason, on_behalf_of: (answer.ok && answer.onBehalfOf?.email) || null }
}
