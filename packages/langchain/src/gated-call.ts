/**
 * A gated call: asked of the gate, waited for, and run with its permit, or answered with what the gate said. This
 * translates; what is asked, decided and proved is core's.
 *
 * @module
 */
import {
  type Begun,
  type ErrorCode,
  type Execution,
  type GateCall,
  type GateEvent,
  gateRefusal,
  hold,
  isSilentAuthError,
  type NotExecuted,
  type Refusal,
  refusalCode,
  refusalError,
} from '@silentauth/core'
import { actionName } from './action-name.js'
import { announce } from './announcement.js'
import { type BoundArguments, bindArguments, bindProjection, editSchemaOf, parserOf } from './bound-arguments.js'
import type { GateToolOptions } from './gate-options.js'
import { inSteps, isGenerator } from './generator-steps.js'
import { type CallInfo, callContext, callInfo, type ToolCall, toolCallKey } from './tool-call.js'
import { type Answered, recordedResult, refusalMessage, withEditNotice } from './tool-result.js'

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
  const parse = parserOf(tool)
  const actionOf = actionOfCall(tool.name, options)
  const edits = options.allowEdits ? { schema: editSchemaOf(tool.name, tool) } : false

  return async (call) => {
    const info = callInfo(tool.name, call)
    if (options.when && !(await options.when(call.parsed, info))) return call.run(call.parsed)

    const to: Answered = { name: tool.name, responseFormat: tool.responseFormat, toolCallId: call.toolCallId }
    let bound: BoundArguments
    try {
      bound = options.params
        ? bindProjection(call.parsed, options.params)
        : await bindArguments(call.raw, call.parsed, parse)
    } catch (error) {
      if (isSilentAuthError(error)) return refuse(error, options, to)
      throw error
    }
    const asked: GateCall = {
      key: toolCallKey(tool.name, call),
      snapshot: bound.snapshot,
      draft: {
        action: actionOf(call.parsed, info),
        edits,
        idempotent: options.idempotent ?? false,
        context: { ...callContext(tool.name, call), ...(await contextOf(options, call.parsed, info)) },
        approvers: options.approvers,
        source: options.source,
        riskTier: typeof options.riskTier === 'function' ? options.riskTier(call.parsed, info) : options.riskTier,
      },
    }
    const onEvent = (event: GateEvent): void => announce(event, { tool: tool.name, call, onEvent: options.onEvent })
    const { signal } = call.config
    const begun = await hold(options.gate, asked, { signal, timeoutMs: options.timeoutMs, onEvent })
    return begun.type === 'begun' ? execute(begun.execution, bound, options, call, to) : answer(begun, options, to)
  }
}

function actionOfCall(name: string, { action }: GateToolOptions): (args: unknown, info: CallInfo) => string {
  if (typeof action === 'function') return action
  const fixed = action ?? actionName(name)
  return () => fixed
}

async function contextOf({ context }: GateToolOptions, args: unknown, info: CallInfo) {
  return typeof context === 'function' ? context(args, info) : context
}

/** Runs the tool with its permit, and reports what became of it. */
async function execute(
  execution: Execution,
  bound: BoundArguments,
  options: GateToolOptions,
  call: GatedCall,
  to: Answered,
): Promise<unknown> {
  const { signal } = call.config
  let args: unknown
  try {
    args = await bound.argumentsOf(execution)
    signal?.throwIfAborted()
  } catch (error) {
    await execution.notStarted()
    signal?.throwIfAborted()
    return refuse(notGranted(execution, error), options, to)
  }

  let entered = false
  const enter = <Result>(step: () => Result): Result =>
    execution.run(() => {
      entered = true
      return step()
    })
  const failed = async (error: unknown): Promise<never> => {
    // LangChain's `tool()` lets go of a function when the signal fires, and the function goes on: nobody knows what it did.
    // Without a report the gate shows the execution as unknown, for a person to look at.
    if (!signal?.aborted) await execution.fail(error)
    throw isInterrupt(error) ? interrupted(to.name, error) : error
  }
  const finished = async (output: unknown): Promise<unknown> => {
    await execution.succeed()
    return execution.edited ? withEditNotice(output, execution.intent.params, to) : output
  }

  let output: unknown
  try {
    output = await enter(() => call.run(args))
  } catch (error) {
    if (entered) return failed(error)
    await execution.notStarted()
    return refuse(notGranted(execution, error), options, to)
  }
  return isGenerator(output) ? inSteps(output, { enter, finished, failed }) : finished(output)
}

/** The gate did not grant this call; one that was executed before is answered by `replay`. */
function answer(begun: Exclude<Begun, { type: 'begun' }>, options: GateToolOptions, to: Answered): unknown {
  if (begun.type !== 'recorded') return refuse(begun, options, to)
  if (options.replay === 'error') throw refusalError(begun)
  const { outcome } = begun
  const kept = outcome.status === 'succeeded' && outcome.resultRecorded
  return kept ? recordedResult(outcome.result, to) : refusalMessage(gateRefusal(begun), to)
}

/** Nothing ran: the model is told, or the caller gets the error. */
function refuse(refusal: Exclude<NotExecuted, { type: 'pending' }>, options: GateToolOptions, to: Answered): unknown {
  const code = refusalCode(refusal)
  const how = DECISIONS.has(code) ? options.onDenied : options.onGateError
  if (how === 'throw') throw isSilentAuthError(refusal) ? refusal : refusalError(refusal)
  return refusalMessage(gateRefusal(refusal), to)
}

/** Somebody decided, or nobody did in time; every other code says that the gate did not grant. */
const DECISIONS: ReadonlySet<ErrorCode> = new Set([
  'INTENT_DENIED',
  'CHANGES_REQUESTED',
  'INTENT_EXPIRED',
  'INTENT_CANCELLED',
  'INTENT_SUPERSEDED',
  'WAIT_TIMEOUT',
])

/** A grant that came to nothing. What the tool's own schema says of an approver's edits is no mistake of the model. */
function notGranted({ intent }: Execution, cause: unknown): Refusal {
  const code = isSilentAuthError(cause) ? cause.code : 'EDITS_NOT_ACCEPTED'
  return { type: 'refused', code, intent, closed: undefined, cause }
}

/** As LangGraph recognises its own: two copies of it can be loaded. */
function isInterrupt(error: unknown): boolean {
  const name = error instanceof Error ? error.name : undefined
  return name === 'GraphInterrupt' || name === 'NodeInterrupt'
}

/** A resumed graph would enter the tool a second time, under an approval for one. */
function interrupted(name: string, cause: unknown): Error {
  return new Error(`${name}: a gated tool that interrupts itself is not supported in this version`, { cause })
}
