/**
 * The SQLite store: one file, `node:sqlite`, write-ahead log, every commit on the disk before it is answered. For one
 * machine; several processes may share the file.
 *
 * @module
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import {
  type Conflict,
  conflict,
  type EpochMs,
  isConflict,
  isSilentAuthError,
  MAX_RUNS,
  SilentAuthError,
  type Store,
  type StoreReader,
  type StoreTransaction,
  type Unique,
} from '@silentauth/core'
import { Kysely, type Transaction } from 'kysely'
import { migrate } from './migrate.js'
import { brokenUniqueness, isBusy, NodeSqliteDialect } from './node-sqlite.js'
import { openDatabase } from './open-database.js'
import { sqlReader } from './reader.js'
import type { Tables } from './tables.js'
import { sqlWriter } from './writer.js'

export interface SqliteStoreOptions {
  /** Path of the database, or `:memory:`. The file is made with 0600, its folder with 0700. */
  readonly file: string
  /** How long a statement waits for the write lock of another process. @default 5000 */
  readonly timeoutMs?: number | undefined
  /** @default Date.now */
  readonly now?: (() => EpochMs) | undefined
}

/** How long to wait before a transaction runs again that found the file busy, at most. */
const BUSY_BACKOFF_MS = 50

/**
 * Opens the file, and brings its schema up to date under a lock.
 *
 * @throws TypeError when the runtime's SQLite cuts texts at U+0000; Error when the schema is newer than this version, or the
 * file cannot be used
 */
export async function sqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const { file, timeoutMs = 5000, now = Date.now } = options
  const writing = new Kysely<Tables>({ dialect: new NodeSqliteDialect(await openDatabase(file, { timeoutMs })) })
  let reading: Kysely<Tables>
  try {
    await migrate(writing)
    // Readers of a file have a connection of their own, so that no read waits for a transaction.
    reading =
      file === ':memory:'
        ? writing
        : new Kysely<Tables>({
            dialect: new NodeSqliteDialect(await openDatabase(file, { timeoutMs, readOnly: true })),
          })
  } catch (error) {
    await writing.destroy()
    throw error
  }
  const inside = new AsyncLocalStorage<{ ended: boolean }>()
  let closed = false
  const requireOpen = (): void => {
    if (closed) throw new SilentAuthError('DB_ERROR', 'the store is closed')
    if (reading === writing && inside.getStore()?.ended === false) {
      throw new TypeError('inside a transaction only its tx can be read')
    }
  }

  const runOnce = async <Result>(work: (tx: StoreTransaction) => Promise<Result>): Promise<Result> => {
    const here = { ended: false }
    try {
      return await writing.transaction().execute((transaction) =>
        inside.run(here, async () => {
          const { tx, failure } = transactionOf(transaction, now, here)
          const result = await work(tx)
          // A statement that failed left the rest of the transaction as it was: what it was part of must not be kept.
          if (failure.error !== undefined) throw failure.error
          return result
        }),
      )
    } finally {
      here.ended = true
    }
  }

  return {
    ...guarded(sqlReader(reading, now), requireOpen),
    sequencing: 'immediate',

    async transaction(work) {
      if (closed) throw new SilentAuthError('DB_ERROR', 'the store is closed')
      if (inside.getStore()?.ended === false) throw new TypeError('a transaction within a transaction: use its tx')
      for (let run = 1; ; run++) {
        try {
          return await runOnce(work)
        } catch (error) {
          const again = run < MAX_RUNS && (isConflict(error) || isBusy(error))
          if (!again) throw storeError(error)
          if (isBusy(error)) await new Promise((resolve) => setTimeout(resolve, Math.random() * BUSY_BACKOFF_MS))
        }
      }
    },

    async [Symbol.asyncDispose]() {
      if (closed) return
      closed = true
      if (reading !== writing) await reading.destroy()
      await writing.destroy()
    },
  }
}

/** The transaction as the engine sees it; `failure` is what its first failed statement said. */
function transactionOf(
  db: Transaction<Tables>,
  now: () => EpochMs,
  here: { readonly ended: boolean },
): { tx: StoreTransaction; failure: { error?: unknown } } {
  const failure: { error?: unknown } = {}
  const writer = sqlWriter(db, sqlReader(db, now), now)
  const names = Object.keys(writer) as (keyof StoreTransaction)[]
  const tx = Object.fromEntries(
    names.map((name) => [
      name,
      async (...args: unknown[]) => {
        if (here.ended) throw new TypeError('the transaction has ended')
        try {
          return await (writer[name] as (...args: unknown[]) => Promise<unknown>)(...args)
        } catch (error) {
          failure.error ??= uniqueOr(error)
          throw failure.error
        }
      },
    ]),
  )
  return { tx: tx as unknown as StoreTransaction, failure }
}

function guarded(reader: StoreReader, requireOpen: () => void): StoreReader {
  const names = Object.keys(reader) as (keyof StoreReader)[]
  const entries = names.map((name) => [
    name,
    async (...args: unknown[]) => {
      requireOpen()
      try {
        return await (reader[name] as (...args: unknown[]) => Promise<unknown>)(...args)
      } catch (error) {
        throw storeError(error)
      }
    },
  ])
  return Object.fromEntries(entries) as StoreReader
}

/** What is unique in each table; the primary key of an intent never collides, its idempotency key may. */
const UNIQUE_IN: Readonly<Record<string, Unique>> = {
  intents: 'idempotency_key',
  votes: 'vote',
  permits: 'permit',
  redemptions: 'redemption',
  agents: 'agent_fingerprint',
  project_keys: 'key_secret',
  sessions: 'session_cookie',
  requests: 'request',
}

function uniqueOr(error: unknown): unknown | Conflict {
  const unique = UNIQUE_IN[brokenUniqueness(error) ?? '']
  return unique ? conflict(unique, { cause: error }) : error
}

/** Caller bugs and refusals stay what they are; what the database says is a `DB_ERROR` whose message quotes nothing. */
function storeError(error: unknown): unknown {
  if (isSilentAuthError(error) || isConflict(error) || error instanceof TypeError) return error
  return new SilentAuthError('DB_ERROR', 'the database refused', { cause: error })
}
