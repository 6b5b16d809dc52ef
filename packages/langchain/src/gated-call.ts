/**
 * A gated call: asked of the gate, waited for, and run with its permit, or answered with what the gate said. This
 * translates; what is asked, decided and proved is core's.
 *
 * @module
 */
import {
  actionName,
  type Begun,
  type BoundArguments,
  bindArguments,
  bindProjection,
  type GateCall,
  type GateEvent,
  gateCallOf,
  gateRefusal,
  hold,
  isSilentAuthError,
  type NotExecuted,
  refusalError,
  refusalRoute,
  runGranted,
} from '@silentauth/core'
import { announce } from './announcement.js'
import type { GateToolOptions } from './gate-options.js'
import { isInterrupt, suspend } from './suspension.js'
import { callContext, callInfo, type ToolCall, toolCallKey } from './tool-call.js'
import { type Answered, recordableResult, recordedResult, refusalMessage, withEditNotice } from './tool-result.js'
import { editSchemaOf, parserOf } from './tool-schema.js'

/** What of a tool the gate needs. */
export interface GateableTool {
  readonly name: string
  readonly schema: unknown
  readonly responseFormat?: string | undefined
}

/** One call on its way: with the arguments parsed, and what runs the tool itself. */
export interface GatedCall extends ToolCall {
  readonly parsed: unknown
  /** Of the message that LangChain makes of the result; undefined: it makes none. */
  readonly toolCallId: string | undefined
  run(args: unknown): unknown
}

/** Answers one call of a tool. */
export type Gatekeeper = (call: GatedCall) => Promise<unknown>

/** @throws TypeError for a name that makes no action, or a schema without JSON form under `allowEdits` */
export function gatekeeper(tool: GateableTool, options: GateToolOptions): Gatekeeper {
  const { name, responseFormat } = tool
  const parse = parserOf(tool)
  const edits = options.allowEdits ? { schema: editSchemaOf(name, tool) } : false
  if (options.action === undefined) actionName(name)

  return async (call) => {
    const info = callInfo(name, call)
    const args = call.parsed
    if (options.when && !(await options.when(args, info))) return call.run(args)

    const to: Answered = { name, responseFormat, toolCallId: call.toolCallId }
    let bound: BoundArguments
    try {
      bound = options.params ? bindProjection(args, options.params) : await bindArguments(call.raw, args, parse)
    } catch (error) {
      if (isSilentAuthError(error)) return refuse(error, options, to)
      throw error
    }
    const asked = await gateCallOf(name, options, {
      key: toolCallKey(name, call),
      bound,
      args,
      info,
      known: callContext(name, call),
      edits,
      // LangGraph enters the tool again and keeps no count of it.
      continues: 'stored',
    })
    const begun = await wait(tool, asked, call, options)
    if (begun.type !== 'begun') return refuse(begun, options, to)

    const { execution } = begun
    const ran = await runGranted(execution, {
      toolName: name,
      bound,
      signal: call.config.signal,
      run: (approved) => call.run(approved),
      finish: (output) => (execution.edited ? withEditNotice(output, execution.intent.params, to) : output),
      record: options.recordResult ? (output) => recordableResult(output, to) : undefined,
      isPause: isInterrupt,
    })
    return ran.type === 'output' ? ran.output : refuse(ran, options, to)
  }
}

function wait({ name }: GateableTool, asked: GateCall, call: GatedCall, options: GateToolOptions): Promise<Begun> {
  const { gate, timeoutMs } = options
  const { signal } = call.config
  const onEvent = (event: GateEvent): void => announce(event, { tool: name, call, onEvent: options.onEvent })
  return options.wait === 'suspend'
    ? suspend(asked, { tool: name, call, options, onEvent })
    : hold(gate, asked, { signal, timeoutMs, onEvent })
}

/** Nothing ran now: the model is told, or the caller gets the error. */
function refuse(refusal: Exclude<NotExecuted, { type: 'pending' }>, options: GateToolOptions, to: Answered): unknown {
  if (refusalRoute(refusal, options) === 'throw') throw isSilentAuthError(refusal) ? refusal : refusalError(refusal)
  if (!isSilentAuthError(refusal) && refusal.type === 'recorded') {
    const { outcome } = refusal
    if (outcome.status === 'succeeded' && outcome.resultRecorded) return recordedResult(outcome.result, to)
  }
  return refusalMessage(gateRefusal(refusal), to)
}
