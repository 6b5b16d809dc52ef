/**
 * What a model reads of a gated tool's output: a refusal as an error in words, a result of edited arguments with a notice,
 * everything else as the tool says it.
 *
 * @module
 */
import { ERROR_STATUS, type GateRefusal, isGateRefusal, type JsonObject, snapshot } from '@silentauth/core'
import { isWaitingOutput, type WaitingOutput } from './waiting-steps.js'

/** What of `ToolResultOutput` is made here. */
export type ModelOutput =
  | { readonly type: 'text' | 'error-text'; readonly value: string }
  | { readonly type: 'json'; readonly value: unknown }
  | { readonly type: 'content'; readonly value: readonly unknown[] }
  | { readonly type: string; readonly value?: unknown }

export interface Shown {
  readonly toolCallId: string
  readonly input: unknown
  readonly output: unknown
}

export type ToModelOutput = (shown: Shown) => ModelOutput | PromiseLike<ModelOutput>

/** The tool's own rendering comes first; it never sees a refusal, which has not its shape. */
export function modelOutputOf(own: ToModelOutput | undefined): ToModelOutput {
  return async (shown) => {
    const { output } = shown
    if (isRefusalOutput(output)) return { type: 'error-text', value: output.text }
    if (isWaitingOutput(output)) return { type: 'error-text', value: leftWaiting(output) }
    const said = own ? await own(shown) : plainOutput(output)
    const notice = noticeOf(output)
    return notice === undefined ? said : withNotice(said, notice)
  }
}

/** Kept by a process that ended meanwhile. A tool may run after its last sign of waiting. */
function leftWaiting({ approval: { action, intentId } }: WaitingOutput): string {
  return `It may have run: the process that waited for the approval of \`${action}\` ended. A person must check. Do not retry this call unless the user explicitly asks for it. (${intentId})`
}

/** Also true for a refusal that came back from a database: JSON keeps no brand. */
export function isRefusalOutput(output: unknown): output is GateRefusal {
  if (isGateRefusal(output)) return true
  if (typeof output !== 'object' || output === null) return false
  const { code, text, intentId, ...more } = output as Readonly<Record<string, unknown>>
  return (
    typeof code === 'string' &&
    Object.hasOwn(ERROR_STATUS, code) &&
    typeof text === 'string' &&
    (intentId === undefined || typeof intentId === 'string') &&
    Object.keys(more).length === 0
  )
}

const notices = new WeakMap<object, string>()

/**
 * Notes that an approver changed the arguments, for a model that would otherwise see a result that its own call cannot have.
 * In front of a text; beside anything else, so that a program gets the result as it is.
 */
export function withEditNotice(output: unknown, params: JsonObject): unknown {
  const notice = `[A reviewer changed the arguments; this ran with ${snapshot(params).canonical}]`
  if (typeof output === 'string') return `${notice}\n${output}`
  if (typeof output === 'object' && output !== null) notices.set(output, notice)
  return output
}

function noticeOf(output: unknown): string | undefined {
  return typeof output === 'object' && output !== null ? notices.get(output) : undefined
}

function withNotice(said: ModelOutput, notice: string): ModelOutput {
  const text = { type: 'text' as const, text: notice }
  if (said.type === 'content' && Array.isArray(said.value)) return { ...said, value: [text, ...said.value] }
  if (said.type === 'text') return { type: 'text', value: `${notice}\n${String(said.value)}` }
  if (said.type === 'json') return { type: 'text', value: `${notice}\n${JSON.stringify(said.value) ?? ''}` }
  return said
}

/** As the SDK renders the output of a tool that says nothing about it. */
function plainOutput(output: unknown): ModelOutput {
  if (typeof output === 'string') return { type: 'text', value: output }
  const text = JSON.stringify(output)
  return { type: 'json', value: text === undefined ? null : JSON.parse(text) }
}
