import { connect } from 'node:net'
import { ReadableStream } from 'node:stream/web'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { cors } from 'hono/cors'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Listener, listen } from '../src/listener.js'
import { REFUND, type SignedInHeaders, type TestApp, testApp } from './test-app.js'

let test: TestApp
let listener: Listener
let url: string
let isClosed: boolean

beforeEach(async () => {
  listener = await listen({ port: 0, host: '127.0.0.1' })
  url = `http://127.0.0.1:${listener.port}`
  test = await testApp({ app: { publicUrl: url, pollMs: 0 } })
  isClosed = false
})
afterEach(async () => {
  if (!isClosed) await close()
  await test[Symbol.asyncDispose]()
})

const close = async (timeoutMs = 2000): Promise<void> => {
  isClosed = true
  await listener.close(timeoutMs)
}
const waiting = (count: number) => vi.waitFor(() => expect(test.app.waiters.size).toBe(count))

const ask = async (
  method: string,
  path: string,
  headers: object = test.agent,
  body?: unknown,
  signal?: AbortSignal,
) => {
  const response = await fetch(url + path, {
    method,
    headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    ...(signal && { signal }),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, json: text ? JSON.parse(text) : undefined }
}
const declare = async () => (await ask('POST', '/api/intents', test.agent, REFUND)).json.data
/** Session cookies of this gate carry its own port. */
const signIn = async (): Promise<SignedInHeaders> => {
  const { issueSignInToken } = await import('../src/session.js')
  const { id } = await test.gate.person()
  const token = await issueSignInToken({ store: test.gate.store, projectId: test.gate.project.id }, id)
  const { headers, json } = await ask('POST', '/api/session', {}, { token })
  return { cookie: headers.getSetCookie()[0]?.split(';')[0] ?? '', 'x-sa-session': json.data.session }
}
const approve = async (intent: { id: string; intent_hash: string }) =>
  ask('POST', `/api/inbox/${intent.id}/approve`, await signIn(), { intent_hash: intent.intent_hash })

describe('over a socket', () => {
  beforeEach(() => listener.serve(test.app))

  it('the long-poll answers with the decision, and leaves the table', async () => {
    const intent = await declare()
    const answer = ask('GET', `/api/intents/${intent.id}?wait=60`)
    await waiting(1)
    await approve(intent)
    const { headers, json } = await answer
    expect([json.data.status, headers.get('content-type'), headers.get('cache-control')]).toEqual([
      'approved',
      'application/json',
      'no-store',
    ])
    expect(test.app.waiters.size).toBe(0)
  })

  it('the long-poll answers when its time is over, and leaves the table', async () => {
    const { id } = await declare()
    expect((await ask('GET', `/api/intents/${id}?wait=1`)).json.data.status).toBe('pending')
    expect(test.app.waiters.size).toBe(0)
  })

  it.each(['?wait=60', '/events'])('a client that goes away leaves the table: %s', async (rest) => {
    const { id } = await declare()
    const client = new AbortController()
    const answer = ask('GET', `/api/intents/${id}${rest}`, test.agent, undefined, client.signal).catch(() => 'gone')
    await waiting(1)
    client.abort()
    await waiting(0)
    expect(await answer).toBe('gone')
  })

  it('the events of an intent end with its decision', async () => {
    const intent = await declare()
    const stream = ask('GET', `/api/intents/${intent.id}/events`).catch(({ message }: Error) => message)
    const raw = fetch(`${url}/api/intents/${intent.id}/events`, { headers: test.agent }).then((response) =>
      response.text(),
    )
    await waiting(2)
    await approve(intent)
    // A comment shows that the line is alive, and comes when it is due.
    const events = (await raw).split('\n\n').filter((event) => event !== '' && event !== ':')
    expect(events.map((event) => JSON.parse(event.split('data: ')[1] ?? '').data.status)).toEqual([
      'pending',
      'approved',
    ])
    await stream
    expect(test.app.waiters.size).toBe(0)
  })

  it('HEAD waits for nothing', async () => {
    const { id } = await declare()
    const answers = await Promise.all(
      [`/api/intents/${id}?wait=60`, `/api/intents/${id}/events`].map((path) => ask('HEAD', path)),
    )
    expect(answers.map(({ status, text }) => [status, text])).toEqual([
      [200, ''],
      [200, ''],
    ])
  })

  it.each([
    ['a body over the limit', 413, 'application/json', `{"x":"${'x'.repeat(300_000)}"}`],
    ['another content type', 415, 'text/plain', '{}'],
    ['malformed JSON', 400, 'application/json', '{'],
    ['an unknown member', 400, 'application/json', '{"action":"a","source_type":"devops","x":1}'],
  ])('%s is refused', async (_, status, type, body) => {
    const response = await fetch(`${url}/api/intents`, {
      method: 'POST',
      headers: { ...test.agent, 'content-type': type },
      body,
    })
    expect([response.status, (await response.json()).error.hint.length > 0]).toEqual([status, true])
  })

  it('a body over the limit is refused without its length too', async () => {
    async function* chunks() {
      for (let n = 0; n < 64; n++) yield new TextEncoder().encode('x'.repeat(8192))
    }
    const response = await fetch(`${url}/api/intents`, {
      method: 'POST',
      headers: { ...test.agent, 'content-type': 'application/json' },
      body: ReadableStream.from(chunks()),
      duplex: 'half',
    } as RequestInit)
    expect(response.status).toBe(413)
  })

  it('two clicks at once are one vote', async () => {
    const intent = await declare()
    const headers = await signIn()
    const click = () => ask('POST', `/api/inbox/${intent.id}/approve`, headers, { intent_hash: intent.intent_hash })
    const answers = await Promise.all([click(), click()])
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409])
  })

  it('a name that was pointed at this address is refused', async () => {
    const headers = await signIn()
    const { raw } = await rawRequest(
      `GET /api/inbox HTTP/1.1\r\nHost: evil.example:${listener.port}\r\nCookie: ${headers.cookie}\r\n` +
        `x-sa-session: ${headers['x-sa-session']}\r\nConnection: close\r\n\r\n`,
    )
    expect(raw).toMatch(/^HTTP\/1\.1 403 /)
  })
})

