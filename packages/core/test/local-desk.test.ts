import { describe, expect, it } from 'vitest'
import type { IntentDraft } from '../src/intent.js'
import type { JsonObject } from '../src/json.js'
import { memoryStore } from '../src/memory-store.js'
import type { Principal } from '../src/registry.js'
import type { Store, StoreTransaction } from '../src/store.js'
import { fakeClock, type TestGate, testGate } from '../src/testing.js'
import { intentHash } from '../src/view.js'
import type { Vote } from '../src/vote.js'

const DRAFT: IntentDraft = { action: 'issue_refund', params: { customer_id: 'cust_4821', amount: 250 } }
const EDITS = { schema: { type: 'object', properties: { amount: { type: 'number', maximum: 250 } } } }

async function vote(test: TestGate, by: Principal, id: `int_${string}`, details: Partial<Vote> = {}) {
  const { intentHash: hash, confirmation } = await test.local.desk.read(by, id)
  return test.local.desk.vote(by, id, { verdict: 'approve', intentHash: hash, confirm: confirmation, ...details })
}

function withTransaction(store: Store, wrap: (tx: StoreTransaction) => StoreTransaction): Store {
  return { ...store, transaction: (work) => store.transaction((tx) => work(wrap(tx))) }
}

describe('votes', () => {
  it('I9 two clicks at once by one person are one vote', async () => {
    await using test = await testGate({
      policies: [{ match: {}, decision: 'require_approval', approval: { approvers_required: 2 } }],
    })
    const { id } = await test.gate.declare(DRAFT)
    const clicks = await Promise.allSettled([vote(test, test.approver, id), vote(test, test.approver, id)])
    expect(clicks.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect((await test.gate.read(id)).approvals).toHaveLength(1)
  })

  it('I9 an approval and a denial at once make one decision', async () => {
    await using test = await testGate()
    const { id } = await test.gate.declare(DRAFT)
    const second = await test.person()
    const votes = await Promise.allSettled([vote(test, test.approver, id), vote(test, second, id, { verdict: 'deny' })])
    expect(votes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })

  it.each([
    ['a comment over 2,000 characters', { comment: 'a'.repeat(2001) }, 'comment'],
    ['a comment with U+0000', { comment: 'a\0' }, 'comment'],
    ['a comment with a lone surrogate', { comment: '\ud800' }, 'comment'],
    ['no verdict that there is', { verdict: 'maybe' as Vote['verdict'] }, 'verdict'],
  ])('with %s are refused, and not spent', async (_, details, field) => {
    await using test = await testGate()
    const { id } = await test.gate.declare(DRAFT)
    await expect(vote(test, test.approver, id, details)).rejects.toMatchObject({ code: 'INVALID_FIELD', field })
    expect((await vote(test, test.approver, id)).status).toBe('approved')
  })

  it.each([
    ['of another project', async () => (await testGate()).approver],
    ['that is disabled', async (test: TestGate) => test.person({ status: 'disabled' })],
  ])('and reads by an account %s are refused', async (_, stranger) => {
    await using test = await testGate()
    const { id } = await test.gate.declare(DRAFT)
    const person = await stranger(test)
    const hash = (await test.gate.read(id)).intentHash
    const tries = [
      test.local.desk.read(person, id),
      test.local.desk.vote(person, id, { verdict: 'approve', intentHash: hash }),
      test.local.desk.inbox(person),
    ]
    for (const refused of tries) await expect(refused).rejects.toMatchObject({ code: 'FORBIDDEN' })
  })

  it('on what was rendered otherwise are refused', async () => {
    await using test = await testGate()
    const { id } = await test.gate.declare(DRAFT)
    const { view } = await test.local.desk.read(test.approver, id)
    const hash = intentHash({ ...view, params: { ...view.params, amount: 25 } })
    await expect(vote(test, test.approver, id, { intentHash: hash })).rejects.toMatchObject({ code: 'STALE_VIEW' })
  })

  it('make a view whose hash a page can compute from what it rendered', async () => {
    await using test = await testGate()
    const { id } = await test.gate.declare(DRAFT)
    const review = await test.local.desk.read(test.approver, id)
    expect(intentHash(JSON.parse(JSON.stringify(review.view)))).toBe(review.intentHash)
  })
})

describe('between a read and a write', () => {
  it('I7 an edit that waited for its row until the intent had expired comes too late', async () => {
    const clock = fakeClock()
    let waits = 0
    await using test = await testGate({
      clock,
      store: withTransaction(memoryStore({ now: clock.now }), (tx) => ({
        ...tx,
        async lockIntent(id) {
          clock.advance(waits)
          return tx.lockIntent(id)
        },
      })),
    })
    const { id } = await test.gate.declare({ ...DRAFT, edits: EDITS, expiresInSeconds: 60 })
    waits = 61_000
    const edited = vote(test, test.approver, id, { params: { amount: 5 } })
    await expect(edited).rejects.toMatchObject({ code: 'ALREADY_RESOLVED' })
    expect((await test.gate.read(id)).supersededBy).toBeUndefined()
  })

  it('a later denial, which whoever lifts has not seen, is not lifted', async () => {
    const clock = fakeClock()
    const memory = memoryStore({ now: clock.now })
    let later = false
    await using test = await testGate({
      clock,
      store: withTransaction(memory, (tx) => ({
        ...tx,
        async takeDenial(action) {
          const expiresAt = clock.now() + 60_000
          if (later) await tx.putDenial({ ...action, intentId: 'int_later', expiresAt })
          return tx.takeDenial(action)
        },
      })),
    })
    const { id } = await test.gate.declare(DRAFT)
    await vote(test, test.approver, id, { verdict: 'deny' })
    later = true
    await test.local.desk.liftDenial(test.approver, id)
    expect((await test.gate.declare(DRAFT)).status).toBe('denied')
    later = false
    await test.local.desk.liftDenial(test.approver, id)
    expect((await test.gate.declare(DRAFT)).status).toBe('denied')
  })
})

describe('edits', () => {
  it('I5 declare a successor that policy judges like any other', async () => {
    await using test = await testGate({
      policies: [{ match: { params_schema: { properties: { amount: { maximum: 10 } } } }, decision: 'auto_deny' }],
    })
    const { id } = await test.gate.declare({ ...DRAFT, edits: EDITS })
    const { supersededBy } = await vote(test, test.approver, id, { params: { amount: 5 } })
    expect(await test.gate.read(supersededBy as `int_${string}`)).toMatchObject({
      status: 'denied',
      params: { amount: 5 },
      supersedes: id,
    })
  })

  it('I5 leave nothing behind when the successor is refused', async () => {
    await using test = await testGate()
    const { id } = await test.gate.declare({ ...DRAFT, edits: EDITS })
    const edits: JsonObject[] = [{ amount: 2500 }, DRAFT.params, { amount: Number.NaN }]
    for (const params of edits) await expect(vote(test, test.approver, id, { params })).rejects.toThrow()
    expect(await test.gate.read(id)).toMatchObject({ status: 'pending', approvals: [] })
  })

  it.each([
    ['that do not fit the schema', { amount: 2500 }, 'INVALID_FIELD'],
    ['that change nothing', { amount: 250, customer_id: 'cust_4821' }, 'INVALID_FIELD'],
    ['that are not canonical', { amount: Number.NaN }, 'PARAMS_NOT_CANONICAL'],
    ['that send a placeholder back', { note: [{ 'silentauth.redacted': { type: 'string' } }] }, 'INVALID_FIELD'],
  ])('I12 %s are refused', async (_, params, code) => {
    await using test = await testGate()
    const { id } = await test.gate.declare({ ...DRAFT, edits: EDITS })
    await expect(vote(test, test.approver, id, { params })).rejects.toMatchObject({ code })
  })

  it('I11 exclude their editor from the successor, down the chain', async () => {
    await using test = await testGate()
    const [first, second, third] = [await test.person(), await test.person(), await test.person()]
    const { id } = await test.gate.declare({ ...DRAFT, edits: EDITS })
    const one = await vote(test, first, id, { params: { amount: 200 } })
    const two = await vote(test, second, one.supersededBy as `int_${string}`, { params: { amount: 100 } })
    const last = two.supersededBy as `int_${string}`
    await expect(vote(test, first, last)).rejects.toMatchObject({ code: 'SELF_APPROVAL' })
    await expect(vote(test, second, last)).rejects.toMatchObject({ code: 'SELF_APPROVAL' })
    expect((await vote(test, third, last)).status).toBe('approved')
  })

  it('I12 keep principal, key, source, delivery, flags, and whom the draft narrowed it to', async () => {
    await using test = await testGate()
    const agent = await test.agent()
    const { gate } = await test.addKey({ agents: [agent.id] })
    const other = await test.person({ email: 'other@example.com' })
    const draft = {
      ...DRAFT,
      edits: EDITS,
      reenters: true,
      idempotent: true,
      requestedBy: 'boss@example.com',
      approvers: ['approver@example.com', 'other@example.com'],
      riskTier: 'high',
    } as const
    const first = await gate.declare(draft)
    const { supersededBy } = await vote(test, test.approver, first.id, { params: { amount: 1 } })
    const successor = await gate.read(supersededBy as `int_${string}`)
    const kept = [
      'source',
      'delivery',
      'edits',
      'reenters',
      'idempotent',
      'requestedBy',
      'approvers',
      'riskTier',
    ] as const
    for (const name of kept) expect([name, successor[name]]).toEqual([name, first[name]])
    expect((await vote(test, other, successor.id)).status).toBe('approved')
  })
})

describe('the inbox', () => {
  it('I9 shows when those who are left cannot reach quorum, and stays pending', async () => {
    await using test = await testGate({
      policies: [{ match: {}, decision: 'require_approval', approval: { approvers_required: 3 } }],
    })
    const { id } = await test.gate.declare(DRAFT)
    const review = await test.local.desk.read(test.approver, id)
    expect([review.status, review.quorumOutOfReach]).toEqual(['pending', true])
  })

  it('E23 review page and risk factors name executions of the same call that may have happened', async () => {
    await using test = await testGate()
    const first = await test.gate.declare(DRAFT)
    await vote(test, test.approver, first.id)
    await test.gate.claim(first.id, { executionId: 'one', attemptId: 'one' })
    const second = await test.gate.declare(DRAFT)
    const review = await test.local.desk.read(test.approver, second.id)
    expect(review.sameAction).toEqual([first.id])
    expect(review.risk.factors.map(({ name }) => name)).toContain('maybe_repeated')
  })

  it('E23 names no execution of other params, and none that ended', async () => {
    await using test = await testGate()
    const other = await test.gate.declare({ ...DRAFT, params: { amount: 1 } })
    const ended = await test.gate.declare(DRAFT)
    for (const { id } of [other, ended]) {
      await vote(test, test.approver, id)
      await test.gate.claim(id, { executionId: 'one', attemptId: 'one' })
    }
    await test.gate.report(ended.id, { executionId: 'one', attemptId: 'one' }, { status: 'succeeded' })
    const { id } = await test.gate.declare(DRAFT)
    expect((await test.local.desk.read(test.approver, id)).sameAction).toEqual([])
  })

  it('says why somebody may not vote', async () => {
    await using test = await testGate()
    const owner = await test.person()
    const agent = await test.agent({ owner: owner.id })
    const { gate } = await test.addKey({ agents: [agent.id] })
    await gate.declare(DRAFT)
    const { items } = await test.local.desk.inbox(owner)
    expect(items[0]?.canVote).toMatchObject({ ok: false, code: 'SELF_APPROVAL' })
  })
})

describe('hidden values', () => {
  const SECRET = { ...DRAFT, params: { iban: 'DE89370400440532013000', password: 'open sesame' } }

  it('are revealed once per person, with a leaf, and change no hash', async () => {
    await using test = await testGate()
    const { id } = await test.gate.declare(SECRET)
    const before = await test.local.desk.read(test.approver, id)
    expect(await test.local.desk.reveal(test.approver, id, '/password')).toBe('open sesame')
    await test.local.desk.reveal(test.approver, id, '/password')
    const after = await test.local.desk.read(test.approver, id)
    expect([after.intentHash, after.view, after.revealed]).toEqual([
      before.intentHash,
      before.view,
      [{ pointer: '/password', value: 'open sesame' }],
    ])
    const leaves = await test.store.leaves({ projectId: test.project.id, from: 0, limit: 100 })
    expect(leaves.filter(({ body }) => body.includes('value.revealed'))).toHaveLength(1)
  })

  it('of a policy are for owners and admins who may vote', async () => {
    await using test = await testGate({ policies: [{ match: {}, decision: 'require_approval', redact: ['/iban'] }] })
    const owner = await test.person({ roles: ['owner'] })
    const { id } = await test.gate.declare(SECRET)
    await expect(test.local.desk.reveal(test.approver, id, '/iban')).rejects.toMatchObject({ code: 'FORBIDDEN' })
    expect(await test.local.desk.reveal(owner, id, '/iban')).toBe('DE89370400440532013000')
  })

  it('are shown to nobody whom the intent excludes, nor at places where nothing is hidden', async () => {
    await using test = await testGate()
    const named = await test.person({ email: 'named@example.com' })
    const { id } = await test.gate.declare({ ...SECRET, requestedBy: 'named@example.com' })
    await expect(test.local.desk.reveal(named, id, '/password')).rejects.toMatchObject({ code: 'SELF_APPROVAL' })
    const nowhere = ['', '/__proto__', '/constructor', '/password/0'] as const
    for (const pointer of nowhere) {
      await expect(test.local.desk.reveal(test.approver, id, pointer)).rejects.toMatchObject({ code: 'INVALID_FIELD' })
    }
  })

  it('of context are shown to nobody, and hold nothing up: nothing of it is executed', async () => {
    await using test = await testGate()
    const { id } = await test.gate.declare({ ...DRAFT, riskTier: 'high', context: { password: 'open sesame' } })
    const review = await test.local.desk.read(test.approver, id)
    expect(JSON.stringify(review)).not.toContain('open sesame')
    expect((await vote(test, test.approver, id)).status).toBe('approved')
  })
})

describe('oversight', () => {
  it('E17 takes only findings that there are', async () => {
    await using test = await testGate()
    const { id } = await test.gate.declare(DRAFT)
    await vote(test, test.approver, id)
    await test.gate.claim(id, { executionId: 'one', attemptId: 'one' })
    test.clock.advance(900_000)
    const finding = { finding: 'perhaps' as 'happened' }
    await expect(test.local.desk.reconcile(test.approver, id, finding)).rejects.toMatchObject({ field: 'finding' })
    expect((await test.gate.read(id)).execution.state).toBe('unknown')
  })

  it('E15 says why in at most 2,000 characters', async () => {
    await using test = await testGate()
    const { id } = await test.gate.declare(DRAFT)
    await vote(test, test.approver, id)
    const withdrawn = test.local.desk.withdraw(test.approver, id, 'a'.repeat(2001))
    await expect(withdrawn).rejects.toMatchObject({ code: 'INVALID_FIELD', field: 'reason' })
  })
})
