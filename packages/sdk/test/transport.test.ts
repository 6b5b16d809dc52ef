import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { transport } from '../src/transport.js'
import { data, refusal, type ScriptedServer, type Step, scriptedServer } from './scripted-server.js'

const open = (server: ScriptedServer, options: object = {}) =>
  transport({
    gate: new URL(server.url),
    secretKey: 'sk_test',
    backOff: { baseMs: 1, maxMs: 5 },
    retryForMs: 2_000,
    ...options,
  })
const POST = { method: 'POST', path: '/api/intents', body: { action: 'a' } } as const
const GET = { method: 'GET', path: '/api/intents/int_7', intentId: 'int_7' } as const

describe('a request', () => {
  it('carries key, body and the key of its retries', async () => {
    await using server = await scriptedServer([data({ id: 'int_7' })])
    await using gate = open(server)
    await expect(gate.send(POST)).resolves.toEqual({ data: { id: 'int_7' }, error: null })
    expect(server.seen).toEqual([
      {
        line: 'POST /api/intents',
        body: { action: 'a' },
        headers: expect.objectContaining({
          authorization: 'Bearer sk_test',
          'content-type': 'application/json',
          'idempotency-key': expect.stringMatching(/^[\w-]{22}$/),
        }),
      },
    ])
  })

  it('goes below the path of the gate', async () => {
    await using server = await scriptedServer([data({})])
    await using gate = open(server, { gate: new URL(`${server.url}/tenants/one/`) })
    await gate.send(GET)
    expect(server.seen[0]?.line).toBe('GET /tenants/one/api/intents/int_7')
  })

  it.each<[string, Step]>([
    ['its answer is lost', 'lost'],
    ['a proxy answers', { status: 502, text: '<html>' }],
    ['the answer is cut off', { text: '{"data":{"id"' }],
    ['the gate is closing', refusal(503, 'GATE_UNAVAILABLE')],
    ['the database fails', refusal(500, 'DB_ERROR')],
    ['the log cannot be written', refusal(503, 'AUDIT_UNAVAILABLE')],
    ['there are too many', refusal(429, 'RATE_LIMITED', { 'retry-after': '0' })],
  ])('is sent again, the very same, when %s', async (_, step) => {
    await using server = await scriptedServer([step, step, data({ id: 'int_7' })])
    await using gate = open(server)
    await gate.send(POST)
    const sent = server.seen.map(({ body, headers }) => JSON.stringify([body, headers['idempotency-key']]))
    expect(sent).toHaveLength(3)
    expect(new Set(sent)).toHaveProperty('size', 1)
  })

  it('has another key than the one before', async () => {
    await using server = await scriptedServer([data({})])
    await using gate = open(server)
    await gate.send(POST)
    await gate.send(POST)
    expect(new Set(server.seen.map(({ headers }) => headers['idempotency-key']))).toHaveProperty('size', 2)
  })

  it.each<[string, Step, string]>([
    ['not found', refusal(404, 'NOT_FOUND'), 'NOT_FOUND'],
    ['refused', refusal(403, 'AGENT_PAUSED'), 'AGENT_PAUSED'],
    ['not sequenced yet', refusal(503, 'NOT_SEQUENCED', { 'retry-after': '1' }), 'NOT_SEQUENCED'],
    ['refused with a code that nobody knows', refusal(409, 'NEW_RULE'), 'GATE_UNAVAILABLE'],
    ['redirected', { status: 307, headers: { location: '/elsewhere' }, text: '' }, 'GATE_UNAVAILABLE'],
    ['no page of a gate', { status: 404, text: '<html>' }, 'GATE_UNAVAILABLE'],
  ])('is not sent again when it is %s', async (_, step, code) => {
    await using server = await scriptedServer([step, data({})])
    await using gate = open(server)
    await expect(gate.send(GET)).rejects.toMatchObject({ code, intentId: 'int_7' })
    expect(server.seen).toHaveLength(1)
  })

  it('takes its key to no other address', async () => {
    await using other = await scriptedServer([data({})])
    await using server = await scriptedServer([{ status: 302, headers: { location: `${other.url}/api` }, text: '' }])
    await using gate = open(server)
    await gate.send(GET).catch(() => undefined)
    expect(other.seen).toHaveLength(0)
  })

  it('is given up when the gate stays away', async () => {
    await using server = await scriptedServer(['lost'])
    await using gate = open(server, { retryForMs: 1000 })
    await expect(gate.send(GET)).rejects.toMatchObject({ code: 'GATE_UNAVAILABLE', intentId: 'int_7' })
    expect(server.seen.length).toBeGreaterThan(1)
  })

  it('does not wait for longer than it may, whatever the gate asks for', async () => {
    await using server = await scriptedServer([refusal(429, 'RATE_LIMITED', { 'retry-after': '3600' })])
    await using gate = open(server)
    await expect(gate.send(GET)).rejects.toMatchObject({ code: 'RATE_LIMITED', retryAfterSeconds: 3600 })
    expect(server.seen).toHaveLength(1)
  })

  it('is given up when the gate is silent', async () => {
    await using server = await scriptedServer(['silent'])
    await using gate = open(server, { requestTimeoutMs: 20, retryForMs: 0 })
    await expect(gate.send(GET)).rejects.toMatchObject({ code: 'GATE_UNAVAILABLE' })
  })

  it('says neither key nor params when it fails', async () => {
    await using server = await scriptedServer(['lost'])
    await using gate = open(server, { retryForMs: 0 })
    const error = (await gate.send({ ...POST, body: { action: 'hunter2' } }).catch((error) => error)) as Error
    expect(`${error}\n${error.stack}\n${error.cause}`).not.toMatch(/hunter2|sk_test/)
  })
})

