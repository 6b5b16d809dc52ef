import { afterEach, describe, expect, it } from 'vitest'
import { REFUND, type TestApp, testApp } from './test-app.js'

let test: TestApp
afterEach(() => test[Symbol.asyncDispose]())

describe('POST /api/intents', () => {
  it('answers 201 with id and decision beside the data', async () => {
    test = await testApp()
    const { status, json } = await test.ask('POST', '/api/intents', { headers: test.agent, body: REFUND })
    expect({ status, ...json }).toMatchObject({
      status: 201,
      id: expect.stringMatching(/^int_/),
      decision: 'require_approval',
      data: { id: json.id, status: 'pending', parameters: REFUND.parameters, permit_token: null },
      error: null,
    })
  })

  it('delivers by token when nobody says how', async () => {
    test = await testApp({
      policies: [{ match: { action_pattern: 'read_*' }, decision: 'auto_approve', any_params: true }],
    })
    const { json } = await test.ask('POST', '/api/intents', {
      headers: test.agent,
      body: { action: 'read_logs', source_type: 'devops' },
    })
    expect(json).toMatchObject({
      decision: 'auto_approve',
      data: { delivery: 'token', permit_token: expect.stringMatching(/^eyJ/) },
    })
  })

  it('answers a repeated idempotency key with 200 and the same intent', async () => {
    test = await testApp()
    const body = { ...REFUND, idempotency_key: 'call-1' }
    const first = await test.ask('POST', '/api/intents', { headers: test.agent, body })
    const second = await test.ask('POST', '/api/intents', { headers: test.agent, body })
    expect([first.status, second.status, second.json.id]).toEqual([201, 200, first.json.id])
  })

  it('refuses an idempotency key that comes with other params', async () => {
    test = await testApp()
    const body = { ...REFUND, idempotency_key: 'call-1' }
    await test.ask('POST', '/api/intents', { headers: test.agent, body })
    const other = { ...body, parameters: { customer_id: 'cust_4821', amount: 2500 } }
    expect(await test.ask('POST', '/api/intents', { headers: test.agent, body: other })).toMatchObject({
      status: 422,
      code: 'IDEMPOTENCY_MISMATCH',
    })
  })

  it.each([
    ['no action', 'MISSING_FIELDS', { action: null }],
    ['no source type', 'MISSING_FIELDS', { source_type: undefined }],
    ['an unknown member', 'INVALID_FIELD', { approver: 'me' }],
    ['an approver who is nobody', 'UNKNOWN_APPROVER', { approvers: ['nobody@example.com'] }],
    ['params with an unsafe integer', 'PARAMS_NOT_CANONICAL', { parameters: { amount: 2 ** 60 } }],
    ['a tier that there is not', 'INVALID_FIELD', { risk_tier: 'none' }],
  ])('refuses %s', async (_, code, change) => {
    test = await testApp()
    const answer = await test.ask('POST', '/api/intents', { headers: test.agent, body: { ...REFUND, ...change } })
    expect([answer.status, answer.code]).toEqual([400, code])
  })

  it("does not find another project in the body than the key's", async () => {
    test = await testApp()
    const body = { ...REFUND, project_id: 'prj_another' }
    expect(await test.ask('POST', '/api/intents', { headers: test.agent, body })).toMatchObject({ status: 404 })
  })

  it('takes the project of the key in the body', async () => {
    test = await testApp()
    const body = { ...REFUND, project_id: test.gate.project.id }
    expect(await test.ask('POST', '/api/intents', { headers: test.agent, body })).toMatchObject({ status: 201 })
  })

  it('never takes the declaring principal from the body', async () => {
    test = await testApp()
    for (const forged of ['declared_by', 'key_id', 'owner', 'environment', 'status', 'decision', 'approved_by']) {
      const answer = await test.ask('POST', '/api/intents', { headers: test.agent, body: { ...REFUND, [forged]: 'x' } })
      expect([forged, answer.code]).toEqual([forged, 'INVALID_FIELD'])
    }
  })

  it('refuses the sixty-first declare in a minute, and says when to come again', async () => {
    test = await testApp({ app: { limits: { declaresPerMinute: 2 } } })
    await test.declare()
    await test.declare()
    const answer = await test.ask('POST', '/api/intents', { headers: test.agent, body: REFUND })
    expect([answer.status, answer.code, Number(answer.headers.get('retry-after'))]).toEqual([429, 'RATE_LIMITED', 30])
  })

  it('counts declares per key', async () => {
    test = await testApp({ app: { limits: { declaresPerMinute: 1 } } })
    const { headers } = await test.addKey()
    await test.declare()
    expect((await test.declare({}, headers)).status).toBe('pending')
  })

  it('refuses when too many intents wait, and says when to come again', async () => {
    test = await testApp({ maxPendingPerKey: 1 })
    await test.declare()
    const answer = await test.ask('POST', '/api/intents', { headers: test.agent, body: REFUND })
    expect([answer.code, answer.headers.has('retry-after')]).toEqual(['RATE_LIMITED', true])
  })
})

