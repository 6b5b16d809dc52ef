/**
 * The outbox of a SQL store: events on their way to channels, written with the change that they tell of, and what each channel
 * has still to hear.
 *
 * @module
 */
import type {
  DeadDelivery,
  EpochMs,
  OutboxEvent,
  OutboxRow,
  ProjectId,
  Redrive,
  StoreReader,
  StoreTransaction,
} from '@silentauth/core'
import { sql } from 'kysely'
import { type Connection, first } from './connection.js'
import type { Builder, Engine } from './engine.js'
import { statement } from './statement.js'
import type { OutboxDeliveriesTable, OutboxTable } from './tables.js'

export interface SqlOutbox {
  reader(connection: Connection): Pick<StoreReader, 'nextDelivery' | 'deliveryCounts' | 'deadDeliveries'>
  writer(
    connection: Connection,
  ): Pick<StoreTransaction, 'enqueue' | 'claimDeliveries' | 'endDelivery' | 'redriveDeliveries' | 'pruneOutbox'>
}

export function sqlOutbox(db: Builder, engine: Pick<Engine, 'rowLocks'>): SqlOutbox {
  const ask = { ...eventStatements(db), ...deliveryStatements(db, engine) }

  /** As they are in the outbox; what was pruned meanwhile is left out. */
  async function withEvents(connection: Connection, rows: readonly FoundDelivery[]): Promise<readonly DeadDelivery[]> {
    const deliveries: DeadDelivery[] = []
    for (const { event_at, event_id, channel, attempts } of rows) {
      const row = await first<OutboxTable>(connection, ask.event({ createdAt: event_at, id: event_id }))
      if (row) deliveries.push({ event: eventOf(row), channel, attempts })
    }
    return deliveries
  }

  return {
    reader: (connection) => ({
      async nextDelivery(channel) {
        return (await first<{ due_at: number }>(connection, ask.next(channel)))?.due_at
      },
      async deliveryCounts(projectId) {
        return connection.all<{ channel: string; waiting: number; dead: number }>(ask.counts({ projectId }))
      },
      async deadDeliveries({ projectId, channel, limit }) {
        const query = channel === undefined ? ask.dead({ projectId, limit }) : ask.deadOf({ projectId, channel, limit })
        return withEvents(connection, await connection.all<FoundDelivery>(query))
      },
    }),
    writer: (connection) => ({
      async enqueue(rows) {
        for (const row of rows) {
          await connection.run(ask.insertEvent(row))
          for (const channel of row.channels) {
            const { id, createdAt, projectId } = row
            await connection.run(ask.insertDelivery({ id, createdAt, projectId, channel }))
          }
        }
      },
      async claimDeliveries({ projectId, channel, now, leaseMs, limit }) {
        const claim = { projectId, channel, now, limit, leaseEnd: now + leaseMs }
        const deliveries = await withEvents(connection, await connection.all<FoundDelivery>(ask.claim(claim)))
        // What an update returns has no order.
        return deliveries.toSorted(
          ({ event: one }, { event: other }) => one.createdAt - other.createdAt || (one.id < other.id ? -1 : 1),
        )
      },
      async endDelivery({ event: { id, createdAt }, channel, attempts }, end) {
        const key = { id, createdAt, channel }
        if (end.type === 'delivered') await connection.run(ask.deleteDelivery(key))
        else await connection.run(ask.postpone({ ...key, attempts, dueAt: end.type === 'again' ? end.dueAt : null }))
      },
      async redriveDeliveries(redrive) {
        return (await connection.all(ask.redrive(redrive))).length
      },
      async pruneOutbox(query) {
        const pruned = await connection.all<{ created_at: number; id: string }>(ask.pruneEvents(query))
        for (const { created_at, id } of pruned) {
          await connection.run(ask.deleteDeliveries({ createdAt: created_at, id }))
        }
        return pruned.length
      },
    }),
  }
}

type FoundDelivery = Pick<OutboxDeliveriesTable, 'event_at' | 'event_id' | 'channel' | 'attempts'>
interface EventKey {
  readonly createdAt: EpochMs
  readonly id: string
}
interface DeliveryKey extends EventKey {
  readonly channel: string
}
interface Claim {
  readonly projectId: string
  readonly channel: string
  readonly now: EpochMs
  readonly leaseEnd: EpochMs
  readonly limit: number
}

function eventStatements(db: Builder) {
  return {
    insertEvent: statement((row: OutboxRow) =>
      db.insertInto('outbox').values({
        created_at: row.createdAt,
        id: row.id,
        project_id: row.projectId,
        intent_id: row.intentId,
        event: row.event,
        sequence: row.sequence,
      }),
    ),
    event: statement(({ createdAt, id }: EventKey) =>
      db.selectFrom('outbox').selectAll().where('created_at', '=', createdAt).where('id', '=', id),
    ),
    pruneEvents: statement(({ before, limit }: { before: EpochMs; limit: number }) =>
      db
        .with('old', (old) =>
          old
            .selectFrom('outbox')
            .select(['created_at', 'id'])
            .where('created_at', '<', before)
            .orderBy('created_at')
            .orderBy('id')
            .limit(limit),
        )
        .deleteFrom('outbox')
        .where(({ eb, refTuple, selectFrom }) =>
          eb(
            refTuple('created_at', 'id'),
            'in',
            selectFrom('old').select(['old.created_at', 'old.id']).$asTuple('created_at', 'id'),
          ),
        )
        .returning(['created_at', 'id']),
    ),
  }
}

