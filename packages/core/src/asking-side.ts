/**
 * The asking side: what a gate does for those who want to perform an action. It has no way to decide.
 *
 * @module
 */
import type { IntentId, ProjectId } from './id.js'
import type { Intent, IntentDraft, SettledIntent } from './intent.js'
import type { EpochMs, Json, JsonObject } from './json.js'
import type { KeyRing } from './key-ring.js'
import type { Attempt, ClosedReason } from './state.js'

export interface CallOptions {
  signal?: AbortSignal | undefined
}
export interface WaitOptions extends CallOptions {
  /** @default until the intent expires */
  timeoutMs?: number | undefined
}

/** The asking side. Implemented by `localGate` and by the SDK; one contract suite proves that they behave alike. */
export interface Gate extends AsyncDisposable {
  /**
   * Idempotent on `draft.idempotencyKey`: gives the intent as it is now.
   *
   * @throws SilentAuthError `IDEMPOTENCY_MISMATCH`, `AGENT_PAUSED`, `AGENT_REVOKED`, `SOURCE_MISMATCH`, `UNKNOWN_APPROVER`,
   * `IN_FLIGHT` (supersedes), `RATE_LIMITED`, `GATE_UNAVAILABLE`
   */
  declare(draft: IntentDraft, options?: CallOptions): Promise<Intent>
  /** Looks up, never creates. @throws SilentAuthError `NOT_FOUND`, also for another project's intent */
  read(ref: IntentId | { idempotencyKey: string }, options?: CallOptions): Promise<Intent>
  /** Resolves once the intent is no longer pending. @throws SilentAuthError `WAIT_TIMEOUT`, or the signal's reason */
  wait(id: IntentId, options?: WaitOptions): Promise<SettledIntent>
  /** @throws SilentAuthError `IN_FLIGHT` once begun, `ALREADY_RESOLVED` */
  cancel(id: IntentId, reason: string, options?: CallOptions): Promise<Intent>
  /**
   * Begins or continues the one execution of an approved intent. Atomic over any number of callers and nodes.
   *
   * @throws SilentAuthError `NOT_APPROVED`, `NOT_CLAIMABLE`, `POLICY_CHANGED`, `TIME_RESTRICTED`, `AGENT_PAUSED`,
   * `AGENT_REVOKED`, `NOT_SEQUENCED`: the claim stands, repeat the same attempt
   */
  claim(id: IntentId, attempt: Attempt, options?: CallOptions): Promise<Claim>
  /** Only the granted attempt may report. Retried by the gate; disposing it flushes for at most 5 s. */
  report(id: IntentId, attempt: Attempt, outcome: Outcome, options?: CallOptions): Promise<void>
  /** What a local check of this gate's permits needs. An hs256 project gives no keys. */
  trust(options?: CallOptions): Promise<Trust>
}

export interface Trust {
  readonly issuer: string
  readonly projectId: ProjectId
  readonly keys: KeyRing | undefined
  /** The gate's clock, where it is not the system's: a gate in a test. */
  readonly now?: (() => EpochMs) | undefined
}

export type Claim =
  | { readonly type: 'granted'; readonly permit: string; readonly params: JsonObject }
  /** Another attempt holds it. */
  | { readonly type: 'running'; readonly since: EpochMs; readonly deadline: EpochMs }
  /** Already finished: the tool does not run. */
  | { readonly type: 'recorded'; readonly outcome: FinalOutcome }
  /** Started, never reported, deadline passed: a person reconciles. */
  | { readonly type: 'unknown' }
  | { readonly type: 'closed'; readonly reason: ClosedReason }

/** What the holder of an execution reports. */
export type Outcome =
  | { readonly status: 'succeeded'; readonly result?: Json | undefined }
  | { readonly status: 'failed' }
  /** Only with `reenters`, at most 20 times. */
  | { readonly status: 'suspended' }
  /** Aborted before the tool was entered. */
  | { readonly status: 'not_started' }

export type FinalOutcome =
  | { readonly status: 'succeeded'; readonly resultRecorded: boolean; readonly result?: Json | undefined }
  | { readonly status: 'failed' }
