/**
 * Announcements: a long wait is never silent. Each event of a call goes to the listener of the options, and what a user
 * interface needs of it to the UI message stream.
 *
 * @module
 */
import { type GateEvent, type IntentStatus, noticeStatus, tellQuietly } from '@silentauth/core'

/** `writer` of `createUIMessageStream`. */
export interface GateWriter {
  write(part: GateDataPart): void
}

/** Transient: it reaches the client's `onData`, and is kept in no message. */
export interface GateDataPart {
  readonly type: 'data-gate'
  readonly transient: true
  readonly data: GateNotice
}

/** Enough to show that a call waits and where to decide, no arguments. */
export interface GateNotice {
  /** `pending`, `waiting` now and then, last what was decided. */
  readonly status: IntentStatus | 'waiting'
  readonly intentId: string
  readonly action: string
  readonly toolName: string
  readonly toolCallId: string | undefined
  readonly approvalUrl: string
  /** RFC 3339. */
  readonly expiresAt: string
}

export interface Announced {
  readonly toolName: string
  readonly toolCallId: string | undefined
  readonly writer: GateWriter | undefined
  readonly onEvent: ((event: GateEvent) => void) | undefined
}

/** Tells the stream and the listener. */
export function announce(event: GateEvent, { toolName, toolCallId, writer, onEvent }: Announced): void {
  const status = noticeStatus(event)
  if (writer && status !== undefined && event.intent) {
    const { id: intentId, action, approvalUrl, expiresAt } = event.intent
    const data: GateNotice = {
      status,
      intentId,
      action,
      toolName,
      toolCallId,
      approvalUrl,
      expiresAt: new Date(expiresAt).toISOString(),
    }
    tellQuietly(() => writer.write({ type: 'data-gate', transient: true, data }))
  }
  tellQuietly(() => onEvent?.(event))
}
