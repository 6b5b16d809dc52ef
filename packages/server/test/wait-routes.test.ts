import { afterEach, describe, expect, it, vi } from 'vitest'
import { ORIGIN, type TestApp, testApp } from './test-app.js'

let test: TestApp
afterEach(() => test[Symbol.asyncDispose]())

const waiting = (count: number) => vi.waitFor(() => expect(test.app.waiters.size).toBe(count))

describe('the long-poll', () => {
  const poll = (id: string, seconds: number, more: { headers?: Record<string, string>; signal?: AbortSignal } = {}) =>
    test.ask('GET', `/api/intents/${id}?wait=${seconds}`, { headers: test.agent, ...more })

  it('answers once the intent is decided', async () => {
    test = await testApp()
    const { id } = await test.declare()
    const answer = poll(id, 60)
    await waiting(1)
    await test.approve(id)
    expect((await answer).json.data).toMatchObject({ id, status: 'approved' })
    expect(test.app.waiters.size).toBe(0)
  })

  it('answers at once when it is decided already', async () => {
    test = await testApp()
    const { id } = await test.declare()
    await test.approve(id)
    expect((await poll(id, 60)).json.data.status).toBe('approved')
  })

  it('answers with the pending state when its time is over', async () => {
    test = await testApp()
    const { id } = await test.declare()
    expect((await poll(id, 1)).json.data.status).toBe('pending')
    expect(test.app.waiters.size).toBe(0)
  })

  it('does not wait without being asked to', async () => {
    test = await testApp()
    const { id } = await test.declare()
    expect((await poll(id, 0)).json.data.status).toBe('pending')
  })

  it('keeps waiting through a vote that does not decide', async () => {
    test = await testApp({
      policies: [{ match: {}, decision: 'require_approval', approval: { approvers_required: 2 } }],
    })
    const { id } = await test.declare()
    const answer = poll(id, 60)
    await waiting(1)
    await test.approve(id)
    expect(test.app.waiters.size).toBe(1)
    await test.approve(id)
    expect((await answer).json.data).toMatchObject({ status: 'approved', approvals: [{}, {}] })
  })

  it('does not sleep through a decision that falls between its first read and its place in the table', async () => {
    test = await testApp()
    const { id } = await test.declare()
    const { store } = test.gate
    const read = store.intent.bind(store)
    let decided = false
    // The first read of the poll sees it pending; before the poll can register, it is decided.
    vi.spyOn(store, 'intent').mockImplementation(async (intentId) => {
      const state = await read(intentId)
      if (!decided) {
        decided = true
        await test.approve(id)
      }
      return state
    })
    expect((await poll(id, 60)).json.data.status).toBe('approved')
  })

  it('leaves the table when the client goes away', async () => {
    test = await testApp()
    const { id } = await test.declare()
    const client = new AbortController()
    const answer = poll(id, 60, { signal: client.signal }).catch(() => undefined)
    await waiting(1)
    client.abort()
    await waiting(0)
    await Promise.race([answer, Promise.resolve()])
  })

  it("does not wait for another key's intent", async () => {
    test = await testApp()
    const { id } = await test.declare()
    const { headers } = await test.addKey()
    expect(await poll(id, 60, { headers })).toMatchObject({ status: 404, code: 'NOT_FOUND' })
  })

  it('tells a key that was disabled meanwhile nothing but that', async () => {
    test = await testApp()
    const { key, headers } = await test.addKey()
    const { id } = await test.declare({}, headers)
    const answer = poll(id, 60, { headers })
    await waiting(1)
    await test.gate.store.transaction((tx) => tx.putKey({ ...key, status: 'disabled' }))
    const { headers: approver } = await test.signIn()
    const { intent_hash } = await test.review(id, approver)
    await test.ask('POST', `/api/inbox/${id}/deny`, { headers: approver, body: { intent_hash } })
    expect(await answer).toMatchObject({ status: 401, code: 'UNAUTHORIZED' })
  })

  it('tells an agent that was revoked meanwhile nothing but that', async () => {
    test = await testApp({ app: { recheckMs: 20 } })
    const agent = await test.addAgent()
    const { headers } = await test.addKey({ agents: [agent.id] })
    const { id } = await test.declare({ source: agent.fingerprint }, headers)
    const answer = poll(id, 60, { headers })
    await waiting(1)
    await test.gate.store.transaction((tx) => tx.putAgent({ ...agent, status: 'revoked' }))
    expect(await answer).toMatchObject({ status: 403, code: 'AGENT_REVOKED' })
    expect(await poll(id, 60, { headers })).toMatchObject({ status: 403, code: 'AGENT_REVOKED' })
    expect(test.app.waiters.size).toBe(0)
  })

  it('keeps waiting for an agent that is only paused', async () => {
    test = await testApp()
    const agent = await test.addAgent()
    const { headers } = await test.addKey({ agents: [agent.id] })
    const { id } = await test.declare({ source: agent.fingerprint }, headers)
    const answer = poll(id, 60, { headers })
    await waiting(1)
    await test.gate.store.transaction((tx) => tx.putAgent({ ...agent, status: 'paused' }))
    const { headers: approver } = await test.signIn()
    const { intent_hash } = await test.review(id, approver)
    await test.ask('POST', `/api/inbox/${id}/deny`, { headers: approver, body: { intent_hash } })
    expect((await answer).json.data.status).toBe('denied')
  })

  it('asks by itself whether the key still holds', async () => {
    test = await testApp({ app: { recheckMs: 20 } })
    const { key, headers } = await test.addKey()
    const { id } = await test.declare({}, headers)
    const answer = poll(id, 60, { headers })
    await waiting(1)
    await test.gate.store.transaction((tx) => tx.putKey({ ...key, status: 'disabled' }))
    expect(await answer).toMatchObject({ status: 401, code: 'UNAUTHORIZED' })
  })

  it('finds what another process decided', async () => {
    test = await testApp({ app: { pollMs: 20 } })
    const { id } = await test.declare()
    const answer = poll(id, 60)
    await waiting(1)
    // Written past the gate of this app, so that nobody is woken.
    await test.gate.store.transaction(async (tx) => {
      const state = await tx.lockIntent(id as `int_${string}`)
      if (state) await tx.updateIntent({ ...state, status: 'cancelled', resolvedAt: await tx.now() })
    })
    expect((await answer).json.data.status).toBe('cancelled')
  })

  it('does not wait for HEAD', async () => {
    test = await testApp()
    const { id } = await test.declare()
    const response = await test.app.request(`${ORIGIN}/api/intents/${id}?wait=60`, {
      method: 'HEAD',
      headers: test.agent,
    })
    expect([response.status, await response.text()]).toEqual([200, ''])
  })

  it('refuses one more than the table holds, and says when to come again', async () => {
    test = await testApp({ app: { limits: { maxWaiters: 2, maxWaitersPerPrincipal: 2 } } })
    const { id } = await test.declare()
    const client = new AbortController()
    const held = [1, 2].map(() => poll(id, 60, { signal: client.signal }).catch(() => undefined))
    await waiting(2)
    const other = await test.addKey()
    const own = await test.declare({}, other.headers)
    const refused = await poll(own.id, 60, { headers: other.headers })
    expect([refused.status, refused.code, refused.headers.get('retry-after')]).toEqual([503, 'TOO_MANY_WAITERS', '2'])
    client.abort()
    await waiting(0)
    await Promise.race([...held, Promise.resolve()])
  })

  it("keeps a tenth of the table for one key, so that others' clients find room", async () => {
    test = await testApp({ app: { limits: { maxWaiters: 20 } } })
    const { id } = await test.declare()
    const client = new AbortController()
    const held = [1, 2].map(() => poll(id, 60, { signal: client.signal }).catch(() => undefined))
    await waiting(2)
    expect((await poll(id, 60)).code).toBe('TOO_MANY_WAITERS')
    client.abort()
    await waiting(0)
    await Promise.race([...held, Promise.resolve()])
  })

  it('answers with what is true when the server closes, and no longer waits', async () => {
    test = await testApp()
    const { id } = await test.declare()
    const answer = poll(id, 60)
    await waiting(1)
    test.app.waiters.drain()
    expect((await answer).json.data.status).toBe('pending')
    expect((await poll(id, 60)).json.data.status).toBe('pending')
    expect((await test.ask('GET', '/readyz')).status).toBe(503)
  })
})

