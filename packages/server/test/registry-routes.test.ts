import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type SignedInHeaders, type TestApp, testApp } from './test-app.js'

let test: TestApp
let admin: SignedInHeaders
beforeEach(async () => {
  test = await testApp()
  admin = (await test.signIn({ roles: ['admin'] })).headers
})
afterEach(() => test[Symbol.asyncDispose]())

const post = (path: string, body: unknown = {}, headers: object = admin) =>
  test.ask('POST', path, { headers: headers as SignedInHeaders, body })
const get = (path: string) => test.ask('GET', path, { headers: admin })
const eventsOf = async () =>
  (await test.gate.store.leaves({ projectId: test.gate.project.id, from: 0, limit: 1000 })).flatMap(
    ({ body }) => (JSON.parse(body) as { events: { type: string }[] }).events,
  )

describe('agents', () => {
  it('are registered under a fingerprint that is made of the name, once', async () => {
    const first = await post('/api/agents', { name: 'Refund Agent v1', framework: 'langchain' })
    const again = await post('/api/agents', { name: 'Refund Agent v1', framework: 'langchain' })
    expect([first.status, again.status, again.json.data.id]).toEqual([201, 200, first.json.data.id])
    expect(first.json.data).toMatchObject({ fingerprint: 'refund-agent-v1', framework: 'langchain', status: 'active' })
  })

  it('are stopped at once, and run again', async () => {
    const { id } = await test.addAgent({ fingerprint: 'refund-agent-v1' })
    await post(`/api/agents/${id}/pause`)
    const refused = await test.ask('POST', '/api/intents', { headers: test.agent, body: REFUND })
    expect([refused.status, refused.code]).toEqual([403, 'AGENT_PAUSED'])
    expect(refused.json.error.message).toContain(id)
    await post(`/api/agents/${id}/resume`)
    expect((await test.declare()).status).toBe('pending')
    expect((await eventsOf()).filter(({ type }) => type === 'agent.status_changed')).toHaveLength(2)
  })

  it('say when an intent of theirs was accepted', async () => {
    const { id } = await test.addAgent({ fingerprint: 'refund-agent-v1' })
    expect((await get(`/api/agents/${id}`)).json.data.last_seen_at).toBeNull()
    await test.declare()
    expect((await get(`/api/agents/${id}`)).json.data.last_seen_at).toBe(new Date(test.gate.clock.now()).toISOString())
  })

  it('lose what is set to null, and keep what is not named', async () => {
    const { person } = await test.signIn()
    const { id } = await test.addAgent({ fingerprint: 'a', owner: person.id, riskSensitivity: 'high' })
    const { json } = await post(`/api/agents/${id}`, { risk_sensitivity: null })
    expect(json.data).toMatchObject({ owner: person.id, risk_sensitivity: null })
  })

  it.each([
    ['a fingerprint with a control character', { name: 'a', fingerprint: 'a\u0007' }],
    ['a name that turns text around', { name: 'a\u202e' }],
    ['a name that gives no fingerprint', { name: '退款' }],
    ['a member that is not known', { name: 'a', status: 'active' }],
  ])('are not registered with %s', async (_, body) => {
    expect((await post('/api/agents', body)).code).toBe('INVALID_FIELD')
  })
})

