import { describe, expect, it } from 'vitest'
import type { Claim } from '../src/gate.js'
import type { Intent, IntentDraft } from '../src/intent.js'
import type { JsonObject } from '../src/json.js'
import { testGate } from '../src/testing.js'
import {
  attemptToWire,
  claimFromWire,
  claimToWire,
  draftFromWire,
  draftToWire,
  epoch,
  executionFromWire,
  inboxItemToWire,
  instant,
  intentFromWire,
  intentToWire,
  reportToWire,
  reviewToWire,
  type WireIntent,
} from '../src/wire.js'
import { refusalOf } from './refusal-of.js'

const DRAFT: IntentDraft = {
  action: 'issue_refund',
  params: { amount: 250 },
  idempotencyKey: 'call-1',
  riskTier: 'high',
  source: 'refund-agent',
  sourceType: 'devops',
  requestedBy: 'lead@example.com',
  approvers: ['ops'],
  expiresInSeconds: 60,
  context: { reasoning: 'late' },
  metadata: { tag: 1 },
  supersedes: 'int_1',
  delivery: 'token',
  edits: { schema: { type: 'object' } },
  reenters: true,
  idempotent: true,
}
const BODY: JsonObject = { action: 'issue_refund', source_type: 'ai_agent' }

/** An intent with as many members present as there can be, and one with as few. */
async function intents(): Promise<readonly Intent[]> {
  await using test = await testGate()
  const bare = await test.gate.declare({ action: 'issue_refund', params: {} })
  const { supersedes: _, approvers: __, ...draft } = DRAFT
  const full = await test.gate.declare({ ...draft, supersedes: bare.id })
  const { intentHash } = await test.local.desk.read(test.approver, full.id)
  await test.local.desk.vote(test.approver, full.id, { verdict: 'approve', intentHash, comment: 'fine' })
  return [await test.gate.read(full.id), bare, await test.gate.read(bare.id)]
}

describe('drafts', () => {
  it('come back as they went', () => {
    expect(draftFromWire(draftToWire(DRAFT)).draft).toEqual(DRAFT)
  })

  it('are spelled in snake_case', () => {
    expect(Object.keys(draftToWire(DRAFT)).filter((name) => !/^[a-z]+(_[a-z]+)*$/.test(name))).toEqual([])
  })

  it('leave absent members out, and take null for absent', () => {
    expect(draftToWire({ action: 'a', params: {} })).toEqual({ action: 'a', parameters: {} })
    expect(draftFromWire({ ...BODY, source: null, approvers: null }).draft).toEqual({
      action: 'issue_refund',
      sourceType: 'ai_agent',
      params: {},
      delivery: 'token',
    })
  })

  it.each([
    ['source_type', { action: 'a' }, 'MISSING_FIELDS'],
    ['action', { source_type: 'ai_agent' }, 'MISSING_FIELDS'],
    ['riskTier', { ...BODY, riskTier: 'low' }, 'INVALID_FIELD'],
    ['params', { ...BODY, params: {} }, 'INVALID_FIELD'],
    ['constructor', { ...BODY, constructor: 1 }, 'INVALID_FIELD'],
    ['__proto__', JSON.parse('{"action":"a","source_type":"ai_agent","__proto__":{}}') as JsonObject, 'INVALID_FIELD'],
    ['risk_tier', { ...BODY, risk_tier: 'huge' }, 'INVALID_FIELD'],
    ['expires_in', { ...BODY, expires_in: 0 }, 'INVALID_FIELD'],
    ['parameters', { ...BODY, parameters: [] }, 'INVALID_FIELD'],
    ['edits', { ...BODY, edits: true }, 'INVALID_FIELD'],
    ['project_id', { ...BODY, project_id: 5 }, 'INVALID_FIELD'],
    ['idempotency_key', { ...BODY, idempotency_key: 'a\0' }, 'INVALID_FIELD'],
    ['supersedes', { ...BODY, supersedes: 'pmt_1' }, 'INVALID_FIELD'],
  ])('name %s as the wire spells it when it is wrong', (field, body, code) => {
    expect(refusalOf(() => draftFromWire(body as JsonObject))).toMatchObject({ code, field })
  })

  it('are refused without their values', () => {
    const refused = refusalOf(() => draftFromWire({ ...BODY, source: { password: 'hunter2' } }))
    expect(refused?.message).not.toContain('hunter2')
  })
})

