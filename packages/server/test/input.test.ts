import { afterEach, describe, expect, it } from 'vitest'
import { MAX_BODY_BYTES } from '../src/input.js'
import { REFUND, type TestApp, testApp } from './test-app.js'

let test: TestApp
afterEach(() => test[Symbol.asyncDispose]())

const declared = JSON.stringify(REFUND)
const withMember = (member: string): string => `${declared.slice(0, -1)},${member}}`

describe('a body', () => {
  it.each([
    ['malformed', 'INVALID_FIELD', '{"action":'],
    ['a list', 'INVALID_FIELD', '[]'],
    ['a text', 'INVALID_FIELD', '"issue_refund"'],
    ['null', 'INVALID_FIELD', 'null'],
    ['empty', 'INVALID_FIELD', ''],
    ['with a member twice', 'INVALID_FIELD', withMember('"action":"read_logs"')],
    ['with a param twice', 'INVALID_FIELD', '{"action":"a","source_type":"devops","parameters":{"x":1,"x":2}}'],
    ['with an escaped member name', 'INVALID_FIELD', withMember('"conte\\u0078t":{}')],
    ['with __proto__', 'INVALID_FIELD', withMember('"__proto__":{}')],
    ['deeper than anything has to be', 'INVALID_FIELD', `{"context":${'['.repeat(500)}${']'.repeat(500)}}`],
    ['with an unknown member', 'INVALID_FIELD', withMember('"approve":true')],
    [
      'with U+0000 in the params',
      'PARAMS_NOT_CANONICAL',
      '{"action":"a","source_type":"devops","parameters":{"x":"a\\u0000b"}}',
    ],
    [
      'with half a surrogate pair in the params',
      'PARAMS_NOT_CANONICAL',
      '{"action":"a","source_type":"devops","parameters":{"x":["\\ud800"]}}',
    ],
    ['with U+0000 in the source', 'INVALID_FIELD', '{"action":"a","source_type":"devops","source":"a\\u0000"}'],
    [
      'with half a surrogate pair in the context',
      'INVALID_FIELD',
      '{"action":"a","source_type":"devops","context":{"reasoning":"\\udc00"}}',
    ],
    ['with a byte order mark', 'INVALID_FIELD', `\ufeff${declared}`],
  ])('that is %s is refused', async (_, code, body) => {
    test = await testApp()
    const answer = await test.ask('POST', '/api/intents', { headers: test.agent, body })
    expect([answer.status, answer.code]).toEqual([400, code])
  })

  it.each([
    [
      'a duplicate member',
      '/parameters/amount',
      '{"action":"a","source_type":"devops","parameters":{"amount":1,"amount":2}}',
    ],
    ['U+0000', '/parameters/list/1', '{"action":"a","source_type":"devops","parameters":{"list":["a","\\u0000"]}}'],
    ['an unknown member', 'approve', withMember('"approve":true')],
  ])('names the place of %s', async (_, place, body) => {
    test = await testApp()
    const { json } = await test.ask('POST', '/api/intents', { headers: test.agent, body })
    expect(json.error.message).toContain(place)
  })

  it('that is not UTF-8 is refused', async () => {
    test = await testApp()
    const bytes = Uint8Array.from([...Buffer.from('{"action":"'), 0xff, ...Buffer.from('"}')])
    const response = await test.app.request('http://127.0.0.1:4747/api/intents', {
      method: 'POST',
      headers: { ...test.agent, 'content-type': 'application/json' },
      body: bytes,
    })
    expect(response.status).toBe(400)
  })

  it.each([
    ['none', undefined],
    ['a form', 'application/x-www-form-urlencoded'],
    ['plain text, which any page may send', 'text/plain'],
    ['something that begins like JSON', 'application/json5'],
    ['JSON of another kind', 'application/ld+json'],
  ])('with the content type %s is refused', async (_, type) => {
    test = await testApp()
    const answer = await test.ask('POST', '/api/intents', {
      headers: { ...test.agent, 'content-type': type ?? '' },
      body: declared,
    })
    expect([answer.status, answer.code]).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE'])
  })

  it.each(['application/json', 'application/json; charset=utf-8', 'Application/JSON'])(
    'with the content type %s is taken',
    async (type) => {
      test = await testApp()
      const answer = await test.ask('POST', '/api/intents', {
        headers: { ...test.agent, 'content-type': type },
        body: declared,
      })
      expect(answer.status).toBe(201)
    },
  )

  it.each([
    ['with its length declared', { 'content-length': String(MAX_BODY_BYTES + 1) }],
    ['without its length', {}],
  ])('over the limit is refused %s', async (_, headers) => {
    test = await testApp()
    const body = withMember(`"context":{"reasoning":"${'x'.repeat(MAX_BODY_BYTES)}"}`)
    const answer = await test.ask('POST', '/api/intents', { headers: { ...test.agent, ...headers }, body })
    expect([answer.status, answer.code]).toEqual([413, 'TOO_LARGE'])
  })

  it('keeps what an escape may say', async () => {
    test = await testApp()
    const { json } = await test.ask('POST', '/api/intents', {
      headers: test.agent,
      body: '{"action":"a","source_type":"devops","parameters":{"x":"\\u00e9\\ud83d\\ude00"}}',
    })
    expect(json.data.parameters).toEqual({ x: 'é😀' })
  })
})

