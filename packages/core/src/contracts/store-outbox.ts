/**
 * The contract of stores, the outbox: each channel gets every event, each claim its own deliveries, and none is lost with
 * whoever claimed it.
 *
 * @module
 */
import { expect } from 'vitest'
import { newId } from '../id.js'
import type { ClaimedDelivery, DeadDelivery, OutboxRow } from '../outbox.js'
import type { Store } from '../store.js'
import type { StoreTest } from './store-test.js'
import { OTHER_PROJECT, PROJECT, THEN } from './stored.js'

export const OUTBOX_TESTS: readonly StoreTest[] = [
  {
    name: 'gives each channel its own delivery of an event, as it was written',
    async run(store) {
      const row = aRow({ channels: ['chat', 'mail'], sequence: 6, event: 'execution.reported' })
      await enqueue(store, [row])
      const { channels: _, ...event } = row
      expect(await claim(store, 'chat')).toEqual([{ event, channel: 'chat', attempts: 1 }])
      expect(await claim(store, 'mail')).toEqual([{ event, channel: 'mail', attempts: 1 }])
      expect(await claim(store, 'fax')).toEqual([])
    },
  },
  {
    name: 'writes no delivery when the transaction fails',
    async run(store) {
      const failed = store.transaction(async (tx) => {
        await tx.enqueue([aRow()])
        throw new Error('undone')
      })
      await expect(failed).rejects.toThrow('undone')
      expect(await claim(store)).toEqual([])
    },
  },
  {
    name: 'keeps the deliveries of projects apart, also under the same name of a channel',
    async run(store) {
      await enqueue(store, [aRow({ projectId: OTHER_PROJECT })])
      expect(await claim(store)).toEqual([])
      expect(await store.nextDelivery({ projectId: PROJECT, channel: 'chat' })).toBeUndefined()
      expect(await store.deliveryCounts(PROJECT)).toEqual([])
      expect(await store.deliveryCounts(OTHER_PROJECT)).toEqual([{ channel: 'chat', waiting: 1, dead: 0 }])
    },
  },
  {
    name: 'claims what is due, earliest first, at most as many as asked for',
    async run(store) {
      const rows = [3000, 1000, 2000, 4000].map((late) => aRow({ createdAt: THEN + late }))
      await enqueue(store, rows)
      expect(await store.nextDelivery({ projectId: PROJECT, channel: 'chat' })).toBe(THEN + 1000)
      expect(times(await claim(store, 'chat', { now: THEN + 3000, limit: 2 }))).toEqual([1000, 2000])
      expect(times(await claim(store, 'chat', { now: THEN + 3000, limit: 2 }))).toEqual([3000])
    },
  },
  {
    name: 'gives nobody a delivery twice before its lease ends, and to the next one then, with the attempts counted',
    async run(store) {
      await enqueue(store, [aRow()])
      await claim(store, 'chat', { leaseMs: 30_000 })
      expect(await claim(store, 'chat', { now: THEN + 29_999 })).toEqual([])
      expect(await claim(store, 'chat', { now: THEN + 30_000 })).toMatchObject([{ attempts: 2 }])
    },
  },
  {
    name: 'claims 400 deliveries once each, however many claim at once',
    async run(store) {
      await enqueue(
        store,
        Array.from({ length: 400 }, () => aRow()),
      )
      const taken: string[] = []
      await Promise.all(
        Array.from({ length: 8 }, async () => {
          for (;;) {
            const claimed = await claim(store, 'chat', { limit: 10 })
            if (claimed.length === 0) return
            taken.push(...claimed.map(({ event }) => event.id))
          }
        }),
      )
      expect([taken.length, new Set(taken).size]).toEqual([400, 400])
    },
  },
  {
    name: 'forgets a delivery that succeeded, also when its lease had ended meanwhile',
    async run(store) {
      await enqueue(store, [aRow()])
      const late = await claimOne(store)
      await claim(store, 'chat', { now: THEN + 60_000 })
      await store.transaction((tx) => tx.endDelivery(late, { type: 'delivered' }))
      expect(await store.deliveryCounts(PROJECT)).toEqual([])
      expect(await claim(store, 'chat', { now: THEN + 1_000_000 })).toEqual([])
    },
  },
  {
    name: 'gives a delivery again when it is said to be due',
    async run(store) {
      await enqueue(store, [aRow()])
      const delivery = await claimOne(store)
      await store.transaction((tx) => tx.endDelivery(delivery, { type: 'again', dueAt: THEN + 5000 }))
      expect(await store.nextDelivery({ projectId: PROJECT, channel: 'chat' })).toBe(THEN + 5000)
      expect(await claim(store, 'chat', { now: THEN + 4999 })).toEqual([])
      expect(await claim(store, 'chat', { now: THEN + 5000 })).toMatchObject([{ attempts: 2 }])
    },
  },
  {
    name: 'lets nobody give up or postpone what somebody else has claimed since',
    async run(store) {
      await enqueue(store, [aRow()])
      const late = await claimOne(store)
      await claim(store, 'chat', { now: THEN + 60_000, leaseMs: 30_000 })
      await store.transaction(async (tx) => {
        await tx.endDelivery(late, { type: 'dead' })
        await tx.endDelivery(late, { type: 'again', dueAt: THEN })
      })
      expect(await store.nextDelivery({ projectId: PROJECT, channel: 'chat' })).toBe(THEN + 90_000)
    },
  },
  {
    name: 'counts what was given up, and never gives it again',
    async run(store) {
      await enqueue(store, [aRow({ channels: ['chat', 'mail'] }), aRow({ createdAt: THEN + 1 })])
      const delivery = await claimOne(store)
      await store.transaction((tx) => tx.endDelivery(delivery, { type: 'dead' }))
      await store.transaction((tx) => tx.endDelivery(delivery, { type: 'again', dueAt: THEN }))
      expect(await store.deliveryCounts(PROJECT)).toEqual([
        { channel: 'chat', waiting: 1, dead: 1 },
        { channel: 'mail', waiting: 1, dead: 0 },
      ])
      expect(times(await claim(store, 'chat', { now: THEN + 1_000_000 }))).toEqual([1])
    },
  },
  {
    name: 'shows what was given up, those of the oldest events first, of one channel or of all',
    async run(store) {
      const rows = [3, 1, 2].map((late) => aRow({ createdAt: THEN + late, channels: ['chat', 'mail'] }))
      await enqueue(store, [...rows, aRow({ projectId: OTHER_PROJECT })])
      expect(await dead(store, 'chat')).toEqual([])
      await giveUp(store, 'chat', 2)
      await giveUp(store, 'mail', 1)
      expect(await dead(store, 'chat')).toEqual([
        { event: eventOf(rows[1]), channel: 'chat', attempts: 1 },
        { event: eventOf(rows[2]), channel: 'chat', attempts: 1 },
      ])
      expect((await dead(store)).map(({ channel }) => channel)).toEqual(['chat', 'mail', 'chat'])
      expect(times(await dead(store, undefined, 2))).toEqual([1, 1])
      expect(await store.deadDeliveries({ projectId: OTHER_PROJECT, limit: 10 })).toEqual([])
    },
  },
  {
    name: 'makes what was given up due again when it is asked to: of one channel, at most as many as asked for',
    async run(store) {
      await enqueue(
        store,
        [1, 2, 3].map((late) => aRow({ createdAt: THEN + late, channels: ['chat', 'mail'] })),
      )
      await giveUp(store, 'chat', 3)
      await giveUp(store, 'mail', 3)
      const redrive = (limit: number) =>
        store.transaction((tx) =>
          tx.redriveDeliveries({ projectId: PROJECT, channel: 'chat', now: THEN + 5000, limit }),
        )
      expect(await redrive(2)).toBe(2)
      expect(await claim(store, 'chat', { now: THEN + 4999 })).toEqual([])
      const again = await claim(store, 'chat', { now: THEN + 5000 })
      expect([times(again).sort(), again.map(({ attempts }) => attempts)]).toEqual([
        [1, 2],
        [1, 1],
      ])
      // In somebody's hands: not given up any more.
      expect([await redrive(9), await redrive(9)]).toEqual([1, 0])
      expect(times(await dead(store))).toEqual([1, 2, 3])
    },
  },
  {
    name: 'forgets the oldest events with what was left of their deliveries, at most as many as asked for',
    async run(store) {
      const rows = [1, 2, 3, 4].map((late) => aRow({ createdAt: THEN + late, channels: ['chat', 'mail'] }))
      await enqueue(store, rows)
      const prune = (limit: number) => store.transaction((tx) => tx.pruneOutbox({ before: THEN + 4, limit }))
      expect(await prune(2)).toBe(2)
      expect(times(await claim(store, 'mail', { now: THEN + 10 }))).toEqual([3, 4])
      expect([await prune(2), await prune(2)]).toEqual([1, 0])
      expect(await store.deliveryCounts(PROJECT)).toEqual([
        { channel: 'chat', waiting: 1, dead: 0 },
        { channel: 'mail', waiting: 1, dead: 0 },
      ])
    },
  },
]

