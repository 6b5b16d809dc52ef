/**
 * Gated tools of the Agents SDK: a copy of the tool whose every call is asked of the gate first. What runs is the tool's own
 * function, under its own timeout, with the arguments that were approved and nothing else.
 *
 * @module
 */
import type { FunctionTool, RunContext } from '@openai/agents'
import {
  actionName,
  type Begun,
  type BoundCall,
  bindCall,
  boundCopy,
  type Execution,
  type GateEvent,
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
import { tellLook } from './call-events.js'
import { beginDecided } from './decided-call.js'
import { enterAgent, needsDriver } from './entered-agent.js'
import { type CallInfo, checkOptions, type GateToolOptions } from './gate-options.js'
import { type AskedTool, answerOf, askedCall, refused } from './gated-call.js'
import { streamEvent } from './gated-stream.js'
import type { Sightings } from './model-sightings.js'
import {
  continuesOf,
  heldScope,
  type ModelCall,
  markAnswered,
  mayDeclare,
  type RunScope,
  suspendedScope,
  toolCallKey,
} from './run-scope.js'
import { type ParsedInput, parseInput } from './tool-input.js'
import { type Details, type InnerCall, runReporting, runTool } from './tool-run.js'

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
 * @returns a copy of the same type; a tool that is gated already as it is; what `agent.asTool()` made in place
 * @throws TypeError for what is no function tool, and for options that make no sense
 */
export function gateTool<Tool extends ClientTool>(tool: Tool, options: GateToolOptions<ArgumentsOf<Tool>>): Tool {
  return checkedGate(tool, options as GateToolOptions, {})
}

/**
 * Gates an agent as a tool, in place: the SDK knows what `agent.asTool()` made by its object. It is asked for once, and is
 * entered again, under its approval, as often as the agent in it waits; with `wait: 'suspend'` only in `runWithGate`.
 *
 * @returns the same object
 */
export function gateAgentTool<Tool extends ClientTool>(tool: Tool, options: GateToolOptions<ArgumentsOf<Tool>>): Tool {
  return checkedGate(tool, options as GateToolOptions, { agentTool: true })
}

/** @throws TypeError as `gateTool` */
export function checkedGate<Tool extends ClientTool>(tool: Tool, options: GateToolOptions, of: Belonging): Tool {
  if (isGated(tool)) return tool
  requireTool(tool)
  checkOptions(tool.name, options as GateToolOptions<never>)
  return gated(tool, options, { agentTool: isAgentTool(tool), ...of }) as unknown as Tool
}

/** Only what `asTool` makes has listeners. */
function isAgentTool(tool: object): boolean {
  return 'on' in tool && typeof tool.on === 'function'
}

/** Also true for the gated tools of other loaded copies of this package, and for shells, editors and computers. */
export function isGated(tool: unknown): boolean {
  return (typeof tool === 'object' || typeof tool === 'function') && tool !== null && GATED in tool
}

export const GATED = Symbol.for('silentauth.gated')

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
  /** What its model says. */
  readonly sightings?: Sightings | undefined
  /** What `asTool` made: it can pause itself, and the SDK knows it by its object. */
  readonly agentTool?: boolean | undefined
}

/** One call of a gated tool, as the SDK makes it. */
interface ToolEntry {
  readonly runContext: RunContext<unknown>
  readonly input: string
  readonly details: Details | undefined
  readonly scope: RunScope
  /** Undefined for a call that another tool makes. */
  readonly callId: string | undefined
  readonly key: string
}

/** What a driver finds out about a call that was interrupted. */
export interface WaitingCall {
  readonly key: string
  /** Undefined: what the model gave is no input of this tool, or not gated; the SDK or the tool answers it. */
  readonly looked: { readonly call: BoundCall; readonly seen: Look } | undefined
  /** The tool's own policy asks somebody, too. */
  readonly ownApproval: boolean
  /** Why it is refused without being asked for. Of calls whose tool would not look at them again. */
  readonly unreadable?: string | undefined
}

