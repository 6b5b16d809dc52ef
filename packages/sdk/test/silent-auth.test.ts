import { inspect } from 'node:util'
import { type IntentId, snapshot } from '@silentauth/core'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { aKey, aPermit, ISSUER, PARAMS } from './a-permit.js'
import { data, INTENT_ID, refusal, type Step, scriptedServer, wireIntent } from './scripted-server.js'

const key = await aKey()
const pinned = { profile: 'v1', issuer: ISSUER, keys: { keys: [key.jwk] } } as const
const attempt = { executionId: 'call-1', attemptId: 'attempt-1' }
const request = { action: 'issue_refund', params: PARAMS }

describe('declare', () => {
  it('sends the whole draft, for delivery by claim', async () => {
    await using server = await scriptedServer([data(wireIntent(), 201)])
    await server.client().declare({
      action: 'issue_refund',
      params: PARAMS,
      idempotencyKey: 'call-1',
      riskTier: 'high',
      source: 'refund-agent-v1',
      sourceType: 'automation',
      requestedBy: 'alice@example.com',
      approvers: ['ops'],
      expiresInSeconds: 60,
      context: { reasoning: 'charged twice' },
      metadata: { run: 'r1' },
      supersedes: 'int_6',
      edits: { schema: {} },
      reenters: true,
      idempotent: true,
    })
    expect(server.seen[0]?.body).toEqual({
      action: 'issue_refund',
      parameters: PARAMS,
      idempotency_key: 'call-1',
      risk_tier: 'high',
      source: 'refund-agent-v1',
      source_type: 'automation',
      requested_by: 'alice@example.com',
      approvers: ['ops'],
      expires_in: 60,
      context: { reasoning: 'charged twice' },
      metadata: { run: 'r1' },
      supersedes: 'int_6',
      delivery: 'claim',
      edits: { schema: {} },
      reenters: true,
      idempotent: true,
      project_id: 'prj_test',
    })
  })

  it.each<[string, object, object]>([
    ['of the client', {}, { source: 'agent-7', source_type: 'devops' }],
    ['of the draft', { source: 'agent-8', sourceType: 'automation' }, { source: 'agent-8', source_type: 'automation' }],
    [
      'of the client where the draft says undefined',
      { source: undefined },
      { source: 'agent-7', source_type: 'devops' },
    ],
  ])('names the source %s', async (_, draft, expected) => {
    await using server = await scriptedServer([data(wireIntent(), 201)])
    await server.client({ source: 'agent-7', sourceType: 'devops' }).declare({ ...request, ...draft })
    expect(server.seen[0]?.body).toMatchObject(expected)
  })

  it('is an AI agent when nobody says', async () => {
    await using server = await scriptedServer([data(wireIntent(), 201)])
    await server.client().declare(request)
    expect(server.seen[0]?.body.source_type).toBe('ai_agent')
  })

  it('sends params as they were when it was called', async () => {
    await using server = await scriptedServer(['lost', data(wireIntent(), 201)])
    const params = { ...PARAMS }
    const declared = server.client().declare({ action: 'issue_refund', params })
    params.amount = 2500
    await declared
    expect(server.seen.map(({ body }) => body.parameters)).toEqual([PARAMS, PARAMS])
  })

  it.each<[string, object, string]>([
    ['params that JSON would change', { params: { amount: Number.NaN } }, 'PARAMS_NOT_CANONICAL'],
    ['params that JSON would drop', { params: { amount: undefined } }, 'PARAMS_NOT_CANONICAL'],
    ['a context that JSON would change', { context: { at: new Date() } }, 'PARAMS_NOT_CANONICAL'],
    ['no action', { action: undefined }, 'MISSING_FIELDS'],
    ['an action that looks like another', { action: 'issue_rеfund' }, 'INVALID_FIELD'],
    ['an unknown member', { tier: 'low' }, 'INVALID_FIELD'],
  ])('sends nothing with %s', async (_, draft, code) => {
    await using server = await scriptedServer([data(wireIntent(), 201)])
    await expect(server.client().declare({ ...request, ...draft } as never)).rejects.toMatchObject({ code })
    expect(server.seen).toHaveLength(0)
  })

  it('wastes nobody’s approval on a permit that could not be verified', async () => {
    await using server = await scriptedServer([data(wireIntent(), 201)])
    await expect(server.client({ profile: 'v1' }).declare(request)).rejects.toMatchObject({ code: 'GATE_UNAVAILABLE' })
    expect(server.seen).toHaveLength(0)
  })
})