function deliveryStatements(db: Builder, { rowLocks }: Pick<Engine, 'rowLocks'>) {
  return {
    insertDelivery: statement((row: DeliveryKey & { projectId: string }) =>
      db.insertInto('outbox_deliveries').values({
        event_at: row.createdAt,
        event_id: row.id,
        channel: row.channel,
        project_id: row.projectId,
        attempts: sql.lit(0),
        due_at: row.createdAt,
      }),
    ),
    next: statement(({ projectId, channel }: { projectId: string; channel: string }) =>
      db
        .selectFrom('outbox_deliveries')
        .select('due_at')
        .where('project_id', '=', projectId)
        .where('channel', '=', channel)
        .where('due_at', 'is not', null)
        .orderBy('due_at')
        .limit(sql.lit(1)),
    ),
    counts: statement(({ projectId }: { projectId: string }) =>
      db
        .selectFrom('outbox_deliveries')
        .select(({ fn, eb }) => [
          'channel',
          fn.count<number>('due_at').as('waiting'),
          eb(fn.countAll<number>(), '-', fn.count<number>('due_at')).as('dead'),
        ])
        .where('project_id', '=', projectId)
        .groupBy('channel')
        .orderBy('channel'),
    ),
    // Rows that another worker is claiming are passed over, not waited for. Of its own, so that it is looked up once.
    claim: statement(({ projectId, channel, now, leaseEnd, limit }: Claim) =>
      db
        .with('due', (due) => {
          const rows = due
            .selectFrom('outbox_deliveries')
            .select(['event_at', 'event_id'])
            .where('project_id', '=', projectId)
            .where('channel', '=', channel)
            .where('due_at', '<=', now)
            .orderBy('due_at')
            .limit(limit)
          return rowLocks ? rows.forUpdate().skipLocked() : rows
        })
        .updateTable('outbox_deliveries')
        .set(({ eb }) => ({ attempts: eb('attempts', '+', sql.lit(1)), due_at: leaseEnd }))
        .where('channel', '=', channel)
        .where(({ eb, refTuple, selectFrom }) =>
          eb(
            refTuple('event_at', 'event_id'),
            'in',
            selectFrom('due').select(['due.event_at', 'due.event_id']).$asTuple('event_at', 'event_id'),
          ),
        )
        .returning(['event_at', 'event_id', 'channel', 'attempts']),
    ),
    dead: statement(({ projectId, limit }: { projectId: string; limit: number }) =>
      db
        .selectFrom('outbox_deliveries')
        .select(['event_at', 'event_id', 'channel', 'attempts'])
        .where('project_id', '=', projectId)
        .where('due_at', 'is', null)
        .orderBy('event_at')
        .orderBy('event_id')
        .orderBy('channel')
        .limit(limit),
    ),
    deadOf: statement(({ projectId, channel, limit }: Omit<Redrive, 'now'>) =>
      db
        .selectFrom('outbox_deliveries')
        .select(['event_at', 'event_id', 'channel', 'attempts'])
        .where('project_id', '=', projectId)
        .where('channel', '=', channel)
        .where('due_at', 'is', null)
        .orderBy('event_at')
        .orderBy('event_id')
        .limit(limit),
    ),
    redrive: statement(({ projectId, channel, now, limit }: Redrive) =>
      db
        .with('dead', (dead) =>
          dead
            .selectFrom('outbox_deliveries')
            .select(['event_at', 'event_id'])
            .where('project_id', '=', projectId)
            .where('channel', '=', channel)
            .where('due_at', 'is', null)
            .orderBy('event_at')
            .orderBy('event_id')
            .limit(limit),
        )
        .updateTable('outbox_deliveries')
        .set({ attempts: sql.lit(0), due_at: now })
        .where('channel', '=', channel)
        // Once more: two that redrive at once must not both count it, nor take it from who has claimed it since.
        .where('due_at', 'is', null)
        .where(({ eb, refTuple, selectFrom }) =>
          eb(
            refTuple('event_at', 'event_id'),
            'in',
            selectFrom('dead').select(['dead.event_at', 'dead.event_id']).$asTuple('event_at', 'event_id'),
          ),
        )
        .returning(['event_at']),
    ),
    deleteDelivery: statement(({ createdAt, id, channel }: DeliveryKey) =>
      db
        .deleteFrom('outbox_deliveries')
        .where('event_at', '=', createdAt)
        .where('event_id', '=', id)
        .where('channel', '=', channel),
    ),
    deleteDeliveries: statement(({ createdAt, id }: EventKey) =>
      db.deleteFrom('outbox_deliveries').where('event_at', '=', createdAt).where('event_id', '=', id),
    ),
    postpone: statement(
      ({ createdAt, id, channel, attempts, dueAt }: DeliveryKey & { attempts: number; dueAt: EpochMs | null }) =>
        db
          .updateTable('outbox_deliveries')
          .set({ due_at: dueAt })
          .where('event_at', '=', createdAt)
          .where('event_id', '=', id)
          .where('channel', '=', channel)
          .where('attempts', '=', attempts)
          .where('due_at', 'is not', null),
    ),
  }
}

function eventOf(row: OutboxTable): OutboxEvent {
  return {
    id: row.id,
    projectId: row.project_id as ProjectId,
    intentId: row.intent_id as OutboxEvent['intentId'],
    event: row.event,
    sequence: row.sequence,
    createdAt: row.created_at,
  }
}
