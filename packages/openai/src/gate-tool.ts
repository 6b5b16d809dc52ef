/**
 * Gated tools of the Agents SDK: a copy of the tool whose every call is asked of the gate first. What runs is the tool's own
 * function, under its own timeout, with the arguments that were approved and nothing else.
 *
 * @module
 */
import { type FunctionTool, invokeFunctionTool, type RunContext } from '@openai/agents'
import { actionName, hold, isSilentAuthError, type JsonObject, type Parse } from '@silentauth/core'
import { type CallInfo, checkOptions, type GateToolOptions } from './gate-options.js'
import { type AskedTool, answerOf, type BoundCall, boundCall, knownOf, refused, ToolFailure } from './gated-call.js'
import { type ModelCall, markAnswered, type RunScope, scopeOf, toolCallKey } from './run-scope.js'
import { type ParsedInput, parseInput } from './tool-input.js'

/** What `tool()` makes, `getAllMcpTools()` gives, or a class of your own. */
export interface ClientTool {
  readonly type: 'function'
  readonly name: string
  invoke(runContext: never, input: string, details?: never): Promise<unknown>
  needsApproval(runContext: never, input: never, callId?: string): Promise<boolean>
}

/** A tool's arguments as its schema parses them. */
export type ArgumentsOf<Tool> = Tool extends {
  needsApproval: (runContext: never, input: infer Args, ...rest: never) => unknown
}
  ? Args
  : unknown

/**
 * Gates every call of a function tool, whoever makes it.
 *
 * @returns a copy of the same type; a tool that is gated already as it is
 * @throws TypeError for what is no function tool, and for options that make no sense
 */
export function gateTool<Tool extends ClientTool>(tool: Tool, options: GateToolOptions<ArgumentsOf<Tool>>): Tool {
  if (isGated(tool)) return tool
  requireTool(tool)
  checkOptions(tool.name, options as GateToolOptions<never>)
  return gated(tool, options as GateToolOptions, {}) as unknown as Tool
}

/** Also true for the gated tools of other loaded copies of this package. */
export function isGated(tool: unknown): boolean {
  return typeof tool === 'object' && tool !== null && GATED in tool
}

const GATED = Symbol.for('silentauth.gated')

/** @throws TypeError for tools that the provider runs, and for anything else without a body to guard */
export function requireTool(tool: unknown): asserts tool is FunctionTool & ClientTool {
  const { type, name, invoke } = (tool ?? {}) as { type?: unknown; name?: unknown; invoke?: unknown }
  if (type === 'function' && typeof invoke === 'function') return
  throw new TypeError(`${typeof name === 'string' ? name : 'a tool'}: cannot be gated, because it is no function tool`)
}

/** Where a tool belongs. */
export interface Belonging {
  readonly agentName?: string | undefined
  readonly model?: string | undefined
}

/** The fields of the details of a call that are read here. */
interface Details {
  readonly toolCall?: ModelCall | undefined
  readonly signal?: AbortSignal | undefined
}

/** One call of a gated tool, as the SDK makes it. */
interface ToolEntry {
  readonly runContext: RunContext<unknown>
  readonly input: string
  readonly details: Details | undefined
  readonly scope: RunScope
  readonly callId: string | undefined
  readonly key: string
}

/** @throws TypeError for a name that makes no action */
export function gated(tool: FunctionTool & ClientTool, options: GateToolOptions, of: Belonging): FunctionTool {
  if (options.action === undefined) actionName(tool.name)
  const inner = copyOf(tool)
  const edits = options.allowEdits ? { schema: structuredClone(tool.parameters) as unknown as JsonObject } : false
  const parse: Parse = async (args) => {
    const parsed = await parseInput(inner, JSON.stringify(args))
    if (parsed.type === 'invalid') throw parsed.error
    return parsed.value
  }

  const askedOf = (
    entry: Pick<ToolEntry, 'key' | 'callId' | 'details' | 'runContext'>,
    raw: unknown,
    parsed: unknown,
  ): AskedTool<CallInfo> => ({
    toolName: tool.name,
    options,
    key: entry.key,
    raw,
    parsed,
    parse,
    edits,
    info: {
      toolName: tool.name,
      toolCallId: entry.callId,
      agentName: of.agentName,
      runContext: entry.runContext,
      signal: entry.details?.signal,
    },
    known: knownOf({ tool: tool.name, tool_call_id: entry.callId, agent: of.agentName, model: of.model }),
  })

  const invoke = async (runContext: RunContext<unknown>, input: string, details?: Details): Promise<unknown> => {
    const entry = entryOf(tool.name, runContext, input, details)
    try {
      return await answer(entry)
    } finally {
      if (details?.toolCall && entry.callId !== undefined) {
        markAnswered(entry.scope, tool.name, entry.callId, details.toolCall)
      }
    }
  }

  async function answer(entry: ToolEntry): Promise<unknown> {
    const { runContext, input, details } = entry
    details?.signal?.throwIfAborted()
    const parsed: ParsedInput = await parseInput(inner, input)
    // In the tool's own words. What its schema refuses must not reach it, even if the schema changes its mind.
    if (parsed.type === 'invalid') return run(inner, { runContext, input: NO_JSON, details })
    const asked = askedOf(entry, JSON.parse(input), parsed.value)
    if (options.when && !(await options.when(parsed.value, asked.info))) return run(inner, entry)
    let call: BoundCall
    try {
      call = await boundCall(asked)
    } catch (error) {
      if (isSilentAuthError(error)) return refused(error, options)
      throw error
    }
    const { gate, timeoutMs, onEvent } = options
    const signal = details?.signal
    const begun = await hold(gate, call.asked, { signal, timeoutMs, onEvent })
    return answerOf(begun, {
      toolName: tool.name,
      bound: call.bound,
      options,
      signal,
      run: (_, { params }) =>
        runReporting(inner, { runContext, details, input: options.params ? input : JSON.stringify(params) }),
    })
  }

  const copy = copyOf(tool)
  return Object.defineProperties(copy, {
    invoke: { value: invoke, enumerable: true, configurable: true, writable: true },
    // A person may take longer than the tool: the time counts once it runs.
    timeoutMs: { value: undefined, enumerable: true, configurable: true, writable: true },
    [GATED]: { value: true },
  })
}

