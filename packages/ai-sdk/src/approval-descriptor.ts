/**
 * Approval descriptors: what a client is shown of a call that waits, in the place that the AI SDK's messages have for it.
 *
 * @module
 */
import type { Intent, RiskTier } from '@silentauth/core'

/** `part.approval.descriptor`. No arguments, no permit. */
export interface ApprovalDescriptor {
  readonly type: 'silentauth.gate/v1'
  readonly intentId: string
  readonly action: string
  /** Where people decide. */
  readonly approvalUrl: string
  readonly riskTier: RiskTier
  /** RFC 3339. */
  readonly expiresAt: string
}

export function descriptorOf({ id, action, approvalUrl, riskTier, expiresAt }: Intent): ApprovalDescriptor {
  return {
    type: 'silentauth.gate/v1',
    intentId: id,
    action,
    approvalUrl,
    riskTier,
    expiresAt: new Date(expiresAt).toISOString(),
  }
}
