/**
 * Announcements: a long wait is never silent. Each event of a call goes to the listener of the options, and what a user
 * interface needs of it to the custom stream of the graph.
 *
 * @module
 */
import { type GateEvent, type IntentStatus, noticeStatus, tellQuietly } from '@silentauth/core'
import type { ToolCall } from './tool-call.js'

/** What is sent to the graph's custom stream: enough to show that a call waits and where to decide, no arguments. */
export interface GateStreamEvent {
  readonly type: 'silentauth.gate'
  /** `pending`, `waiting` now and then, last what was decided. */
  readonly status: IntentStatus | 'waiting'
  readonly intentId: string
  readonly action: string
  readonly tool: string
  readonly toolCallId: string | undefined
  readonly approvalUrl: string
}

/** Tells the graph's stream and the listener. */
export function announce(
  event: GateEvent,
  { tool, call, onEvent }: { tool: string; call: ToolCall; onEvent: ((event: GateEvent) => void) | undefined },
): void {
  const status = noticeStatus(event)
  if (status !== undefined && event.intent) {
    const { id: intentId, action, approvalUrl } = event.intent
    const toolCallId = call.own?.id
    const chunk: GateStreamEvent = { type: 'silentauth.gate', status, intentId, action, tool, toolCallId, approvalUrl }
    tellQuietly(() => call.config.writer?.(chunk))
  }
  tellQuietly(() => onEvent?.(event))
}
