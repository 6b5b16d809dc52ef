import { afterEach, describe, expect, it } from 'vitest'
import { AUDIENCE, type TestApp, testApp } from './test-app.js'

let test: TestApp
afterEach(() => test[Symbol.asyncDispose]())

const PARAMS = { customer_id: 'cust_4821', amount: 250 }

/** An approved intent whose permit an agent holds, and a verifier's credential. */
async function granted() {
  test = await testApp()
  const intent = await test.declare()
  await test.approve(intent.id)
  const { json } = await test.ask('POST', `/api/intents/${intent.id}/claim`, {
    headers: test.agent,
    body: { execution_id: 'call-1', attempt_id: 'attempt-1' },
  })
  const { headers } = await test.addKey({ kind: 'verifier' })
  return { intent, headers, token: json.data.permit_token as string }
}

describe('POST /api/permits/verify', () => {
  it('answers with the claims, and marks nothing', async () => {
    const { intent, headers, token } = await granted()
    const body = { token, action: 'issue_refund', parameters: PARAMS, audience: AUDIENCE(test, 'issue_refund') }
    await test.ask('POST', '/api/permits/verify', { headers, body })
    const { json } = await test.ask('POST', '/api/permits/verify', { headers, body })
    expect(json.data.claims).toMatchObject({ intent_id: intent.id, action: 'issue_refund', uses: 1 })
  })

  it.each([
    ['other params', 'PERMIT_PARAMS', { parameters: { ...PARAMS, amount: 2500 } }],
    ['another action', 'PERMIT_ACTION', { action: 'delete_account' }],
    ['another audience', 'PERMIT_AUDIENCE', { audience: 'urn:other' }],
    ['no permit', 'PERMIT_MALFORMED', { token: 'x' }],
  ])('refuses %s', async (_, code, change) => {
    const { headers, token } = await granted()
    const body = { token, action: 'issue_refund', parameters: PARAMS, audience: AUDIENCE(test, 'issue_refund') }
    const answer = await test.ask('POST', '/api/permits/verify', { headers, body: { ...body, ...change } })
    expect([answer.status, answer.code]).toEqual([403, code])
  })

  it("refuses an agent's key beside a verifier's", async () => {
    const { token } = await granted()
    const body = { token, action: 'issue_refund', parameters: PARAMS, audience: AUDIENCE(test, 'issue_refund') }
    expect(await test.ask('POST', '/api/permits/verify', { headers: test.agent, body })).toMatchObject({
      code: 'FORBIDDEN',
    })
  })
})

describe('POST /api/permits/redeem', () => {
  const redeem = async (headers: Record<string, string>, token: string, digest: string, redemption_id: string) =>
    test.ask('POST', '/api/permits/redeem', {
      headers,
      body: {
        token,
        redemption_id,
        action: 'issue_refund',
        params_digest: digest,
        audience: AUDIENCE(test, 'issue_refund'),
      },
    })

  it('marks the approval as used, once', async () => {
    const { intent, headers, token } = await granted()
    const first = await redeem(headers, token, intent.params_digest, 'redemption-number-1')
    const again = await redeem(headers, token, intent.params_digest, 'redemption-number-1')
    const other = await redeem(headers, token, intent.params_digest, 'redemption-number-2')
    expect([first.status, again.json, other.code]).toEqual([
      200,
      { data: { replayed: false }, error: null },
      'ALREADY_REDEEMED',
    ])
  })

  it('has one winner among many at once', async () => {
    const { intent, headers, token } = await granted()
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, n) => redeem(headers, token, intent.params_digest, `redemption-at-once-${n}`)),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  })
})

describe('POST /api/executions', () => {
  it.each([
    ['completed', 'succeeded'],
    ['failed', 'failed'],
  ])("records the verifier's %s as %s", async (status, state) => {
    const { intent, headers, token } = await granted()
    const permit_id = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).jti
    const { json } = await test.ask('POST', '/api/executions', { headers, body: { permit_id, status } })
    expect(json.data).toMatchObject({ intent_id: intent.id, execution: { state, reported_by: 'verifier' } })
  })

  it('knows no permit of its own making', async () => {
    const { headers } = await granted()
    const answer = await test.ask('POST', '/api/executions', {
      headers,
      body: { permit_id: 'pmt_00000000', status: 'completed' },
    })
    expect([answer.status, answer.code]).toEqual([404, 'NOT_FOUND'])
  })
})
