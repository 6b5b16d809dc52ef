/**
 * Function calls of the Responses and Chat Completions APIs, settled by hand: your own loop hands over what the model asked
 * for, and gets what to answer. While one call waits none runs, because the API takes no answer to a part of them.
 *
 * @module
 */
import {
  actionName,
  type Begun,
  type BoundCall,
  begin,
  bindCall,
  callKey,
  hold,
  isSilentAuthError,
  type JsonObject,
  knownContext,
  type Look,
  look,
  needsGate,
  type Parse,
  waitsForLater,
} from '@silentauth/core'
import type { ChatCompletionToolMessageParam } from 'openai/resources/chat/completions'
import type { ResponseFunctionToolCall, ResponseInputItem } from 'openai/resources/responses/responses'
import { tellLook, tellRefusal } from './call-events.js'
import { answerOf, askedCall, refused } from './gated-call.js'
import { wordsIn } from './model-words.js'
import { checkPlainOptions, type PlainCallInfo, type PlainGateOptions } from './plain-options.js'

export interface GatedFunction<Args = unknown>
  extends Partial<Omit<PlainGateOptions<Args>, 'gate' | 'runKey' | 'onGateError'>> {
  onGateError?: SettleOptions['onGateError']
  execute(args: Args, call: { readonly signal: AbortSignal | undefined }): unknown
  /** Throws for arguments that are wrong. @default JSON as it came */
  parse?: ((args: unknown) => Args | Promise<Args>) | undefined
  /** JSON Schema; needed for `allowEdits`. */
  parameters?: JsonObject | undefined
}

export interface SettleOptions extends Omit<PlainGateOptions<never>, 'runKey' | 'action' | 'params' | 'onGateError'> {
  /**
   * Of one logical run: random, and kept with what the model said. Where ids of calls repeat over its turns, each turn needs one
   * of its own.
   */
  runKey: string
  /** `hold`: waits for the decisions. `suspend`: comes back with what waits; settle again later, in any process. @default 'hold' */
  wait?: 'hold' | 'suspend' | undefined
  /** When the gate could not be asked or did not grant; nothing runs then. @default 'message', with `suspend` 'pending' */
  onGateError?: 'message' | 'throw' | 'pending' | undefined
  signal?: AbortSignal | undefined
}

/** A call that waits. */
export interface PendingFunctionCall {
  readonly name: string
  readonly callId: string
  readonly intentId?: string
  readonly approvalUrl?: string
}

/** An item of the Responses API. */
export type FunctionCallOutput = ResponseInputItem.FunctionCallOutput & { call_id: string; output: string }
export type ToolMessage = ChatCompletionToolMessageParam & { content: string }

// biome-ignore lint/suspicious/noExplicitAny: functions of many argument types in one record
export type GatedFunctions = Readonly<Record<string, GatedFunction<any>>>

/**
 * For the Responses API. `outputs` is empty while anything is `pending`.
 *
 * @param items the output of a response; what is no function call is left out
 * @throws TypeError for options that make no sense; what a function throws; the signal's reason
 */
export async function settleFunctionCalls(
  items: readonly { readonly type: string }[],
  functions: GatedFunctions,
  options: SettleOptions,
): Promise<{ outputs: FunctionCallOutput[]; pending: PendingFunctionCall[] }> {
  const calls = items.filter((item): item is ResponseFunctionToolCall => item.type === 'function_call')
  const asked = calls.map(({ call_id: callId, name, arguments: text }) => ({ callId, name, text }))
  const { answers, pending } = await settle(asked, functions, { ...options, reasoning: wordsIn(items) })
  return {
    outputs: answers.map(([callId, output]) => ({ type: 'function_call_output', call_id: callId, output })),
    pending,
  }
}

/** For the Chat Completions API, with a message of the assistant. As `settleFunctionCalls`. */
export async function settleToolCalls(
  message: { readonly tool_calls?: readonly { readonly id: string; readonly type: string }[] | null | undefined },
  functions: GatedFunctions,
  options: SettleOptions,
): Promise<{ messages: ToolMessage[]; pending: PendingFunctionCall[] }> {
  const asked = (message.tool_calls ?? []).map((call) => {
    const { function: called } = call as { function?: { name: string; arguments: string } }
    return { callId: call.id, name: called?.name ?? '', text: called?.arguments ?? '' }
  })
  const { answers, pending } = await settle(asked, functions, { ...options, reasoning: wordsIn([message]) })
  return {
    messages: answers.map(([callId, content]) => ({ role: 'tool', tool_call_id: callId, content })),
    pending,
  }
}

interface AskedFor {
  readonly callId: string
  readonly name: string
  readonly text: string
}

