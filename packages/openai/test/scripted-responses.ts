/**
 * A scripted model behind the Responses API on loopback, as far as function calls need it.
 *
 * @module
 */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import OpenAI from 'openai'

export interface ResponseTurn {
  readonly text?: string
  readonly calls?: readonly { readonly id: string; readonly name: string; readonly args: unknown }[]
  /** When it streams, what its end waits for. */
  readonly ends?: Promise<unknown>
}

export interface ScriptedResponses extends AsyncDisposable {
  readonly client: OpenAI
  /** Every request so far, whole. */
  readonly requests: readonly {
    readonly input?: unknown
    readonly previous_response_id?: string
    readonly stream?: boolean
  }[]
}

export async function scriptedResponses(turns: readonly ResponseTurn[]): Promise<ScriptedResponses> {
  const requests: ScriptedResponses['requests'][number][] = []
  const server = createServer(async (request, response) => {
    const body = (await json(request)) as ScriptedResponses['requests'][number]
    const turn = turns[requests.push(body) - 1] ?? { text: 'the script is at its end' }
    if (body.stream) await stream(response, turn)
    else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answerOf(turn)))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
  return {
    client: new OpenAI({ apiKey: `scripted-${randomUUID()}`, baseURL, maxRetries: 0 }),
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Each item is whole before the turn is over, as a model sends them. */
async function stream(response: ServerResponse, turn: ResponseTurn): Promise<void> {
  const whole = answerOf(turn) as { output: { id: string; type: string; arguments?: string }[] }
  let sequence_number = 0
  const send = (type: string, event: object): void => {
    response.write(
      `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: sequence_number++, ...event })}\n\n`,
    )
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  send('response.created', { response: { ...whole, status: 'in_progress', output: [] } })
  whole.output.forEach((item, output_index) => {
    const { id: item_id, arguments: text } = item
    send('response.output_item.added', {
      output_index,
      item: { ...item, status: 'in_progress', ...(text && { arguments: '' }) },
    })
    if (text !== undefined) {
      send('response.function_call_arguments.delta', { output_index, item_id, delta: text })
      send('response.function_call_arguments.done', { output_index, item_id, arguments: text })
    }
    send('response.output_item.done', { output_index, item })
  })
  await turn.ends
  send('response.completed', { response: whole })
  response.end()
}

function answerOf({ text, calls = [] }: ResponseTurn): object {
  const said = text === undefined ? [] : [{ type: 'output_text', text, annotations: [], logprobs: [] }]
  return {
    id: `resp_${randomUUID()}`,
    object: 'response',
    created_at: 0,
    status: 'completed',
    model: 'scripted-model',
    output: [
      ...calls.map(({ id, name, args }) => ({
        type: 'function_call',
        id: `fc_${randomUUID()}`,
        call_id: id,
        name,
        arguments: typeof args === 'string' ? args : JSON.stringify(args),
        status: 'completed',
      })),
      ...(said.length > 0
        ? [{ type: 'message', id: `msg_${randomUUID()}`, role: 'assistant', status: 'completed', content: said }]
        : []),
    ],
    parallel_tool_calls: true,
    tool_choice: 'auto',
    tools: [],
    error: null,
    incomplete_details: null,
    instructions: null,
    metadata: {},
    usage: null,
  }
}
