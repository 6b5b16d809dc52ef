import { afterEach, describe, expect, it } from 'vitest'
import { type TestApp, testApp } from './test-app.js'

let test: TestApp
afterEach(() => test[Symbol.asyncDispose]())

/** What must stand in no log, whatever happens to it. */
const SECRET = 'correct-horse-battery-staple'

describe('the log', () => {
  it('holds ids, and no param, token, key or session, through a whole life and every refusal', async () => {
    test = await testApp()
    const { headers } = await test.signIn({ email: `${SECRET}@example.com`, roles: ['owner', 'approver'] })
    const { id, intent_hash } = await test.declare({
      parameters: { note: SECRET },
      context: { reasoning: SECRET },
      metadata: { tag: SECRET },
      requested_by: SECRET,
      idempotency_key: SECRET,
      source: SECRET,
    })
    const vote = { intent_hash, comment: SECRET }
    await test.ask('POST', `/api/inbox/${id}/approve`, {
      headers: { ...headers, 'idempotency-key': SECRET },
      body: vote,
    })
    const attempt = { execution_id: SECRET, attempt_id: `${SECRET}-1` }
    const claim = await test.ask('POST', `/api/intents/${id}/claim`, { headers: test.agent, body: attempt })
    const token: string = claim.json.data.permit_token
    await test.ask('POST', '/api/permits/verify', {
      headers: test.agent,
      body: { token, action: SECRET, parameters: {}, audience: SECRET },
    })
    await test.ask('POST', `/api/intents/${id}/report`, {
      headers: test.agent,
      body: { ...attempt, status: 'succeeded', result: { secret: SECRET } },
    })
    await test.ask('POST', '/api/session', { body: { token: SECRET } })
    await test.ask('POST', '/api/session', { body: `{"token":"${SECRET}","${SECRET}":1}` })
    await test.ask('GET', `/api/intents?action=${SECRET}&${SECRET}=1`, { headers: test.agent })
    await test.ask('GET', `/api/intents/${SECRET}`, { headers: test.agent })
    await test.ask('GET', `/${SECRET}?token=${SECRET}`)
    await test.ask('GET', '/api/intents', { headers: { authorization: `Bearer sk_${SECRET}${SECRET}` } })
    await test.ask('GET', '/api/inbox', { headers: { cookie: `sa_session_4747=${SECRET}`, 'x-sa-session': SECRET } })
    await test.ask('DELETE', '/api/session', { headers })

    const log = test.logs.join('')
    const own = [test.agent.authorization.slice(7), headers['x-sa-session'], headers.cookie.split('=')[1] ?? '', token]
    const leaked = [SECRET, ...own, token.split('.')[2] ?? ''].filter((text) => log.includes(text))
    expect(leaked).toEqual([])
    expect(test.logs.length).toBeGreaterThan(10)
    expect(log).toContain(id)
  })

  it('has a line per request, with the id that the answer carries', async () => {
    test = await testApp()
    const { headers } = await test.ask('GET', '/api/inbox')
    expect(JSON.parse(test.logs.at(-1) ?? '')).toMatchObject({
      request_id: headers.get('x-request-id'),
      route: 'GET /api/inbox',
      status: 401,
      code: 'UNAUTHORIZED',
    })
  })

  it('does not believe an id that the client makes up', async () => {
    test = await testApp()
    const { headers } = await test.ask('GET', '/healthz', { headers: { 'x-request-id': SECRET } })
    expect([headers.get('x-request-id'), test.logs.join('').includes(SECRET)]).toEqual([
      expect.stringMatching(/^req_/),
      false,
    ])
  })
})