describe('read', () => {
  it('asks for an id', async () => {
    await using server = await scriptedServer([data(wireIntent())])
    await expect(server.client().read(INTENT_ID)).resolves.toMatchObject({ id: INTENT_ID })
    expect(server.seen[0]?.line).toBe('GET /api/intents/int_7')
  })

  it('finds an idempotency key', async () => {
    await using server = await scriptedServer([data([wireIntent()])])
    await expect(server.client().read({ idempotencyKey: 'a/b&c' })).resolves.toMatchObject({ id: INTENT_ID })
    expect(server.seen[0]?.line).toBe('GET /api/intents?idempotency_key=a%2Fb%26c&limit=1')
  })

  it.each<[string, Step, unknown, string]>([
    ['an id that is not there', refusal(404, 'NOT_FOUND'), INTENT_ID, 'NOT_FOUND'],
    ['a key that nobody used', data([]), { idempotencyKey: 'k' }, 'NOT_FOUND'],
    ['an answer that is no list', data({}), { idempotencyKey: 'k' }, 'GATE_UNAVAILABLE'],
    ['another intent', data(wireIntent({ id: 'int_8' })), INTENT_ID, 'GATE_UNAVAILABLE'],
  ])('refuses %s', async (_, step, ref, code) => {
    await using server = await scriptedServer([step])
    await expect(server.client().read(ref as IntentId)).rejects.toMatchObject({ code })
  })

  it('asks for nothing but an intent, whatever the id says', async () => {
    await using server = await scriptedServer([refusal(404, 'NOT_FOUND')])
    await server
      .client()
      .read('int_7/../../../healthz?' as IntentId)
      .catch(() => undefined)
    expect(server.seen[0]?.line).toBe('GET /api/intents/int_7%2F..%2F..%2F..%2Fhealthz%3F')
  })
})

describe('cancel', () => {
  it('says why, once, also when the answer is lost', async () => {
    await using server = await scriptedServer(['lost', data(wireIntent({ status: 'cancelled' }))])
    await expect(server.client().cancel(INTENT_ID, 'nobody waits')).resolves.toMatchObject({ status: 'cancelled' })
    expect(server.seen.map(({ line, body }) => [line, body])).toEqual(
      Array(2).fill(['POST /api/intents/int_7/cancel', { reason: 'nobody waits' }]),
    )
  })
})

describe('claim', () => {
  it('repeats the same attempt when the connection breaks between claim and answer', async () => {
    const granted = data({ type: 'granted', permit_token: 'a.b.c', parameters: PARAMS })
    await using server = await scriptedServer(['lost', 'lost', granted])
    await expect(server.client().claim(INTENT_ID, { ...attempt, continues: 2 })).resolves.toEqual({
      type: 'granted',
      permit: 'a.b.c',
      params: PARAMS,
    })
    expect(server.seen.map(({ line, body }) => [line, body])).toEqual(
      Array(3).fill([
        'POST /api/intents/int_7/claim',
        { execution_id: 'call-1', attempt_id: 'attempt-1', continues: 2 },
      ]),
    )
  })

  it('leaves it to its caller to repeat a claim that is being sequenced', async () => {
    await using server = await scriptedServer([refusal(503, 'NOT_SEQUENCED', { 'retry-after': '1' })])
    await expect(server.client().claim(INTENT_ID, attempt)).rejects.toMatchObject({
      code: 'NOT_SEQUENCED',
      retryAfterSeconds: 1,
    })
    expect(server.seen).toHaveLength(1)
  })

  it.each<[string, Step]>([
    ['a grant of a type of the future', data({ type: 'blessed', permit_token: 'a.b.c', parameters: PARAMS })],
    ['a grant without permit', data({ type: 'granted', parameters: PARAMS })],
    ['nothing', data(null)],
  ])('grants nothing for %s', async (_, step) => {
    await using server = await scriptedServer([step])
    await expect(server.client().claim(INTENT_ID, attempt)).rejects.toMatchObject({ code: 'GATE_UNAVAILABLE' })
  })
})

describe('a key that was rotated', () => {
  it('is known to the adapter as soon as a permit of it is granted', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    onTestFinished(() => void vi.useRealTimers())
    const [old, next] = [await aKey(), await aKey()]
    let published = [old.jwk]
    const grant = async () => data({ type: 'granted', permit_token: await aPermit(next), parameters: PARAMS })
    let granted = await grant()
    await using server = await scriptedServer(({ line }) =>
      line === 'GET /keys' ? { json: { keys: published } } : granted,
    )
    const client = server.client({ profile: 'v1', issuer: ISSUER, keys: `${server.url}/keys` })
    const kids = async () => (await client.trust()).keys?.keys.map(({ kid }) => kid)
    expect(await kids()).toEqual([old.jwk.kid])

    published = [old.jwk, next.jwk]
    vi.setSystemTime(Date.now() + 31_000) // the cool-down of the key set
    granted = await grant()
    await client.claim(INTENT_ID, attempt)
    expect(await kids()).toEqual([old.jwk.kid, next.jwk.kid])
  })
})

