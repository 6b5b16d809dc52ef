/**
 * The wire: the one place where the two spellings meet, snake_case and RFC 3339 outside, camelCase and epoch
 * milliseconds inside. It maps names and instants, and decides nothing.
 *
 * @module
 */
import type { InboxItem, Review } from './desk.js'
import { SilentAuthError } from './errors.js'
import type { Claim, FinalOutcome, Outcome } from './gate.js'
import type { ExecutionState, Intent, IntentDraft, Resolution } from './intent.js'
import { parseDraft } from './intent.js'
import type { EpochMs, JsonObject } from './json.js'
import type { Attempt } from './state.js'

/** What absent is on the wire. */
type Nullable<Value> = Value | null

export interface WireResolution {
  by: Resolution['by']
  code: Nullable<string>
  comment: Nullable<string>
  earlier_intent: Nullable<string>
}
export interface WireExecution {
  state: ExecutionState['state']
  continuations: number
  deadline: Nullable<string>
  reported_by: Nullable<string>
  disputed: boolean
}
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

/** Members of `POST /api/intents`, as they are spelled there. */
const DRAFT_NAMES = {
  action: 'action',
  params: 'parameters',
  idempotencyKey: 'idempotency_key',
  riskTier: 'risk_tier',
  source: 'source',
  sourceType: 'source_type',
  requestedBy: 'requested_by',
  approvers: 'approvers',
  expiresInSeconds: 'expires_in',
  context: 'context',
  metadata: 'metadata',
  supersedes: 'supersedes',
  delivery: 'delivery',
  edits: 'edits',
  reenters: 'reenters',
  idempotent: 'idempotent',
} as const satisfies Record<keyof IntentDraft, string>

/** The body that declares a draft. Absent members are left out. */
export function draftToWire(draft: IntentDraft): JsonObject {
  const entries = Object.entries(DRAFT_NAMES).map(([name, spelled]) => [spelled, draft[name as keyof IntentDraft]])
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as JsonObject
}

/**
 * The draft in a body. `source_type` is required, `parameters` defaults to `{}`, `delivery` to `token`.
 *
 * @throws SilentAuthError `MISSING_FIELDS`, `INVALID_FIELD`, naming members as the wire spells them
 */
export function draftFromWire(body: JsonObject): { draft: IntentDraft; projectId: string | undefined } {
  const { project_id: projectId, ...members } = body
  const missing = ['action', 'source_type'].filter((name) => members[name] === undefined || members[name] === null)
  if (missing.length > 0) {
    throw new SilentAuthError('MISSING_FIELDS', `missing: ${missing.join(', ')}`, { field: missing[0] as string })
  }
  if (projectId !== undefined && projectId !== null && typeof projectId !== 'string') {
    throw new SilentAuthError('INVALID_FIELD', 'project_id must be a text', { field: 'project_id' })
  }
  const named = new Map<string, string>(Object.entries(DRAFT_NAMES).map(([name, spelled]) => [spelled, name]))
  const draft: Record<string, unknown> = { params: {}, delivery: 'token' }
  for (const [spelled, value] of Object.entries(members)) {
    const name = named.get(spelled)
    if (name === undefined) {
      throw new SilentAuthError('INVALID_FIELD', `${spelled} is not a member`, { field: spelled })
    }
    if (value !== null) draft[name] = value
  }
  return { draft: parseDraft(draft, spellDraftMember), projectId: projectId ?? undefined }
}

