/**
 * Single use in PostgreSQL: for any number of processes and machines.
 *
 * @module
 */
import type { EpochMs } from '@silentauth/core'
import { type Connection, first } from './connection.js'
import { postgresError, sqlStateOf } from './postgres-error.js'
import { type PoolOptions, postgresPool } from './postgres-pool.js'
import { databaseNow } from './postgres-probe.js'
import { runAgain } from './run-again.js'
import { FORGOTTEN, type SharedSingleUse, sharedSingleUse, SINGLE_USE_TABLE as TABLE } from './single-use-ledger.js'

export interface PostgresSingleUseOptions extends PoolOptions {
  /** For tests. @default the database's clock */
  readonly now?: (() => EpochMs) | undefined
}

const INSERT = `insert into ${TABLE} (key, keep_until)
  select $1::text, $2::bigint where $2::bigint > (select keep_until from ${TABLE} where key = '${FORGOTTEN}')
  on conflict (key) do nothing returning 1 as one`
const MOVE = `update ${TABLE} set keep_until = greatest(keep_until, $1::bigint) where key = '${FORGOTTEN}'`
const FORGET = `delete from ${TABLE} where key in
  (select key from ${TABLE} where keep_until <= $1::bigint and key <> '${FORGOTTEN}' order by keep_until limit $2::int)
  returning 1 as one`

export async function openPostgresSingleUse(options: PostgresSingleUseOptions): Promise<SharedSingleUse> {
  const pool = postgresPool(options, () => undefined)
  const { reading: line } = pool
  try {
    // Processes that start together can meet in the catalogue.
    await runAgain(() => makeTable(line), isTaken)
  } catch (cause) {
    await pool.end()
    throw new Error('the database of single use cannot be used', { cause })
  }
  const { now } = options
  const ask = async (sql: string, ...parameters: readonly unknown[]): Promise<number> => {
    try {
      return (await line.all({ sql, parameters })).length
    } catch (error) {
      throw postgresError(error)
    }
  }
  return sharedSingleUse({
    now: async () => (now ? now() : databaseNow(line)),
    // One statement: of two at once, the second waits for the row of the first and then finds it.
    insert: async (key, keepUntil) => (await ask(INSERT, key, keepUntil)) === 1,
    async forget(until, limit) {
      await ask(MOVE, until)
      return ask(FORGET, until, limit)
    },
    close: () => pool.end(),
  })
}

/** Looked for first: a role that may not make tables can use one that was made for it. */
async function makeTable(line: Connection): Promise<void> {
  const sql = `select 1 as one from pg_catalog.pg_class where oid = to_regclass('${TABLE}_end')`
  if ((await first(line, { sql, parameters: [] })) === undefined) {
    const statements = [
      `create table if not exists ${TABLE} (key text collate "C" not null primary key, keep_until bigint not null)`,
      `create index if not exists ${TABLE}_end on ${TABLE} (keep_until)`,
    ]
    for (const statement of statements) await line.run({ sql: statement, parameters: [] })
  }
  const row = `insert into ${TABLE} (key, keep_until) values ('${FORGOTTEN}', 0) on conflict (key) do nothing`
  await line.run({ sql: row, parameters: [] })
}

/** The row, the table, its type, or the catalogue itself: at which step the other one is met is chance. */
const TAKEN: ReadonlySet<string> = new Set(['23505', '42P07', '42710', '40001', '40P01', 'XX000'])

function isTaken(error: unknown): boolean {
  return TAKEN.has(sqlStateOf(error) ?? '')
}
