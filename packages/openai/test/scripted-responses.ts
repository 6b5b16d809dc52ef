/**
 * A scripted model behind the Responses API on loopback, as far as function calls need it.
 *
 * @module
 */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import OpenAI from 'openai'

export interface ResponseTurn {
  readonly text?: string
  readonly calls?: readonly { readonly id: string; readonly name: string; readonly args: unknown }[]
}

export interface ScriptedResponses extends AsyncDisposable {
  readonly client: OpenAI
  /** Every request so far, whole. */
  readonly requests: readonly { readonly input?: unknown; readonly previous_response_id?: string }[]
}

export async function scriptedResponses(turns: readonly ResponseTurn[]): Promise<ScriptedResponses> {
  const requests: ScriptedResponses['requests'][number][] = []
  const server = createServer(async (request, response) => {
    const turn = turns[requests.push((await json(request)) as object) - 1] ?? { text: 'the script is at its end' }
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answerOf(turn)))
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
