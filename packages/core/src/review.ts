/**
 * A review is what one person is shown of an intent: the view, who voted, what they may do, and why they may not.
 *
 * @module
 */
import type { Judgement } from './claim.js'
import { canLift, type Denial } from './denial.js'
import type { InboxItem, Review, ReviewVote } from './desk.js'
import { executionState } from './execution.js'
import type { IntentId } from './id.js'
import type { Json, JsonObject, JsonPointer } from './json.js'
import type { Facts } from './judgement.js'
import type { Principal } from './registry.js'
import type { State } from './state.js'
import { confirmationText } from './view.js'
import { type CanVote, canVote, needsConfirmation, quorumOutOfReach } from './vote.js'

export function inboxItemOf(state: State, principal: Principal, judgement: Judgement): InboxItem {
  const { declaration } = state
  return {
    id: declaration.id,
    status: state.status,
    action: declaration.action,
    riskTier: declaration.riskTier,
    riskScore: declaration.riskScore,
    source: declaration.source,
    votes: state.votes.filter(({ verdict }) => verdict === 'approve').length,
    votesRequired: declaration.approvalsRequired,
    createdAt: declaration.createdAt,
    expiresAt: declaration.expiresAt,
    canVote: mayVote(state, principal, judgement),
  }
}

/** What stands beside an intent: found by its principal, action and digest. */
export interface Beside {
  readonly sameAction: readonly IntentId[]
  readonly denial: Denial | undefined
}

/** What this person is shown of it. */
export function reviewOf(
  state: State,
  principal: Principal,
  facts: Facts,
  judgement: Judgement,
  { sameAction, denial }: Beside,
): Review {
  const { declaration, reveals } = state
  const { bench } = judgement
  const owner = facts.directory.people.find(({ id }) => id === facts.agent?.owner)
  const seen = (by: string) => reveals.filter((reveal) => reveal.by === by).map(({ pointer }) => pointer)
  return {
    view: declaration.view,
    intentHash: declaration.intentHash,
    status: state.status,
    resolution: state.resolution,
    createdAt: declaration.createdAt,
    resolvedAt: state.resolvedAt,
    supersededBy: state.supersededBy,
    sourceType: declaration.sourceType,
    environment: declaration.environment,
    agent: facts.agent && {
      id: facts.agent.id,
      name: facts.agent.name,
      status: facts.agent.status,
      owner: owner?.email,
    },
    keyName: facts.key?.name ?? declaration.keyId,
    policy:
      declaration.policy && declaration.policyRef
        ? { ref: declaration.policyRef, name: declaration.policy.name }
        : undefined,
    risk: { tier: declaration.riskTier, score: declaration.riskScore, factors: declaration.riskFactors },
    votes: state.votes.map(
      (vote): ReviewVote => ({
        by: vote.label,
        onBehalfOf: vote.onBehalfOf?.label,
        verdict: vote.verdict,
        comment: vote.comment,
        at: vote.at,
        via: vote.via,
        unseen: vote.unseen,
        revealed: seen(vote.by),
        edited: vote.edited,
      }),
    ),
    canVote: mayVote(state, principal, judgement),
    confirmation: needsConfirmation(bench) ? confirmationText(declaration.view) : undefined,
    editable: declaration.edits !== false && bench.rules.every(({ denyThreshold }) => denyThreshold === 1),
    revealed: seen(principal.id).map((pointer) => ({ pointer, value: valueAt(declaration.params, pointer) })),
    execution: executionState(state),
    useUntil: state.useUntil,
    sameAction,
    quorumOutOfReach: state.status === 'pending' && quorumOutOfReach(declaration, state.votes, bench),
    denial: denial && {
      intentId: denial.intentId,
      rememberedUntil: denial.expiresAt,
      canLift: canLift(state, principal, bench),
    },
  }
}

function mayVote(state: State, principal: Principal, { bench }: Judgement): CanVote {
  if (state.status !== 'pending') {
    return { ok: false, code: 'ALREADY_RESOLVED', reason: `it is ${state.status}` }
  }
  return canVote(principal, state.declaration, state.votes, bench)
}

/** RFC 6901; the pointer is one of the view's own. */
export function valueAt(params: JsonObject, pointer: JsonPointer): Json {
  let value: Json = params
  for (const step of pointer.split('/').slice(1)) {
    const member = step.replaceAll('~1', '/').replaceAll('~0', '~')
    value = (value as JsonObject)[member] ?? null
  }
  return value
}
