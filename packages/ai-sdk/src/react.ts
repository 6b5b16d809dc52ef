/**
 * What a chat shows of calls that wait for an approval: a hook and a component without style. They decide nothing: the link
 * leads to where people do, and a nudge only makes the server ask the gate again.
 *
 * @module
 */
import { createElement, type ReactElement, type ReactNode, useEffect, useMemo } from 'react'
import type { ApprovalDescriptor } from './approval-descriptor.js'
import { nudging } from './nudging.js'
import { heldParts, pendingParts, type ShownApproval } from './pending-parts.js'
import type { ChatMessage } from './ui-messages.js'

export type { ApprovalDescriptor } from './approval-descriptor.js'
export { heldParts, pendingParts, type ShownApproval } from './pending-parts.js'

/** What of `useChat` is used. */
export interface NudgedChat {
  readonly messages: readonly ChatMessage[]
  readonly status: string
  /** Without a message: the server continues the last one, or says that it still waits. */
  sendMessage(): Promise<unknown>
}

export interface PendingApprovalsOptions {
  /** How often the server is asked again while something waits. 0: never, where it tells the client in another way. @default 5000 */
  nudgeEveryMs?: number | undefined
}

/** The calls of a chat that wait, while the chat asks its server now and then whether they were decided. */
export function usePendingApprovals(
  { messages, status, sendMessage }: NudgedChat,
  { nudgeEveryMs = 5000 }: PendingApprovalsOptions = {},
): readonly ShownApproval[] {
  const requests = useMemo(() => pendingParts(messages), [messages])
  // What is held waits only as long as its stream lives.
  const isLive = status === 'submitted' || status === 'streaming'
  const held = useMemo(() => (isLive ? heldParts(messages) : []), [messages, isLive])
  // A server that was away for a while is asked again, too.
  const isWaiting = requests.length > 0 && (status === 'ready' || status === 'error')
  useEffect(
    () => (isWaiting && nudgeEveryMs > 0 ? nudging(sendMessage, nudgeEveryMs) : undefined),
    [isWaiting, nudgeEveryMs, sendMessage],
  )
  return useMemo(() => [...requests, ...held], [requests, held])
}

export interface PendingApprovalProps {
  readonly approval: ShownApproval
  readonly className?: string | undefined
  /** In place of the words. */
  readonly children?: ReactNode
}

/** One call that waits, with the link to where people decide. */
export function PendingApproval({ approval, className, children }: PendingApprovalProps): ReactElement {
  const { toolName, descriptor } = approval
  const words = children ?? `${descriptor?.action ?? toolName} waits for a person's approval.`
  return createElement(
    'div',
    { role: 'status', className, 'data-silentauth-gate': 'pending', 'data-intent-id': descriptor?.intentId },
    words,
    descriptor && [' ', linkTo(descriptor)],
  )
}

function linkTo({ approvalUrl }: ApprovalDescriptor): ReactElement {
  return createElement('a', { key: 'link', href: approvalUrl, target: '_blank', rel: 'noopener noreferrer' }, 'Review')
}
