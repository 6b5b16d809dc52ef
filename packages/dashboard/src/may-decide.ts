/**
 * What this person may do with a review right now, and why not: a pure function of what is on the screen. The gate judges
 * again; this is so that nobody presses a button that cannot work, or one that should not.
 *
 * @module
 */
import type { EpochMs } from '@silentauth/core'
import type { WireReview } from '@silentauth/core/wire'
import type { ViewCheck } from './intent-hash.js'

export type Obstacle =
  | { readonly type: 'settled' }
  | { readonly type: 'expired' }
  | { readonly type: 'unverified' }
  | { readonly type: 'cannot_vote'; readonly code: string | null; readonly reason: string | null }
  | { readonly type: 'agent_stopped'; readonly status: string }
  /** Parts of grave params that were not shown yet. */
  | { readonly type: 'folded'; readonly count: number }

export interface Screen {
  readonly review: WireReview
  readonly check: ViewCheck
  /** Folds of the params that were never opened. */
  readonly unopened: number
  readonly now: EpochMs
}

/** Undefined when nothing stands in the way. */
export function obstacleToApprove(screen: Screen): Obstacle | undefined {
  const { review, unopened } = screen
  const obstacle = obstacleToRefuse(screen)
  if (obstacle !== undefined) return obstacle
  // A stopped agent blocks approvals, never denials.
  if (review.agent && review.agent.status !== 'active') return { type: 'agent_stopped', status: review.agent.status }
  return isGrave(review) && unopened > 0 ? { type: 'folded', count: unopened } : undefined
}

/** The same for deny and request changes. */
export function obstacleToRefuse({ review, check, now }: Screen): Obstacle | undefined {
  if (review.status !== 'pending') return { type: 'settled' }
  if (now >= Date.parse(review.view.expires_at)) return { type: 'expired' }
  if (check.type !== 'verified') return { type: 'unverified' }
  const { ok, code, reason } = review.can_vote
  return ok ? undefined : { type: 'cannot_vote', code, reason }
}

export function isGrave({ view }: Pick<WireReview, 'view'>): boolean {
  return view.risk_tier === 'high' || view.risk_tier === 'critical'
}

/** Hidden values that nobody who approved has seen, and this person neither: the gate may refuse the deciding approval. */
export function unseenValues(review: WireReview): readonly string[] {
  const seen = new Set<string>(review.revealed.map(({ pointer }) => pointer))
  for (const vote of review.votes)
    if (vote.verdict === 'approve') for (const pointer of vote.revealed) seen.add(pointer)
  return review.view.redacted.filter((pointer) => !seen.has(pointer))
}

/** An approval can be taken back until its execution has ended. */
export function mayWithdraw({ status, execution }: Pick<WireReview, 'status' | 'execution'>): boolean {
  return status === 'approved' && !['succeeded', 'failed', 'abandoned'].includes(execution.state)
}

/** Denied, and asking again is answered with that denial. */
export function mayLiftDenial({ denial }: Pick<WireReview, 'denial'>, now: EpochMs): boolean {
  return denial?.can_lift.ok === true && now < Date.parse(denial.remembered_until)
}

/** It began and nobody said how it ended: a person looks, and says. */
export function mayReconcile({ status, execution }: Pick<WireReview, 'status' | 'execution'>): boolean {
  return status === 'approved' && execution.state === 'unknown'
}