describe('GET /api/intents', () => {
  it("lists the key's own intents, newest first", async () => {
    test = await testApp()
    const first = await test.declare()
    test.gate.clock.advance(1000)
    const second = await test.declare()
    await test.declare({}, (await test.addKey()).headers)
    const { json } = await test.ask('GET', '/api/intents', { headers: test.agent })
    expect(json.data.map(({ id }: { id: string }) => id)).toEqual([second.id, first.id])
  })

  it('gives a page and the cursor of the next', async () => {
    test = await testApp()
    const ids: string[] = []
    for (let n = 0; n < 3; n++) {
      ids.unshift((await test.declare()).id)
      test.gate.clock.advance(1000)
    }
    const one = await test.ask('GET', '/api/intents?limit=2', { headers: test.agent })
    const two = await test.ask('GET', `/api/intents?limit=2&cursor=${encodeURIComponent(one.json.next_cursor)}`, {
      headers: test.agent,
    })
    const listed = [...one.json.data, ...two.json.data].map(({ id }: { id: string }) => id)
    expect([listed, two.json.next_cursor]).toEqual([ids, null])
  })

  it.each([
    ['status=pending', ['pending']],
    ['status=pending_approval', ['pending']],
    ['status=approved', ['auto']],
    ['status=auto_approved', ['auto']],
    ['status=denied', []],
    ['action=read_logs', ['auto']],
    ['source=refund-agent-v1', ['pending', 'auto']],
    ['source=other', []],
    ['idempotency_key=auto', ['auto']],
    ['idempotency_key=auto&status=pending', []],
    ['idempotency_key=none', []],
  ])('finds by %s', async (query, expected) => {
    test = await testApp({
      policies: [{ match: { action_pattern: 'read_*' }, decision: 'auto_approve', any_params: true }],
    })
    await test.declare({ action: 'read_logs', idempotency_key: 'auto' })
    test.gate.clock.advance(1000)
    await test.declare({ idempotency_key: 'pending' })
    const { json } = await test.ask('GET', `/api/intents?${query}`, { headers: test.agent })
    const names = json.data.map(({ action }: { action: string }) => (action === 'read_logs' ? 'auto' : 'pending'))
    expect(names).toEqual(expected)
  })

  it.each(['status=open', 'limit=0', 'limit=101', 'limit=x', 'limit=1&limit=2', 'colour=red', 'cursor=', 'action='])(
    'refuses %s',
    async (query) => {
      test = await testApp()
      const answer = await test.ask('GET', `/api/intents?${query}`, { headers: test.agent })
      expect([answer.status, answer.code]).toEqual([400, 'INVALID_FIELD'])
    },
  )

  it('refuses a cursor that it never gave', async () => {
    test = await testApp()
    const answer = await test.ask('GET', '/api/intents?cursor=nonsense', { headers: test.agent })
    expect([answer.status, answer.code]).toEqual([400, 'INVALID_FIELD'])
  })
})

describe('cancel', () => {
  it('takes back a pending intent, without a body too', async () => {
    test = await testApp()
    const { id } = await test.declare()
    const { json } = await test.ask('POST', `/api/intents/${id}/cancel`, { headers: test.agent })
    expect(json.data).toMatchObject({ status: 'cancelled', resolution: { by: 'agent' } })
  })

  it('refuses a body that is not JSON although it may be left out', async () => {
    test = await testApp()
    const { id } = await test.declare()
    const answer = await test.ask('POST', `/api/intents/${id}/cancel`, {
      headers: { ...test.agent, 'content-type': 'text/plain' },
      body: 'reason=x',
    })
    expect(answer.code).toBe('UNSUPPORTED_MEDIA_TYPE')
  })

  it('refuses a settled intent', async () => {
    test = await testApp()
    const { id } = await test.declare()
    await test.ask('POST', `/api/intents/${id}/cancel`, { headers: test.agent })
    const answer = await test.ask('POST', `/api/intents/${id}/cancel`, { headers: test.agent })
    expect([answer.status, answer.code]).toEqual([409, 'ALREADY_RESOLVED'])
  })
})

describe('claim and report', () => {
  const attempt = { execution_id: 'call-1', attempt_id: 'attempt-1' }

  it('hands the permit out once, to the attempt that claimed', async () => {
    test = await testApp()
    const { id } = await test.declare()
    await test.approve(id)
    const claim = (body: object) => test.ask('POST', `/api/intents/${id}/claim`, { headers: test.agent, body })
    const first = await claim(attempt)
    const again = await claim(attempt)
    const other = await claim({ ...attempt, attempt_id: 'attempt-2' })
    expect(first.json.data).toEqual({
      type: 'granted',
      permit_token: expect.stringMatching(/^eyJ/),
      parameters: REFUND.parameters,
    })
    expect([again.json.data.permit_token, other.json.data.type]).toEqual([first.json.data.permit_token, 'running'])
  })

  it('takes the report of the holder, and records it', async () => {
    test = await testApp()
    const { id } = await test.declare()
    await test.approve(id)
    await test.ask('POST', `/api/intents/${id}/claim`, { headers: test.agent, body: attempt })
    const report = await test.ask('POST', `/api/intents/${id}/report`, {
      headers: test.agent,
      body: { ...attempt, status: 'succeeded', result: { refunded: true } },
    })
    const claimed = await test.ask('POST', `/api/intents/${id}/claim`, { headers: test.agent, body: attempt })
    expect(report.json.data.execution).toMatchObject({ state: 'succeeded', reported_by: 'agent' })
    expect(claimed.json.data).toEqual({
      type: 'recorded',
      outcome: { status: 'succeeded', result_recorded: true, result: { refunded: true } },
    })
  })

  it('refuses to begin what nobody approved', async () => {
    test = await testApp()
    const { id } = await test.declare()
    const answer = await test.ask('POST', `/api/intents/${id}/claim`, { headers: test.agent, body: attempt })
    expect([answer.status, answer.code]).toEqual([409, 'NOT_APPROVED'])
  })

  it.each(['claim', 'report', 'cancel'])("does not find another key's intent: %s", async (verb) => {
    test = await testApp()
    const { id } = await test.declare()
    const { headers } = await test.addKey()
    const body = verb === 'cancel' ? {} : { ...attempt, ...(verb === 'report' && { status: 'failed' }) }
    const answer = await test.ask('POST', `/api/intents/${id}/${verb}`, { headers, body })
    expect([answer.status, answer.code]).toEqual([404, 'NOT_FOUND'])
  })
})
