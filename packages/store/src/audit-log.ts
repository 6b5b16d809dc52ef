/**
 * The audit log of a SQL store: each leaf has its place from the moment that it is committed, and the values that it commits
 * to stand in rows of their own, which can be erased.
 *
 * @module
 */
import {
  type AuditLeaf,
  type Json,
  SilentAuthError,
  type StoredLeaf,
  type StoreReader,
  type StoreTransaction,
} from '@silentauth/core'
import { sql } from 'kysely'
import { type Connection, first } from './connection.js'
import type { Builder } from './engine.js'
import { statement } from './statement.js'
import type { AuditLeavesTable, AuditPayloadsTable } from './tables.js'

export interface SqlAuditLog {
  reader(connection: Connection): Pick<StoreReader, 'leaves'>
  writer(connection: Connection): Pick<StoreTransaction, 'appendLeaf'>
}

export function sqlAuditLog(db: Builder): SqlAuditLog {
  const ask = logStatements(db)

  async function append(connection: Connection, leaf: AuditLeaf): Promise<void> {
    const { projectId } = leaf
    const last = await first<{ sequence: number }>(connection, ask.last({ projectId }))
    await connection.run(ask.insertLeaf(leafRow(leaf, (last?.sequence ?? -1) + 1)))
    for (const { field, salt, value } of leaf.payloads) {
      const row = { at: leaf.at, leaf_id: leaf.id, field, salt, value: JSON.stringify(value) }
      await connection.run(ask.insertPayload(row))
    }
  }

  return {
    reader: (connection) => ({
      async leaves(part) {
        const rows = await connection.all<AuditLeavesTable>(ask.leaves(part))
        const payloads = new Map<string, AuditPayloadsTable[]>(rows.map(({ id }) => [id, []]))
        const found = rows.length > 0 ? await connection.all<AuditPayloadsTable>(ask.payloads(part)) : []
        for (const payload of found) payloads.get(payload.leaf_id)?.push(payload)
        return rows.map((row) => leafOf(row, payloads.get(row.id) ?? []))
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
    }),
  }
}

interface Part {
  readonly projectId: string
  readonly from: number
  readonly limit: number
}

function logStatements(db: Builder) {
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
    last: statement(({ projectId }: { projectId: string }) =>
      db
        .selectFrom('audit_leaves')
        .select('sequence')
        .where('project_id', '=', projectId)
        .orderBy('sequence', 'desc')
        .limit(sql.lit(1)),
    ),
    insertLeaf: statement((row: AuditLeavesTable) =>
      db.insertInto('audit_leaves').values({
        project_id: row.project_id,
        sequence: row.sequence,
        id: row.id,
        intent_id: row.intent_id,
        at: row.at,
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

function leafRow(leaf: AuditLeaf, sequence: number): AuditLeavesTable {
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

function leafOf(row: AuditLeavesTable, payloads: readonly AuditPayloadsTable[]): StoredLeaf {
  return {
    id: row.id as StoredLeaf['id'],
    projectId: row.project_id as StoredLeaf['projectId'],
    intentId: (row.intent_id ?? undefined) as StoredLeaf['intentId'],
    at: row.at,
    body: row.body,
    hash: row.hash,
    payloads: payloads.map(({ field, salt, value }) => ({ field, salt, value: JSON.parse(value) as Json })),
    sequence: row.sequence,
  }
}
