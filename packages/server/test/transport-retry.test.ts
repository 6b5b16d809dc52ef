import { afterEach, describe, expect, it } from 'vitest'
import { REFUND, type TestApp, testApp } from './test-app.js'

let test: TestApp
afterEach(() => test[Symbol.asyncDispose]())

const keyed = (headers: object, key: string) => ({ ...headers, 'idempotency-key': key })

describe('Idempotency-Key', () => {
  it('declares once for the same body, whatever the answer to the first was', async () => {
    test = await testApp()
    const send = () => test.ask('POST', '/api/intents', { headers: keyed(test.agent, 'try-1'), body: REFUND })
    const [first, second] = [await send(), await send()]
    const list = await test.ask('GET', '/api/intents', { headers: test.agent })
    expect([first.status, second.status, second.json.id, list.json.data.length]).toEqual([201, 200, first.json.id, 1])
  })

  it('declares once when both arrive at the same moment', async () => {
    test = await testApp()
    const send = () => test.ask('POST', '/api/intents', { headers: keyed(test.agent, 'try-1'), body: REFUND })
    await Promise.all([send(), send(), send()])
    const list = await test.ask('GET', '/api/intents', { headers: test.agent })
    expect(list.json.data).toHaveLength(1)
  })

  it('renders the answer anew', async () => {
    test = await testApp()
    const send = () => test.ask('POST', '/api/intents', { headers: keyed(test.agent, 'try-1'), body: REFUND })
    const { json } = await send()
    await test.approve(json.id)
    expect((await send()).json.data.status).toBe('approved')
  })

  it.each([
    ['another body', 'cancel', { reason: 'two' }],
    ['another route', 'claim', { execution_id: 'a', attempt_id: 'b' }],
    ['the same body for another intent', 'cancel of another', { reason: 'one' }],
  ])('with %s is refused', async (_, kind, body) => {
    test = await testApp()
    const [one, other] = [await test.declare(), await test.declare()]
    const headers = keyed(test.agent, 'try-1')
    await test.ask('POST', `/api/intents/${one.id}/cancel`, { headers, body: { reason: 'one' } })
    const path = kind === 'cancel of another' ? `${other.id}/cancel` : `${one.id}/${kind}`
    const answer = await test.ask('POST', `/api/intents/${path}`, { headers, body })
    expect([answer.status, answer.code]).toEqual([422, 'IDEMPOTENCY_MISMATCH'])
  })

  it('of another key is another one', async () => {
    test = await testApp()
    const other = await test.addKey()
    const first = await test.ask('POST', '/api/intents', { headers: keyed(test.agent, 'try-1'), body: REFUND })
    const second = await test.ask('POST', '/api/intents', { headers: keyed(other.headers, 'try-1'), body: REFUND })
    expect(second.json.id).not.toBe(first.json.id)
  })

  it('is forgotten after a day', async () => {
    test = await testApp()
    const headers = keyed(test.agent, 'try-1')
    const first = await test.ask('POST', '/api/intents', { headers, body: REFUND })
    test.gate.clock.advance(24 * 3600 * 1000)
    const second = await test.ask('POST', '/api/intents', { headers, body: REFUND })
    expect(second.json.id).not.toBe(first.json.id)
  })

  it('cancels once, and answers the retry like the first', async () => {
    test = await testApp()
    const { id } = await test.declare()
    const send = () => test.ask('POST', `/api/intents/${id}/cancel`, { headers: keyed(test.agent, 'try-1'), body: {} })
    const [first, second] = [await send(), await send()]
    expect([first.status, second.json]).toEqual([200, first.json])
  })

  it('votes once, and answers the retry with the review', async () => {
    test = await testApp()
    const { id, intent_hash } = await test.declare()
    const { headers } = await test.signIn()
    const send = (body: object) =>
      test.ask('POST', `/api/inbox/${id}/approve`, { headers: keyed(headers, 'try-1'), body })
    const [first, second] = [await send({ intent_hash }), await send({ intent_hash })]
    expect([first.status, second.status, second.json.data.votes.length]).toEqual([200, 200, 1])
    expect((await send({ intent_hash, comment: 'changed my mind' })).code).toBe('IDEMPOTENCY_MISMATCH')
  })

  it('turns no other refusal of a vote into an answer', async () => {
    test = await testApp()
    const { id, intent_hash } = await test.declare()
    const [one, other] = [await test.signIn(), await test.signIn()]
    await test.ask('POST', `/api/inbox/${id}/deny`, { headers: other.headers, body: { intent_hash } })
    const send = () =>
      test.ask('POST', `/api/inbox/${id}/approve`, { headers: keyed(one.headers, 'try-1'), body: { intent_hash } })
    expect([(await send()).code, (await send()).code]).toEqual(['ALREADY_RESOLVED', 'ALREADY_RESOLVED'])
  })

  it('without it, a second vote is a second vote', async () => {
    test = await testApp()
    const { id, intent_hash } = await test.declare()
    const { headers } = await test.signIn()
    const send = () => test.ask('POST', `/api/inbox/${id}/deny`, { headers, body: { intent_hash } })
    await send()
    expect((await send()).status).toBe(409)
  })

  it('claims once for the same attempt, and hands the same permit out again', async () => {
    test = await testApp()
    const { id } = await test.declare()
    await test.approve(id)
    const body = { execution_id: 'call-1', attempt_id: 'attempt-1' }
    const send = () => test.ask('POST', `/api/intents/${id}/claim`, { headers: keyed(test.agent, 'try-1'), body })
    const [first, second] = [await send(), await send()]
    expect(second.json.data).toEqual(first.json.data)
  })

  it.each(['', ' ', 'a b', 'ü', 'a'.repeat(256)])('must be visible ASCII: %j', async (key) => {
    test = await testApp()
    // What no HTTP header can hold never arrives.
    if (key === 'ü') return expect(() => new Headers({ 'idempotency-key': '\u{1f600}' })).toThrow()
    const answer = await test.ask('POST', '/api/intents', { headers: keyed(test.agent, key), body: REFUND })
    expect([answer.status, answer.code]).toEqual([400, 'INVALID_FIELD'])
  })
})