/** What a driver needs of a gated tool. */
export interface GateHook {
  readonly options: GateToolOptions
  readonly outputsAreTyped: boolean
  look(scope: RunScope, runContext: RunContext<unknown>, call: ModelCall): Promise<WaitingCall>
  /** For a call that the SDK goes on with whatever becomes of it, or that a provider runs: spends the approval before. */
  spend?(waiting: WaitingCall, of: SpentCall): Promise<SpendAnswer>
}

/** What `spend` is told beside. */
export interface SpentCall {
  readonly scope: RunScope
  readonly call: ModelCall
  readonly signal: AbortSignal | undefined
}

/** `wait`: it cannot begin now, and may later. */
export type SpendAnswer = 'approve' | 'wait' | { readonly reject: string }

export function hookOf(tool: unknown): GateHook | undefined {
  return isGated(tool) ? (tool as { [GATED]: GateHook })[GATED] : undefined
}

/** @throws TypeError for a name that makes no action */
export function gated(tool: FunctionTool & ClientTool, given: GateToolOptions, of: Belonging): FunctionTool {
  if (given.action === undefined) actionName(tool.name)
  const suspends = given.wait === 'suspend'
  const options: GateToolOptions = suspends && of.agentTool ? { reenters: true, ...given } : given
  // Where a driver sees that the agent in it waits.
  const entered: GateToolOptions = { reenters: true, ...options, wait: 'suspend' }
  const inner = boundCopy(tool, {})
  const edits = options.allowEdits ? { schema: structuredClone(tool.parameters) as unknown as JsonObject } : false
  const parse: Parse = async (args) => {
    const parsed = await parseInput(inner, JSON.stringify(args))
    if (parsed.type === 'invalid') throw parsed.error
    return parsed.value
  }

  /** Undefined: not gated. @throws SilentAuthError when its arguments cannot be bound */
  async function callOf(entry: ToolEntry, parsed: unknown): Promise<BoundCall | undefined> {
    const { key, callId, scope, runContext, details } = entry
    const { agentName } = of
    const info = { toolName: tool.name, toolCallId: callId, agentName, runContext, signal: details?.signal }
    if (!(await needsGate(options, parsed, info))) return undefined
    const side = callId === undefined ? undefined : (of.sightings ?? scope.driven?.sightings)?.of(callId)
    const asked: AskedTool<CallInfo> = {
      key,
      raw: JSON.parse(entry.input),
      parsed,
      parse,
      edits,
      info,
      known: knownContext({ model: of.model, ...side, tool: tool.name, tool_call_id: callId, agent: agentName }),
      continues: continuesOf(scope, key),
    }
    return bindCall(
      tool.name,
      entersAgain(scope) ? { ...options, reenters: entered.reenters } : options,
      askedCall(asked),
    )
  }

  function entersAgain({ driven }: RunScope): boolean {
    return of.agentTool === true && driven !== undefined
  }

  async function invoke(runContext: RunContext<unknown>, input: string, details?: Details): Promise<unknown> {
    const scope = suspends ? suspendedScope(tool.name, runContext) : heldScope(runContext)
    const entry = entryOf(tool.name, scope, { runContext, input, details })
    const output = await answer(entry)
    if (details?.toolCall && entry.callId !== undefined) {
      markAnswered(entry.scope, tool.name, entry.callId, details.toolCall)
    }
    return output
  }

  async function answer(entry: ToolEntry): Promise<unknown> {
    const { runContext, input, details } = entry
    const { signal } = details ?? {}
    signal?.throwIfAborted()
    const parsed: ParsedInput = await parseInput(inner, input)
    // In the tool's own words. What its schema refuses must not reach it, even if the schema changes its mind.
    if (parsed.type === 'invalid') return runTool(inner, { runContext, input: NO_JSON, details })
    let call: BoundCall | undefined
    try {
      call = await callOf(entry, parsed.value)
    } catch (error) {
      if (isSilentAuthError(error)) return refused(error, options)
      throw error
    }
    if (!call) return runTool(inner, entry)
    const inputOf = ({ params }: Pick<Execution, 'params'>) => (options.params ? input : JSON.stringify(params))
    const begun = await beginCall(call, entry)
    if (of.agentTool && begun.type === 'begun' && (suspends || entersAgain(entry.scope))) {
      return enterAgent(begun.execution, { ...entry, tool: inner, input: inputOf(begun.execution), options })
    }
    if (of.agentTool && begun.type === 'recorded' && details?.resumeState !== undefined) throw needsDriver(tool.name)
    return answerOf(begun, {
      toolName: tool.name,
      bound: call.bound,
      options,
      signal,
      run: (_, execution) => runReporting(inner, { runContext, details, input: inputOf(execution) }),
    })
  }

  function beginCall(call: BoundCall, entry: ToolEntry): Promise<Begun> {
    const decided = { ...entry, signal: entry.details?.signal }
    if (suspends) return beginDecided(call, decided, options)
    // Decided before the agent in it waited.
    return continuesOf(entry.scope, entry.key) > 0 ? beginDecided(call, decided, entered) : held(call, entry)
  }

  function held({ asked }: BoundCall, { details, scope: { driven }, callId = '' }: ToolEntry): Promise<Begun> {
    const { gate, timeoutMs } = options
    const onEvent = (event: GateEvent): void => {
      const shown = streamEvent(event, { tool: tool.name, callId, agent: of.agentName })
      if (shown) driven?.show?.(shown)
      options.onEvent?.(event)
    }
    return hold(gate, asked, { signal: details?.signal, timeoutMs, onEvent })
  }

  const hook: GateHook = {
    options,
    outputsAreTyped: tool.outputSchema !== undefined,
    async look(scope, runContext, toolCall) {
      const { callId, arguments: input } = toolCall
      const key = toolCallKey(scope, tool.name, callId, undefined)
      const parsed = await parseInput(inner, input)
      if (parsed.type === 'invalid') return { key, looked: undefined, ownApproval: false }
      const ownApproval = await inner.needsApproval(runContext as never, parsed.value as never, callId)
      const call = await callOf({ runContext, input, details: undefined, scope, callId, key }, parsed.value).catch(
        (error: unknown) => {
          if (isSilentAuthError(error)) return undefined
          throw error
        },
      )
      if (!call) return { key, looked: undefined, ownApproval }
      const { snapshot } = call.asked
      const create = mayDeclare(scope, tool.name, callId, snapshot.digest)
      const seen = await look(options.gate, call.asked, { create })
      return { key, looked: { call, seen }, ownApproval }
    },
  }

  /** The SDK asks this of a live call, and shows what waits to a driver or to the user's own loop. */
  async function needsApproval(runContext: RunContext<unknown>, args: unknown, callId?: string): Promise<boolean> {
    const scope = suspendedScope(tool.name, runContext)
    const call = { callId: callId ?? crypto.randomUUID(), name: tool.name, arguments: JSON.stringify(args) }
    const { key, looked, ownApproval } = await hook.look(scope, runContext, call)
    if (!looked) return ownApproval
    const { seen } = looked
    if (waitsForLater(seen, options)) {
      if (seen.type === 'pending') tellLook(seen, options)
      return true
    }
    if (seen.type === 'refused') scope.refusals.set(key, seen)
    return ownApproval
  }

  const members = {
    invoke,
    // A person may take longer than the tool: the time counts once it runs.
    timeoutMs: undefined,
    ...(suspends && { needsApproval }),
  }
  // The SDK knows what `asTool` made by its object.
  const target = of.agentTool ? Object.assign(tool, members) : boundCopy(tool, members)
  return Object.defineProperty(target, GATED, { value: hook })
}

const NO_JSON = '{'

function entryOf(toolName: string, scope: RunScope, call: InnerCall): ToolEntry {
  const { details } = call
  const { toolCall } = details ?? {}
  // A tool that hands its own details on to another tool does not hand on its call.
  const own = toolCall?.name === toolName ? toolCall : undefined
  const callId = own?.callId
  const key = toolCallKey(scope, toolName, callId ?? crypto.randomUUID(), own)
  return { ...call, scope, callId, key }
}
