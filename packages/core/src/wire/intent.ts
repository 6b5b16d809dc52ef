/**
 * Intents on the wire, as their declaring key sees them.
 *
 * @module
 */
import type { Intent } from '../intent.js'
import type { JsonObject } from '../json.js'
import { executionFromWire, executionToWire, type WireExecution } from './execution.js'
import { epoch, instant, maybeInstant, type Nullable } from './instant.js'
import { resolutionFromWire, resolutionToWire, type WireResolution } from './resolution.js'

export interface WireIntent {
  id: string
  status: Intent['status']
  decision: Intent['decision']
  action: string
  risk_tier: Intent['riskTier']
  risk_tier_claimed: Nullable<Intent['riskTier']>
  risk_score: number
  risk_factors: Intent['riskFactors']
  source: Nullable<string>
  source_type: Intent['sourceType']
  environment: Nullable<string>
  parameters: JsonObject
  params_digest: string
  intent_hash: string
  context: Nullable<JsonObject>
  metadata: Nullable<JsonObject>
  approvers: readonly string[]
  approvals: readonly { at: string; by: string; label: string; via: string }[]
  approvals_required: number
  approval_url: string
  requested_by: Nullable<string>
  policy: Nullable<string>
  audience: string
  project_id: string
  supersedes: Nullable<string>
  superseded_by: Nullable<string>
  delivery: Intent['delivery']
  created_at: string
  expires_at: string
  resolved_at: Nullable<string>
  resolution: Nullable<WireResolution>
  approved_by: Nullable<readonly string[]>
  permit_token: Nullable<string>
  execution: WireExecution
  execution_window: number
  edits: Intent['edits']
  reenters: boolean
  idempotent: boolean
}

export function intentToWire(intent: Intent): WireIntent {
  return {
    id: intent.id,
    status: intent.status,
    decision: intent.decision,
    action: intent.action,
    risk_tier: intent.riskTier,
    risk_tier_claimed: intent.riskTierClaimed ?? null,
    risk_score: intent.riskScore,
    risk_factors: intent.riskFactors,
    source: intent.source ?? null,
    source_type: intent.sourceType,
    environment: intent.environment ?? null,
    parameters: intent.params,
    params_digest: intent.paramsDigest,
    intent_hash: intent.intentHash,
    context: intent.context ?? null,
    metadata: intent.metadata ?? null,
    approvers: intent.approvers,
    approvals: intent.approvals.map(({ at, by, label, via }) => ({ at: instant(at), by, label, via })),
    approvals_required: intent.approvalsRequired,
    approval_url: intent.approvalUrl,
    requested_by: intent.requestedBy ?? null,
    policy: intent.policy ?? null,
    audience: intent.audience,
    project_id: intent.projectId,
    supersedes: intent.supersedes ?? null,
    superseded_by: intent.supersededBy ?? null,
    delivery: intent.delivery,
    created_at: instant(intent.createdAt),
    expires_at: instant(intent.expiresAt),
    resolved_at: maybeInstant(intent.resolvedAt),
    resolution: resolutionToWire(intent.resolution),
    approved_by: intent.approvedBy ?? null,
    permit_token: intent.permitToken ?? null,
    execution: executionToWire(intent.execution),
    execution_window: intent.executionWindowSeconds,
    edits: intent.edits,
    reenters: intent.reenters,
    idempotent: intent.idempotent,
  }
}

const STATUSES: ReadonlySet<string> = new Set<Intent['status']>([
  'pending',
  'approved',
  'denied',
  'expired',
  'cancelled',
  'changes_requested',
  'superseded',
])
/** The intent in an answer of the gate. @throws TypeError when it is none, or has a status that this build does not know */
export function intentFromWire(wire: WireIntent): Intent {
  if (typeof wire?.id !== 'string' || !wire.id.startsWith('int_')) throw new TypeError('the answer holds no intent')
  if (!STATUSES.has(wire.status)) throw new TypeError(`${wire.id}: its status is none that is known`)
  return {
    id: wire.id as Intent['id'],
    projectId: wire.project_id as Intent['projectId'],
    status: wire.status,
    decision: wire.decision,
    resolution: wire.resolution ? resolutionFromWire(wire.resolution) : undefined,
    action: wire.action,
    params: wire.parameters,
    paramsDigest: wire.params_digest as Intent['paramsDigest'],
    intentHash: wire.intent_hash as Intent['intentHash'],
    riskTier: wire.risk_tier,
    riskTierClaimed: wire.risk_tier_claimed ?? undefined,
    riskScore: wire.risk_score,
    riskFactors: wire.risk_factors,
    source: wire.source ?? undefined,
    sourceType: wire.source_type,
    environment: wire.environment ?? undefined,
    context: wire.context ?? undefined,
    metadata: wire.metadata ?? undefined,
    approvers: wire.approvers,
    approvals: wire.approvals.map(({ at, by, label, via }) => ({
      at: epoch(at),
      by,
      label,
      via: via as Intent['approvals'][number]['via'],
    })),
    approvalsRequired: wire.approvals_required,
    approvalUrl: wire.approval_url,
    requestedBy: wire.requested_by ?? undefined,
    policy: (wire.policy as Intent['policy'] | null) ?? undefined,
    audience: wire.audience,
    supersedes: (wire.supersedes as Intent['supersedes'] | null) ?? undefined,
    supersededBy: (wire.superseded_by as Intent['supersededBy'] | null) ?? undefined,
    delivery: wire.delivery,
    edits: wire.edits,
    reenters: wire.reenters,
    idempotent: wire.idempotent,
    executionWindowSeconds: wire.execution_window,
    createdAt: epoch(wire.created_at),
    expiresAt: epoch(wire.expires_at),
    resolvedAt: wire.resolved_at ? epoch(wire.resolved_at) : undefined,
    approvedBy: wire.approved_by ?? undefined,
    execution: executionFromWire(wire.execution),
    permitToken: wire.permit_token ?? undefined,
  }
}
