/**
 * A scripted model behind an OpenAI-compatible server on loopback: real clients talk to it, nothing leaves the machine,
 * and every run says the same.
 *
 * @module
 */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { asChatRequest, responseOf } from './scripted-responses.ts'

/** What the model says in one turn: text, or calls of tools, or both. */
export interface Turn {
  text?: string
  calls?: readonly TurnCall[]
}
export interface TurnCall {
  name: string
  /** A text is sent as it is, also when it is no JSON. */
  args: unknown
  /** @default a new one */
  id?: string
}

/** Body of a request, as far as anybody reads it here. */
export interface ChatRequest {
  messages: readonly { role: string; content: unknown; tool_call_id?: string; tool_calls?: unknown }[]
  stream?: boolean
  [member: string]: unknown
}

export interface ScriptedOpenai extends AsyncDisposable {
  /** For the client's `baseURL`. */
  readonly url: string
  /** Made at start; no other key is accepted. */
  readonly apiKey: string
  /** Every request so far, whole: this is what the model saw. */
  readonly requests: readonly ChatRequest[]
}

/**
 * Starts the server on a free port.
 *
 * @param script turns in order, one per request, or what answers each request; at its end requests fail with 400
 */
export async function scriptedOpenai(
  script: readonly Turn[] | ((request: ChatRequest, index: number) => Turn | undefined),
): Promise<ScriptedOpenai> {
  const apiKey = `scripted-${randomUUID()}`
  const requests: ChatRequest[] = []
  const turnOf = typeof script === 'function' ? script : (_: ChatRequest, index: number) => script[index]
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => refuse(response, 500, String(error)))
  })

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.headers.authorization !== `Bearer ${apiKey}`) return refuse(response, 401, 'another key')
    const responses = request.url === '/v1/responses'
    if (request.method !== 'POST' || !(responses || request.url === '/v1/chat/completions')) {
      return refuse(response, 404, 'no route')
    }
    const sent = (await json(request)) as ChatRequest
    const body = responses ? asChatRequest(sent) : sent
    const turn = turnOf(body, requests.push(body) - 1)
    if (!turn) return refuse(response, 400, 'the script is at its end')
    if (responses) send(response, 200, responseOf(turn))
    else if (body.stream) stream(response, turn)
    else send(response, 200, completion(turn))
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    apiKey,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Ids must be unique: LangChain keeps messages by the id of their completion, and would take one turn for another. */
function header(object: string) {
  return { id: `chatcmpl-${randomUUID()}`, object, created: Math.floor(Date.now() / 1000), model: 'scripted-model' }
}

function completion({ text = null, calls }: Omit<Turn, 'text'> & { text?: string | null }) {
  const message = { role: 'assistant', content: text, ...(calls && { tool_calls: calls.map(toolCall) }) }
  const finish_reason = calls ? 'tool_calls' : 'stop'
  return {
    ...header('chat.completion'),
    choices: [{ index: 0, message, finish_reason }],
    usage: { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 },
  }
}

function toolCall({ name, args, id = `call_${randomUUID()}` }: TurnCall) {
  return { id, type: 'function', function: { name, arguments: typeof args === 'string' ? args : JSON.stringify(args) } }
}

/** Server-sent events, with texts and arguments in pieces as a model sends them. */
function stream(response: ServerResponse, { text, calls = [] }: Turn): void {
  const head = header('chat.completion.chunk')
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const chunk = (delta: object, finish_reason: string | null = null): void => {
    response.write(`data: ${JSON.stringify({ ...head, choices: [{ index: 0, delta, finish_reason }] })}\n\n`)
  }
  chunk({ role: 'assistant', content: '' })
  for (const piece of pieces(text ?? '')) chunk({ content: piece })
  calls.map(toolCall).forEach(({ id, type, function: { name, arguments: args } }, index) => {
    chunk({ tool_calls: [{ index, id, type, function: { name, arguments: '' } }] })
    for (const piece of pieces(args)) chunk({ tool_calls: [{ index, function: { arguments: piece } }] })
  })
  chunk({}, calls.length > 0 ? 'tool_calls' : 'stop')
  response.end('data: [DONE]\n\n')
}

function pieces(text: string): string[] {
  return text.match(/[\s\S]{1,7}/gu) ?? []
}

function refuse(response: ServerResponse, status: number, message: string): void {
  if (response.headersSent) response.destroy()
  else send(response, status, { error: { message, type: 'scripted_error', code: null, param: null } })
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
