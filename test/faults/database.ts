/**
 * A database of the fault suites, by its URL: `sqlite:<file>` or `postgres://…`. What the suites do is the same on both.
 *
 * @module
 */
import { DatabaseSync } from 'node:sqlite'
import type { Store } from '@silentauth/core'
import { postgresStore } from '@silentauth/store/postgres'
import { sqliteStore } from '@silentauth/store/sqlite'
import pg from 'pg'
import type { Announced } from './history.ts'

export type DatabaseUrl = `sqlite:${string}` | `postgres://${string}`

/** What a node may set otherwise than a gate in production would. */
export interface DatabaseTimeouts {
  /** @default 60_000: two processes and hundreds of requests wait for one row, longer than anybody would let a client wait */
  readonly lockMs?: number
  /** Of PostgreSQL. @default what the store says */
  readonly idleInTransactionMs?: number
}

export async function openStore(url: DatabaseUrl, timeouts: DatabaseTimeouts = {}): Promise<Store> {
  const { lockMs = 60_000, idleInTransactionMs } = timeouts
  if (!isPostgres(url)) return sqliteStore({ file: fileOf(url), timeoutMs: lockMs })
  return postgresStore({
    url,
    connectTimeoutMs: lockMs,
    lockTimeoutMs: lockMs,
    statementTimeoutMs: lockMs + 5000,
    idleInTransactionTimeoutMs: idleInTransactionMs,
  })
}

/** What was committed to be announced. */
export async function outboxOf(url: DatabaseUrl, projectId: string): Promise<readonly Announced[]> {
  const rows = await rowsOf(url, 'select intent_id, event from outbox where project_id = $1', projectId)
  return rows.map((row) => ({ intentId: String(row.intent_id), event: String(row.event) }))
}

async function rowsOf(url: DatabaseUrl, sql: string, value: string): Promise<readonly Record<string, unknown>[]> {
  if (!isPostgres(url)) {
    using database = new DatabaseSync(fileOf(url), { readOnly: true })
    return database.prepare(sql.replace('$1', '?')).all(value)
  }
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(sql, [value])).rows
  } finally {
    await client.end()
  }
}

function isPostgres(url: DatabaseUrl): url is `postgres://${string}` {
  return url.startsWith('postgres://')
}

function fileOf(url: DatabaseUrl): string {
  if (!url.startsWith('sqlite:')) throw new TypeError('no such database')
  return url.slice('sqlite:'.length)
}
