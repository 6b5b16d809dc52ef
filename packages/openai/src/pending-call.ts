/**
 * A pending call, as a user interface is shown it: what waits, and where people decide. No arguments.
 *
 * @module
 */
import type { Intent } from '@silentauth/core'

export interface PendingCall {
  readonly tool: string
  readonly callId: string
  /** Missing where a tool was gated without its agent, and its process waits. */
  readonly agent?: string | undefined
  readonly action: string
  /** Missing when the gate could not be asked. */
  readonly intentId?: string
  /** Where people decide. */
  readonly approvalUrl?: string
  /** RFC 3339. */
  readonly expiresAt?: string
}

/** What the intent says of a call that waits. */
export function pendingOf(
  call: Pick<PendingCall, 'tool' | 'callId' | 'agent'>,
  { id, action, approvalUrl, expiresAt }: Pick<Intent, 'id' | 'action' | 'approvalUrl' | 'expiresAt'>,
): PendingCall {
  return { ...call, action, intentId: id, approvalUrl, expiresAt: new Date(expiresAt).toISOString() }
}
