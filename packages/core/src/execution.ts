/**
 * The one execution of an approved intent, between its claim and its reports: what the clock does to it, what a cancel
 * does, and what everybody may see of it (E4, E14, E16).
 *
 * @module
 */
import type { ExecutionState } from './intent.js'
import type { EpochMs } from './json.js'
import { type Attempt, event, refused, revokeAll, type State, type Transition, unchanged } from './state.js'

/** E4 and E16. */
export function executionClock(state: State, now: EpochMs): Transition {
  const { execution } = state
  const windowOver = now >= (state.useUntil ?? Number.POSITIVE_INFINITY)
  switch (execution.state) {
    case 'none':
      return windowOver ? close(state, 'window', now) : unchanged(state)
    case 'started':
      return now >= (execution.deadline ?? Number.POSITIVE_INFINITY) ? becomeUnknown(state, now) : unchanged(state)
    case 'suspended':
      return windowOver ? becomeUnknown(state, now, 'window') : unchanged(state)
    case 'succeeded':
    case 'failed':
    case 'unknown':
    case 'abandoned':
    case 'delivered':
      return unchanged(state)
  }
}

/** E14, for an approved intent. */
export function cancelExecution(state: State, now: EpochMs): Transition {
  switch (state.execution.state) {
    case 'none':
      return close(state, 'abandoned', now)
    case 'started':
    case 'unknown':
      throw refused(state, 'IN_FLIGHT', `its execution is ${state.execution.state}`)
    case 'suspended':
      return becomeUnknown(state, now)
    case 'delivered':
      // Once: else an agent could write as many leaves about one intent as it likes.
      if (state.permits.every(({ revokedAt }) => revokedAt !== undefined)) return unchanged(state)
      return {
        state: { ...state, permits: revokeAll(state.permits, now) },
        events: [event(state, 'permit.revoked', { permit_id: state.permits.at(-1)?.id ?? null })],
        permits: [],
      }
    case 'succeeded':
    case 'failed':
    case 'abandoned':
      throw refused(state, 'ALREADY_RESOLVED', `its execution is ${state.execution.state}`)
  }
}

/** What everybody may see of an execution. */
export function executionState({ execution }: Pick<State, 'execution'>): ExecutionState {
  return {
    state: execution.state,
    continuations: execution.continuations,
    deadline: execution.state === 'started' ? execution.deadline : undefined,
    reportedBy: execution.reportedBy,
    disputed: execution.disputed,
  }
}

/** Only the attempt that was granted may repeat its claim (E2) and report. */
export function isHolder({ execution }: State, attempt: Attempt): boolean {
  return execution.holder?.executionId === attempt.executionId && execution.holder.attemptId === attempt.attemptId
}

export function close(state: State, reason: 'abandoned' | 'window', now: EpochMs): Transition {
  return {
    state: {
      ...state,
      permits: revokeAll(state.permits, now),
      execution: { ...state.execution, state: 'abandoned', closed: reason },
    },
    events: [event(state, 'execution.abandoned', { reason })],
    permits: [],
  }
}

/** Nobody knows what came of it. Whatever its permits would still allow, they are no longer good for (P4). */
export function becomeUnknown(state: State, now: EpochMs, closed?: 'window'): Transition {
  return {
    state: {
      ...state,
      permits: revokeAll(state.permits, now),
      execution: { ...state.execution, state: 'unknown', ...(closed && { closed }) },
    },
    events: [event(state, 'execution.unknown', {})],
    permits: [],
  }
}
