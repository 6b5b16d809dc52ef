/**
 * The parts of UI messages that wait for an approval, as a client has them.
 *
 * @module
 */
import type { ApprovalDescriptor } from './approval-descriptor.js'
import type { ChatMessage } from './ui-messages.js'

export interface ShownApproval {
  readonly approvalId: string
  readonly toolCallId: string
  readonly toolName: string
  readonly input: unknown
  /** Undefined for a request that no gate made, and while the gate could not be asked. */
  readonly descriptor: ApprovalDescriptor | undefined
}

/** Only those of the last message: what came before was left behind. */
export function pendingParts(messages: readonly ChatMessage[]): ShownApproval[] {
  const last = messages.at(-1)
  if (last?.role !== 'assistant') return []
  return last.parts.flatMap((part) => {
    const { type, toolName, toolCallId, state, input, approval } = part as Partial<WaitingPart>
    if (toolCallId === undefined || approval === undefined || state !== 'approval-requested') return []
    const name = type === 'dynamic-tool' ? toolName : type?.slice('tool-'.length)
    const descriptor = isDescriptor(approval.descriptor) ? approval.descriptor : undefined
    return [{ approvalId: approval.id, toolCallId, toolName: name ?? '', input, descriptor }]
  })
}

interface WaitingPart {
  readonly type: string
  readonly toolName: string
  readonly toolCallId: string
  readonly state: string
  readonly input: unknown
  readonly approval: { readonly id: string; readonly descriptor?: unknown }
}

/** A message may come from anywhere: its link is one to a page, and never a script. */
function isDescriptor(value: unknown): value is ApprovalDescriptor {
  if (typeof value !== 'object' || value === null) return false
  const { type, approvalUrl } = value as Partial<ApprovalDescriptor>
  return type === 'silentauth.gate/v1' && typeof approvalUrl === 'string' && /^https?:\/\//i.test(approvalUrl)
}
