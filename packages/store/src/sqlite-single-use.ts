/**
 * Single use in a SQLite file: for the processes of one machine.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { EpochMs } from '@silentauth/core'
import { openDatabase } from './open-database.js'
import { FORGOTTEN, type SharedSingleUse, sharedSingleUse, SINGLE_USE_TABLE as TABLE } from './single-use-ledger.js'
import { databaseError, isBusy } from './sqlite-error.js'

export interface SqliteSingleUseOptions {
  /** Made with 0600, its folder with 0700. Not on a network file system. */
  readonly file: string
  /** How long to wait for another process. @default 5000 */
  readonly timeoutMs?: number | undefined
  /** @default Date.now */
  readonly now?: (() => EpochMs) | undefined
}

const LONGEST_PAUSE_MS = 20

/** @throws Error when the file cannot be used */
export async function sqliteSingleUse(options: SqliteSingleUseOptions): Promise<SharedSingleUse> {
  const { file, timeoutMs = 5000, now = Date.now } = options
  const database = await openDatabase(file, { timeoutMs })
  try {
    database.exec(
      `begin immediate;
       create table if not exists ${TABLE} (key text not null primary key, keep_until integer not null) strict, without rowid;
       create index if not exists ${TABLE}_end on ${TABLE} (keep_until);
       insert into ${TABLE} (key, keep_until) values ('${FORGOTTEN}', 0) on conflict (key) do nothing;
       commit`,
    )
    // Waiting is ours: SQLite's would stop the whole process.
    database.exec('pragma busy_timeout = 5')
  } catch (error) {
    database.close()
    throw error
  }
  const insert = database.prepare(
    `insert into ${TABLE} (key, keep_until) select ?, ? where ? > (select keep_until from ${TABLE} where key = '${FORGOTTEN}')
     on conflict (key) do nothing`,
  )
  const move = database.prepare(`update ${TABLE} set keep_until = max(keep_until, ?) where key = '${FORGOTTEN}'`)
  const forget = database.prepare(
    `delete from ${TABLE} where key in
     (select key from ${TABLE} where keep_until <= ? and key <> '${FORGOTTEN}' order by keep_until limit ?)`,
  )

  /** @throws SilentAuthError `DB_ERROR` */
  const whenFree = async <Result>(work: () => Result): Promise<Result> => {
    const giveUpAt = performance.now() + timeoutMs
    for (;;) {
      try {
        return work()
      } catch (error) {
        if (!isBusy(error) || performance.now() >= giveUpAt) throw databaseError(error)
      }
      await delay(Math.random() * LONGEST_PAUSE_MS)
    }
  }

  return sharedSingleUse({
    now: async () => now(),
    insert: async (key, keepUntil) => (await whenFree(() => insert.run(key, keepUntil, keepUntil))).changes === 1,
    async forget(until, limit) {
      await whenFree(() => move.run(until))
      return Number((await whenFree(() => forget.run(until, limit))).changes)
    },
    close: async () => database.close(),
  })
}
