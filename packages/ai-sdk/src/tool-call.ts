/**
 * One call of a tool, as the AI SDK hands it over: which call it is, so that it is the same call in another process, and what
 * is known of who makes it.
 *
 * @module
 */
import { callKey, type JsonObject, knownContext } from '@silentauth/core'
import { type HistoryMessage, isReplay, occurrenceOf } from './history.js'

/** What the AI SDK hands to a tool's functions; a direct call may have none of it. */
export interface ExecuteOptions {
  readonly toolCallId?: string | undefined
  readonly messages?: readonly HistoryMessage[] | undefined
  readonly abortSignal?: AbortSignal | undefined
  /** Of `toolsContext` in AI SDK 7. */
  readonly context?: unknown
  /** The same in AI SDK 6. */
  readonly experimental_context?: unknown
}

/** What `when`, `context` and the other functions of the options are told about a call. */
export interface CallInfo {
  readonly toolName: string
  /** Undefined for a call that was not made by a model. */
  readonly toolCallId: string | undefined
  /** What came before this call; on a resume with it. A client may have written it. */
  readonly messages: readonly HistoryMessage[]
  /** The tool's own context, where the run has one. */
  readonly context: unknown
  readonly signal: AbortSignal | undefined
}

/** What the run tells of the model's side of a call: its model's id, and what it said for itself. */
export interface ModelSide {
  readonly model: string | undefined
  readonly reasoning: string | undefined
}

/** An id, or an id within a tenant. Never empty. */
export type GateRun = string | { readonly tenant: string; readonly id: string }

export interface ToolCall {
  readonly info: CallInfo
  readonly key: string
  /** The SDK runs it because of what the history says: then it is looked up, and never declared. */
  readonly replayed: boolean
}

/** @throws TypeError when `run` is empty */
export function toolCallOf(
  toolName: string,
  given: ExecuteOptions | undefined,
  run: GateRun | ((call: CallInfo) => GateRun) | undefined,
): ToolCall {
  const { toolCallId, messages = [], abortSignal: signal } = given ?? {}
  const info: CallInfo = {
    toolName,
    toolCallId,
    messages,
    context: given?.context ?? given?.experimental_context,
    signal,
  }
  const named = typeof run === 'function' ? run(info) : run
  const { tenant, id } = typeof named === 'string' ? { tenant: '', id: named } : (named ?? ownRun(given?.messages))
  // Another tool under the id of this call is another call.
  const agent = `tool:${toolName}`
  // Nothing says that two calls without an id are the same one, so they are not.
  const key =
    toolCallId === undefined
      ? callKey({ scope: tenant, run: id, agent, callId: crypto.randomUUID(), occurrence: 0 })
      : callKey({ scope: tenant, run: id, agent, callId: toolCallId, occurrence: occurrenceOf(messages, toolCallId) })
  return { info, key, replayed: toolCallId !== undefined && isReplay(messages, toolCallId) }
}

/** What approvers are shown beside the params; reserved members as every adapter spells them. */
export function callContext({ info, side }: { info: CallInfo; side: ModelSide | undefined }, run: unknown): JsonObject {
  const runId = typeof run === 'string' ? run : (run as { id?: unknown } | null | undefined)?.id
  return knownContext({
    tool: info.toolName,
    tool_call_id: info.toolCallId,
    run: typeof runId === 'string' ? runId : undefined,
    model: side?.model,
    reasoning: side?.reasoning,
  })
}

/** The SDK hands the same messages to all calls of a step and to nothing else, so they stand for a run that has no name. */
const unnamed = new WeakMap<object, string>()

function ownRun(messages: readonly HistoryMessage[] | undefined): { tenant: string; id: string } {
  const id = (messages && unnamed.get(messages)) ?? crypto.randomUUID()
  if (messages) unnamed.set(messages, id)
  return { tenant: '', id }
}
