/**
 * The gate, from the asking side: declare an intent, wait for the decision, claim its one execution, run, report.
 * Adapters translate a framework's call into a `GateCall` and use `look`, `begin`, `hold` and `guard`; nothing but an
 * explicit grant of the gate, with a permit that verifies against the arguments about to run, lets a tool run.
 *
 * @module
 */
import { type ErrorCode, isSilentAuthError, SilentAuthError } from './errors.js'
import { type Execution, type GrantFields, grantedExecution } from './granted-execution.js'
import { type IntentId, type ProjectId, randomToken } from './id.js'
import { type Intent, type IntentDraft, isSettled, type SettledIntent } from './intent.js'
import type { EpochMs, Json, JsonObject } from './json.js'
import type { KeyRing } from './key-ring.js'
import { type Snapshot, snapshot } from './params.js'
import { verifyPermit } from './permit.js'
import { MAX_LIFETIME_SECONDS } from './permit-claims.js'
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

/** One call of a gated tool. */
export interface GateCall {
  /** `callKey(…)`. */
  readonly key: string
  /** Made from the arguments about to run. */
  readonly snapshot: Snapshot
  readonly draft: Omit<IntentDraft, 'params' | 'idempotencyKey' | 'delivery'>
  /** Suspensions that this side has seen. @default 0 */
  readonly continues?: number | undefined
}

/** Not executed, and why. */
export interface Refusal {
  readonly type: 'refused'
  readonly code: ErrorCode
  readonly intent: Intent | undefined
  /** With `NOT_CLAIMABLE`, when the claim was closed for good. */
  readonly closed: ClosedReason | undefined
  readonly cause: unknown
}

export type Look =
  | { readonly type: 'pending'; readonly intent: Intent }
  /** `edited`: an approver changed the params; the intent is the successor. */
  | { readonly type: 'approved'; readonly intent: SettledIntent; readonly edited: boolean }
  | { readonly type: 'running'; readonly intent: SettledIntent; readonly deadline: EpochMs }
  /** Execution `succeeded`, `failed` or `unknown`: `begin` says which. */
  | { readonly type: 'finished'; readonly intent: SettledIntent; readonly edited: boolean }
  | Refusal

export type Begun =
  | { readonly type: 'begun'; readonly execution: Execution }
  | { readonly type: 'recorded'; readonly intent: SettledIntent; readonly outcome: FinalOutcome }
  | { readonly type: 'running'; readonly intent: SettledIntent; readonly deadline: EpochMs }
  | { readonly type: 'unknown'; readonly intent: SettledIntent }
  | Refusal

/** An approver's edits in a row, at most; also what the gate allows. */
const MAX_SUCCESSORS = 10
/** How long a claim waits for its leaf to be sequenced. */
const SEQUENCING_TIMEOUT_MS = 60_000

/**
 * One look, never a claim; follows `supersededBy`. Hooks that a framework calls several times use only this.
 *
 * @param options.create declare when there is none; false: only read
 * @throws only the signal's reason
 */
export async function look(gate: Gate, call: GateCall, options: { create: boolean } & CallOptions): Promise<Look> {
  const { create, signal } = options
  try {
    let intent = create
      ? await gate.declare(draftOf(call), { signal })
      : await gate.read({ idempotencyKey: call.key }, { signal })
    // A replayed history can carry the key of an approved call and other arguments.
    if (intent.paramsDigest !== call.snapshot.digest || intent.action !== call.draft.action) {
      return refusal('IDEMPOTENCY_MISMATCH', intent)
    }
    let edited = false
    for (let hops = 0; intent.status === 'superseded' && intent.supersededBy; hops++) {
      if (hops === MAX_SUCCESSORS) return refusal('INTENT_SUPERSEDED', intent)
      intent = await gate.read(intent.supersededBy, { signal })
      edited = true
    }
    return lookAt(intent, edited)
  } catch (error) {
    return refusalOf(error, signal)
  }
}