describe('keys', () => {
  it('show their secret once, and speak for the agents that they are bound to', async () => {
    const agent = await test.addAgent({ fingerprint: 'refund-agent-v1' })
    const { json } = await post('/api/keys', { kind: 'agent', name: 'refunds', agents: [agent.id] })
    const { id, secret } = json.data
    const headers = { authorization: `Bearer ${secret}` }
    expect((await test.declare({}, headers)).source).toBe('refund-agent-v1')
    const other = await test.ask('POST', '/api/intents', { headers, body: { ...REFUND, source: 'another-agent' } })
    expect([other.status, other.code]).toEqual([403, 'SOURCE_MISMATCH'])
    const { text } = await get('/api/keys')
    expect([text.includes(id), text.includes(secret), text.includes('hash')]).toEqual([true, false, false])
  })

  it('that are disabled open nothing', async () => {
    const { json } = await post('/api/keys', { kind: 'agent', name: 'refunds' })
    const { status } = (await post(`/api/keys/${json.data.id}/disable`)).json.data
    const headers = { authorization: `Bearer ${json.data.secret}` }
    const refused = await test.ask('POST', '/api/intents', { headers, body: REFUND })
    expect([status, refused.code]).toEqual(['disabled', 'UNAUTHORIZED'])
  })

  it('are made once for a request that is sent again', async () => {
    const headers = { ...admin, 'idempotency-key': 'make-it' }
    const body = { kind: 'verifier', name: 'backend' }
    const first = await post('/api/keys', body, headers)
    const again = await post('/api/keys', body, headers)
    const changed = await post('/api/keys', { ...body, name: 'other' }, headers)
    expect([first.status, again.status, changed.code]).toEqual([201, 200, 'IDEMPOTENCY_MISMATCH'])
    expect([again.json.data.id, again.json.data.secret]).toEqual([first.json.data.id, null])
  })

  it('exclude whoever made them from voting on what they declare', async () => {
    const { json } = await post('/api/keys', { kind: 'agent', name: 'refunds' })
    const intent = await test.declare({}, { authorization: `Bearer ${json.data.secret}` })
    const review = await test.review(intent.id, admin)
    expect(review.can_vote).toMatchObject({ ok: false, code: 'SELF_APPROVAL' })
  })

  it('appear in the log without their secret or its hash', async () => {
    const { json } = await post('/api/keys', { kind: 'agent', name: 'refunds' })
    const { secretHash } = (await test.gate.store.key(json.data.id)) as { secretHash: string }
    const text = JSON.stringify(await test.gate.store.leaves({ projectId: test.gate.project.id, from: 0, limit: 1000 }))
    expect([text.includes(json.data.id), text.includes(json.data.secret), text.includes(secretHash)]).toEqual([
      true,
      false,
      false,
    ])
  })
})

describe('people and groups', () => {
  it('are listed, added and taken out', async () => {
    await post('/api/groups', { name: 'security' })
    const { json } = await post('/api/people', { email: 'ann@example.com', groups: ['security'] })
    const { id, roles } = json.data
    expect(roles).toEqual(['approver'])
    expect((await get('/api/groups')).json.data).toEqual([{ name: 'security', members: [id] }])
    await post('/api/groups/security/remove', { person: id })
    expect((await get('/api/groups')).json.data).toEqual([{ name: 'security', members: [] }])
    await post('/api/groups/security/add', { person: id })
    await post(`/api/people/${id}`, { status: 'disabled' })
    expect((await get('/api/people')).json.data).toContainEqual(
      expect.objectContaining({ id, groups: ['security'], status: 'disabled' }),
    )
  })

  it('cannot be given a group whose name reads as an e-mail', async () => {
    expect((await post('/api/groups', { name: 'lead@example.com' })).code).toBe('INVALID_FIELD')
  })

  it('lose their session with their account', async () => {
    const { person, headers } = await test.signIn({ roles: ['approver'] })
    await post(`/api/people/${person.id}`, { status: 'disabled' })
    expect((await test.ask('GET', '/api/inbox', { headers })).code).toBe('UNAUTHORIZED')
  })

  it('appear in the log by their id, not by their e-mail', async () => {
    const { json } = await post('/api/people', { email: 'ann@example.com' })
    const text = JSON.stringify(await test.gate.store.leaves({ projectId: test.gate.project.id, from: 0, limit: 1000 }))
    expect([text.includes(json.data.id), text.includes('ann@example.com')]).toEqual([true, false])
  })
})

describe('a list', () => {
  it('comes in pages, without gaps or repetitions', async () => {
    const ids: string[] = []
    for (let index = 0; index < 5; index++) ids.push((await test.addAgent({ fingerprint: `agent-${index}` })).id)
    const seen: string[] = []
    let cursor: string | null = ''
    for (let pages = 0; cursor !== null && pages < 10; pages++) {
      const answer = await get(`/api/agents?limit=2${cursor && `&cursor=${cursor}`}`)
      seen.push(...answer.json.data.map(({ id }: { id: string }) => id))
      cursor = answer.json.next_cursor
    }
    expect(seen).toEqual([...ids].sort())
  })
})

const REFUND = {
  action: 'issue_refund',
  source_type: 'ai_agent',
  source: 'refund-agent-v1',
  parameters: { customer_id: 'cust_4821', amount: 250 },
}
