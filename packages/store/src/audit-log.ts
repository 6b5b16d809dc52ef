/**
 * The audit log of a SQL store: leaves, their places, and the values that they commit to, which stand in rows of their own and can
 * be erased.
 *
 * @module
 */
import {
  type AuditLeaf,
  type Json,
  type LoggedLeaf,
  type LogReader,
  type LogWriter,
  SilentAuthError,
  type StoredLeaf,
  type StoreReader,
  type StoreTransaction,
} from '@silentauth/core'
import { sql } from 'kysely'
import { type Connection, first } from './connection.js'
import type { Builder } from './engine.js'
import { IMMEDIATE, type LogPlaces } from './log-places.js'
import { statement } from './statement.js'
import type { AuditLeavesTable, AuditPayloadsTable } from './tables.js'

export interface SqlAuditLog {
  reader(connection: Connection): Pick<StoreReader, 'leaves'> & Pick<LogReader, 'logSize' | 'leaf' | 'leavesOf'>
  writer(
    connection: Connection,
  ): Pick<StoreTransaction, 'appendLeaf'> & Pick<LogWriter, 'lockLog' | 'placeLeaves' | 'erasePayloads'>
}

export function sqlAuditLog(db: Builder, places: LogPlaces = IMMEDIATE): SqlAuditLog {
  const ask = logStatements(db, places)

  async function size(connection: Connection, projectId: string): Promise<number> {
    const last = await first<{ sequence: number }>(connection, ask.last({ projectId }))
    return (last?.sequence ?? -1) + 1
  }

  async function append(connection: Connection, leaf: AuditLeaf): Promise<void> {
    const sequence = places.type === 'immediate' ? await size(connection, leaf.projectId) : null
    await connection.run(ask.insertLeaf(leafRow(leaf, sequence)))
    for (const { field, salt, value } of leaf.payloads) {
      const row = { at: leaf.at, leaf_id: leaf.id, field, salt, value: JSON.stringify(value) }
      await connection.run(ask.insertPayload(row))
    }
  }

  async function withPayloads(connection: Connection, rows: readonly AuditLeavesTable[]): Promise<LoggedLeaf[]> {
    const leaves: LoggedLeaf[] = []
    for (const row of rows) {
      leaves.push(leafOf(row, await connection.all<AuditPayloadsTable>(ask.payloadsOf({ at: row.at, id: row.id }))))
    }
    return leaves
  }

  return {
    reader: (connection) => ({
      async leaves(part) {
        const rows = await connection.all<AuditLeavesTable>(ask.leaves(part))
        const payloads = new Map<string, AuditPayloadsTable[]>(rows.map(({ id }) => [id, []]))
        const found = rows.length > 0 ? await connection.all<AuditPayloadsTable>(ask.payloads(part)) : []
        for (const payload of found) payloads.get(payload.leaf_id)?.push(payload)
        return rows.map((row) => leafOf(row, payloads.get(row.id) ?? []) as StoredLeaf)
      },
      logSize: (projectId) => size(connection, projectId),
      async leaf(projectId, id) {
        const rows = await connection.all<AuditLeavesTable>(ask.leaf({ projectId, id }))
        return (await withPayloads(connection, rows))[0]
      },
      async leavesOf(projectId, intentId) {
        const rows = await connection.all<AuditLeavesTable>(ask.leavesOf({ projectId, intentId }))
        return withPayloads(connection, [...rows].sort(byPlace))
      },
    }),
    writer: (connection) => ({
      async appendLeaf(leaf) {
        try {
          await append(connection, leaf)
        } catch (cause) {
          throw new SilentAuthError('AUDIT_UNAVAILABLE', `leaf ${leaf.id} could not be written`, { cause })
        }
      },
      async lockLog(projectId) {
        // Else the transaction itself is the lock: nobody else writes.
        if (places.type === 'deferred') await connection.run(places.lock(projectId))
      },
      async placeLeaves(projectId, limit) {
        if (places.type === 'immediate') return 0
        const from = await size(connection, projectId)
        const waiting = await connection.all<{ id: string }>(ask.waiting({ projectId, limit }))
        for (const [index, { id }] of waiting.entries()) await connection.run(ask.place({ id, sequence: from + index }))
        return waiting.length
      },
      async erasePayloads(projectId, intentId, keep = []) {
        const erased = await connection.all<{ field: string }>(ask.erase({ projectId, intentId }, keep).compile())
        return erased.length
      },
    }),
  }
}

interface Part {
  readonly projectId: string
  readonly from: number
  readonly limit: number
}
interface OfIntent {
  readonly projectId: string
  readonly intentId: string
}

