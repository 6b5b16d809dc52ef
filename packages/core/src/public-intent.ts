/**
 * What others see of a state: the intent as its declaring key sees it, and the claims of its permits.
 *
 * @module
 */
import { canonicalJson } from './canonical-json.js'
import type { Declaration } from './declaration.js'
import { digestOf } from './digest.js'
import { executionState } from './execution.js'
import type { UserId } from './id.js'
import type { Approval, Intent } from './intent.js'
import type { PermitClaims } from './permit-claims.js'
import type { PermitRecord, State } from './state.js'

/** @param permitToken only where it may be handed out: `delivery: token`, to the declaring key */
export function intentOf(state: State, publicUrl: string, permitToken?: string): Intent {
  const { declaration } = state
  return {
    id: declaration.id,
    projectId: declaration.projectId,
    status: state.status,
    decision: declaration.verdict,
    resolution: state.resolution,
    action: declaration.action,
    params: declaration.params,
    paramsDigest: declaration.paramsDigest,
    intentHash: declaration.intentHash,
    riskTier: declaration.riskTier,
    riskTierClaimed: declaration.riskTierClaimed,
    riskScore: declaration.riskScore,
    riskFactors: declaration.riskFactors,
    source: declaration.source,
    sourceType: declaration.sourceType,
    environment: declaration.environment,
    context: declaration.context,
    metadata: declaration.metadata,
    approvers: declaration.approvers,
    approvals: approvalsSoFar(state),
    approvalsRequired: declaration.approvalsRequired,
    approvalUrl: `${publicUrl}/inbox/${declaration.id}`,
    requestedBy: declaration.requestedBy,
    policy: declaration.policyRef,
    audience: declaration.audience,
    supersedes: declaration.supersedes,
    supersededBy: state.supersededBy,
    delivery: declaration.delivery,
    edits: declaration.edits,
    reenters: declaration.reenters,
    idempotent: declaration.idempotent,
    executionWindowSeconds: declaration.executionWindowSeconds,
    createdAt: declaration.createdAt,
    expiresAt: declaration.expiresAt,
    resolvedAt: state.resolvedAt,
    approvedBy: state.status === 'approved' ? state.approvals.map(({ label }) => label) : undefined,
    execution: executionState(state),
    permitToken,
  }
}

function approvalsSoFar(state: State): readonly Approval[] {
  if (state.status === 'approved') return state.approvals
  return state.votes
    .filter(({ verdict, edited }) => verdict === 'approve' && !edited)
    .map(({ at, by, label, via }) => ({ at, by: `user:${by}`, label, via }))
}

/** The claims of one permit. They follow from stored state, so that the same permit is the same claims whenever signed. */
export function permitClaimsOf(state: State, permit: PermitRecord, issuer: string): PermitClaims {
  const { declaration, approvals, useUntil } = state
  if (permit.iat === undefined || permit.exp === undefined || useUntil === undefined) {
    throw new TypeError('the permit is not minted yet')
  }
  const human = declaration.verdict === 'require_approval'
  return {
    iss: issuer,
    aud: declaration.audience,
    sub: declaration.declaredBy,
    jti: permit.id,
    iat: permit.iat,
    exp: permit.exp,
    use_until: Math.floor(useUntil / 1000),
    ver: 1,
    intent_id: declaration.id,
    project_id: declaration.projectId,
    action: declaration.action,
    params_digest: declaration.paramsDigest,
    risk_tier: declaration.riskTier,
    decision: {
      kind: human ? 'human' : 'policy',
      policy: declaration.policyRef ?? null,
      quorum: declaration.approvalsRequired,
    },
    approvals: approvals.map((approval) => ({
      at: Math.floor(approval.at / 1000),
      by: approval.by as `user:${UserId}`,
      ref: approvalRef(approval, declaration),
      via: approval.via,
    })),
    uses: 1,
    declared_by: declaration.declaredBy,
    ...(human && {
      approved_by: approvals.map(({ label }) => label),
      context_digest: declaration.intentHash,
    }),
  }
}

/** Names the vote, so that an auditor finds the one that a permit counted. */
function approvalRef({ at, by, via }: Approval, { id, intentHash }: Declaration): string {
  return digestOf(canonicalJson({ at, by, via, verdict: 'approve', intent_id: id, intent_hash: intentHash })).slice(
    'sha-256:'.length,
  )
}
