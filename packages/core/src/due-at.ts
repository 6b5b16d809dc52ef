/**
 * When an intent moves next by itself (LIFECYCLE I7, E4, E16, P6): what a store keeps to find the intents that are due.
 *
 * @module
 */
import type { EpochMs } from './json.js'
import { type State, waitingPermit } from './state.js'

/** The first instant at which `clock` changes this state; undefined when time alone never does. */
export function dueAt(state: State): EpochMs | undefined {
  const { declaration, status, execution, useUntil } = state
  if (status === 'pending') return declaration.expiresAt
  if (status !== 'approved') return undefined
  // P6: whoever sweeps looks whether its leaf has its place by now.
  if (waitingPermit(state)) return state.resolvedAt
  switch (execution.state) {
    case 'none':
    case 'suspended':
      return useUntil
    case 'started':
      return execution.deadline
    case 'succeeded':
    case 'failed':
    case 'unknown':
    case 'abandoned':
    case 'delivered':
      return undefined
  }
}
