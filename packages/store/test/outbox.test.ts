import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import {
  type ClaimedDelivery,
  newId,
  type OutboxRow,
  outboxDelivery,
  type ProjectId,
  type Store,
} from '@silentauth/core'
import { testGate } from '@silentauth/core/testing'
import { postgresStore } from '@silentauth/store/postgres'
import { sqliteStore } from '@silentauth/store/sqlite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startPostgres, type TestPostgres } from '../../../test/support/postgres.ts'

const WORKERS = 8
const ROWS = 4000
const PROJECT: ProjectId = 'prj_outbox'

const folder = mkdtempSync(path.join(tmpdir(), 'silentauth-outbox-'))
let server: TestPostgres
let files = 0
beforeAll(async () => {
  server = await startPostgres()
})
afterAll(async () => {
  await server.stop()
  rmSync(folder, { recursive: true })
})

/** Several stores over one database, each with connections of its own. */
const DATABASES: Record<string, () => Promise<() => Promise<Store>>> = {
  async SQLite() {
    const file = path.join(folder, `${++files}.db`)
    return () => sqliteStore({ file, timeoutMs: 60_000 })
  },
  async PostgreSQL() {
    const { url } = await server.createDatabase()
    return () => postgresStore({ url, maxConnections: 2 })
  },
}

describe.each(Object.entries(DATABASES))('the outbox of %s', (_, database) => {
  it(`is shared by ${WORKERS} workers: each of ${ROWS} deliveries is claimed once`, async () => {
    const stores = await open(await database(), WORKERS)
    try {
      const [first] = stores as [Store]
      await enqueue(first, ROWS)
      const taken = (await Promise.all(stores.map(drain))).flat()
      expect([taken.length, new Set(taken.map(({ event }) => event.id)).size]).toEqual([ROWS, ROWS])
      expect(taken.every(({ attempts }) => attempts === 1)).toBe(true)
      expect(await first.deliveryCounts(PROJECT)).toEqual([])
    } finally {
      for (const store of stores) await store[Symbol.asyncDispose]()
    }
  }, 120_000)

  it('gives the deliveries of a worker that died to another, once their lease has ended', async () => {
    const [store, other] = (await open(await database(), 2)) as [Store, Store]
    try {
      await enqueue(store, 20)
      const lost = await claim(store, { leaseMs: 400, limit: 20 })
      expect(await claim(other)).toEqual([])
      await expect.poll(async () => (await claim(other, { limit: 20 })).length, { timeout: 20_000 }).toBe(lost.length)
      // What the dead one says after all has no effect any more.
      await store.transaction(async (tx) => {
        for (const delivery of lost) await tx.endDelivery(delivery, { type: 'dead' })
      })
      expect(await other.deliveryCounts(PROJECT)).toEqual([{ channel: 'chat', waiting: 20, dead: 0 }])
    } finally {
      for (const each of [store, other]) await each[Symbol.asyncDispose]()
    }
  })

  it('is delivered by several nodes, each event once, while no call fails', async () => {
    const stores = await open(await database(), 2)
    try {
      const [first] = stores as [Store]
      await using test = await testGate({
        store: first,
        clock: { now: Date.now, advance: () => undefined },
        maxPendingPerKey: 100,
      })
      const told: string[] = []
      const notify = async ({ id }: { id: string }) => void told.push(id)
      const nodes = stores.map((store) =>
        outboxDelivery({ store, projectId: PROJECT, pollMs: 0, notifiers: [{ name: 'chat', notify }] }),
      )
      const intents = await Promise.all(
        Array.from({ length: 40 }, () => test.gate.declare({ action: 'issue_refund', params: {} })),
      )
      await enqueue(
        first,
        40,
        intents.map(({ id }) => id),
      )
      await Promise.all(nodes.map((node) => node.deliverDue()))
      expect([told.length, new Set(told).size]).toEqual([40, 40])
      for (const node of nodes) await node[Symbol.asyncDispose]()
    } finally {
      for (const store of stores) await store[Symbol.asyncDispose]()
    }
  })
})

describe('the outbox of PostgreSQL', () => {
  it('passes over what another worker is claiming, and does not wait for it', async () => {
    const stores = await open(await (DATABASES.PostgreSQL as () => Promise<() => Promise<Store>>)(), 2)
    const [store, other] = stores as [Store, Store]
    const undecided = Promise.withResolvers<void>()
    try {
      await enqueue(store, 10)
      const holding = Promise.withResolvers<readonly ClaimedDelivery[]>()
      const held = store.transaction(async (tx) => {
        const now = await tx.now()
        const claimed = await tx.claimDeliveries({
          projectId: PROJECT,
          channel: 'chat',
          now,
          leaseMs: 60_000,
          limit: 6,
        })
        holding.resolve(claimed)
        await undecided.promise
        return claimed
      })
      await holding.promise
      // Before the first one has committed: it still holds the locks.
      const rest = await claim(other, { limit: 10 })
      undecided.resolve()
      const all = [...(await held), ...rest].map(({ event }) => event.id)
      expect([rest.length, new Set(all).size]).toEqual([4, 10])
    } finally {
      undecided.resolve()
      for (const each of stores) await each[Symbol.asyncDispose]()
    }
  })
})

async function open(make: () => Promise<Store>, count: number): Promise<readonly Store[]> {
  const stores: Store[] = []
  for (let index = 0; index < count; index++) stores.push(await make())
  return stores
}

async function enqueue(store: Store, count: number, intents: readonly OutboxRow['intentId'][] = []): Promise<void> {
  const createdAt = (await store.now()) - 1000
  const rows = Array.from(
    { length: count },
    (_, index): OutboxRow => ({
      id: newId('out'),
      projectId: PROJECT,
      intentId: intents[index] ?? newId('int'),
      event: 'intent.created',
      sequence: 1,
      createdAt: createdAt - (index % 7),
      channels: ['chat'],
    }),
  )
  await store.transaction((tx) => tx.enqueue(rows))
}

function claim(store: Store, { leaseMs = 60_000, limit = 10 } = {}): Promise<readonly ClaimedDelivery[]> {
  return store.transaction(async (tx) => {
    const now = await tx.now()
    return tx.claimDeliveries({ projectId: PROJECT, channel: 'chat', now, leaseMs, limit })
  })
}

/** Claims ten at a time until nothing is due. */
async function drain(store: Store): Promise<readonly ClaimedDelivery[]> {
  const taken: ClaimedDelivery[] = []
  for (;;) {
    const claimed = await claim(store)
    if (claimed.length === 0) return taken
    taken.push(...claimed)
    await store.transaction(async (tx) => {
      for (const delivery of claimed) await tx.endDelivery(delivery, { type: 'delivered' })
    })
  }
}
