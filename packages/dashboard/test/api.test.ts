import { randomUUID } from 'node:crypto'
import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { type Api, gateApi } from '../src/api.ts'
import { aReview, itemOf } from './reviews.ts'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

interface Seen {
  method: string
  url: string
  headers: IncomingHttpHeaders
  body: unknown
}

/** An API whose requests all get one answer; `secret` is what the tab holds. */
async function answering(
  status: number,
  body: unknown,
  secret: string | undefined = randomUUID(),
  headers: Record<string, string> = {},
) {
  const seen: Seen[] = []
  const refused: string[] = []
  const times: number[] = []
  const listener: RequestListener = async (request, response) => {
    let text = ''
    for await (const chunk of request) text += chunk
    seen.push({
      method: request.method ?? '',
      url: request.url ?? '',
      headers: request.headers,
      body: text === '' ? undefined : JSON.parse(text),
    })
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(typeof body === 'string' ? body : JSON.stringify(body))
  }
  const server = createServer(listener)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const api = gateApi({
    fetch: (path, init) => fetch(`${url}${path}`, init),
    secret: () => secret,
    onUnauthorized: (used) => refused.push(used),
    onServerTime: (at) => times.push(at),
  })
  return { api, seen, refused, times, secret }
}

const review = aReview()
const ok = (data: unknown) => ({ data, error: null })
const hash = review.intent_hash as `sha-256:${string}`

describe('gateApi', () => {
  it('sends the secret of the session in its header, and never in the address', async () => {
    const { api, seen, secret } = await answering(200, ok([]))
    await api.inbox('pending')
    expect([seen[0]?.headers['x-sa-session'], seen[0]?.url]).toEqual([secret, '/api/inbox?status=pending&limit=50'])
  })

  it('signs in without the secret of an older session', async () => {
    const expires = '2026-11-21T12:00:00.000Z'
    const { api, seen } = await answering(200, ok({ session: 'fresh', expires_at: expires }))
    const session = await api.signIn('t-1')
    expect(session).toEqual({ secret: 'fresh', expiresAt: Date.parse(expires) })
    expect([seen[0]?.headers['x-sa-session'], seen[0]?.body]).toEqual([undefined, { token: 't-1' }])
  })

  it('knows who is signed in', async () => {
    const { api } = await answering(200, ok({ person: { id: 'usr_1', email: 'lena@example.com', roles: [] } }))
    expect(await api.whoAmI()).toEqual({ email: 'lena@example.com' })
  })

  it('signs out at the gate', async () => {
    const { api, seen } = await answering(200, ok({ ended: true }))
    await api.signOut()
    expect(seen[0]).toMatchObject({ method: 'DELETE', url: '/api/session' })
  })

  it.each<[string, (api: Api) => Promise<unknown>, string, unknown]>([
    [
      'approves',
      (api) => api.vote('int_1', { verdict: 'approve', intentHash: hash, confirm: 'x 1234' }),
      '/api/inbox/int_1/approve',
      { intent_hash: hash, confirm: 'x 1234' },
    ],
    [
      'denies',
      (api) => api.vote('int_1', { verdict: 'deny', intentHash: hash, comment: 'no' }),
      '/api/inbox/int_1/deny',
      { intent_hash: hash, comment: 'no' },
    ],
    [
      'requests changes',
      (api) => api.vote('int_1', { verdict: 'request_changes', intentHash: hash, comment: 'less' }),
      '/api/inbox/int_1/request-changes',
      { intent_hash: hash, comment: 'less' },
    ],
    ['withdraws', (api) => api.withdraw('int_1', 'wrong'), '/api/inbox/int_1/withdraw', { reason: 'wrong' }],
    ['lifts a denial', (api) => api.liftDenial('int_1'), '/api/inbox/int_1/lift-denial', {}],
    [
      'reconciles',
      (api) => api.reconcile('int_1', 'did_not_happen', 'looked'),
      '/api/inbox/int_1/reconcile',
      { finding: 'did_not_happen', comment: 'looked' },
    ],
  ])('%s', async (_, call, url, body) => {
    const { api, seen } = await answering(200, ok(review))
    await call(api)
    expect(seen[0]).toMatchObject({ method: 'POST', url, body })
  })

  it('reveals one value', async () => {
    const { api, seen } = await answering(200, ok({ value: 'hunter2' }))
    expect(await api.reveal('int_1', '/password')).toBe('hunter2')
    expect(seen[0]).toMatchObject({ method: 'POST', url: '/api/inbox/int_1/reveal', body: { pointer: '/password' } })
  })

  it('cannot be led to another route by an id', async () => {
    const { api, seen } = await answering(200, ok(review))
    await api.review('../session?x=')
    expect(seen[0]?.url).toBe('/api/inbox/..%2Fsession%3Fx%3D')
  })

  it('gives a page with its cursor', async () => {
    const item = itemOf(review)
    const { api } = await answering(200, { data: [item], error: null, next_cursor: 'c1' })
    expect(await api.inbox('pending')).toEqual({ items: [item], nextCursor: 'c1' })
  })

  it.each([
    [401, 'UNAUTHORIZED'],
    [409, 'STALE_VIEW'],
    [404, 'NOT_FOUND'],
  ])('throws the code of a %i', async (status, code) => {
    const { api } = await answering(status, { data: null, error: { code, message: `${code}: why`, hint: 'do' } })
    await expect(api.review('int_1')).rejects.toMatchObject({ code, message: `${code}: why` })
  })

  it.each<[string, number, unknown]>([
    ['an error page of something in between', 502, '<html>'],
    ['a code that does not exist', 400, { data: null, error: { code: 'constructor', message: '' } }],
    ['an answer that is no JSON', 200, '<html>'],
    ['an answer without data', 200, {}],
    ['data that is no review', 200, ok({ view: { type: 'other' } })],
  ])('takes %s for a gate that is not there', async (_, status, body) => {
    const { api } = await answering(status, body)
    await expect(api.review('int_1')).rejects.toMatchObject({ code: 'GATE_UNAVAILABLE' })
  })

  it('says which secret was refused', async () => {
    const { api, refused, secret } = await answering(401, { data: null, error: { code: 'UNAUTHORIZED', message: '' } })
    await expect(api.review('int_1')).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
    expect(refused).toEqual([secret])
  })

  it('does not end a session because a sign-in link was refused', async () => {
    const { api, refused } = await answering(401, { data: null, error: { code: 'UNAUTHORIZED', message: '' } })
    await expect(api.signIn('t-1')).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
    expect(refused).toEqual([])
  })

  it('passes on when to come back', async () => {
    const error = { code: 'TOO_MANY_WAITERS', message: '' }
    const { api } = await answering(503, { data: null, error }, undefined, { 'retry-after': '7' })
    await expect(api.events(AbortSignal.timeout(5_000))).rejects.toMatchObject({ retryAfterSeconds: 7 })
  })

  it('passes on what time it is at the gate', async () => {
    const { api, times } = await answering(200, ok([]), undefined, { date: 'Sat, 21 Nov 2026 12:00:00 GMT' })
    await api.inbox('pending')
    expect(times).toEqual([Date.UTC(2026, 10, 21, 12)])
  })

  it('rejects when nothing listens', async () => {
    const api = gateApi({
      fetch: () => Promise.reject(new TypeError('fetch failed')),
      secret: () => undefined,
      onUnauthorized: () => undefined,
    })
    await expect(api.review('int_1')).rejects.toMatchObject({ code: 'GATE_UNAVAILABLE' })
  })
})