describe('before the app is there', () => {
  it('every request is told to come again', async () => {
    const { status, headers } = await ask('GET', '/healthz')
    expect([status, headers.get('retry-after')]).toEqual([503, '1'])
  })
})

describe('closing', () => {
  beforeEach(() => listener.serve(test.app))

  it('answers the long-polls with what is true, and ends the streams', async () => {
    const { id } = await declare()
    const poll = ask('GET', `/api/intents/${id}?wait=60`)
    const stream = fetch(`${url}/api/intents/${id}/events`, { headers: test.agent }).then((response) => response.text())
    await waiting(2)
    await close()
    expect((await poll).json.data.status).toBe('pending')
    expect(await stream).toContain('"status":"pending"')
  })

  it('does not wait for a client that never finishes its request', async () => {
    const slow = connect(listener.port, '127.0.0.1')
    await new Promise((resolve) => slow.once('connect', resolve))
    const gone = new Promise((resolve) => slow.once('close', resolve))
    slow.on('error', () => undefined).resume()
    slow.write(
      `POST /api/intents HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: ${test.agent.authorization}\r\n` +
        'Content-Type: application/json\r\nContent-Length: 10\r\n\r\n{',
    )
    await ask('GET', '/healthz')
    await close(100)
    await gone
    await expect(fetch(`${url}/healthz`)).rejects.toThrow()
  })
})

describe('in an app of somebody else, whose middleware rebuilds responses', () => {
  it.each(['long-poll', 'events'])('the %s brings its body', async (kind) => {
    const outer = new Hono()
    outer.use(cors())
    outer.use(async (context, next) => {
      await next()
      context.header('x-outer', 'yes')
    })
    outer.route('/', test.app)
    const server = serve({ fetch: outer.fetch, port: 0, hostname: '127.0.0.1' })
    await new Promise((resolve) => server.once('listening', resolve))
    try {
      const { port } = server.address() as { port: number }
      listener.serve(test.app)
      const intent = await declare()
      const path = kind === 'events' ? `/api/intents/${intent.id}/events` : `/api/intents/${intent.id}?wait=60`
      const answer = fetch(`http://127.0.0.1:${port}${path}`, { headers: test.agent })
      await waiting(1)
      await approve(intent)
      const response = await answer
      expect([response.headers.get('x-outer'), (await response.text()).includes('"status":"approved"')]).toEqual([
        'yes',
        true,
      ])
      expect(test.app.waiters.size).toBe(0)
    } finally {
      server.close()
    }
  })
})

async function rawRequest(text: string): Promise<{ raw: string }> {
  const socket = connect(listener.port, '127.0.0.1')
  socket.end(text)
  let raw = ''
  for await (const chunk of socket) raw += chunk
  return { raw }
}
