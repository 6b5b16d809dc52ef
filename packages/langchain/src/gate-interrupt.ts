/**
 * The interrupt of a call that waits: what a client of a suspended graph finds in its thread. It has no arguments and no
 * permit, because checkpoints, streams and user interfaces show it.
 *
 * @module
 */
import type { ErrorCode } from '@silentauth/core'

export const GATE_INTERRUPT = 'silentauth.gate/v1'

export interface GateInterrupt {
  readonly type: typeof GATE_INTERRUPT
  /** `NOT_APPROVED`: nobody has decided. `EXECUTION_RUNNING`: another process runs it. `GATE_UNAVAILABLE`, …: try again later. */
  readonly reason: ErrorCode
  readonly action: string
  readonly tool: string
  /** Missing for a call that another tool makes. */
  readonly toolCallId?: string
  /** Missing when the gate could not be asked. */
  readonly intentId?: string
  /** Where people decide. */
  readonly approvalUrl?: string
  /** RFC 3339. */
  readonly expiresAt?: string
  /** How to go on. */
  readonly resume: string
}

/** Of an interrupt, and of the value that wakes it. */
export function isGateInterrupt(value: unknown): value is Pick<GateInterrupt, 'type'> {
  return typeof value === 'object' && value !== null && 'type' in value && value.type === GATE_INTERRUPT
}
