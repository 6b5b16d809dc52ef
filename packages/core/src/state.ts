/**
 * The state of an intent: everything that is stored of it, and what a transition of it gives back.
 *
 * @module
 */
import type { Declaration } from './declaration.js'
import { type ErrorCode, SilentAuthError } from './errors.js'
import type { IntentId, KeyId, PermitId, UserId } from './id.js'
import type { Approval, ExecutionState, ExecutionStatus, IntentStatus, Resolution } from './intent.js'
import type { Digest, EpochMs, Json, JsonObject, JsonPointer } from './json.js'
import type { Bench, CastVote } from './vote.js'

/** Everything that is stored of one intent. */
export interface State {
  readonly declaration: Declaration
  readonly status: IntentStatus
  readonly resolution: Resolution | undefined
  readonly resolvedAt: EpochMs | undefined
  readonly supersededBy: IntentId | undefined
  /** I2: fixed once, the same in every permit of this intent. */
  readonly useUntil: EpochMs | undefined
  readonly votes: readonly CastVote[]
  readonly reveals: readonly Reveal[]
  /** The approvals that were counted when the intent was approved. */
  readonly approvals: readonly Approval[]
  readonly execution: ExecutionRecord
  readonly permits: readonly PermitRecord[]
  readonly redemptions: readonly Redemption[]
}

/** A hidden value that a person asked to see. */
export interface Reveal {
  readonly by: UserId
  readonly pointer: JsonPointer
  readonly at: EpochMs
}

/** One signing that may be handed out. Its claims follow from the state; no token is stored. */
export interface PermitRecord {
  readonly id: PermitId
  /** Seconds, fixed when minted (P1); undefined until the leaf is sequenced (P6). */
  readonly iat: number | undefined
  readonly exp: number | undefined
  readonly ttlSeconds: number
  readonly revokedAt: EpochMs | undefined
}

/** What a leaf of the audit log and the outbox say happened. `data` has ids and codes, never params. */
export interface LifecycleEvent {
  readonly type: EventType
  readonly intentId: IntentId
  readonly data: JsonObject
}
export type EventType =
  | 'intent.created'
  | 'intent.approved'
  | 'intent.denied'
  | 'intent.expired'
  | 'intent.cancelled'
  | 'intent.changes_requested'
  | 'intent.superseded'
  | 'intent.withdrawn'
  | 'approval.recorded'
  | 'denial.lifted'
  | 'value.revealed'
  | 'permit.issued'
  | 'permit.sequenced'
  | 'permit.revoked'
  | 'permit.redeemed'
  | 'execution.started'
  | 'execution.suspended'
  | 'execution.reported'
  | 'execution.unknown'
  | 'execution.abandoned'
  | 'execution.disputed'
  | 'execution.reconciled'

/** One process that tries the execution. */
export interface Attempt {
  /** `callKey` of the call: the same after a restart. */
  readonly executionId: string
  /** 128 random bits, fresh per process and try: tells a lost answer (E2) from a second runner (E3). */
  readonly attemptId: string
  /** The suspensions that this attempt has seen; must equal the stored count (E6). @default 0 */
  readonly continues?: number | undefined
}

export interface ResultSummary {
  readonly digest: Digest
  readonly bytes: number
}

export type FinalStatus = 'succeeded' | 'failed'
/** Why a claim is refused for good (E2, E7, E10, E14 to E16). */
export type ClosedReason = 'abandoned' | 'window' | 'suspended_elsewhere' | 'not_reentrant' | 'permit_spent'

export interface ExecutionRecord {
  readonly state: ExecutionStatus
  readonly continuations: number
  readonly disputed: boolean
  /** The attempt that holds it, or held it last. */
  readonly holder?: Attempt | undefined
  readonly startedAt?: EpochMs | undefined
  readonly deadline?: EpochMs | undefined
  /** How often it was granted: continuations (E6) and runs again (E13) count. */
  readonly grants?: number | undefined
  readonly reportedBy?: ExecutionState['reportedBy']
  readonly reports?:
    | { readonly agent?: FinalStatus; readonly verifier?: FinalStatus; readonly person?: FinalStatus }
    | undefined
  readonly result?: ResultSummary | undefined
  readonly closed?: 'abandoned' | 'window' | undefined
  readonly withdrawnAt?: EpochMs | undefined
}

