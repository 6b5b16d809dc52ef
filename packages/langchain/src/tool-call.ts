/**
 * One call of a tool, as LangChain hands it over: which call it is, so that it is the same call after a restart, and what
 * the framework knows about who makes it.
 *
 * @module
 */
import { AsyncLocalStorageProviderSingleton } from '@langchain/core/singletons'
import { callKey, type JsonObject, knownContext } from '@silentauth/core'

/** What a call came with. */
export interface ToolCall {
  /** The model's call, when this is one. A tool that hands its own runtime on to another tool does not hand on its call. */
  readonly own: ModelCall | undefined
  /** As given, before the tool's schema parsed them. */
  readonly raw: unknown
  readonly config: ToolConfig
}

export interface ModelCall {
  readonly id?: string | undefined
  readonly args: unknown
}

/** The fields of LangChain's and LangGraph's configuration that are read here. */
export interface ToolConfig {
  readonly toolCall?: ModelCall | undefined
  readonly signal?: AbortSignal | undefined
  readonly configurable?: Readonly<Record<string, unknown>> | undefined
  readonly executionInfo?: {
    readonly taskId?: string | undefined
    readonly checkpointNs?: string | undefined
    readonly threadId?: string | undefined
    readonly runId?: string | undefined
  }
  readonly state?: unknown
  readonly writer?: ((chunk: unknown) => void) | null | undefined
  /** LangGraph's, as it hands it to tools. */
  readonly interrupt?: ((value: unknown) => unknown) | null | undefined
}

/** What `when`, `context` and the other functions of the options are told about a call. */
export interface CallInfo {
  readonly toolName: string
  /** Undefined for a call that another tool makes. */
  readonly toolCallId: string | undefined
  readonly threadId: string | undefined
  readonly runId: string | undefined
  /** State of the graph, where there is one. */
  readonly state: unknown
  readonly signal: AbortSignal | undefined
}

/** A model's call, as agents hand it to `tool.invoke`. */
export function modelCallOf(input: unknown): ModelCall | undefined {
  const isCall = typeof input === 'object' && input !== null && 'type' in input && input.type === 'tool_call'
  return isCall ? (input as unknown as ModelCall) : undefined
}

/** With what a graph keeps in the async context, which a tool that calls a tool need not hand on. */
export function configOf(given: unknown): ToolConfig {
  const ambient = AsyncLocalStorageProviderSingleton.getRunnableConfig() as ToolConfig | undefined
  return { ...ambient, ...(given as ToolConfig | undefined) }
}

export function callInfo(toolName: string, { own, config }: ToolCall): CallInfo {
  const { executionInfo: execution, configurable = {} } = config
  return {
    toolName,
    toolCallId: own?.id,
    threadId: text(configurable.thread_id) ?? execution?.threadId,
    runId: execution?.runId ?? text(configurable.run_id),
    state: config.state ?? scratchpadOf(config)?.currentTaskInput,
    signal: config.signal,
  }
}

/**
 * The idempotency key. Ids of model calls repeat over turns, with some providers at once; a task id does not, and stays
 * over restarts. Outside of a graph nothing says that two calls are the same one, so they are not.
 */
export function toolCallKey(toolName: string, { own, config }: ToolCall): string {
  const { executionInfo: execution, configurable = {} } = config
  const task = execution?.taskId ?? text(configurable.__pregel_task_id)
  const namespace = text(configurable.checkpoint_ns) ?? execution?.checkpointNs ?? ''
  const scope = JSON.stringify([text(configurable.thread_id) ?? execution?.threadId ?? '', namespace])
  if (task !== undefined && own?.id !== undefined) return callKey({ scope, run: task, callId: own.id, occurrence: 0 })
  // Two equal calls in the body of one tool are two actions. LangGraph makes a new scratchpad for each attempt of a task, so
  // an attempt counts like the one before it; calls of different tools may change places.
  const attempt = scratchpadOf(config)
  if (task === undefined || attempt === undefined) return callKey({ scope, run: crypto.randomUUID(), occurrence: 0 })
  const occurrence = nextOccurrence(attempt, `${scope}\0${task}\0${toolName}`)
  return callKey({ scope, run: task, agent: `tool:${toolName}`, occurrence })
}

/** What approvers are shown beside the params; reserved members as every adapter spells them. */
export function callContext(toolName: string, call: ToolCall): JsonObject {
  const { threadId, runId, toolCallId, state } = callInfo(toolName, call)
  const message = messageOf(state, toolCallId)
  return knownContext({
    tool: toolName,
    tool_call_id: toolCallId,
    thread: threadId,
    run: runId,
    model: text(message?.response_metadata?.model_name) ?? text(message?.response_metadata?.model),
    reasoning: message && reasoningOf(message),
  })
}

/** What of a message of the model is read. */
interface AgentMessage {
  readonly tool_calls?: readonly ModelCall[] | undefined
  readonly response_metadata?: Readonly<Record<string, unknown>> | undefined
  readonly contentBlocks?: readonly Readonly<Record<string, unknown>>[] | undefined
}

/** The message that this call is from: the last one that has it. */
function messageOf(state: unknown, id: string | undefined): AgentMessage | undefined {
  const held = Array.isArray(state) ? state : (state as { messages?: unknown } | undefined)?.messages
  if (!Array.isArray(held) || id === undefined) return undefined
  return (held as AgentMessage[]).findLast((message) => message?.tool_calls?.some((call) => call.id === id))
}

/** What the model said for itself. */
function reasoningOf(message: AgentMessage): string | undefined {
  const said = blocksOf(message).flatMap((block) => text(block.reasoning) ?? text(block.text) ?? [])
  return said.length > 0 ? said.join('\n') : undefined
}

/** LangChain translates what a provider sent when it is asked; what it cannot read is not worth the call. */
function blocksOf(message: AgentMessage): NonNullable<AgentMessage['contentBlocks']> {
  try {
    return message.contentBlocks ?? []
  } catch {
    return []
  }
}

const counted = new WeakMap<object, Map<string, number>>()

function nextOccurrence(attempt: object, name: string): number {
  const counts = counted.get(attempt) ?? new Map<string, number>()
  counted.set(attempt, counts)
  const occurrence = (counts.get(name) ?? -1) + 1
  counts.set(name, occurrence)
  return occurrence
}

function scratchpadOf({ configurable }: ToolConfig): { readonly currentTaskInput?: unknown } | undefined {
  return configurable?.__pregel_scratchpad as { readonly currentTaskInput?: unknown } | undefined
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