describe('intents', () => {
  it('come back as they went', async () => {
    for (const intent of await intents()) {
      expect(intentFromWire(JSON.parse(JSON.stringify(intentToWire(intent))) as WireIntent)).toEqual(intent)
    }
  })

  it('have every member, null where it is absent', async () => {
    for (const intent of await intents()) {
      const wire = intentToWire(intent)
      expect(Object.values(wire)).not.toContain(undefined)
      expect(Object.keys(wire)).toHaveLength(Object.keys(intent).length)
      expect(Object.keys(wire).filter((name) => /[A-Z]/.test(name))).toEqual([])
    }
  })

  it.each<[string, (wire: WireIntent) => unknown]>([
    ['nothing', () => undefined],
    ['something else', () => ({ id: 'pmt_1' })],
    ['an unknown status', (wire) => ({ ...wire, status: 'blessed' })],
    ['a status of the language', (wire) => ({ ...wire, status: 'constructor' })],
    ['an unknown state of the execution', (wire) => ({ ...wire, execution: { ...wire.execution, state: 'blessed' } })],
    ['no execution', (wire) => ({ ...wire, execution: null })],
    ['an instant that is none', (wire) => ({ ...wire, expires_at: 'soon' })],
  ])('are not made from %s', async (_, change) => {
    const [intent] = await intents()
    const wire = change(intentToWire(intent as Intent)) as WireIntent
    expect(() => intentFromWire(wire)).toThrow(TypeError)
  })
})

describe('claims', () => {
  it.each<Claim>([
    { type: 'granted', permit: 'a.b.c', params: { amount: 250 } },
    { type: 'running', since: 1_767_614_400_000, deadline: 1_767_615_300_001 },
    { type: 'recorded', outcome: { status: 'succeeded', resultRecorded: false } },
    { type: 'recorded', outcome: { status: 'succeeded', resultRecorded: true, result: { refund: 'rf_1' } } },
    { type: 'recorded', outcome: { status: 'succeeded', resultRecorded: true, result: null } },
    { type: 'recorded', outcome: { status: 'failed' } },
    { type: 'unknown' },
    { type: 'closed', reason: 'window' },
  ])('come back as they went: $type', (claim) => {
    expect(claimFromWire(JSON.parse(JSON.stringify(claimToWire(claim))))).toEqual(claim)
  })

  it('of no known type are none', () => {
    expect(() => claimFromWire({ type: 'blessed' } as never)).toThrow(TypeError)
  })

  it('and reports are sent with ids, statuses and a result only where there is one', () => {
    const attempt = { executionId: 'e', attemptId: 'a', continues: 2 }
    expect([
      attemptToWire(attempt),
      attemptToWire({ executionId: 'e', attemptId: 'a' }),
      reportToWire(attempt, { status: 'succeeded', result: { ok: true } }),
      reportToWire(attempt, { status: 'failed' }),
    ]).toEqual([
      { execution_id: 'e', attempt_id: 'a', continues: 2 },
      { execution_id: 'e', attempt_id: 'a', continues: 0 },
      { execution_id: 'e', attempt_id: 'a', status: 'succeeded', result: { ok: true } },
      { execution_id: 'e', attempt_id: 'a', status: 'failed' },
    ])
  })
})

it('reviews and inbox items have every member, in snake_case, and instants in RFC 3339', async () => {
  await using test = await testGate()
  const { id, createdAt } = await test.gate.declare({ action: 'issue_refund', params: {} })
  const review = reviewToWire(await test.local.desk.read(test.approver, id))
  const item = inboxItemToWire((await test.local.desk.inbox(test.approver)).items[0] as never)
  for (const wire of [review, item]) {
    expect(Object.values(wire)).not.toContain(undefined)
    expect(Object.keys(wire).filter((name) => /[A-Z]/.test(name))).toEqual([])
    expect(wire.created_at).toBe(new Date(createdAt).toISOString())
  }
})

it('instants come back to the millisecond', () => {
  expect(epoch(instant(1_767_614_400_001))).toBe(1_767_614_400_001)
  expect(() => epoch('yesterday')).toThrow(TypeError)
})

it('executions of an unknown state are none', () => {
  expect(() => executionFromWire({ state: 'blessed' } as never)).toThrow(TypeError)
})