/** A call that can be answered, in the way that is known by now. */
interface Prepared extends AskedFor {
  /** Undefined: it is in `answer`. */
  readonly call: BoundCall | undefined
  readonly seen: Look | undefined
  /** Not to be answered yet. */
  readonly waits: boolean
  /** `left`: another one is thrown, so nobody gets what this one comes to. What still waits ends then; what runs goes on. */
  answer(left: AbortSignal): Promise<unknown>
}

/** What the model said beside the calls. */
interface Settling extends SettleOptions {
  readonly reasoning: string | undefined
}

async function settle(
  asked: readonly AskedFor[],
  functions: GatedFunctions,
  options: Settling,
): Promise<{ answers: [callId: string, text: string][]; pending: PendingFunctionCall[] }> {
  if (!options.runKey) throw new TypeError('runKey must not be empty: every call of the process would be the same one')
  const ids = new Set(asked.map(({ callId }) => callId))
  if (ids.size !== asked.length) throw new TypeError('two of the calls have the same id')
  const prepared = await Promise.all(asked.map((call) => prepare(call, functions, options)))
  const waiting = prepared.filter(({ waits }) => waits)
  if (waiting.length > 0) return { answers: [], pending: waiting.map(pendingCall) }
  const leaving = new AbortController()
  const answers = await Promise.allSettled(
    prepared.map(async (call): Promise<[string, string]> => {
      try {
        return [call.callId, textOf(await call.answer(leaving.signal))]
      } catch (error) {
        leaving.abort(error)
        throw error
      }
    }),
  )
  if (leaving.signal.aborted) throw leaving.signal.reason
  return { answers: answers.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])), pending: [] }
}

async function prepare(asked: AskedFor, functions: GatedFunctions, options: Settling): Promise<Prepared> {
  const { name, callId, text } = asked
  const said = (answer: Prepared['answer']): Prepared => ({
    ...asked,
    call: undefined,
    seen: undefined,
    waits: false,
    answer,
  })
  const own = Object.hasOwn(functions, name) ? functions[name] : undefined
  if (!own) return said(async () => `There is no function ${name}.`)
  const { execute, parse: parseArgs, parameters, ...more } = own
  const { signal, runKey, reasoning, wait = 'hold', ...common } = options
  const merged = { ...common, ...more, wait }
  checkPlainOptions(name, merged)
  if (merged.action === undefined) actionName(name)
  const parse: Parse = async (args) => (parseArgs ? parseArgs(args) : args)

  let raw: unknown
  let parsed: unknown
  try {
    raw = JSON.parse(text)
    parsed = await parse(raw)
  } catch (error) {
    return said(async () => `The arguments of ${name} are wrong: ${error instanceof Error ? error.message : error}`)
  }
  const info: PlainCallInfo = { toolName: name, toolCallId: callId, signal }
  if (!(await needsGate(merged, parsed as never, info))) return said(async () => execute(parsed, { signal }))
  let call: BoundCall
  try {
    call = await bindCall(
      name,
      merged as never,
      askedCall({
        key: callKey({ scope: '', run: runKey, agent: `tool:${name}`, callId, occurrence: 0 }),
        raw,
        parsed,
        parse,
        info,
        known: knownContext({ tool: name, tool_call_id: callId, reasoning }),
        edits: merged.allowEdits ? { schema: structuredClone(parameters ?? {}) } : false,
      }),
    )
  } catch (error) {
    if (isSilentAuthError(error)) return said(async () => refused(error, merged as never))
    throw error
  }
  const granted = {
    toolName: name,
    bound: call.bound,
    options: merged as never,
    signal,
    run: (args: unknown) => execute(args, { signal }),
  }
  const { gate, timeoutMs, onEvent } = merged
  if (wait === 'hold') {
    return said(async (left) => {
      const waiting = { signal: signal ? AbortSignal.any([signal, left]) : left, timeoutMs, onEvent }
      return answerOf(await hold(gate, call.asked, waiting), granted)
    })
  }
  const seen = await look(gate, call.asked, { create: true, signal })
  if (seen.type === 'pending') tellLook(seen, merged)
  const told = (begun: Begun): Begun => {
    if (begun.type === 'refused') tellRefusal(begun, call.asked.draft.action, merged)
    return begun
  }
  return {
    ...asked,
    call,
    seen,
    waits: waitsForLater(seen, merged as never),
    async answer() {
      if (seen.type !== 'approved' && seen.type !== 'finished') {
        if (seen.type === 'refused') told(seen)
        return refused(seen, { ...merged, wait: 'hold' } as never)
      }
      tellLook(seen, merged)
      return answerOf(told(await begin(gate, call.asked, seen, { signal, onEvent })), granted)
    },
  }
}

function pendingCall({ name, callId, seen }: Prepared): PendingFunctionCall {
  const intent = seen && 'intent' in seen ? seen.intent : undefined
  return { name, callId, ...(intent && { intentId: intent.id, approvalUrl: intent.approvalUrl }) }
}

function textOf(output: unknown): string {
  return typeof output === 'string' ? output : (JSON.stringify(output) ?? '')
}
