/**
 * When the clock moves an intent next (LIFECYCLE I7, E4, E16): what a store keeps to find the intents that are due.
 *
 * @module
 */
import type { EpochMs } from './json.js'
import type { State } from './state.js'

/** The first instant at which `clock` changes this state; undefined when time alone never does. */
export function dueAt({ declaration, status, execution, useUntil }: State): EpochMs | undefined {
  if (status === 'pending') return declaration.expiresAt
  if (status !== 'approved') return undefined
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
