/**
 * The outbox of a memory store. Only deliveries are kept: nothing outlives the process that an event could be told to later.
 *
 * @module
 */
import { compareText } from './compare-text.js'
import type { EpochMs } from './json.js'
import { type Draft, table } from './memory-table.js'
import type {
  ChannelOf,
  ClaimedDelivery,
  DeadDelivery,
  DeadQuery,
  DeliveryClaim,
  DeliveryCounts,
  DeliveryEnd,
  OutboxEvent,
  OutboxRow,
  Redrive,
} from './outbox.js'
import { type Timeline, timeline } from './timeline.js'

export interface MemoryOutbox {
  draft(): Draft<DeliveryRow>
  enqueue(rows: readonly OutboxRow[], draft: Draft<DeliveryRow>): void
  next(channel: ChannelOf, draft?: Draft<DeliveryRow>): EpochMs | undefined
  counts(projectId: string, draft?: Draft<DeliveryRow>): readonly DeliveryCounts[]
  dead(query: DeadQuery, draft?: Draft<DeliveryRow>): readonly DeadDelivery[]
  claim(claim: DeliveryClaim, draft: Draft<DeliveryRow>): readonly ClaimedDelivery[]
  end(delivery: ClaimedDelivery, end: DeliveryEnd, draft: Draft<DeliveryRow>): void
  redrive(redrive: Redrive, draft: Draft<DeliveryRow>): number
  prune(query: { before: EpochMs; limit: number }, draft: Draft<DeliveryRow>): number
}

export interface DeliveryRow {
  readonly event: OutboxEvent
  readonly channel: string
  readonly attempts: number
  /** Undefined: given up. */
  readonly dueAt: EpochMs | undefined
}

export function memoryOutbox(): MemoryOutbox {
  const due = new Map<string, Timeline<string>>()
  const deliveries = table<DeliveryRow>({
    key: keyOf,
    changed(before, after) {
      if (before?.dueAt !== undefined) due.get(channelOf(before))?.remove(before.dueAt, keyOf(before))
      if (after?.dueAt === undefined) return
      const times = due.get(channelOf(after)) ?? timeline<string>()
      due.set(channelOf(after), times)
      times.insert(after.dueAt, keyOf(after))
    },
  })

  /** In the order in which they are due, as the draft has them. */
  function* waiting({ projectId, channel }: ChannelOf, draft: Draft<DeliveryRow> | undefined): Iterable<DeliveryRow> {
    const times = due.get(JSON.stringify([projectId, channel]))
    const written = [...(draft?.written.values() ?? [])].filter(
      (row) => row?.dueAt !== undefined && row.channel === channel && row.event.projectId === projectId,
    ) as (DeliveryRow & { dueAt: EpochMs })[]
    written.sort((one, other) => one.dueAt - other.dueAt || compareText(keyOf(one), keyOf(other)))
    for (const key of times?.upTo(Infinity) ?? []) {
      const row = draft?.written.has(key) ? undefined : deliveries.get(key)
      if (row?.dueAt === undefined) continue
      while (written[0] && written[0].dueAt < row.dueAt) yield written.shift() as DeliveryRow
      yield row
    }
    yield* written
  }

  function givenUp(
    { projectId, channel, limit }: DeadQuery,
    draft: Draft<DeliveryRow> | undefined,
  ): readonly DeliveryRow[] {
    return [...(draft ?? deliveries).values()]
      .filter((row) => row.dueAt === undefined && row.event.projectId === projectId)
      .filter((row) => channel === undefined || row.channel === channel)
      .sort(byEvent)
      .slice(0, limit)
  }

  return {
    draft: () => deliveries.draft(),
    enqueue(rows, draft) {
      for (const { channels, ...event } of rows) {
        for (const channel of channels) draft.put({ event, channel, attempts: 0, dueAt: event.createdAt })
      }
    },
    next(channel, draft) {
      for (const { dueAt } of waiting(channel, draft)) return dueAt
      return undefined
    },
    counts(projectId, draft) {
      const counts = new Map<string, DeliveryCounts>()
      for (const { event, channel, dueAt } of (draft ?? deliveries).values()) {
        if (event.projectId !== projectId) continue
        const { waiting, dead } = counts.get(channel) ?? { waiting: 0, dead: 0 }
        const isDead = dueAt === undefined
        counts.set(channel, { channel, waiting: waiting + Number(!isDead), dead: dead + Number(isDead) })
      }
      return [...counts.values()].sort((one, other) => compareText(one.channel, other.channel))
    },
    dead: (query, draft) => givenUp(query, draft).map(({ event, channel, attempts }) => ({ event, channel, attempts })),
    claim({ now, leaseMs, limit, ...channel }, draft) {
      const found: DeliveryRow[] = []
      for (const row of waiting(channel, draft)) {
        if (found.length >= limit || (row.dueAt as EpochMs) > now) break
        found.push({ ...row, attempts: row.attempts + 1, dueAt: now + leaseMs })
      }
      for (const row of found) draft.put(row)
      return found.map(({ event, channel: name, attempts }) => ({ event, channel: name, attempts }))
    },
    end({ event, channel, attempts }, end, draft) {
      const row = draft.get(keyOf({ event, channel }))
      if (!row) return
      if (end.type === 'delivered') draft.delete(keyOf(row))
      else if (row.attempts === attempts && row.dueAt !== undefined) {
        draft.put({ ...row, dueAt: end.type === 'again' ? end.dueAt : undefined })
      }
    },
    redrive({ now, ...query }, draft) {
      const rows = givenUp(query, draft)
      for (const row of rows) draft.put({ ...row, attempts: 0, dueAt: now })
      return rows.length
    },
    prune({ before, limit }, draft) {
      const old = [...draft.values()].filter(({ event }) => event.createdAt < before)
      const events = [...new Map(old.map(({ event }) => [event.id, event])).values()]
        .sort((one, other) => one.createdAt - other.createdAt || compareText(one.id, other.id))
        .slice(0, limit)
      const pruned = new Set(events.map(({ id }) => id))
      for (const row of old) if (pruned.has(row.event.id)) draft.delete(keyOf(row))
      return events.length
    },
  }
}

function keyOf({ event, channel }: { readonly event: { readonly id: string }; readonly channel: string }): string {
  return JSON.stringify([event.id, channel])
}

function byEvent(one: DeliveryRow, other: DeliveryRow): number {
  const { event, channel } = one
  return (
    event.createdAt - other.event.createdAt ||
    compareText(event.id, other.event.id) ||
    compareText(channel, other.channel)
  )
}

function channelOf({ event, channel }: DeliveryRow): string {
  return JSON.stringify([event.projectId, channel])
}
