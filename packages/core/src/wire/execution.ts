/**
 * Executions on the wire: what everybody may see of them.
 *
 * @module
 */
import type { ExecutionState } from '../intent.js'
import { epoch, maybeInstant, type Nullable } from './instant.js'

export interface WireExecution {
  state: ExecutionState['state']
  continuations: number
  deadline: Nullable<string>
  reported_by: Nullable<string>
  disputed: boolean
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