describe('createIntent', () => {
  it('asks for delivery by token', async () => {
    await using server = await scriptedServer([data(wireIntent({ delivery: 'token' }), 201)])
    await server.client().createIntent({ ...request, expiresIn: 60, riskTier: 'high' })
    expect(server.seen[0]?.body).toMatchObject({
      delivery: 'token',
      expires_in: 60,
      risk_tier: 'high',
      parameters: PARAMS,
    })
  })

  it('takes the names of the wire', async () => {
    await using server = await scriptedServer([data(wireIntent({ delivery: 'token' }), 201)])
    await server.client().createIntent({
      action: 'issue_refund',
      parameters: PARAMS,
      expires_in: 60,
      risk_tier: 'high',
      requested_by: 'alice@example.com',
      idempotency_key: 'k',
    })
    expect(server.seen[0]?.body).toMatchObject({
      parameters: PARAMS,
      expires_in: 60,
      risk_tier: 'high',
      requested_by: 'alice@example.com',
      idempotency_key: 'k',
    })
  })

  it('gives the intent in both spellings', async () => {
    await using server = await scriptedServer([
      data(
        wireIntent({
          created_at: '2026-03-16T12:00:00.000Z',
          expires_at: '2026-03-16T13:00:00.000Z',
          approvers: ['ops'],
        }),
        201,
      ),
    ])
    const intent = await server.client().createIntent(request)
    expect({ ...intent }).toEqual({
      id: INTENT_ID,
      status: 'pending',
      decision: 'require_approval',
      action: 'issue_refund',
      params: PARAMS,
      riskTier: 'medium',
      approvers: ['ops'],
      approvalUrl: 'http://127.0.0.1/inbox/int_7',
      createdAt: '2026-03-16T12:00:00.000Z',
      expiresAt: '2026-03-16T13:00:00.000Z',
      resolution: undefined,
      permit: undefined,
    })
    expect([intent.approval_url, intent.created_at, intent.expires_at, intent.risk_tier, intent.parameters]).toEqual([
      intent.approvalUrl,
      intent.createdAt,
      intent.expiresAt,
      intent.riskTier,
      intent.params,
    ])
  })

  it.each<[string, object]>([
    ['an unknown member', { ...request, tier: 'low' }],
    ['two spellings of a member', { ...request, parameters: { amount: 1 } }],
    ['a member that only adapters use', { ...request, delivery: 'claim' }],
  ])('is refused with %s', async (_, given) => {
    await using server = await scriptedServer([data(wireIntent(), 201)])
    await expect(server.client().createIntent(given as never)).rejects.toThrow(TypeError)
    expect(server.seen).toHaveLength(0)
  })

  it('has the permit at once when a policy approves', async () => {
    const token = await aPermit(key)
    await using server = await scriptedServer([data(approved(token), 201)])
    const { permit } = await server.client(pinned).createIntent(request)
    expect(permit).toMatchObject({
      permitId: 'pmt_7',
      intentId: INTENT_ID,
      action: 'issue_refund',
      approvedBy: undefined,
    })
    expect([permit?.token, permit?.headers()]).toEqual([token, { 'silentauth-permit': token }])
  })

  it('hands no permit on that does not verify', async () => {
    const forged = await aPermit(await aKey())
    await using server = await scriptedServer([data(approved(forged), 201)])
    await expect(server.client(pinned).createIntent(request)).rejects.toMatchObject({ code: 'PERMIT_KID_UNKNOWN' })
  })

  it('hands no permit on that is for other params', async () => {
    const other = await aPermit(key, { params_digest: snapshot({ amount: 1 }).digest })
    await using server = await scriptedServer([data(approved(other), 201)])
    await expect(server.client(pinned).createIntent(request)).rejects.toMatchObject({ code: 'PERMIT_PARAMS' })
  })
})

