/**
 * The PostgreSQL store: for several nodes over one database. Rows are locked, never tables; the database's clock decides.
 *
 * @module
 */
import { type EpochMs, SilentAuthError, type Store } from '@silentauth/core'
import { Kysely, PostgresDialect, sql } from 'kysely'
import pg from 'pg'
import type { Engine } from './engine.js'
import { POSTGRES_DEFERRED } from './log-places.js'
import { migrate } from './migrate.js'
import { migrationsFor } from './migrations.js'
import { type ChangesOptions, postgresChanges } from './postgres-changes.js'
import { isCollision, postgresError } from './postgres-error.js'
import { type PoolOptions, type PostgresPool, postgresPool } from './postgres-pool.js'
import { databaseNow, type ProbeOptions, probe, replicationFaults } from './postgres-probe.js'
import { runAgain } from './run-again.js'
import { spans } from './span.js'
import { sqlStore } from './sql-store.js'
import type { Tables } from './tables.js'

export interface PostgresStoreOptions extends PoolOptions, ProbeOptions, ChangesOptions {
  /** For tests. @default the database's clock */
  readonly now?: (() => EpochMs) | undefined
}

const POSTGRES: Engine = {
  // By bytes, as on the other engines, whatever the language of the database.
  text: sql`text collate "C"`,
  integer: sql`bigint`,
  table: sql``,
  ledger: sql``,
  rowLocks: true,
}

/**
 * Connects, brings the schema up to date under a lock, and looks whether this PostgreSQL can be relied on.
 *
 * @throws Error when it cannot, or cannot be reached, or has a newer schema; the message says what to do
 */
export async function postgresStore(options: PostgresStoreOptions): Promise<Store> {
  // After a failover the same revision may be of other documents.
  let forget = (): void => {}
  const pool = postgresPool(options, () => forget())
  try {
    await open(pool, options)
  } catch (error) {
    await pool.end()
    const cause = error instanceof SilentAuthError && error.cause instanceof Error ? error.cause : (error as Error)
    throw new Error(`the database cannot be used: ${cause.message}${whatToDo(cause)}`, { cause })
  }

  const { now } = options
  const clock = now ? async () => now() : databaseNow
  const tables = sqlStore(builder(), { ...POSTGRES, now: clock }, POSTGRES_DEFERRED)
  forget = tables.forget
  const { requireOutside, run, reader } = spans(postgresError)
  const changes = postgresChanges(() => pool.open(), options)
  const running = new Set<Promise<unknown>>()
  let closed = false

  function requireOpen(): void {
    if (closed) throw new SilentAuthError('DB_ERROR', 'the store is closed')
    requireOutside()
  }

  return {
    ...reader(tables.reader(pool.reading), requireOpen),
    sequencing: 'deferred',
    changes,

    async transaction(work) {
      requireOpen()
      const done = runAgain(
        () => pool.transaction((connection) => run(tables.transaction(connection), work)),
        isCollision,
      )
      running.add(done)
      return done.finally(() => running.delete(done))
    },

    async faults() {
      requireOpen()
      return replicationFaults(pool.reading, options)
    },

    async [Symbol.asyncDispose]() {
      if (closed) return
      closed = true
      await Promise.allSettled(running)
      await changes[Symbol.asyncDispose]()
      await pool.end()
    },
  }
}

/** Looks first: a database that must not be used is not migrated either. */
async function open(pool: PostgresPool, options: PostgresStoreOptions): Promise<void> {
  await probe(pool.reading, options)
  const migrating = new pg.Pool({ ...pool.config, ...MIGRATION_LIMITS, connectionTimeoutMillis: CONNECT_MS, max: 1 })
  migrating.on('error', () => undefined)
  migrating.on('connect', (client) => client.on('error', () => undefined))
  // Ending it ends the pool.
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: migrating }) })
  try {
    await migrate(db, migrationsFor(POSTGRES))
  } finally {
    await db.destroy()
  }
}

/** Longer than those of work: another node may be migrating, and an index over many rows takes its time. */
const MIGRATION_LIMITS = { statement_timeout: 600_000, lock_timeout: 600_000, query_timeout: 605_000 }

const CONNECT_MS = 30_000

/** Kysely only builds for us; running is ours. */
function builder(): Kysely<Tables> {
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool: noPool }) })
}

async function noPool(): Promise<never> {
  throw new TypeError('statements run on a connection of the store')
}

/** What the system and PostgreSQL only name, perhaps behind an error of ours. */
function whatToDo(error: unknown): string {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const advice = ADVICE.get((cause as NodeJS.ErrnoException).code)
    if (advice !== undefined) return `; ${advice}`
  }
  return ''
}

const UNREACHABLE = 'check host and port in its URL, and that it runs'
const NOT_LET_IN = 'check user and password in its URL, and pg_hba.conf'
const ADVICE: ReadonlyMap<string | undefined, string> = new Map([
  ['ECONNREFUSED', UNREACHABLE],
  ['ENOTFOUND', UNREACHABLE],
  ['EAI_AGAIN', UNREACHABLE],
  ['ETIMEDOUT', UNREACHABLE],
  ['EHOSTUNREACH', UNREACHABLE],
  ['28P01', NOT_LET_IN],
  ['28000', NOT_LET_IN],
  ['3D000', 'create it first, in UTF-8'],
  ['42501', 'make its user the owner of the database, because the gate makes the tables'],
])