function lookAt(intent: Intent, edited: boolean): Look {
  if (!isSettled(intent)) return { type: 'pending', intent }
  switch (intent.status) {
    case 'approved':
      return lookAtApproved(intent, edited)
    case 'denied':
      return refusal('INTENT_DENIED', intent)
    case 'expired':
      return refusal('INTENT_EXPIRED', intent)
    case 'cancelled':
      return refusal('INTENT_CANCELLED', intent)
    case 'changes_requested':
      return refusal('CHANGES_REQUESTED', intent)
    case 'superseded':
      return refusal('INTENT_SUPERSEDED', intent)
  }
}

function lookAtApproved(intent: SettledIntent, edited: boolean): Look {
  switch (intent.execution.state) {
    case 'none':
    case 'suspended':
      return { type: 'approved', intent, edited }
    case 'started':
      return { type: 'running', intent, deadline: intent.execution.deadline ?? intent.createdAt }
    case 'failed':
    case 'unknown':
      return { type: intent.idempotent ? 'approved' : 'finished', intent, edited }
    case 'succeeded':
      return { type: 'finished', intent, edited }
    case 'abandoned':
    case 'delivered':
      return refusal('NOT_CLAIMABLE', intent)
  }
}

/**
 * Claims, and verifies the permit against that intent's params and audience before anything runs.
 *
 * @throws only the signal's reason
 */
export async function begin(
  gate: Gate,
  call: GateCall,
  looked: Extract<Look, { type: 'approved' | 'finished' }>,
  options: GuardOptions = {},
): Promise<Begun> {
  const { intent, edited } = looked
  const { signal } = options
  const attempt: Attempt = { executionId: call.key, attemptId: randomToken(), continues: call.continues ?? 0 }
  try {
    signal?.throwIfAborted()
    const claim = await claimWhenSequenced(gate, intent.id, attempt, signal)
    switch (claim.type) {
      case 'granted': {
        const params = edited ? snapshot(intent.params) : call.snapshot
        const fields = await verifyGrant(gate, { intent, params, claim, attempt, signal })
        options.onEvent?.({ type: 'claimed', intent })
        return {
          type: 'begun',
          execution: grantedExecution(gate, { intent, params, edited, attempt, fields, options }),
        }
      }
      case 'running':
        return { type: 'running', intent, deadline: claim.deadline }
      case 'recorded':
        return { type: 'recorded', intent, outcome: claim.outcome }
      case 'unknown':
        return { type: 'unknown', intent }
      case 'closed':
        return { ...refusal('NOT_CLAIMABLE', intent), closed: claim.reason }
    }
  } catch (error) {
    return { ...refusalOf(error, signal), intent }
  }
}

/** P6: the claim stands while its leaf is being sequenced; the same attempt repeats it. */
async function claimWhenSequenced(
  gate: Gate,
  id: IntentId,
  attempt: Attempt,
  signal: AbortSignal | undefined,
): Promise<Claim> {
  const deadline = performance.now() + SEQUENCING_TIMEOUT_MS
  for (;;) {
    try {
      return await gate.claim(id, attempt, { signal })
    } catch (error) {
      const waits = isSilentAuthError(error) && error.code === 'NOT_SEQUENCED' && performance.now() < deadline
      if (!waits) throw error
      await sleep((error.retryAfterSeconds ?? 1) * 1000, signal)
    }
  }
}

