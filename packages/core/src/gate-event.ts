/**
 * Gate events: what a gated call tells about itself while it waits and runs. Waiting is never silent.
 *
 * @module
 */
import type { Outcome, WaitOptions } from './asking-side.js'
import type { ErrorCode } from './errors.js'
import type { Intent, SettledIntent } from './intent.js'

export type GateEvent =
  | { readonly type: 'pending'; readonly intent: Intent; readonly approvalUrl: string }
  | {
      readonly type: 'waiting'
      readonly intent: Intent
      readonly votes: number
      readonly votesRequired: number
      readonly msLeft: number
    }
  | { readonly type: 'decided'; readonly intent: SettledIntent }
  | { readonly type: 'claimed'; readonly intent: SettledIntent }
  | { readonly type: 'finished'; readonly intent: SettledIntent; readonly outcome: Outcome }
  | { readonly type: 'report_failed'; readonly intent: SettledIntent; readonly error: unknown }
  /** It does not run, and no decision of a person or a policy says so: nobody decided in time, the gate is away, a permit did not verify. */
  | {
      readonly type: 'refused'
      readonly intent: Intent | undefined
      readonly action: string
      readonly code: ErrorCode
      /** Ids and field names only. */
      readonly message: string
    }

export interface GuardOptions extends WaitOptions {
  /** Waiting is never silent: `terminalReporter()` prints these. */
  onEvent?: ((event: GateEvent) => void) | undefined
}

/** A listener only listens: what it throws changes nothing about the call. */
export function emit({ onEvent }: Pick<GuardOptions, 'onEvent'>, event: GateEvent): void {
  try {
    onEvent?.(event)
  } catch {}
}
