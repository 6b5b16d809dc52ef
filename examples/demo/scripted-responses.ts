/**
 * The Responses API of a scripted model: the same turns and the same record of requests as for Chat Completions, without
 * streams.
 *
 * @module
 */
import { randomUUID } from 'node:crypto'
import type { ChatRequest, Turn } from './scripted-openai.ts'

interface Item {
  readonly type?: string
  readonly role?: string
  readonly content?: unknown
  readonly call_id?: string
  readonly output?: unknown
}

/** A request of `/v1/responses` as one of Chat Completions: results of functions are messages of the role `tool`. */
export function asChatRequest({ input, ...rest }: Readonly<Record<string, unknown>>): ChatRequest {
  const items = typeof input === 'string' ? [{ role: 'user', content: input }] : ((input ?? []) as readonly Item[])
  const messages = items.map(({ type, role, content, call_id, output }: Item) =>
    type === 'function_call_output'
      ? { role: 'tool', content: output, ...(call_id !== undefined && { tool_call_id: call_id }) }
      : { role: role ?? 'assistant', content },
  )
  return { ...rest, messages }
}

/** What the model says, as a response. */
export function responseOf({ text, calls = [] }: Turn): object {
  const said = { type: 'output_text', text, annotations: [], logprobs: [] }
  return {
    id: `resp_${randomUUID()}`,
    object: 'response',
    created_at: Math.floor(Date.now() / 1000),
    status: 'completed',
    model: 'scripted-model',
    output: [
      ...calls.map(({ name, args, id = `call_${randomUUID()}` }) => ({
        type: 'function_call',
        id: `fc_${randomUUID()}`,
        call_id: id,
        name,
        arguments: typeof args === 'string' ? args : JSON.stringify(args),
        status: 'completed',
      })),
      ...(text === undefined
        ? []
        : [{ type: 'message', id: `msg_${randomUUID()}`, role: 'assistant', status: 'completed', content: [said] }]),
    ],
    parallel_tool_calls: true,
    tool_choice: 'auto',
    tools: [],
    error: null,
    incomplete_details: null,
    instructions: null,
    metadata: {},
    usage: { input_tokens: 0, output_tokens: 0, total_tokens: 0 },
  }
}