describe('the events of an intent', () => {
  it('begin with its state, follow each change, and end when it is settled', async () => {
    test = await testApp({
      policies: [{ match: {}, decision: 'require_approval', approval: { approvers_required: 2 } }],
    })
    const { id } = await test.declare()
    const events = await streamOf(`/api/intents/${id}/events`, test.agent)
    expect((await events.next()).data.data).toMatchObject({ status: 'pending', approvals: [] })
    await test.approve(id)
    expect((await events.next()).data.data).toMatchObject({ status: 'pending', approvals: [{}] })
    await test.approve(id)
    expect((await events.next()).data.data).toMatchObject({ status: 'approved' })
    expect(await events.ended()).toBe(true)
    expect(test.app.waiters.size).toBe(0)
  })

  it('are one when it is settled already', async () => {
    test = await testApp()
    const { id } = await test.declare()
    await test.approve(id)
    const events = await streamOf(`/api/intents/${id}/events`, test.agent)
    expect((await events.next()).data.data.status).toBe('approved')
    expect(await events.ended()).toBe(true)
  })

  it('end with the refusal when the key is disabled', async () => {
    test = await testApp({ app: { recheckMs: 20 } })
    const { key, headers } = await test.addKey()
    const { id } = await test.declare({}, headers)
    const events = await streamOf(`/api/intents/${id}/events`, headers)
    await events.next()
    await test.gate.store.transaction((tx) => tx.putKey({ ...key, status: 'disabled' }))
    expect(await events.next()).toMatchObject({ event: 'error', data: { data: null, error: { code: 'UNAUTHORIZED' } } })
    expect(await events.ended()).toBe(true)
  })
})