describe('waitForApproval', () => {
  it('gives the permit with who approved it and when', async () => {
    const token = await aPermit(key)
    const settled = approved(token, {
      resolved_at: '2026-03-16T12:34:56.000Z',
      approved_by: ['a@example.com', 'b@example.com'],
      approvals: [{ at: '2026-03-16T12:30:00.000Z', by: 'user:usr_1', label: 'a@example.com', via: 'session' }],
    })
    await using server = await scriptedServer([data(wireIntent(), 201), data(wireIntent()), data(settled)])
    const intent = await server.client(pinned).createIntent(request)
    const permit = await intent.waitForApproval()
    expect(permit).toMatchObject({
      approvedBy: 'a@example.com, b@example.com',
      approved_by: 'a@example.com, b@example.com',
      approvedAt: '2026-03-16T12:34:56.000Z',
      approvals: [{ at: '2026-03-16T12:30:00.000Z', by: 'user:usr_1', label: 'a@example.com', via: 'session' }],
      expires_at: expect.stringMatching(/Z$/),
    })
    expect(permit.token).toBe(token)
  })

  it.each<[string, object, string]>([
    ['denied', { status: 'denied' }, 'INTENT_DENIED'],
    ['expired', { status: 'expired' }, 'INTENT_EXPIRED'],
    ['cancelled', { status: 'cancelled' }, 'INTENT_CANCELLED'],
    ['superseded', { status: 'superseded', superseded_by: 'int_8' }, 'INTENT_SUPERSEDED'],
    ['sent back', { status: 'changes_requested' }, 'CHANGES_REQUESTED'],
    ['approved, and found too late', { status: 'approved', permit_token: null }, 'PERMIT_EXPIRED'],
  ])('throws when the intent was %s, with the resolution as cause', async (_, changes, code) => {
    const resolution = { by: 'person', code: null, comment: 'not today', earlier_intent: null } as const
    await using server = await scriptedServer([data(wireIntent(), 201), data(wireIntent({ ...changes, resolution }))])
    const intent = await server.client().createIntent(request)
    await expect(intent.waitForApproval()).rejects.toMatchObject({
      code,
      intentId: INTENT_ID,
      cause: { by: 'person', comment: 'not today' },
    })
  })

  it('takes milliseconds', async () => {
    await using server = await scriptedServer([data(wireIntent(), 201), 'silent'])
    const intent = await server.client().createIntent(request)
    await expect(intent.waitForApproval({ timeout: 30 })).rejects.toMatchObject({ code: 'WAIT_TIMEOUT' })
  })

  it('takes a signal', async () => {
    await using server = await scriptedServer([data(wireIntent(), 201), 'silent'])
    const intent = await server.client().createIntent(request)
    await expect(intent.waitForApproval({ signal: AbortSignal.abort('enough') })).rejects.toBe('enough')
  })

  it('gives no permit that does not verify', async () => {
    const forged = await aPermit(await aKey())
    await using server = await scriptedServer([data(wireIntent(), 201), data(approved(forged))])
    const intent = await server.client(pinned).createIntent(request)
    await expect(intent.waitForApproval()).rejects.toMatchObject({ code: 'PERMIT_KID_UNKNOWN' })
  })

  it('gives no permit that is none', async () => {
    await using server = await scriptedServer([data(wireIntent(), 201), data(approved('permit'))])
    const intent = await server.client().createIntent(request)
    await expect(intent.waitForApproval()).rejects.toMatchObject({ code: 'GATE_UNAVAILABLE' })
  })
})

describe('logExecution', () => {
  const answer = data({
    intent_id: INTENT_ID,
    execution: { state: 'succeeded', continuations: 0, deadline: null, reported_by: 'verifier', disputed: false },
  })

  it.each<[string, object]>([
    ['camelCase', { permitId: 'pmt_7', status: 'completed', result: { refunded: 250 } }],
    ['snake_case', { permit_id: 'pmt_7', status: 'completed', result: { refunded: 250 } }],
  ])('takes %s', async (_, log) => {
    await using server = await scriptedServer([answer])
    const logged = await server.client().logExecution(log as never)
    expect([server.seen[0]?.line, server.seen[0]?.body]).toEqual([
      'POST /api/executions',
      { permit_id: 'pmt_7', status: 'completed', result: { refunded: 250 } },
    ])
    expect([{ ...logged }, logged.reported_by]).toEqual([
      { intentId: INTENT_ID, state: 'succeeded', reportedBy: 'verifier', disputed: false },
      'verifier',
    ])
  })

  it.each<[string, object]>([
    ['no permit', { status: 'completed' }],
    ['no status', { permitId: 'pmt_7' }],
    ['an unknown member', { permitId: 'pmt_7', status: 'completed', outcome: 1 }],
  ])('is refused with %s', async (_, log) => {
    await using server = await scriptedServer([answer])
    await expect(server.client().logExecution(log as never)).rejects.toThrow(TypeError)
    expect(server.seen).toHaveLength(0)
  })
})

describe('what is printed', () => {
  it('of a client is not its key', async () => {
    await using server = await scriptedServer([])
    expect(inspect(server.client(), { depth: 9, showHidden: true })).not.toContain('sk_test')
  })

  it.each<[string, (value: unknown) => string]>([
    ['inspected', (value) => inspect(value, { depth: 9 })],
    ['serialised', (value) => JSON.stringify(value)],
  ])('of a permit is not its token, when it is %s', async (_, print) => {
    const token = await aPermit(key)
    await using server = await scriptedServer([data(approved(token), 201)])
    expect(print(await server.client(pinned).createIntent(request))).not.toContain(token)
  })
})

function approved(token: string, changes: object = {}) {
  return wireIntent({
    status: 'approved',
    decision: 'auto_approve',
    delivery: 'token',
    permit_token: token,
    resolved_at: '2026-03-16T12:34:56.000Z',
    ...changes,
  })
}
