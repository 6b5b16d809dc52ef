/**
 * The parts of UI messages that wait for an approval, as a client has them.
 *
 * @module
 */
import type { ApprovalDescriptor } from './approval-descriptor.js'
import type { ChatMessage } from './ui-messages.js'

export interface ShownApproval {
  /** Undefined for a held call, for which the SDK makes no request. */
  readonly approvalId: string | undefined
  readonly toolCallId: string
  readonly toolName: string
  readonly input: unknown
  /** Undefined for a request that no gate made, and while the gate could not be asked. */
  readonly descriptor: ApprovalDescriptor | undefined
}

/** Requests in the last message: what came before was left behind. */
export function pendingParts(messages: readonly ChatMessage[]): ShownApproval[] {
  return lastParts(messages).flatMap((part) => {
    const { approval, state } = part
    if (approval === undefined || state !== 'approval-requested') return []
    return shownPart(part, approval.id, approval.descriptor)
  })
}

/** Held calls that show their wait, with the option `preliminary`, in the message that is coming in. */
export function heldParts(messages: readonly ChatMessage[]): ShownApproval[] {
  return lastParts(messages).flatMap((part) => {
    const { state, preliminary, output } = part
    const { type, status, approval } = (output ?? {}) as { type?: unknown; status?: unknown; approval?: unknown }
    const isHeld = type === 'silentauth.waiting/v1' && (status === 'pending' || status === 'waiting')
    return state === 'output-available' && preliminary && isHeld ? shownPart(part, undefined, approval) : []
  })
}

/** What of a part about a tool is read. */
interface WaitingPart {
  readonly type: string
  readonly toolName: string
  readonly toolCallId: string
  readonly state: string
  readonly input: unknown
  readonly output: unknown
  readonly preliminary: boolean
  readonly approval: { readonly id: string; readonly descriptor?: unknown }
}

function lastParts(messages: readonly ChatMessage[]): readonly Partial<WaitingPart>[] {
  const last = messages.at(-1)
  return last?.role === 'assistant' ? last.parts : []
}

function shownPart(part: Partial<WaitingPart>, approvalId: string | undefined, descriptor: unknown): ShownApproval[] {
  const { type, toolName, toolCallId, input } = part
  if (toolCallId === undefined) return []
  const name = type === 'dynamic-tool' ? toolName : type?.slice('tool-'.length)
  const its = isDescriptor(descriptor) ? descriptor : undefined
  return [{ approvalId, toolCallId, toolName: name ?? '', input, descriptor: its }]
}

/** A message may come from anywhere: its link is one to a page, and never a script. */
function isDescriptor(value: unknown): value is ApprovalDescriptor {
  if (typeof value !== 'object' || value === null) return false
  const { type, approvalUrl } = value as Partial<ApprovalDescriptor>
  return type === 'silentauth.gate/v1' && typeof approvalUrl === 'string' && /^https?:\/\//i.test(approvalUrl)
}