/** What was granted must be for exactly what is about to run; else the grant is given back (E10, E22). */
async function verifyGrant(
  gate: Gate,
  grant: {
    intent: SettledIntent
    params: Snapshot
    claim: Extract<Claim, { type: 'granted' }>
    attempt: Attempt
    signal: AbortSignal | undefined
  },
): Promise<GrantFields> {
  const { intent, params, claim, attempt, signal } = grant
  try {
    const granted = snapshot(claim.params)
    if (granted.digest !== params.digest || granted.digest !== intent.paramsDigest) {
      throw new SilentAuthError('PERMIT_PARAMS', `${intent.id}: the gate granted other params`, { intentId: intent.id })
    }
    const { issuer, projectId, keys, now = Date.now } = await gate.trust({ signal })
    signal?.throwIfAborted()
    // An hs256 project shares no secret with agents: the authenticated answer and the digest are what is checked.
    if (keys === undefined) return { token: claim.permit, now, ...unverified(claim.permit, intent) }
    const permit = await verifyPermit(claim.permit, {
      keys,
      issuer,
      projectId,
      action: intent.action,
      params: params.value,
      audience: intent.audience,
      maxLifetimeSeconds: MAX_LIFETIME_SECONDS,
      now,
    })
    if (permit.claims.intent_id !== intent.id) {
      throw new SilentAuthError('PERMIT_CLAIMS', `${intent.id}: the permit is of another intent`, {
        intentId: intent.id,
      })
    }
    const { jti, exp } = permit.claims
    return { token: claim.permit, permitId: jti, expiresAt: exp * 1000, approvedBy: permit.approvedBy, now }
  } catch (error) {
    await gate.report(intent.id, attempt, { status: 'not_started' }).catch(() => undefined)
    throw error
  }
}

