/**
 * The SQLite store: one file, `node:sqlite`, write-ahead log, every commit on the disk before it is answered. For one
 * machine; several processes may share the file.
 *
 * @module
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import { type EpochMs, SilentAuthError, type Store } from '@silentauth/core'
import { Kysely } from 'kysely'
import { groupCommit } from './group-commit.js'
import { migrate } from './migrate.js'
import { migrationsFor } from './migrations.js'
import { NodeSqliteDialect, SQLITE, sqliteConnection } from './node-sqlite.js'
import { openDatabase } from './open-database.js'
import { runAgain } from './run-again.js'
import { spans } from './span.js'
import { sqlStore } from './sql-store.js'
import { databaseError, isBusy, statementError } from './sqlite-error.js'
import type { Tables } from './tables.js'

export interface SqliteStoreOptions {
  /** Path of the database, or `:memory:`. The file is made with 0600, its folder with 0700. */
  readonly file: string
  /** How long to wait for the write lock of another process. @default 5000 */
  readonly timeoutMs?: number | undefined
  /** @default Date.now */
  readonly now?: (() => EpochMs) | undefined
}

/**
 * Opens the file, and brings its schema up to date under a lock.
 *
 * @throws TypeError when the runtime's SQLite cuts texts at U+0000; Error when the schema is newer than this version, or the
 * file cannot be used
 */
export async function sqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const { file, timeoutMs = 5000, now = Date.now } = options
  const { writing, reading } = await openBoth(file, timeoutMs)
  const db = new Kysely<Tables>({ dialect: new NodeSqliteDialect(writing) })
  const tables = sqlStore(db, { ...SQLITE, now: async () => now() })
  const connection = sqliteConnection(writing)
  const group = groupCommit(writeLock(writing, timeoutMs, tables.forget))
  const { requireOutside, run: runSpan, reader } = spans(statementError)
  let closed = false

  function requireOpen(): void {
    if (closed) throw new SilentAuthError('DB_ERROR', 'the store is closed')
    requireOutside()
  }

  return {
    ...reader(tables.reader(sqliteConnection(reading)), async () => {
      requireOpen()
      // One connection for both: what it shows now may be undone.
      if (reading === writing) await group.idle()
    }),
    sequencing: 'immediate',

    async transaction(work) {
      requireOpen()
      return runAgain(() => group.run(() => runSpan(tables.transaction(connection), work)))
    },

    async [Symbol.asyncDispose]() {
      if (closed) return
      closed = true
      await group.idle()
      if (reading !== writing) reading.close()
      writing.close()
    },
  }
}

/** The connection of transactions, and that of reads outside of them, which wait for nobody. */
async function openBoth(file: string, timeoutMs: number): Promise<{ writing: DatabaseSync; reading: DatabaseSync }> {
  const writing = await openDatabase(file, { timeoutMs })
  try {
    await migrate(new Kysely<Tables>({ dialect: new NodeSqliteDialect(writing) }), migrationsFor(SQLITE))
    const reading = file === ':memory:' ? writing : await openDatabase(file, { timeoutMs, readOnly: true })
    // From here on waiting is ours: SQLite's would stop the whole process.
    writing.exec(`pragma busy_timeout = ${Math.min(timeoutMs, BLOCKING_WAIT_MS)}`)
    return { writing, reading }
  } catch (error) {
    writing.close()
    throw error
  }
}

const BLOCKING_WAIT_MS = 5
const MAX_BACKOFF_MS = 20

function writeLock(database: DatabaseSync, timeoutMs: number, forget: () => void): Parameters<typeof groupCommit>[0] {
  // Immediate: a transaction that has only read could not be upgraded once another process has written.
  const begin = database.prepare('begin immediate')
  const commit = database.prepare('commit')
  const savepoint = database.prepare('savepoint work')
  const release = database.prepare('release work')
  const undo = database.prepare('rollback to work')
  return {
    async begin() {
      const giveUpAt = performance.now() + timeoutMs
      for (;;) {
        try {
          begin.run()
          return
        } catch (error) {
          if (!isBusy(error) || performance.now() >= giveUpAt) throw databaseError(error)
        }
        await delay(Math.random() * MAX_BACKOFF_MS)
      }
    },
    commit: () => run(commit),
    lost: forget,
    rollback() {
      // A full disk ends the transaction by itself.
      if (database.isOpen && database.isTransaction) database.exec('rollback')
    },
    savepoint: () => run(savepoint),
    release: () => run(release),
    undo: () => run(undo),
  }
}

function run(statement: StatementSync): void {
  try {
    statement.run()
  } catch (error) {
    throw databaseError(error)
  }
}