const NO_JSON = '{'

function entryOf(
  toolName: string,
  runContext: RunContext<unknown>,
  input: string,
  details: Details | undefined,
): ToolEntry {
  const scope = scopeOf(runContext)
  const { toolCall } = details ?? {}
  // A tool that hands its own details on to another tool does not hand on its call.
  const own = toolCall?.name === toolName ? toolCall : undefined
  const callId = own?.callId
  const key = toolCallKey(scope, toolName, callId ?? crypto.randomUUID(), own)
  return { runContext, input, details, scope, callId, key }
}

interface InnerCall {
  readonly runContext: RunContext<unknown>
  readonly input: string
  readonly details: Details | undefined
}

function run(tool: FunctionTool, { runContext, input, details }: InnerCall): Promise<unknown> {
  return invokeFunctionTool({ tool, runContext, input, ...(details && { details: details as never }) })
}

/**
 * Runs the tool, and finds out whether it failed: the SDK makes a text of an error before anybody else sees it.
 *
 * @throws ToolFailure with that text
 */
async function runReporting(tool: FunctionTool, call: InnerCall): Promise<unknown> {
  const seen = { failed: false, timedOut: false }
  const watched = Object.defineProperty(copyOf(tool), 'timeoutErrorFunction', {
    value: async (...args: Parameters<NonNullable<FunctionTool['timeoutErrorFunction']>>) => {
      seen.timedOut = true
      return tool.timeoutErrorFunction?.(...args) ?? `Tool '${tool.name}' timed out after ${tool.timeoutMs}ms.`
    },
  })
  const output = await run(watched, { ...call, details: call.details && watchedDetails(call.details, seen) })
  if (seen.timedOut) throw new ToolFailure(output, true)
  if (seen.failed || output === DEFAULT_ERROR) throw new ToolFailure(output, false)
  return output
}

/** What the SDK says for a tool without an `errorFunction`. */
const DEFAULT_ERROR = 'An error occurred while running the tool. Please try again.'
/** Of the SDK's own mark, which it reads only to tell a tool's `errorFunction` about an error. */
const READ_ON_ERROR = 'functionToolTraceIncludeSensitiveData'

function watchedDetails(details: object, seen: { failed: boolean }): Details {
  const watched = copyOf(details)
  const mark = Object.getOwnPropertySymbols(details).find(({ description }) => description === READ_ON_ERROR)
  if (mark === undefined) return watched
  const { value, get: other } = Object.getOwnPropertyDescriptor(details, mark) as PropertyDescriptor
  // A tool that calls a tool hands its own details on; asking them would say that it failed.
  const marked: unknown = other ? marks.get(other) : value
  const get = (): unknown => {
    seen.failed = true
    return marked
  }
  marks.set(get, marked)
  return Object.defineProperty(watched, mark, { get })
}

const marks = new WeakMap<() => unknown, unknown>()

/** With the class, the symbols and everything else that is its own. */
function copyOf<Copied extends object>(original: Copied): Copied {
  const descriptors = Object.getOwnPropertyDescriptors(original)
  const all = Reflect.ownKeys(descriptors).map((name) => [
    name,
    { ...Reflect.get(descriptors, name), configurable: true },
  ])
  return Object.create(Object.getPrototypeOf(original), Object.fromEntries(all))
}
