import { describe, expect, it } from 'vitest'
import { memoryStore } from '../src/memory-store.js'
import type { Store, StoreTransaction } from '../src/store.js'
import { type FakeClock, fakeClock, type TestGate, testGate } from '../src/testing.js'

const LOCK_MS = 60_000
const MEMORY_SECONDS = 600
const DRAFT = { action: 'issue_refund', params: { customer_id: 'cust_4821', amount: 250 }, edits: { schema: {} } }

type Written = { readonly what: 'outbox' | 'leaf' | 'denial' | 'declared'; readonly at: number }

/** A store in which each lock of an intent is waited for, a minute long, once that is switched on. */
function busyStore(clock: FakeClock): { store: Store; begin(): void; readonly written: Written[] } {
  const store = memoryStore({ now: clock.now })
  const written: Written[] = []
  let busy = false
  const watched = (tx: StoreTransaction): StoreTransaction => ({
    ...tx,
    async lockIntent(id) {
      if (busy) clock.advance(LOCK_MS)
      return tx.lockIntent(id)
    },
    async insertIntent(state) {
      written.push({ what: 'declared', at: state.declaration.createdAt })
      await tx.insertIntent(state)
    },
    async enqueue(rows) {
      written.push(...rows.map(({ createdAt: at }) => ({ what: 'outbox', at }) as const))
      await tx.enqueue(rows)
    },
    async appendLeaf(leaf) {
      written.push({ what: 'leaf', at: leaf.at })
      await tx.appendLeaf(leaf)
    },
    async putDenial(denial) {
      written.push({ what: 'denial', at: denial.expiresAt - MEMORY_SECONDS * 1000 })
      await tx.putDenial(denial)
    },
  })
  return {
    store: { ...store, transaction: (work) => store.transaction((tx) => work(watched(tx))) },
    begin() {
      busy = true
      written.length = 0
    },
    written,
  }
}

async function scene() {
  const clock = fakeClock()
  const busy = busyStore(clock)
  const test = await testGate({ clock, store: busy.store, denialMemorySeconds: MEMORY_SECONDS })
  const { id } = await test.gate.declare({ ...DRAFT, expiresInSeconds: 90 })
  const { intentHash } = await test.local.desk.read(test.approver, id)
  busy.begin()
  return { test, id, intentHash, written: busy.written, clock }
}
type Scene = Awaited<ReturnType<typeof scene>>

const edit = ({ test, id, intentHash }: Scene) =>
  test.local.desk.vote(test.approver, id, {
    verdict: 'approve',
    intentHash,
    params: { customer_id: 'cust_4821', amount: 20 },
  })

describe('whoever waited for the row', () => {
  it.each<[string, Written['what'][], (scene: Scene) => Promise<unknown>]>([
    [
      'denies',
      ['outbox', 'denial', 'leaf'],
      ({ test, id, intentHash }) => test.local.desk.vote(test.approver, id, { verdict: 'deny', intentHash }),
    ],
    ['cancels', ['outbox', 'leaf'], ({ test, id }) => test.gate.cancel(id, 'no longer')],
    ['edits', ['outbox', 'declared', 'outbox', 'leaf'], edit],
    [
      'supersedes',
      ['outbox', 'declared', 'outbox', 'leaf'],
      ({ test, id }) => test.gate.declare({ ...DRAFT, params: { amount: 20 }, supersedes: id }),
    ],
  ])('%s with the time after the wait, in everything that is written', async (_, expected, act) => {
    const own = await scene()
    await using _test = own.test
    await act(own)
    const now = own.clock.now()
    expect(own.written).toEqual(expected.map((what) => ({ what, at: now })))
  })

  it('I7 edits nothing that expired meanwhile', async () => {
    const own = await scene()
    await using test: TestGate = own.test
    own.clock.advance(LOCK_MS - 1)
    await expect(edit(own)).rejects.toMatchObject({ code: 'ALREADY_RESOLVED' })
    expect(own.written.filter(({ what }) => what === 'declared')).toEqual([])
    expect(await test.gate.read(own.id)).toMatchObject({ status: 'expired' })
  })
})
