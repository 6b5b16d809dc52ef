/**
 * Declare and decide among 1,000,000 stored intents, against among 1,000, over SQLite and PostgreSQL. Target: at most 1.2 times as
 * long. `BENCH_STORED` is another large number.
 *
 * @module
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Store } from '@silentauth/core'
import { fakeClock, type TestGate, testGate } from '@silentauth/core/testing'
import { postgresStore } from '@silentauth/store/postgres'
import { sqliteStore } from '@silentauth/store/sqlite'
import pg from 'pg'
import { startPostgres } from '../support/postgres.ts'
import { type Database, multiply } from './multiply.worker.ts'

const FEW = 1000
const MANY = Number(process.env.BENCH_STORED ?? 1_000_000)
const ROUNDS = 12
const PER_ROUND = 40
const TARGET = 1.2

const clock = fakeClock()
const folder = await mkdtemp(path.join(tmpdir(), 'silentauth-bench-'))
const postgres = await startPostgres({ own: true, settings: { max_wal_size: '4GB', checkpoint_timeout: '30min' } })
let files = 0
let orders = 0
try {
  await compare('SQLite', async () => {
    const file = path.join(folder, `${++files}.db`)
    return { open: () => sqliteStore({ file, now: clock.now }), database: sqliteDatabase(file) }
  })
  await compare('PostgreSQL', async () => {
    const { url } = await postgres.createDatabase()
    return { open: () => postgresStore({ url, now: clock.now }), database: postgresDatabase(url) }
  })
} finally {
  await postgres.stop()
  await rm(folder, { recursive: true, force: true })
}

interface Place {
  readonly open: () => Promise<Store>
  readonly database: Database
}

async function compare(name: string, make: () => Promise<Place>): Promise<void> {
  const few = await filled(await make(), FEW)
  const started = performance.now()
  const many = await filled(await make(), MANY)
  const seconds = ((performance.now() - started) / 1000).toFixed(0)
  await round(few.test)
  await round(many.test)
  const times = { few: [] as number[], many: [] as number[] }
  for (let index = 0; index < ROUNDS; index++) {
    times.few.push(await round(few.test))
    times.many.push(await round(many.test))
  }
  const ratio = median(times.many) / median(times.few)
  console.log(`declare + decide over ${name}, median of ${ROUNDS} interleaved rounds of ${PER_ROUND}`)
  console.log(`  ${FEW} stored     ${median(times.few).toFixed(3)} ms`)
  console.log(`  ${many.stored} stored  ${median(times.many).toFixed(3)} ms   (stored within ${seconds} s)`)
  console.log(
    `  ratio ${ratio.toFixed(2)}   target ≤ ${TARGET}   ${ratio <= TARGET ? 'reached' : 'MISSED: see the profile'}`,
  )
  await few.store[Symbol.asyncDispose]()
  await many.store[Symbol.asyncDispose]()
}

/** One decided intent, and the others as its copies. */
async function filled({ open, database }: Place, count: number) {
  const store = await open()
  const test = await testGate({ store, clock, maxPendingPerKey: 10_000 })
  const id = await decided(test)
  await multiply(database, id, count - 1)
  return { store, test, stored: count }
}

/** @returns ms per intent */
async function round(test: TestGate): Promise<number> {
  const started = performance.now()
  for (let index = 0; index < PER_ROUND; index++) await decided(test)
  return (performance.now() - started) / PER_ROUND
}

async function decided(test: TestGate) {
  clock.advance(1)
  const params = { customer_id: 'cust_4821', amount: 250, order: ++orders }
  const { id } = await test.gate.declare({ action: 'issue_refund', params })
  const { intentHash } = await test.local.desk.read(test.approver, id)
  await test.local.desk.vote(test.approver, id, { verdict: 'approve', intentHash })
  return id
}

function sqliteDatabase(file: string): Database {
  return {
    async ask(sql) {
      using database = new DatabaseSync(file)
      database.exec('pragma synchronous = off')
      return database.prepare(sql).all()
    },
    numbered: (from, to) =>
      `with recursive numbers(n) as (select ${from} union all select n + 1 from numbers where n < ${to})`,
    padded: (expression) => `printf('%026d', ${expression})`,
    finish: 'pragma wal_checkpoint(truncate)',
  }
}

function postgresDatabase(connectionString: string): Database {
  return {
    async ask(sql) {
      const client = new pg.Client({ connectionString })
      await client.connect()
      try {
        return (await client.query<Record<string, string | number | null>>(sql)).rows
      } finally {
        await client.end()
      }
    },
    numbered: (from, to) => `with numbers(n) as (select generate_series(${from}, ${to}))`,
    padded: (expression) => `lpad((${expression})::text, 26, '0')`,
    finish: 'analyze',
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] as number
}
