/**
 * The gate, from the asking side: declare an intent, wait for the decision, claim its one execution, run, report.
 * Adapters translate a framework's call into a `GateCall` and use `look`, `begin`, `hold` and `guard`; nothing but an
 * explicit grant of the gate, with a permit that verifies against the arguments about to run, lets a tool run.
 *
 * @module
 */
import type { CallOptions, FinalOutcome, Gate } from './asking-side.js'
import { type ErrorCode, isSilentAuthError, SilentAuthError } from './errors.js'
import { emit, type GateEvent, type GuardOptions } from './gate-event.js'
import { type Execution, grantedExecution } from './granted-execution.js'
import { randomToken } from './id.js'
import { type Intent, type IntentDraft, isSettled, type SettledIntent } from './intent.js'
import type { EpochMs } from './json.js'
import { type Snapshot, snapshot } from './params.js'
import { atMost, sleep } from './sleep.js'
import type { Attempt, ClosedReason } from './state.js'
import { claimVerified } from './verified-grant.js'

export type { CallOptions, Claim, FinalOutcome, Gate, Outcome, Trust, WaitOptions } from './asking-side.js'
export type { GateEvent, GuardOptions } from './gate-event.js'

/** One call of a gated tool. */
export interface GateCall {
  /** `callKey(…)`. */
  readonly key: string
  /** Made from the arguments about to run. */
  readonly snapshot: Snapshot
  readonly draft: Omit<IntentDraft, 'params' | 'idempotencyKey' | 'delivery'>
  /** Suspensions that this side has seen; `stored`: as many as the gate has, where nothing here keeps count. @default 0 */
  readonly continues?: number | 'stored' | undefined
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
    // An edit changes the params, never the action.
    if (intent.action !== call.draft.action) return refusal('IDEMPOTENCY_MISMATCH', intent)
    return lookAt(intent, edited)
  } catch (error) {
    return refusalOf(error, signal)
  }
}

/** What can be said of a call that nobody waits for any more, whatever came of its intent. */
export function refusalOfSettled(intent: SettledIntent): Exclude<Begun, { type: 'begun' }> {
  const seen = lookAt(intent, false)
  switch (seen.type) {
    case 'pending':
    case 'approved':
      return refusal('INTENT_CANCELLED', intent)
    case 'finished': {
      const { state } = intent.execution
      if (state === 'unknown') return { type: 'unknown', intent }
      const outcome =
        state === 'succeeded' ? ({ status: state, resultRecorded: false } as const) : { status: 'failed' as const }
      return { type: 'recorded', intent, outcome }
    }
    case 'running':
      return seen
    case 'refused':
      // Cancelled before it was claimed.
      return seen.code === 'NOT_CLAIMABLE' ? refusal('INTENT_CANCELLED', intent) : seen
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
  throw new TypeError('the status of the intent is none that is known')
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
  throw new TypeError('the state of the execution is none that is known')
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
  const { key: executionId, continues: seen = 0 } = call
  const continues = seen === 'stored' ? intent.execution.continuations : seen
  const attempt: Attempt = { executionId, attemptId: randomToken(), continues }
  try {
    signal?.throwIfAborted()
    const params = edited ? snapshot(intent.params) : call.snapshot
    const claim = await claimVerified(gate, { intent, params, attempt, signal })
    switch (claim.type) {
      case 'granted': {
        emit(options, { type: 'claimed', intent })
        const { fields } = claim
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
    throw new TypeError('the answer to the claim is of no known type')
  } catch (error) {
    return { ...refusalOf(error, signal), intent }
  }
}

/** How often a wait says that it still waits. */
export const HEARTBEAT_MS = 15_000
/** How soon a wait asks again after it lost the gate. */
const RECONNECT_MS = 1000
const LET_GO_MS = 5000

/**
 * look, wait, begin: keeps the caller waiting until there is a decision. Cancels the intent on abort and on timeout.
 *
 * @throws only the signal's reason
 */
export async function hold(gate: Gate, call: GateCall, options: GuardOptions = {}): Promise<Begun> {
  const begun = await holdUntilBegun(gate, call, options)
  if (begun.type === 'refused' && !DECISIONS.has(begun.code)) {
    const { intent, code } = begun
    emit(options, { type: 'refused', intent, action: call.draft.action, code, message: refusalError(begun).message })
  }
  return begun
}

/** Refusals that `decided` has told, or that policy gave at once. */
const DECISIONS: ReadonlySet<ErrorCode> = new Set([
  'INTENT_DENIED',
  'INTENT_EXPIRED',
  'INTENT_CANCELLED',
  'INTENT_SUPERSEDED',
  'CHANGES_REQUESTED',
])

async function holdUntilBegun(gate: Gate, call: GateCall, options: GuardOptions): Promise<Begun> {
  const { signal } = options
  signal?.throwIfAborted()
  const deadline = performance.now() + (options.timeoutMs ?? Number.POSITIVE_INFINITY)
  let announced: Intent | undefined
  /** Not by this machine's clock, which may be another than the gate's: no intent waits for longer than it was given. */
  let mayWaitUntil = 0
  let seen: Look
  try {
    seen = await look(gate, call, { create: true, signal })
  } catch (error) {
    // The declaration may have arrived all the same.
    await letGo(async () => gate.cancel((await gate.read({ idempotencyKey: call.key })).id, ABANDONED))
    throw error
  }
  while (seen.type === 'pending') {
    const { intent } = seen
    if (intent.id === announced?.id) emit(options, waitingEvent(intent))
    else {
      mayWaitUntil = performance.now() + (intent.expiresAt - intent.createdAt)
      emit(options, { type: 'pending', intent, approvalUrl: intent.approvalUrl })
    }
    announced = intent
    try {
      const settled = await waitForSlice(gate, intent, deadline, signal)
      if (settled) emit(options, { type: 'decided', intent: settled })
      seen = await look(gate, call, { create: false, signal })
      // The gate went away between two looks: the intent still waits there, so this keeps waiting too.
      if (seen.type === 'refused' && seen.code === 'GATE_UNAVAILABLE' && performance.now() < mayWaitUntil) {
        await sleep(RECONNECT_MS, signal)
        seen = { type: 'pending', intent }
      }
    } catch (error) {
      await letGo(() => gate.cancel(intent.id, ABANDONED))
      return { ...refusalOf(error, signal), intent }
    }
  }
  switch (seen.type) {
    case 'approved':
    case 'finished':
      if (signal?.aborted) {
        const { id } = seen.intent
        await letGo(() => gate.cancel(id, ABANDONED))
        signal.throwIfAborted()
      }
      return begin(gate, call, seen, options)
    case 'running':
    case 'refused':
      return seen
  }
}

const ABANDONED = 'nobody waits for it any more'

/** A gate that is away must not keep the caller who leaves. */
async function letGo(cancel: () => Promise<unknown>): Promise<void> {
  await atMost(LET_GO_MS, cancel())
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

/** What a wait says now and then. */
export function waitingEvent(intent: Intent): Extract<GateEvent, { type: 'waiting' }> {
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
  let entered = false
  let result: Result
  try {
    result = await execution.run(() => {
      entered = true
      return execute(execution)
    })
  } catch (error) {
    // Whoever left may have left a tool that goes on: nobody knows what it did, and the gate shows it as unknown.
    if (!(entered && options.signal?.aborted)) await execution.fail(error)
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
