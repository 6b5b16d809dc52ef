/**
 * Gate notices: what of a gate's events a user interface is shown, and how those who listen are told.
 *
 * @module
 */
import type { GateEvent } from './gate-event.js'
import type { IntentStatus } from './intent.js'

/** `pending`, `waiting` now and then, last what was decided. Undefined: nothing to show. */
export function noticeStatus(event: GateEvent): IntentStatus | 'waiting' | undefined {
  switch (event.type) {
    case 'pending':
    case 'waiting':
      return event.type
    case 'decided':
      return event.intent.status
    case 'claimed':
    case 'finished':
    case 'report_failed':
    case 'refused':
      return undefined
  }
}

/** A listener that fails, such as the writer of a stream that was closed, must not decide what becomes of the call. */
export function tellQuietly(listener: () => void): void {
  try {
    listener()
  } catch (error) {
    globalThis.process?.emitWarning?.(error instanceof Error ? error : String(error))
  }
}
