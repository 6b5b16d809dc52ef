/**
 * A database of the fault suites, by its URL: `sqlite:<file>` or `postgres://…`. What the suites do is the same on both.
 *
 * @module
 */
import { DatabaseSync } from 'node:sqlite'
import type { Store } from '@silentauth/core'
import { sqliteStore } from '@silentauth/store/sqlite'
import type { Announced } from './history.ts'

export type DatabaseUrl = `sqlite:${string}` | `postgres://${string}`

export async function openStore(url: DatabaseUrl): Promise<Store> {
  return sqliteStore({ file: fileOf(url), timeoutMs: LOCK_TIMEOUT_MS })
}

/** What was committed to be announced. */
export async function outboxOf(url: DatabaseUrl, projectId: string): Promise<readonly Announced[]> {
  using database = new DatabaseSync(fileOf(url), { readOnly: true })
  const rows = database.prepare('select intent_id, event from outbox where project_id = ?').all(projectId)
  return rows.map((row) => ({ intentId: String(row.intent_id), event: String(row.event) }))
}

/** Two processes and hundreds of requests wait for one write lock: longer than anybody would let a client wait. */
const LOCK_TIMEOUT_MS = 60_000

function fileOf(url: DatabaseUrl): string {
  if (!url.startsWith('sqlite:')) throw new TypeError('no such database')
  return url.slice('sqlite:'.length)
}
