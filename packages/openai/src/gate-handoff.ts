/**
 * Gated handoffs: another agent takes over only when that was approved. The SDK has no pause for them, so the process waits.
 *
 * @module
 */
import { type Agent, getHandoff, type Handoff } from '@openai/agents'
import { type GateMethodOptions, held } from './gate-methods.js'
import { checkOptions } from './gate-options.js'

/** What is refused ends the run. */
export type GateHandoffOptions = Omit<GateMethodOptions, 'onDenied' | 'onGateError' | 'replay'>

// biome-ignore lint/suspicious/noExplicitAny: the SDK's own bound
type AnyAgent = Agent<any, any>
// biome-ignore lint/suspicious/noExplicitAny: as above
type AnyHandoff = Handoff<any, any>

/** For `handoffs: [...]`. The action is the handoff's tool name, such as `transfer_to_billing`. @throws TypeError for options that make no sense */
export function gateHandoff(to: AnyAgent | AnyHandoff, options: GateHandoffOptions): AnyHandoff {
  const handoff = getHandoff(to) as AnyHandoff
  const { toolName } = handoff
  checkOptions(toolName, options as never, 'hold')
  const strict: GateMethodOptions = { ...options, onDenied: 'throw', onGateError: 'throw', replay: 'error' }
  return handoff.clone({
    onInvokeHandoff: (context, text) => {
      const given: unknown = text === '' ? {} : JSON.parse(text)
      return held(
        toolName,
        given,
        strict,
        (refusal) => refusal,
        () => handoff.onInvokeHandoff(context, text),
      )
    },
  })
}
