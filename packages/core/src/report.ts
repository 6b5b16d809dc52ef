/**
 * A report says what came of an execution (E5, E9, E10, E17, E19). Every report is kept; the verifier's outranks the
 * person's, and the person's the agent's.
 *
 * @module
 */
import { becomeUnknown, close, isHolder } from './execution.js'
import type { EpochMs } from './json.js'
import {
  type Attempt,
  event,
  type FinalStatus,
  type ResultSummary,
  refused,
  revokeAll,
  type State,
  type Transition,
  unchanged,
} from './state.js'

/** What a holder reports. The state has status, digest and size of a result, never the result. */
export interface ReportedOutcome {
  readonly status: FinalStatus | 'suspended' | 'not_started'
  readonly result?: ResultSummary | undefined
}

export interface ReportCommand {
  readonly type: 'report'
  readonly attempt: Attempt
  readonly outcome: ReportedOutcome
}
export interface LogExecutionCommand {
  readonly type: 'log_execution'
  readonly by: 'agent' | 'verifier'
  readonly status: FinalStatus
}
export const MAX_CONTINUATIONS = 20

/** E5, E9, E10. A repeated report, after a lost answer, changes nothing. */
export function reportExecution(state: State, { attempt, outcome }: ReportCommand, now: EpochMs): Transition {
  if (state.status !== 'approved') throw refused(state, 'NOT_APPROVED', `it is ${state.status}`)
  if (!isHolder(state, attempt)) throw refused(state, 'FORBIDDEN', 'only the attempt that was granted may report')
  switch (outcome.status) {
    case 'succeeded':
    case 'failed':
      return reportFinal(state, { status: outcome.status, result: outcome.result }, now)
    case 'suspended':
      return reportSuspended(state, now)
    case 'not_started':
      return reportNotStarted(state, now)
  }
}

function reportFinal(
  state: State,
  outcome: { readonly status: FinalStatus; readonly result?: ResultSummary | undefined },
  now: EpochMs,
): Transition {
  const { execution } = state
  const said = execution.reports?.agent
  if (said === outcome.status) return unchanged(state)
  switch (execution.state) {
    case 'started':
    case 'unknown':
      return finish(state, 'agent', outcome, now)
    case 'succeeded':
    case 'failed':
      if (said !== undefined) throw refused(state, 'ALREADY_RESOLVED', `it was reported ${execution.state}`)
      return finish(state, 'agent', outcome, now)
    case 'none':
    case 'suspended':
    case 'abandoned':
    case 'delivered':
      throw refused(state, 'NOT_CLAIMABLE', `its execution is ${execution.state}`)
  }
}

/**
 * E9, E17, E19: keeps every report, and lets the verifier's outrank the person's, and the person's the agent's.
 * Who contradicts an earlier report makes it disputed.
 */
export function finish(
  state: State,
  by: 'agent' | 'verifier' | 'person',
  outcome: { readonly status: FinalStatus; readonly result?: ResultSummary | undefined },
  now: EpochMs,
): Transition {
  const { execution } = state
  const reports = { ...execution.reports, [by]: outcome.status }
  const outranks = by === 'verifier' ? 'verifier' : reports.verifier ? 'verifier' : reports.person ? 'person' : by
  const status = reports[outranks] ?? outcome.status
  const contradicts =
    new Set(Object.values(reports)).size > 1 ||
    (by === 'verifier' && ['abandoned', 'suspended'].includes(execution.state))
  const events = [event(state, 'execution.reported', { by, status: outcome.status })]
  if (contradicts && !execution.disputed) events.push(event(state, 'execution.disputed', { by }))
  return {
    state: {
      ...state,
      permits: revokeAll(state.permits, now),
      execution: {
        ...execution,
        state: status,
        reportedBy: outranks,
        reports,
        disputed: execution.disputed || contradicts,
        result: outcome.result ?? execution.result,
      },
    },
    events,
    permits: [],
  }
}

/** E5. */
function reportSuspended(state: State, now: EpochMs): Transition {
  const { execution, declaration } = state
  if (execution.state === 'suspended') return unchanged(state)
  if (!declaration.reenters) {
    throw refused(state, 'INVALID_FIELD', 'a tool that suspends is declared with reenters', 'reenters')
  }
  if (execution.state !== 'started') throw refused(state, 'NOT_CLAIMABLE', `its execution is ${execution.state}`)
  if (execution.continuations >= MAX_CONTINUATIONS) {
    throw refused(state, 'NOT_CLAIMABLE', `it was suspended ${MAX_CONTINUATIONS} times`)
  }
  return {
    state: {
      ...state,
      permits: revokeAll(state.permits, now),
      execution: {
        ...execution,
        state: 'suspended',
        continuations: execution.continuations + 1,
        deadline: undefined,
      },
    },
    events: [event(state, 'execution.suspended', { continuations: execution.continuations + 1 })],
    permits: [],
  }
}

/** E10. Where an earlier grant entered the tool, "not started" is only true of this one: a person must look. */
function reportNotStarted(state: State, now: EpochMs): Transition {
  const { execution } = state
  if (execution.state === 'abandoned') return unchanged(state)
  if (execution.state !== 'started') throw refused(state, 'NOT_CLAIMABLE', `its execution is ${execution.state}`)
  if (state.redemptions.length > 0) throw refused(state, 'ALREADY_REDEEMED', 'a backend has used the approval')
  return (execution.grants ?? 1) > 1 ? becomeUnknown(state, now) : close(state, 'abandoned', now)
}

/** E19, and the report of a token delivery. */
export function logExecution(state: State, { by, status }: LogExecutionCommand, now: EpochMs): Transition {
  if (state.status !== 'approved') throw refused(state, 'NOT_APPROVED', `it is ${state.status}`)
  const { execution } = state
  const said = execution.reports?.[by]
  if (said === status) return unchanged(state)
  if (said !== undefined) throw refused(state, 'ALREADY_RESOLVED', `${by} reported ${said}`)
  if (by === 'agent' && !['delivered', 'started', 'unknown', 'succeeded', 'failed'].includes(execution.state)) {
    throw refused(state, 'NOT_CLAIMABLE', `its execution is ${execution.state}`)
  }
  return finish(state, by, { status }, now)
}