/** A backend's single use of an approval. */
export interface Redemption {
  readonly id: string
  readonly permitId: PermitId
  readonly by: KeyId
  readonly at: EpochMs
  readonly replayed: boolean
}

export type ClaimAnswer =
  | { readonly type: 'granted'; readonly permit: PermitRecord }
  | { readonly type: 'running'; readonly since: EpochMs; readonly deadline: EpochMs }
  | { readonly type: 'recorded'; readonly status: FinalStatus }
  | { readonly type: 'unknown' }
  | { readonly type: 'closed'; readonly reason: ClosedReason }

export interface Transition {
  readonly state: State
  readonly events: readonly LifecycleEvent[]
  /** Minted or renewed by this transition. */
  readonly permits: readonly PermitRecord[]
  /** The answer to a claim. */
  readonly claim?: ClaimAnswer
  /** The answer to a redemption. */
  readonly replayed?: boolean
  /** Thrown to the caller after the new state was written: some refusals change something (E8). */
  readonly refusal?: SilentAuthError
}

/** P1: the expiry is fixed at minting; one permit id never has two. */
export function mint(id: PermitId, ttlSeconds: number, useUntil: EpochMs, now: EpochMs): PermitRecord {
  const iat = Math.floor(now / 1000)
  return { id, iat, exp: Math.min(iat + ttlSeconds, Math.floor(useUntil / 1000)), ttlSeconds, revokedAt: undefined }
}

/** Whether leaves have their place in the log when they are committed, or get it afterwards. */
export type Sequencing = 'immediate' | 'deferred'

/** P6: the permit is handed out after its leaf has its place. */
export function waitsForItsLeaf(
  { riskTier }: Pick<Declaration, 'riskTier'>,
  sequencing: Sequencing | undefined,
): boolean {
  return sequencing === 'deferred' && (riskTier === 'high' || riskTier === 'critical')
}

/** P6: its times begin later. */
export function unminted(permit: PermitRecord): PermitRecord {
  return { ...permit, iat: undefined, exp: undefined }
}

/** The permit of this state that still waits for its leaf. */
export function waitingPermit({ permits, execution }: Pick<State, 'permits' | 'execution'>): PermitRecord | undefined {
  const last = permits.at(-1)
  const live = execution.state === 'started' || execution.state === 'delivered'
  return live && last?.iat === undefined && last?.revokedAt === undefined ? last : undefined
}

/** P4. */
export function revokeAll(permits: readonly PermitRecord[], now: EpochMs): readonly PermitRecord[] {
  return permits.map((permit) => (permit.revokedAt === undefined ? { ...permit, revokedAt: now } : permit))
}

export function unchanged(state: State): Transition {
  return { state, events: [], permits: [] }
}

export function event(state: State, type: EventType, data: Record<string, Json>): LifecycleEvent {
  return { type, intentId: state.declaration.id, data }
}

export function refused(state: State, code: ErrorCode, message: string, field?: string): SilentAuthError {
  const intentId = state.declaration.id
  return new SilentAuthError(code, `${intentId}: ${message}`, { intentId, ...(field && { field }) })
}

/** I10, and the kill switch at claim and hand-out. */
export function requireRunningAgent(state: State, bench: Pick<Bench, 'agent' | 'key'>): void {
  if (bench.agent?.status === 'paused') throw refused(state, 'AGENT_PAUSED', `agent ${bench.agent.id} is paused`)
  if (bench.agent?.status === 'revoked') throw refused(state, 'AGENT_REVOKED', `agent ${bench.agent.id} is revoked`)
  if (bench.key?.status !== 'active') throw refused(state, 'FORBIDDEN', `key ${state.declaration.keyId} is not active`)
}
