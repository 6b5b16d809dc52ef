/**
 * The permit traces of a SQL store: one narrow row per permit that a verifier could still accept, found by what may revoke it.
 *
 * @module
 */
import {
  type AgentId,
  changedTraces,
  type EpochMs,
  type IntentId,
  type KeyId,
  type PermitId,
  type PermitTrace,
  type State,
  type StoredRevocations,
  type StoreReader,
  type StoreTransaction,
} from '@silentauth/core'
import { sql } from 'kysely'
import type { Connection } from './connection.js'
import type { Builder } from './engine.js'
import type { RegistryReader } from './registry.js'
import { statement } from './statement.js'
import type { PermitTracesTable } from './tables.js'

export interface SqlPermitTraces {
  reader(connection: Connection, registry: Pick<RegistryReader, 'keys' | 'agents'>): Pick<StoreReader, 'revocations'>
  writer(connection: Connection): Pick<StoreTransaction, 'forgetPermits'>
  /** Of an intent that was just written. */
  write(connection: Connection, after: State, before: State | undefined): Promise<void>
  /** Of an intent that goes. */
  remove(connection: Connection, state: State): Promise<void>
}

/** More parameters than this in one statement are refused by some engines. */
const MAX_IN_LIST = 500
const LISTED = ['id', 'intent_id', 'withdrawn', 'expires_at'] as const
type Listed = Pick<PermitTracesTable, (typeof LISTED)[number]>

export function sqlPermitTraces(db: Builder): SqlPermitTraces {
  const ask = traceStatements(db)

  /** Live permits of what a kill switch has stopped: those alone are looked through, and only while something is stopped. */
  async function stopped(
    connection: Connection,
    { projectId, now, limit }: { projectId: string; now: EpochMs; limit: number },
    column: 'key_id' | 'agent_id' | 'source',
    values: readonly string[],
  ): Promise<readonly Listed[]> {
    const found: Listed[] = []
    for (let index = 0; index < values.length; index += MAX_IN_LIST) {
      let live = db
        .selectFrom('permit_traces')
        .select(LISTED)
        .where('project_id', '=', projectId)
        .where('revoked', '=', sql.lit(0))
        .where('expires_at', '>', now)
        .where(column, 'in', values.slice(index, index + MAX_IN_LIST))
        .orderBy('expires_at', 'desc')
        .limit(limit)
      // A bound agent counts by its id, whatever fingerprint it has had.
      if (column === 'source') live = live.where('agent_id', 'is', null)
      found.push(...(await connection.all<Listed>(live.compile())))
    }
    return found
  }

  return {
    reader: (connection, registry) => ({
      async revocations(query) {
        const { projectId, now, limit } = query
        const keys = (await registry.keys(projectId)).filter(({ status }) => status !== 'active').map(({ id }) => id)
        const agents = (await registry.agents(projectId)).filter(({ status }) => status !== 'active')
        const ids = agents.map(({ id }) => id)
        const fingerprints = agents.map(({ fingerprint }) => fingerprint)
        const rows = [
          ...(await connection.all<Listed>(ask.revoked({ projectId, now, limit }))),
          ...(await stopped(connection, query, 'key_id', keys)),
          ...(await stopped(connection, query, 'agent_id', ids)),
          ...(await stopped(connection, query, 'source', fingerprints)),
        ]
        return {
          permits: lastingFirst(rows).slice(0, limit).map(listed),
          agents: ids as AgentId[],
          keys: keys as KeyId[],
        }
      },
    }),
    writer: (connection) => ({
      async forgetPermits(now, limit) {
        return (await connection.all(ask.forget({ now, limit }))).length
      },
    }),
    async remove(connection, { permits }) {
      for (const { id } of permits) await connection.run(ask.remove({ id }))
    },
    async write(connection, after, before) {
      for (const trace of changedTraces(after, before)) await connection.run(ask.put(traceRow(trace)))
    },
  }
}

function traceStatements(db: Builder) {
  return {
    revoked: statement(({ projectId, now, limit }: { projectId: string; now: EpochMs; limit: number }) =>
      db
        .selectFrom('permit_traces')
        .select(LISTED)
        .where('project_id', '=', projectId)
        .where('revoked', '=', sql.lit(1))
        .where('keep_until', '>', now)
        .orderBy('expires_at', 'desc')
        .orderBy('id')
        .limit(limit),
    ),
    put: statement((row: PermitTracesTable) =>
      db
        .insertInto('permit_traces')
        .values({
          id: row.id,
          project_id: row.project_id,
          intent_id: row.intent_id,
          key_id: row.key_id,
          agent_id: row.agent_id,
          source: row.source,
          revoked: row.revoked,
          withdrawn: row.withdrawn,
          expires_at: row.expires_at,
          keep_until: row.keep_until,
        })
        .onConflict((on) =>
          on.column('id').doUpdateSet({
            revoked: row.revoked,
            withdrawn: row.withdrawn,
            expires_at: row.expires_at,
            keep_until: row.keep_until,
          }),
        ),
    ),
    remove: statement(({ id }: { id: string }) => db.deleteFrom('permit_traces').where('id', '=', id)),
    forget: statement(({ now, limit }: { now: EpochMs; limit: number }) =>
      db
        .deleteFrom('permit_traces')
        .where('id', 'in', db.selectFrom('permit_traces').select('id').where('keep_until', '<=', now).limit(limit))
        .returning('id'),
    ),
  }
}

function traceRow(trace: PermitTrace): PermitTracesTable {
  return {
    id: trace.id,
    project_id: trace.projectId,
    intent_id: trace.intentId,
    key_id: trace.keyId,
    agent_id: trace.agentId ?? null,
    source: trace.source ?? null,
    revoked: trace.revoked ? 1 : 0,
    withdrawn: trace.withdrawn ? 1 : 0,
    expires_at: trace.expiresAt,
    keep_until: trace.keepUntil,
  }
}

/** A permit can be found by its key and by its agent. */
function lastingFirst(rows: readonly Listed[]): Listed[] {
  const byId = new Map(rows.map((row) => [row.id, row]))
  return [...byId.values()].sort((one, other) => other.expires_at - one.expires_at || (one.id < other.id ? -1 : 1))
}

function listed({ id, intent_id, withdrawn, expires_at }: Listed): StoredRevocations['permits'][number] {
  return {
    id: id as PermitId,
    intentId: intent_id as IntentId,
    withdrawn: withdrawn === 1,
    expiresAt: expires_at,
  }
}