function aRow(changes: Partial<OutboxRow> = {}): OutboxRow {
  return {
    id: newId('out'),
    projectId: PROJECT,
    intentId: newId('int'),
    event: 'intent.created',
    sequence: 1,
    createdAt: THEN,
    channels: ['chat'],
    ...changes,
  }
}

function enqueue(store: Store, rows: readonly OutboxRow[]): Promise<void> {
  return store.transaction((tx) => tx.enqueue(rows))
}

function claim(
  store: Store,
  channel = 'chat',
  { now = THEN, leaseMs = 30_000, limit = 10 }: { now?: number; leaseMs?: number; limit?: number } = {},
): Promise<readonly ClaimedDelivery[]> {
  return store.transaction((tx) => tx.claimDeliveries({ projectId: PROJECT, channel, now, leaseMs, limit }))
}

async function claimOne(store: Store): Promise<ClaimedDelivery> {
  const [claimed] = await claim(store, 'chat', { limit: 1 })
  if (!claimed) throw new TypeError('nothing was due')
  return claimed
}

async function giveUp(store: Store, channel: string, limit: number): Promise<void> {
  const claimed = await claim(store, channel, { now: THEN + 10, limit })
  await store.transaction(async (tx) => {
    for (const delivery of claimed) await tx.endDelivery(delivery, { type: 'dead' })
  })
}

function dead(store: Store, channel?: string, limit = 10): Promise<readonly DeadDelivery[]> {
  return store.deadDeliveries({ projectId: PROJECT, channel, limit })
}

function eventOf(row: OutboxRow | undefined): Partial<OutboxRow> {
  const { channels: _, ...event } = row ?? aRow()
  return event
}

function times(deliveries: readonly Pick<ClaimedDelivery, 'event'>[]): number[] {
  return deliveries.map(({ event }) => event.createdAt - THEN)
}
