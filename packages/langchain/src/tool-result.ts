/**
 * What a gated tool answers in place of its own result, or in front of it, in the form that LangChain takes.
 *
 * @module
 */
import { ToolMessage } from '@langchain/core/messages'
import { type GateRefusal, type Json, type JsonObject, snapshot } from '@silentauth/core'

/** Who is answered: the fields of the tool and of its call that shape an answer. */
export interface Answered {
  readonly name: string
  readonly responseFormat?: string | undefined
  /** Of the message that the framework would make; undefined: it makes none. */
  readonly toolCallId: string | undefined
}

/** A refusal for the model: an error message that LangChain hands on as it is, without advice to try again. */
export function refusalMessage(refusal: GateRefusal, to: Answered): unknown {
  const message = new ToolMessage({
    status: 'error',
    name: to.name,
    tool_call_id: to.toolCallId ?? '',
    content: refusal.text,
    artifact: refusal,
  })
  return shaped(message, undefined, to)
}

/** What of a result the gate may keep: what a model reads, never the artifact beside it. */
export function recordableResult(output: unknown, { responseFormat }: Answered): Json | undefined {
  const content = responseFormat === 'content_and_artifact' && Array.isArray(output) ? output[0] : output
  // Messages and commands are LangChain's own, and do not come back from JSON as what they were.
  return isDirect(content) ? undefined : (content as Json)
}

/** A result that the gate has kept. */
export function recordedResult(result: unknown, to: Answered): unknown {
  return shaped(result, undefined, to)
}

/**
 * Says in front of the result that an approver changed the arguments, for a model that would otherwise see a result that
 * its own call cannot have. Only messages are for models: a program that called the tool gets the result as it is.
 */
export function withEditNotice(output: unknown, params: JsonObject, to: Answered): unknown {
  if (to.toolCallId === undefined) return output
  const notice = `[A reviewer changed the arguments; this ran with ${snapshot(params).canonical}]`
  const isTuple = to.responseFormat === 'content_and_artifact' && Array.isArray(output) && output.length === 2
  return isTuple ? [noticed(output[0], notice), output[1]] : noticed(output, notice)
}

function noticed(content: unknown, notice: string): unknown {
  if (typeof content === 'string') return `${notice}\n${content}`
  if (ToolMessage.isInstance(content)) {
    return new ToolMessage({ ...content, content: noticed(content.content, notice) as typeof content.content })
  }
  const isBlocks = Array.isArray(content) && content.every((block) => typeof block?.type === 'string')
  if (isBlocks) return [{ type: 'text', text: notice }, ...content]
  // A command changes the graph's state and is no text for a model; anything else LangChain would make this text of.
  if (isDirect(content)) return content
  return `${notice}\n${JSON.stringify(content) ?? ''}`
}

/** LangChain's mark of results that are handed on untouched. */
function isDirect(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'lc_direct_tool_output' in value
}

function shaped(content: unknown, artifact: unknown, { responseFormat }: Answered): unknown {
  return responseFormat === 'content_and_artifact' ? [content, artifact] : content
}