describe('the events of the inbox', () => {
  it('begin with the inbox, and bring what changed', async () => {
    test = await testApp()
    const { headers } = await test.signIn()
    const events = await streamOf('/api/inbox/events', headers)
    expect(await events.next()).toMatchObject({ event: 'inbox', data: { data: [], next_cursor: null } })
    const { id } = await test.declare()
    expect(await events.next()).toEqual({ event: 'change', data: { ids: [id] } })
    expect(await events.next()).toMatchObject({ event: 'inbox', data: { data: [{ id }] } })
    await events.cancel()
    await waiting(0)
  })

  it('hint at an execution that begins, although the inbox stays the same', async () => {
    test = await testApp()
    const { headers } = await test.signIn()
    const { id } = await test.declare()
    await test.approve(id)
    const events = await streamOf('/api/inbox/events', headers)
    await events.next()
    const body = { execution_id: 'call-1', attempt_id: 'attempt-1' }
    await test.ask('POST', `/api/intents/${id}/claim`, { headers: test.agent, body })
    expect(await events.next()).toEqual({ event: 'change', data: { ids: [id] } })
    await events.cancel()
  })

  it('keep the line alive', async () => {
    test = await testApp({ app: { heartbeatMs: 20 } })
    const { headers } = await test.signIn()
    const events = await streamOf('/api/inbox/events', headers)
    await events.next()
    expect(await events.comment()).toBe(':')
    await events.cancel()
  })

  it('end when the session does', async () => {
    test = await testApp()
    const { headers } = await test.signIn()
    const events = await streamOf('/api/inbox/events', headers)
    await events.next()
    await test.ask('DELETE', '/api/session', { headers })
    await test.declare()
    expect(await events.next()).toMatchObject({ event: 'error', data: { error: { code: 'UNAUTHORIZED' } } })
    expect(await events.ended()).toBe(true)
  })

  it('end when the server closes', async () => {
    test = await testApp()
    const { headers } = await test.signIn()
    const events = await streamOf('/api/inbox/events', headers)
    await events.next()
    test.app.waiters.drain()
    expect(await events.ended()).toBe(true)
  })
})

/** Reads a stream one event at a time. */
async function streamOf(path: string, headers: object) {
  const response = await test.app.request(`${ORIGIN}${path}`, { headers: { ...headers } })
  expect(response.headers.get('content-type')).toBe('text/event-stream')
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  const decoder = new TextDecoder()
  let text = ''
  const block = async (): Promise<string | undefined> => {
    while (!text.includes('\n\n')) {
      const { done, value } = await reader.read()
      if (done) return undefined
      text += decoder.decode(value, { stream: true })
    }
    const [first = '', ...rest] = text.split('\n\n')
    text = rest.join('\n\n')
    return first
  }
  return {
    async next() {
      for (let tries = 0; tries < 100; tries++) {
        const found = await block()
        const [, event, data] = /^event: (.*)\ndata: (.*)$/s.exec(found ?? '') ?? []
        if (data !== undefined) return { event, data: JSON.parse(data) }
        if (found === undefined) throw new Error('the stream ended')
      }
      throw new Error('nothing but comments')
    },
    comment: block,
    ended: async () => (await block()) === undefined,
    cancel: () => reader.cancel(),
  }
}
