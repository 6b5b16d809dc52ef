import { describe, expect, it } from 'vitest'
import type { IntentId } from '../src/id.js'
import type { IntentDraft } from '../src/intent.js'
import { isOver, MIN_RETENTION_SECONDS, prune } from '../src/retention.js'
import type { State } from '../src/state.js'
import { type TestGate, testGate } from '../src/testing.js'
import { anAttempt, aScene, HOUR, NOW, SECOND } from './a-scene.js'

const DAY = 24 * HOUR
const DRAFT: IntentDraft = { action: 'issue_refund', params: { customer_id: 'cust_4821', amount: 250 } }

async function decided(test: TestGate, verdict: 'approve' | 'deny', draft: Partial<IntentDraft> = {}) {
  const { id } = await test.gate.declare({ ...DRAFT, ...draft })
  const { intentHash } = await test.local.desk.read(test.approver, id)
  await test.local.desk.vote(test.approver, id, { verdict, intentHash })
  return id
}

function pruned(test: TestGate, days = 30, options: { batch?: number; signal?: AbortSignal } = {}): Promise<number> {
  return prune({ store: test.store, projectId: test.project.id, olderThanSeconds: (days * DAY) / SECOND, ...options })
}

describe('isOver', () => {
  const scene = aScene()
  const attempt = anAttempt()
  const succeeded = scene.report(scene.started({}, attempt), attempt, 'succeeded').state
  const windowEnd = (state: State) => (state.useUntil as number) + 60_000
  const suspended = scene.report(scene.started({ reenters: true }, attempt), attempt, 'suspended').state

  it.each<[string, State, number, boolean]>([
    ['pending', scene.declare(), NOW + 365 * DAY, false],
    ['denied', scene.vote(scene.declare(), 'usr_ann', { verdict: 'deny' }).state, NOW, true],
    ['denied a moment later', scene.vote(scene.declare(), 'usr_ann', { verdict: 'deny' }).state, NOW - 1, false],
    ['cancelled', scene.cancel(scene.declare()).state, NOW, true],
    ['approved', scene.approved(), NOW + 365 * DAY, false],
    ['started', scene.started({}, attempt), NOW + 365 * DAY, false],
    ['suspended', suspended, NOW + 365 * DAY, false],
    ['unknown', scene.tick(scene.started({}, attempt), NOW + DAY).state, NOW + 365 * DAY, false],
    ['executed, and its window still open', succeeded, windowEnd(succeeded) - 1, false],
    ['executed, its window and every skew over', succeeded, windowEnd(succeeded), true],
    ['abandoned', scene.cancel(scene.approved()).state, NOW + DAY, true],
  ])('of what is %s', (_, state, before, over) => {
    expect(isOver(state, before)).toBe(over)
  })
})

describe('prune', () => {
  it('takes what has been over for its time, and nothing that has not', async () => {
    await using test = await testGate()
    const old = await decided(test, 'deny')
    const pending = await test.gate.declare({ ...DRAFT, params: { amount: 1 }, expiresInSeconds: 30 * 24 * 3600 })
    test.clock.advance(29 * DAY)
    const recent = await decided(test, 'deny', { params: { amount: 2 } })
    test.clock.advance(DAY)
    expect(await pruned(test)).toBe(1)
    await expect(test.gate.read(old)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect((await test.gate.read(pending.id)).id).toBe(pending.id)
    expect((await test.gate.read(recent)).status).toBe('denied')
  })

  it('leaves a tombstone: what was declared under the key is neither found nor declared again', async () => {
    await using test = await testGate()
    const draft = { ...DRAFT, idempotencyKey: 'call-1' }
    const id = await decided(test, 'approve', draft)
    const attempt = anAttempt()
    await test.gate.claim(id, attempt)
    await test.gate.report(id, attempt, { status: 'succeeded' })
    test.clock.advance(31 * DAY)
    expect(await pruned(test)).toBe(1)
    await expect(test.gate.declare(draft)).rejects.toMatchObject({ code: 'NOT_FOUND', field: 'idempotency_key' })
    await expect(test.gate.read({ idempotencyKey: 'call-1' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(test.gate.claim(id, anAttempt())).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(
      (await test.local.list({ type: 'key', id: test.key.id, projectId: test.project.id }, { limit: 9 })).items,
    ).toEqual([])
  })

  it('keeps what nobody knows the outcome of, however old', async () => {
    await using test = await testGate()
    const id = await decided(test, 'approve')
    await test.gate.claim(id, anAttempt())
    test.clock.advance(400 * DAY)
    await test.local.sweep()
    expect([await pruned(test), (await test.gate.read(id)).execution.state]).toEqual([0, 'unknown'])
  })

  it('keeps an original as long as the successor that an edit gave it', async () => {
    await using test = await testGate()
    const second = await test.person()
    const edits = { schema: { type: 'object' } } as const
    const { id } = await test.gate.declare({ ...DRAFT, edits, idempotencyKey: 'call-1', expiresInSeconds: 60 })
    const { intentHash } = await test.local.desk.read(test.approver, id)
    const params = { customer_id: 'cust_4821', amount: 10 }
    const { supersededBy } = await test.local.desk.vote(test.approver, id, { verdict: 'approve', intentHash, params })
    const successor = supersededBy as IntentId
    const review = await test.local.desk.read(second, successor)
    await test.local.desk.vote(second, successor, { verdict: 'approve', intentHash: review.intentHash })
    const attempt = anAttempt()
    await test.gate.claim(successor, attempt)
    test.clock.advance(40 * DAY)
    await test.local.sweep()
    expect([await pruned(test), (await test.gate.read({ idempotencyKey: 'call-1' })).supersededBy]).toEqual([
      0,
      successor,
    ])
    await test.gate.report(successor, attempt, { status: 'succeeded' })
    expect(await pruned(test)).toBe(2)
  })

  it('writes one leaf per batch, and keeps every earlier one', async () => {
    await using test = await testGate()
    for (let amount = 0; amount < 5; amount++) await decided(test, 'deny', { params: { amount } })
    test.clock.advance(31 * DAY)
    const leaves = () => test.store.leaves({ projectId: test.project.id, from: 0, limit: 100 })
    const before = await leaves()
    expect(await pruned(test, 30, { batch: 2 })).toBe(5)
    const after = await leaves()
    expect(after.slice(0, before.length)).toEqual(before)
    const events = after.slice(before.length).map((leaf) => JSON.stringify(leaf))
    expect(events).toHaveLength(3)
    for (const text of events) expect(text).toContain('intents.pruned')
  })

  it('goes past what has to stay, however much that is', async () => {
    await using test = await testGate()
    for (let amount = 0; amount < 4; amount++) await decided(test, 'approve', { params: { amount }, delivery: 'token' })
    const denied = await decided(test, 'deny')
    test.clock.advance(DAY)
    expect(await pruned(test, 1, { batch: 2 })).toBe(1)
    await expect(test.gate.read(denied)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('ends between two batches when it is told to', async () => {
    await using test = await testGate()
    await decided(test, 'deny')
    test.clock.advance(31 * DAY)
    const signal = AbortSignal.abort(new Error('enough'))
    await expect(pruned(test, 30, { signal })).rejects.toThrow('enough')
    expect(await pruned(test)).toBe(1)
  })

  it.each([0, -1, MIN_RETENTION_SECONDS - 1, Number.NaN, 1e300])(
    'takes no time shorter than a day: %s',
    async (seconds) => {
      await using test = await testGate()
      const { store, project } = test
      await expect(prune({ store, projectId: project.id, olderThanSeconds: seconds })).rejects.toThrow(TypeError)
    },
  )
})
