/**
 * A granted execution: the one running of an approved action, with its permit verified. Exactly one of `succeed`,
 * `fail`, `suspend` and `notStarted` ends it.
 *
 * @module
 */
import type { Gate, Outcome } from './asking-side.js'
import { type Permit, permitObject, withPermit } from './current-permit.js'
import { isSilentAuthError, SilentAuthError } from './errors.js'
import { emit, type GuardOptions } from './gate-event.js'
import type { PermitId } from './id.js'
import type { SettledIntent } from './intent.js'
import type { EpochMs, Json } from './json.js'
import { mutableCopy, type Snapshot } from './params.js'
import { summaryOf } from './result-summary.js'
import type { Attempt } from './state.js'

export interface Execution {
  readonly intent: SettledIntent
  /** A mutable copy of the snapshot; the tool gets this, or its own schema's parse of it. */
  readonly params: { [member: string]: Json }
  readonly permit: Permit
  /** An approver changed the params. */
  readonly edited: boolean
  /**
   * Runs a step of the tool with the permit in its context: once for a function, at each `next()` for a generator.
   *
   * @throws SilentAuthError `PERMIT_EXPIRED` when first entered too late
   */
  run<Result>(step: () => Result): Result
  /** `result`: recorded for this very call when it comes again, encrypted; JSON of at most 16 KB. */
  succeed(result?: Json): Promise<void>
  /**
   * The error stays here: errors carry params. Before `run` was entered, it means "not started". A timeout of the tool's own is
   * not reported, because what it gave up waiting for may still happen.
   */
  fail(error: unknown): Promise<void>
  /** Only for tools that were declared with `reenters`. @throws TypeError without it */
  suspend(): Promise<void>
  /** Gives the grant back. @throws TypeError once `run` was entered: then it may have started */
  notStarted(): Promise<void>
}

interface Grant {
  readonly intent: SettledIntent
  readonly params: Snapshot
  readonly edited: boolean
  readonly attempt: Attempt
  readonly fields: GrantFields
  readonly options: GuardOptions
}

/** What the verified permit of a grant says. */
export interface GrantFields {
  readonly token: string
  readonly permitId: PermitId
  readonly expiresAt: EpochMs
  readonly approvedBy: readonly string[]
  readonly now: () => EpochMs
}

export function grantedExecution(gate: Gate, grant: Grant): Execution {
  const { intent, params, edited, fields, options } = grant
  const { permitId, expiresAt, approvedBy, token, now } = fields
  const permit = permitObject(
    { intentId: intent.id, permitId, action: intent.action, params: params.value, expiresAt, approvedBy },
    token,
  )
  // Two clocks: a wall clock that is set back must not give an expired permit more time (E22).
  const entered = { yet: false }
  const monotonicEnd = performance.now() + (expiresAt - now())
  let ended = false

  const end = async (outcome: Outcome): Promise<void> => {
    if (ended) throw new TypeError(`${intent.id}: its execution was reported already`)
    ended = true
    try {
      await reportTo(gate, grant, outcome)
      emit(options, { type: 'finished', intent, outcome })
    } catch (error) {
      // The effect has happened or not, whatever the gate heard: the caller gets the tool's own result.
      emit(options, { type: 'report_failed', intent, error })
    }
  }

  return {
    intent,
    params: mutableCopy(params.value),
    permit,
    edited,
    run(step) {
      if (!entered.yet) {
        if (ended) throw new TypeError(`${intent.id}: its execution was reported already`)
        if (now() >= expiresAt || performance.now() >= monotonicEnd) {
          throw new SilentAuthError('PERMIT_EXPIRED', `${intent.id}: the permit expired before the tool was entered`, {
            intentId: intent.id,
          })
        }
        entered.yet = true
      }
      return withPermit(permit, step)
    },
    succeed: (result) => end({ status: 'succeeded', result: isReportable(result) ? result : undefined }),
    async fail(error) {
      if (entered.yet && isTimeout(error)) ended = true
      else await end({ status: entered.yet ? 'failed' : 'not_started' })
    },
    suspend: async () => {
      if (!intent.reenters) throw new TypeError(`${intent.id}: was declared without reenters`)
      await end({ status: 'suspended' })
    },
    notStarted: async () => {
      if (entered.yet) throw new TypeError(`${intent.id}: its tool was entered`)
      await end({ status: 'not_started' })
    },
  }
}

/** As `AbortSignal.timeout` and `fetch` throw it: what was waited for may still happen. */
export function isTimeout(error: unknown): boolean {
  return (error as { name?: unknown } | null | undefined)?.name === 'TimeoutError'
}

/** A gate that cannot keep the result is told without it that the tool has run, and the caller that it was not kept. */
async function reportTo(gate: Gate, { intent, attempt, options }: Grant, outcome: Outcome): Promise<void> {
  try {
    await gate.report(intent.id, attempt, outcome)
  } catch (error) {
    const notKept = isSilentAuthError(error) && error.code === 'INVALID_FIELD' && error.field === 'result'
    if (!notKept || outcome.status !== 'succeeded') throw error
    await gate.report(intent.id, attempt, { status: outcome.status })
    emit(options, { type: 'report_failed', intent, error })
  }
}

/** That a tool succeeded matters more than what it gave back. */
function isReportable(result: Json | undefined): boolean {
  try {
    summaryOf(result)
    return true
  } catch {
    return false
  }
}
