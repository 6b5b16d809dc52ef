/**
 * What a listener is told of a call that this package looks at by itself, instead of waiting for it in core.
 *
 * @module
 */
import { type GateEvent, type Look, type Refusal, refusalError } from '@silentauth/core'

interface Listening {
  readonly onEvent?: ((event: GateEvent) => void) | undefined
}

/** A listener only listens. */
export function tell({ onEvent }: Listening, event: GateEvent): void {
  try {
    onEvent?.(event)
  } catch {}
}

/** What a look has found: that it waits, or that a person has approved what is about to begin. */
export function tellLook(seen: Look, options: Listening): void {
  if (seen.type === 'pending') {
    tell(options, { type: 'pending', intent: seen.intent, approvalUrl: seen.intent.approvalUrl })
  }
  const isApproved = seen.type === 'approved' || seen.type === 'finished'
  if (isApproved && seen.intent.decision === 'require_approval' && seen.intent.execution.state === 'none') {
    tell(options, { type: 'decided', intent: seen.intent })
  }
}

export function tellRefusal(refusal: Refusal, action: string, options: Listening): void {
  const { intent, code } = refusal
  if (intent?.resolution && intent.status !== 'approved') tell(options, { type: 'decided', intent: intent as never })
  else tell(options, { type: 'refused', intent, action, code, message: refusalError(refusal).message })
}
