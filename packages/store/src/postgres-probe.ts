/**
 * Probes: what a PostgreSQL must be before a gate may rely on it, asked when the store opens, and what `/readyz` asks again.
 *
 * @module
 */
import type { EpochMs } from '@silentauth/core'
import { type Connection, first } from './connection.js'
import { sqlStateOf } from './postgres-error.js'

export interface ProbeOptions {
  /** How far this machine's clock may be from the database's, which decides: permits carry the time. @default 5000 */
  readonly maxClockSkewMs?: number | undefined
  /** A standby is meant to take over, also when none is connected now: then commits must be synchronous. @default false */
  readonly replicated?: boolean | undefined
}

/** @throws Error that says what is wrong, and what to do */
export async function probe(connection: Connection, { maxClockSkewMs = 5000 }: ProbeOptions): Promise<void> {
  await requireTexts(connection)
  await requirePrimary(connection)
  await requireSameTime(connection, maxClockSkewMs)
}

export async function databaseNow(connection: Connection): Promise<EpochMs> {
  // Not `now()`: that is when the transaction began, before it waited for its row.
  const row = await first<{ now: number }>(connection, {
    sql: 'select floor(extract(epoch from clock_timestamp()) * 1000)::bigint as now',
    parameters: [],
  })
  if (!row) throw new Error('the database has no time')
  return row.now
}

/** Why commits could be lost in a failover (LIFECYCLE R3); empty when they cannot. */
export async function replicationFaults(
  connection: Connection,
  { replicated = false }: ProbeOptions,
): Promise<readonly string[]> {
  const row = await first<{ standbys: number; names: string; commit: string }>(connection, {
    // Logical subscribers and base backups do not take over.
    sql: `select count(*) as standbys, current_setting('synchronous_standby_names') as names,
      current_setting('synchronous_commit') as commit
      from pg_stat_replication where coalesce(state, 'streaming') <> 'backup'
      and pid not in (select active_pid from pg_replication_slots where slot_type = 'logical' and active_pid is not null)`,
    parameters: [],
  })
  if (!row) return ['the database does not say whether it is replicated']
  if (row.standbys === 0 && !replicated) return []
  if (row.names.trim() === '') return ['commits do not wait for a standby: set synchronous_standby_names']
  const waits = ['on', 'remote_apply'].includes(row.commit)
  return waits ? [] : [`commits do not wait for the disk of a standby: synchronous_commit is ${row.commit}`]
}

/** What is stored must be what was hashed; U+0000, which the API refuses, must not be cut silently. */
async function requireTexts(connection: Connection): Promise<void> {
  const encoding = await first<{ encoding: string }>(connection, {
    sql: "select current_setting('server_encoding') as encoding",
    parameters: [],
  })
  if (encoding?.encoding !== 'UTF8') {
    throw new Error(`the database has the encoding ${encoding?.encoding}: create it with encoding 'UTF8'`)
  }
  const text = 'Gr\u00fc\u00dfe \u{1F44D} \u0001 e\u0301'
  const echoed = await first<{ text: string }>(connection, { sql: 'select $1::text as text', parameters: [text] })
  if (echoed?.text !== text) throw new Error('the database does not give back a text as it got it')
  const cut = await first(connection, { sql: 'select $1::text as text', parameters: ['a\0b'] }).then(
    () => true,
    (error: unknown) => {
      if (sqlStateOf(error) === '22021') return false
      throw error
    },
  )
  if (cut) throw new Error('the database takes a text with U+0000, and may cut it there')
}

/** Whether commits wait for the disk is asked of every connection. */
async function requirePrimary(connection: Connection): Promise<void> {
  const row = await first<{ recovering: boolean }>(connection, {
    sql: 'select pg_is_in_recovery() as recovering',
    parameters: [],
  })
  if (row?.recovering) throw new Error('the database is a standby: connect to the primary')
}

async function requireSameTime(connection: Connection, maxClockSkewMs: number): Promise<void> {
  const before = Date.now()
  const now = await databaseNow(connection)
  const after = Date.now()
  const skew = Math.max(before - now, now - after, 0)
  if (skew > maxClockSkewMs) {
    throw new Error(
      `the clocks of this machine and of the database are ${skew} ms apart, and permits carry the time: set both by NTP`,
    )
  }
}
