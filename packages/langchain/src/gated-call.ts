/**
 * A gated call: asked of the gate, waited for, and run with its permit, or answered with what the gate said. This
 * translates; what is asked, decided and proved is core's.
 *
 * @module
 */
import {
  actionName,
  answerCall,
  type Begun,
  bindArguments,
  type GateCall,
  type GateEvent,
  hold,
  type NotExecuted,
  refusalAnswer,
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
    const to: Answered = { name, responseFormat, toolCallId: call.toolCallId }
    const answer = await answerCall(name, options, {
      key: () => toolCallKey(name, call),
      args: call.parsed,
      bind: () => bindArguments(call.raw, call.parsed, parse),
      info: callInfo(name, call),
      known: callContext(name, call),
      edits,
      // LangGraph enters the tool again and keeps no count of it.
      continues: 'stored',
      signal: call.config.signal,
      begin: (asked) => wait(tool, asked, call, options),
      run: (args) => call.run(args),
      finish: (output, { edited, intent }) => (edited ? withEditNotice(output, intent.params, to) : output),
      record: options.recordResult ? (output) => recordableResult(output, to) : undefined,
      isPause: isInterrupt,
    })
    switch (answer.type) {
      case 'passed':
        return call.run(call.parsed)
      case 'output':
        return answer.output
      case 'refused':
        return refuse(answer.refusal, options, to)
    }
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
function refuse(refusal: NotExecuted, options: GateToolOptions, to: Answered): unknown {
  const answer = refusalAnswer(refusal, options)
  switch (answer.type) {
    case 'thrown':
      throw answer.error
    case 'recorded':
      return recordedResult(answer.result, to)
    case 'told':
      return refusalMessage(answer.refusal, to)
  }
}
