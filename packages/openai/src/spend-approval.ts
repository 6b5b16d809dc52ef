/**
 * The spending of an approval before a run goes on: for calls that the SDK goes on with whatever becomes of them, so that what
 * cannot begin now has to be left waiting.
 *
 * @module
 */
import { type Begun, begin, gateRefusal, refusalError, refusalRoute } from '@silentauth/core'
import { tellLook, tellRefusal } from './call-events.js'
import type { GateToolOptions } from './gate-options.js'
import type { WaitingCall } from './gate-tool.js'

export type Spent = Extract<Begun, { type: 'begun' }>

/** @throws by the options, where a refusal is to be thrown */
export async function spendApproval(
  { call, seen }: NonNullable<WaitingCall['looked']>,
  options: GateToolOptions,
  signal: AbortSignal | undefined,
): Promise<Spent | 'wait' | { readonly reject: string }> {
  if (seen.type === 'pending') return 'wait'
  tellLook(seen, options)
  const { gate, onEvent } = options
  const begun =
    seen.type === 'approved' || seen.type === 'finished'
      ? await begin(gate, call.asked, seen, { signal, onEvent })
      : seen
  if (begun.type === 'begun') return begun
  if (begun.type === 'refused') tellRefusal(begun, call.asked.draft.action, options)
  switch (refusalRoute(begun, options)) {
    case 'throw':
      throw refusalError(begun)
    case 'pending':
      return 'wait'
    case 'message':
    case 'end':
      return { reject: gateRefusal(begun).text }
  }
}