function unverified(token: string, intent: SettledIntent): Omit<GrantFields, 'token' | 'now'> {
  const claims = JSON.parse(atob((token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/'))) as {
    jti: `pmt_${string}`
    exp: number
  }
  return { permitId: claims.jti, expiresAt: claims.exp * 1000, approvedBy: intent.approvedBy ?? [] }
}

export type GateEvent =
  | { readonly type: 'pending'; readonly intent: Intent; readonly approvalUrl: string }
  | {
      readonly type: 'waiting'
      readonly intent: Intent
      readonly votes: number
      readonly votesRequired: number
      readonly msLeft: number
    }
  | { readonly type: 'decided'; readonly intent: SettledIntent }
  | { readonly type: 'claimed'; readonly intent: SettledIntent }
  | { readonly type: 'finished'; readonly intent: SettledIntent; readonly outcome: Outcome }
  | { readonly type: 'report_failed'; readonly intent: SettledIntent; readonly error: unknown }

export interface GuardOptions extends WaitOptions {
  /** Waiting is never silent: `terminalReporter()` prints these. */
  onEvent?: ((event: GateEvent) => void) | undefined
}

/** How often a wait says that it still waits. */
const HEARTBEAT_MS = 15_000
/** How soon a wait asks again after it lost the gate. */
const RECONNECT_MS = 1000

/**
 * look, wait, begin: keeps the caller waiting until there is a decision. Cancels the intent on abort and on timeout.
 *
 * @throws only the signal's reason
 */
export async function hold(gate: Gate, call: GateCall, options: GuardOptions = {}): Promise<Begun> {
  const { signal, onEvent } = options
  const deadline = performance.now() + (options.timeoutMs ?? Number.POSITIVE_INFINITY)
  let seen = await look(gate, call, { create: true, signal })
  if (seen.type === 'pending') onEvent?.({ type: 'pending', intent: seen.intent, approvalUrl: seen.intent.approvalUrl })
  while (seen.type === 'pending') {
    const { intent } = seen
    try {
      const settled = await waitForSlice(gate, intent, deadline, signal)
      if (settled) onEvent?.({ type: 'decided', intent: settled })
      seen = await look(gate, call, { create: false, signal })
      // The gate went away between two looks: the intent still waits there, so this keeps waiting too.
      if (seen.type === 'refused' && seen.code === 'GATE_UNAVAILABLE' && Date.now() < intent.expiresAt) {
        await sleep(RECONNECT_MS, signal)
        seen = { type: 'pending', intent }
      }
    } catch (error) {
      await gate.cancel(intent.id, 'nobody waits for it any more').catch(() => undefined)
      return { ...refusalOf(error, signal), intent }
    }
    if (seen.type === 'pending') onEvent?.(waiting(seen.intent))
  }
  switch (seen.type) {
    case 'approved':
    case 'finished':
      if (signal?.aborted) {
        await gate.cancel(seen.intent.id, 'nobody waits for it any more').catch(() => undefined)
        signal.throwIfAborted()
      }
      return begin(gate, call, seen, options)
    case 'running':
    case 'refused':
      return seen
  }
}

/** Waits in slices, so that it can say in between that it waits. @returns undefined after a slice without decision */
async function waitForSlice(
  gate: Gate,
  intent: Intent,
  deadline: number,
  signal: AbortSignal | undefined,
): Promise<SettledIntent | undefined> {
  const left = deadline - performance.now()
  if (left <= 0) throw new SilentAuthError('WAIT_TIMEOUT', `${intent.id}: no decision in time`, { intentId: intent.id })
  try {
    return await gate.wait(intent.id, { signal, timeoutMs: Math.min(left, HEARTBEAT_MS) })
  } catch (error) {
    if (isSilentAuthError(error) && error.code === 'WAIT_TIMEOUT' && left > HEARTBEAT_MS) return undefined
    throw error
  }
}

function waiting(intent: Intent): GateEvent {
  const msLeft = Math.max(0, intent.expiresAt - Date.now())
  return { type: 'waiting', intent, votes: intent.approvals.length, votesRequired: intent.approvalsRequired, msLeft }
}

/**
 * hold, run, report. If only the report fails, the result is returned and `report_failed` emitted.
 *
 * @throws SilentAuthError every refusal's code, `EXECUTION_RUNNING` at once instead of waiting for another runner,
 * `EXECUTION_UNKNOWN`, `ALREADY_EXECUTED`; the signal's reason; whatever `execute` throws
 */
export async function guard<Result>(
  gate: Gate,
  call: GateCall,
  execute: (execution: Execution) => Result | Promise<Result>,
  options: GuardOptions = {},
): Promise<Result> {
  const begun = await hold(gate, call, options)
  if (begun.type !== 'begun') throw refusalError(begun)
  const { execution } = begun
  let result: Result
  try {
    result = await execution.run(() => execute(execution))
  } catch (error) {
    await execution.fail(error)
    throw error
  }
  await execution.succeed()
  return result
}

/** The error that a refusal becomes where the caller expects a throw. */
export function refusalError(begun: Exclude<Begun, { type: 'begun' }>): SilentAuthError {
  const id = begun.intent?.id
  const details = id === undefined ? {} : { intentId: id }
  const name = id ?? 'the call'
  switch (begun.type) {
    case 'refused':
      return isSilentAuthError(begun.cause)
        ? begun.cause
        : new SilentAuthError(begun.code, `${name}: was not executed`, { ...details, cause: begun.cause })
    case 'running':
      return new SilentAuthError('EXECUTION_RUNNING', `${name}: another attempt executes it`, {
        ...details,
        deadline: begun.deadline,
      })
    case 'unknown':
      return new SilentAuthError('EXECUTION_UNKNOWN', `${name}: it began and never reported`, details)
    case 'recorded':
      return new SilentAuthError('ALREADY_EXECUTED', `${name}: it was executed before`, details)
  }
}

function draftOf(call: GateCall): IntentDraft {
  return { ...call.draft, params: call.snapshot.value, idempotencyKey: call.key, delivery: 'claim' }
}

function refusal(code: ErrorCode, intent: Intent | undefined, cause?: unknown): Refusal {
  return { type: 'refused', code, intent, closed: undefined, cause }
}

/** Whatever goes wrong on the way to a grant is a refusal; only the caller's own abort is thrown. */
function refusalOf(error: unknown, signal: AbortSignal | undefined): Refusal {
  signal?.throwIfAborted()
  return refusal(isSilentAuthError(error) ? error.code : 'GATE_UNAVAILABLE', undefined, error)
}

function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }, ms)
    signal?.addEventListener('abort', stop, { once: true })
  })
}