describe('a query', () => {
  it.each([
    ['GET', '/api/intents?approve=true'],
    ['GET', '/api/intents?__proto__=1'],
    ['GET', '/api/intents/ID?wait=61'],
    ['GET', '/api/intents/ID?wait=-1'],
    ['GET', '/api/intents/ID?wait=1.5'],
    ['GET', '/api/intents/ID?wait=1&wait=2'],
    ['POST', '/api/intents/ID/cancel?force=true'],
    ['GET', '/api/intents?source=a%00b'],
    ['GET', '/api/intents?idempotency_key=%00'],
  ])('of %s %s is refused', async (method, path) => {
    test = await testApp()
    const { id } = await test.declare()
    const answer = await test.ask(method, path.replace('ID', id), { headers: test.agent })
    expect([answer.status, answer.code]).toEqual([400, 'INVALID_FIELD'])
  })
})

describe('a query that a route does not know', () => {
  it('is refused by every route', async () => {
    test = await testApp()
    const { id } = await test.declare()
    const { headers } = await test.signIn({ roles: ['owner'] })
    const accepted: string[] = []
    for (const { method, path, access } of test.app.table) {
      const answer = await test.ask(method, `${path.replace('{id}', id)}?nothing=1`, {
        headers: access === 'person' ? headers : test.agent,
        ...(method === 'POST' && { body: {} }),
      })
      if (answer.code !== 'INVALID_FIELD') accepted.push(`${method} ${path}`)
    }
    expect(accepted).toEqual([])
  })
})

describe('a path', () => {
  it.each(['int_', 'int_UPPER', 'int_a/b', 'pmt_1', '..', '%00', `int_${'a'.repeat(65)}`, 'int_%0a', "int_1'--"])(
    'with the id %s finds nothing',
    async (id) => {
      test = await testApp()
      expect(await test.ask('GET', `/api/intents/${id}`, { headers: test.agent })).toMatchObject({
        status: 404,
        code: 'NOT_FOUND',
      })
    },
  )

  it.each([
    ['GET', '/api/nothing'],
    ['PUT', '/api/intents'],
    ['PATCH', '/api/inbox'],
    ['OPTIONS', '/api/intents'],
    ['TRACE', '/healthz'],
  ])('and method that no route has finds nothing: %s %s', async (method, path) => {
    test = await testApp()
    // A Request refuses to be a TRACE.
    if (method === 'TRACE') return expect(() => new Request('http://a', { method })).toThrow()
    expect(await test.ask(method, path)).toMatchObject({ status: 404, code: 'NOT_FOUND' })
  })
})

describe('an error', () => {
  it('says code, message and hint, and nothing else', async () => {
    test = await testApp()
    const { json } = await test.ask('GET', '/api/intents')
    expect(json).toEqual({
      data: null,
      error: { code: 'UNAUTHORIZED', message: 'a project key is missing', hint: expect.stringContaining('sk_') },
    })
  })

  it('never quotes what was sent', async () => {
    test = await testApp()
    const body = { ...REFUND, risk_tier: 'hunter2', expires_in: 'hunter2', parameters: 'hunter2' }
    const { text } = await test.ask('POST', '/api/intents', { headers: test.agent, body })
    expect(text).not.toContain('hunter2')
  })

  it('of the store is a generic one, whatever it says', async () => {
    test = await testApp()
    const store = {
      ...test.gate.store,
      keyBySecretHash: () => Promise.reject(new Error('SQLITE_ERROR near "hunter2"')),
    }
    const { createGateApp } = await import('../src/gate-app.js')
    const { pino } = await import('pino')
    const lines: string[] = []
    const logger = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) })
    using app = createGateApp({ gate: test.gate.local, store, publicUrl: 'http://127.0.0.1:4747', logger })
    const response = await app.request('http://127.0.0.1:4747/api/intents', { headers: test.agent })
    const text = await response.text()
    expect([response.status, JSON.parse(text).error.code, `${text}${lines}`.includes('hunter2')]).toEqual([
      500,
      'DB_ERROR',
      false,
    ])
    expect(JSON.parse(lines[0] ?? '{}').failure[0].frames.length).toBeGreaterThan(0)
  })
})