describe('a request that its caller aborts', () => {
  it.each<[string, Step]>([
    ['while the gate is silent', 'silent'],
    ['between two attempts', refusal(429, 'RATE_LIMITED', { 'retry-after': '1' })],
  ])('ends for that reason %s', async (_, step) => {
    await using server = await scriptedServer([step])
    await using gate = open(server)
    const caller = new AbortController()
    const sent = gate.send(GET, { signal: caller.signal })
    await server.received(1)
    caller.abort('enough')
    await expect(sent).rejects.toBe('enough')
  })

  it('before is never sent', async () => {
    await using server = await scriptedServer([data({})])
    await using gate = open(server)
    await expect(gate.send(GET, { signal: AbortSignal.abort('enough') })).rejects.toBe('enough')
    expect(server.seen).toHaveLength(0)
  })

  it.each<[string, Step[]]>([
    ['answered', [data({})]],
    ['answered late', ['lost', data({})]],
    ['refused', [refusal(404, 'NOT_FOUND')]],
  ])('leaves no listener when it was %s', async (_, script) => {
    await using server = await scriptedServer(script)
    await using gate = open(server)
    const { signal } = new AbortController()
    await gate.send(GET, { signal }).catch(() => undefined)
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })
})

describe('a transport that is disposed', () => {
  it('ends what is under way', async () => {
    await using server = await scriptedServer(['silent'])
    const gate = open(server)
    const sent = gate.send(GET)
    await server.received(1)
    const ended = expect(sent).rejects.toMatchObject({ code: 'GATE_UNAVAILABLE' })
    await gate[Symbol.asyncDispose]()
    await ended
  })

  it('sends nothing more', async () => {
    await using server = await scriptedServer([data({})])
    const gate = open(server)
    await gate[Symbol.asyncDispose]()
    await expect(gate.send(GET)).rejects.toMatchObject({ code: 'GATE_UNAVAILABLE' })
    expect(server.seen).toHaveLength(0)
  })
})

describe('a fetch of the caller', () => {
  it('is used instead of our own', async () => {
    const calls: string[] = []
    const fetch = async (url: string) => {
      calls.push(url)
      return new Response('{"data":{},"error":null}')
    }
    await using gate = transport({ gate: new URL('https://gate.example.com'), secretKey: 'sk_test', fetch })
    await gate.send(GET)
    expect(calls).toEqual(['https://gate.example.com/api/intents/int_7'])
  })
})