function logStatements(db: Builder, places: LogPlaces) {
  const leaves = ({ projectId, from, limit }: Part) =>
    db
      .selectFrom('audit_leaves')
      .where('project_id', '=', projectId)
      .where('sequence', '>=', from)
      .orderBy('sequence')
      .limit(limit)
  return {
    leaves: statement((part: Part) => leaves(part).selectAll()),
    payloads: statement((part: Part) =>
      db
        .selectFrom(leaves(part).select(['at', 'id']).as('part'))
        .innerJoin('audit_payloads', (join) =>
          join.onRef('audit_payloads.at', '=', 'part.at').onRef('audit_payloads.leaf_id', '=', 'part.id'),
        )
        .selectAll('audit_payloads')
        .orderBy('field'),
    ),
    leaf: statement(({ projectId, id }: { projectId: string; id: string }) =>
      db.selectFrom('audit_leaves').selectAll().where('id', '=', id).where('project_id', '=', projectId),
    ),
    leavesOf: statement(({ projectId, intentId }: OfIntent) =>
      db.selectFrom('audit_leaves').selectAll().where('intent_id', '=', intentId).where('project_id', '=', projectId),
    ),
    payloadsOf: statement(({ at, id }: { at: number; id: string }) =>
      db.selectFrom('audit_payloads').selectAll().where('at', '=', at).where('leaf_id', '=', id).orderBy('field'),
    ),
    last: statement(({ projectId }: { projectId: string }) =>
      db
        .selectFrom('audit_leaves')
        .select('sequence')
        .where('project_id', '=', projectId)
        // Said, because engines disagree on where null comes in an order.
        .where('sequence', 'is not', null)
        .orderBy('sequence', 'desc')
        .limit(sql.lit(1)),
    ),
    waiting: statement(({ projectId, limit }: { projectId: string; limit: number }) =>
      db
        .selectFrom('audit_leaves')
        .select('id')
        .where('project_id', '=', projectId)
        .where('sequence', 'is', null)
        .orderBy('arrived')
        .orderBy('id')
        .limit(limit),
    ),
    place: statement(({ id, sequence }: { id: string; sequence: number }) =>
      db.updateTable('audit_leaves').set({ sequence }).where('id', '=', id),
    ),
    erase: ({ projectId, intentId }: OfIntent, keep: readonly string[]) =>
      db
        .deleteFrom('audit_payloads')
        // Nothing is in an empty list, which engines spell differently.
        .$if(keep.length > 0, (erase) => erase.where('leaf_id', 'not in', keep))
        .where(({ eb, refTuple, selectFrom }) =>
          eb(
            refTuple('at', 'leaf_id'),
            'in',
            selectFrom('audit_leaves')
              .select(['audit_leaves.at', 'audit_leaves.id'])
              .where('audit_leaves.intent_id', '=', intentId)
              .where('audit_leaves.project_id', '=', projectId)
              .$asTuple('at', 'id'),
          ),
        )
        .returning('field'),
    insertLeaf: statement((row: Omit<AuditLeavesTable, 'arrived'>) =>
      db.insertInto('audit_leaves').values({
        project_id: row.project_id,
        sequence: row.sequence,
        id: row.id,
        intent_id: row.intent_id,
        at: row.at,
        arrived: places.type === 'deferred' ? places.arrived(row.intent_id) : null,
        body: row.body,
        hash: row.hash,
      }),
    ),
    insertPayload: statement((row: AuditPayloadsTable) =>
      db
        .insertInto('audit_payloads')
        .values({ at: row.at, leaf_id: row.leaf_id, field: row.field, salt: row.salt, value: row.value }),
    ),
  }
}

function leafRow(leaf: AuditLeaf, sequence: number | null): Omit<AuditLeavesTable, 'arrived'> {
  return {
    project_id: leaf.projectId,
    sequence,
    id: leaf.id,
    intent_id: leaf.intentId ?? null,
    at: leaf.at,
    body: leaf.body,
    hash: leaf.hash,
  }
}

function leafOf(row: AuditLeavesTable, payloads: readonly AuditPayloadsTable[]): LoggedLeaf {
  return {
    id: row.id as LoggedLeaf['id'],
    projectId: row.project_id as LoggedLeaf['projectId'],
    intentId: (row.intent_id ?? undefined) as LoggedLeaf['intentId'],
    at: row.at,
    body: row.body,
    hash: row.hash,
    payloads: payloads.map(({ field, salt, value }) => ({ field, salt, value: jsonOf(value) })),
    sequence: row.sequence ?? undefined,
  }
}

/** What nobody here wrote stays what it is: whoever verifies the log finds that it is not what the leaf commits to. */
function jsonOf(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch {
    return text
  }
}

function byPlace(one: AuditLeavesTable, other: AuditLeavesTable): number {
  return (
    (one.sequence ?? Number.MAX_SAFE_INTEGER) - (other.sequence ?? Number.MAX_SAFE_INTEGER) ||
    (one.arrived ?? 0) - (other.arrived ?? 0)
  )
}
