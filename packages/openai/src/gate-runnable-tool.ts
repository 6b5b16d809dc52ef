/**
 * Gated tools for `client.chat.completions.runTools`: the process waits in the call, because such a run has no state that
 * could be kept.
 *
 * @module
 */
import { actionName, callKey, type JsonObject, knownContext, type Parse } from '@silentauth/core'
import { heldCall } from './gated-call.js'
import { textOf, wordsIn } from './model-words.js'
import { checkPlainOptions, type PlainCallInfo, type PlainGateOptions } from './plain-options.js'

/** What `runTools` takes: a tool with a function, with or without a parser, or what `zodFunction()` makes. */
export interface RunnableTool {
  readonly type: 'function'
  readonly function: object
}

/** The fields of both kinds. */
interface AnyRunnable {
  readonly function: {
    readonly name?: string
    readonly description?: string
    readonly parameters?: JsonObject
    readonly strict?: boolean
    readonly function?: Callback
    readonly parse?: (text: string) => unknown
  }
  /** Of `zodFunction()`. */
  readonly $parseRaw?: (text: string) => unknown
  readonly $callback?: Callback
}

type Callback = ((args: never, runner: never, context: unknown) => unknown) & { readonly name: string }

/** The fields of a runner that are read here. */
interface ToolRunner {
  readonly messages: readonly { readonly role: string; readonly tool_calls?: readonly RunnerCall[] }[]
  readonly controller: AbortController
  allChatCompletions?(): readonly { readonly model?: unknown }[]
}
interface RunnerCall {
  readonly id: string
  readonly function?: { readonly name: string; readonly arguments: string }
}

/**
 * Gates every call of a tool.
 *
 * @returns a tool of the same type
 * @throws TypeError for a tool without a function, and for options that make no sense
 */
export function gateRunnableTool<Tool extends RunnableTool>(tool: Tool, options: PlainGateOptions): Tool {
  const { function: fields, $parseRaw, $callback } = tool as unknown as AnyRunnable
  const callback = $parseRaw ? $callback : fields.function
  const name = fields.name ?? callback?.name ?? ''
  if (callback === undefined) throw new TypeError(`${name}: cannot be gated, because it has no function`)
  checkPlainOptions(name, options)
  if (options.action === undefined) actionName(name)
  const parseText = $parseRaw ?? fields.parse
  const { description = '', parameters = {} } = fields
  const strict = $parseRaw ? true : fields.strict
  const parse: Parse = async (args) => (parseText ? parseText(JSON.stringify(args)) : args)

  const answer = async (raw: string, runner: ToolRunner, context: unknown): Promise<unknown> => {
    let given: unknown
    let parsed: unknown
    try {
      given = JSON.parse(raw)
      parsed = parseText ? await parseText(raw) : given
    } catch (error) {
      // As the client says it to the model.
      return error instanceof Error ? error.message : String(error)
    }
    const { signal } = runner.controller
    const { callId, turn } = placeOf(runner, name, raw)
    const model = textOf(runner.allChatCompletions?.().at(-1)?.model)
    const reasoning = wordsIn([runner.messages[turn] ?? {}])
    const run = options.runKey ?? runKeyOf(runner)
    const info: PlainCallInfo = { toolName: name, toolCallId: callId, signal }
    return heldCall({
      toolName: name,
      options,
      key: callKey({ scope: '', run, agent: `tool:${name}`, callId, occurrence: turn }),
      raw: given,
      parsed,
      parse,
      info,
      known: knownContext({ tool: name, tool_call_id: callId, model, reasoning }),
      edits: options.allowEdits ? { schema: structuredClone(parameters) } : false,
      signal,
      passed: () => callback((parseText ? parsed : raw) as never, runner as never, context),
      run: async (_, { params }) => {
        const text = options.params ? raw : JSON.stringify(params)
        return callback((parseText ? await parseText(text) : text) as never, runner as never, context)
      },
    })
  }
  const gated = { name, description, parameters, ...(strict !== undefined && { strict }), function: answer }
  return { type: 'function', function: gated } as unknown as Tool
}

const runKeys = new WeakMap<object, string>()
const taken = new WeakMap<object, Set<string>>()

function runKeyOf(runner: object): string {
  const key = runKeys.get(runner) ?? crypto.randomUUID()
  runKeys.set(runner, key)
  return key
}

/** The client does not say which call it is: the first of the last message with this name and these arguments, that is free. */
function placeOf(runner: ToolRunner, name: string, raw: string): { callId: string; turn: number } {
  const ids = taken.get(runner) ?? new Set<string>()
  taken.set(runner, ids)
  // Ids can repeat over turns.
  const turn = runner.messages.findLastIndex((message) => message.role === 'assistant' && message.tool_calls?.length)
  const call = runner.messages[turn]?.tool_calls?.find(
    ({ id, function: called }) => called?.name === name && called.arguments === raw && !ids.has(`${turn} ${id}`),
  )
  const callId = call?.id ?? crypto.randomUUID()
  ids.add(`${turn} ${callId}`)
  return { callId, turn: Math.max(0, turn) }
}