function spellDraftMember(path: string): string {
  const [first, ...rest] = path.split('.')
  return [DRAFT_NAMES[first as keyof IntentDraft] ?? first, ...rest].join('.')
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
const EXECUTION_STATES: ReadonlySet<string> = new Set<ExecutionState['state']>([
  'none',
  'started',
  'suspended',
  'succeeded',
  'failed',
  'unknown',
  'abandoned',
  'delivered',
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

function resolutionToWire(resolution: Resolution | undefined): WireResolution | null {
  if (!resolution) return null
  const { by, code, comment, earlierIntent } = resolution
  return { by, code: code ?? null, comment: comment ?? null, earlier_intent: earlierIntent ?? null }
}

function resolutionFromWire({ by, code, comment, earlier_intent }: WireResolution): Resolution {
  return {
    by,
    code: (code as Resolution['code'] | null) ?? undefined,
    comment: comment ?? undefined,
    earlierIntent: (earlier_intent as Resolution['earlierIntent'] | null) ?? undefined,
  }
}

export function executionToWire(execution: ExecutionState): WireExecution {
  return {
    state: execution.state,
    continuations: execution.continuations,
    deadline: maybeInstant(execution.deadline),
    reported_by: execution.reportedBy ?? null,
    disputed: execution.disputed,
  }
}

/** @throws TypeError for a state that this build does not know */
export function executionFromWire(wire: WireExecution): ExecutionState {
  if (!EXECUTION_STATES.has(wire?.state)) throw new TypeError('the state of an execution is none that is known')
  return {
    state: wire.state,
    continuations: wire.continuations,
    deadline: wire.deadline ? epoch(wire.deadline) : undefined,
    reportedBy: (wire.reported_by as ExecutionState['reportedBy'] | null) ?? undefined,
    disputed: wire.disputed,
  }
}

export interface WireAttempt {
  execution_id: string
  attempt_id: string
  continues: number
}
export type WireClaim =
  | { type: 'granted'; permit_token: string; parameters: JsonObject }
  | { type: 'running'; since: string; deadline: string }
  | { type: 'recorded'; outcome: { status: 'succeeded' | 'failed'; result_recorded: boolean; result?: unknown } }
  | { type: 'unknown' }
  | { type: 'closed'; reason: string }

export function attemptToWire({ executionId, attemptId, continues = 0 }: Attempt): WireAttempt {
  return { execution_id: executionId, attempt_id: attemptId, continues }
}

export function claimToWire(claim: Claim): WireClaim {
  switch (claim.type) {
    case 'granted':
      return { type: 'granted', permit_token: claim.permit, parameters: claim.params }
    case 'running':
      return { type: 'running', since: instant(claim.since), deadline: instant(claim.deadline) }
    case 'recorded':
      return { type: 'recorded', outcome: outcomeToWire(claim.outcome) }
    case 'unknown':
      return { type: 'unknown' }
    case 'closed':
      return { type: 'closed', reason: claim.reason }
  }
}

/** @throws TypeError for an answer of another type: only an explicit grant executes */
export function claimFromWire(wire: WireClaim): Claim {
  switch (wire.type) {
    case 'granted':
      return { type: 'granted', permit: wire.permit_token, params: wire.parameters }
    case 'running':
      return { type: 'running', since: epoch(wire.since), deadline: epoch(wire.deadline) }
    case 'recorded': {
      const { status, result_recorded: resultRecorded } = wire.outcome
      return { type: 'recorded', outcome: status === 'succeeded' ? { status, resultRecorded } : { status: 'failed' } }
    }
    case 'unknown':
      return { type: 'unknown' }
    case 'closed':
      return { type: 'closed', reason: wire.reason as Extract<Claim, { type: 'closed' }>['reason'] }
  }
  throw new TypeError('the answer to the claim is of no known type')
}

function outcomeToWire(outcome: FinalOutcome): Extract<WireClaim, { type: 'recorded' }>['outcome'] {
  return { status: outcome.status, result_recorded: outcome.status === 'succeeded' && outcome.resultRecorded }
}

/** Body of a report. */
export function reportToWire({ executionId, attemptId }: Attempt, outcome: Outcome): JsonObject {
  const result = outcome.status === 'succeeded' && outcome.result !== undefined ? { result: outcome.result } : {}
  return { execution_id: executionId, attempt_id: attemptId, status: outcome.status, ...result }
}

export interface WireCanVote {
  ok: boolean
  code: Nullable<string>
  reason: Nullable<string>
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
}
export interface WireVote {
  by: string
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
  const { agent } = review
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
    votes: review.votes.map((vote) => ({ ...vote, comment: vote.comment ?? null, at: instant(vote.at) })),
    can_vote: canVoteToWire(review.canVote),
    confirmation: review.confirmation ?? null,
    editable: review.editable,
    revealed: review.revealed,
    execution: executionToWire(review.execution),
    use_until: maybeInstant(review.useUntil),
    same_action: review.sameAction,
    quorum_out_of_reach: review.quorumOutOfReach,
  }
}

function canVoteToWire({ ok, code, reason }: Review['canVote']): WireCanVote {
  return { ok, code: code ?? null, reason: reason ?? null }
}

/** RFC 3339 with milliseconds, UTC. */
export function instant(at: EpochMs): string {
  return new Date(at).toISOString()
}

function maybeInstant(at: EpochMs | undefined): string | null {
  return at === undefined ? null : instant(at)
}

/** @throws TypeError when the text is no instant */
export function epoch(text: string): EpochMs {
  const at = Date.parse(text)
  if (Number.isNaN(at)) throw new TypeError('not an RFC 3339 instant')
  return at
}
