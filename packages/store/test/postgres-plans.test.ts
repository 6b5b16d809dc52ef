import { postgresStore } from '@silentauth/store/postgres'
import { DummyDriver, Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler, sql } from 'kysely'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startPostgres, type TestPostgres } from '../../../test/support/postgres.js'
import type { Query } from '../src/connection.js'
import { sqlStore } from '../src/sql-store.js'
import type { Tables } from '../src/tables.js'
import { PAGE, QUESTIONS } from './questions.js'

let postgres: TestPostgres
let client: pg.Client
beforeAll(async () => {
  postgres = await startPostgres()
  const { url } = await postgres.createDatabase()
  await (await postgresStore({ url }))[Symbol.asyncDispose]()
  client = new pg.Client({ connectionString: url })
  await client.connect()
  // The tables are empty: what is not to be used in large ones is forbidden, and used only where there is no other way.
  for (const way of ['seqscan', 'bitmapscan', 'sort', 'incremental_sort']) await client.query(`set enable_${way} = off`)
})
afterAll(async () => {
  await client?.end()
  await postgres?.stop()
})

const db = new Kysely<Tables>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (of) => new PostgresIntrospector(of),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  },
})

/** Answers every query with nothing, and keeps how the database would have found it. */
function explained() {
  const plans: string[] = []
  const explain = async ({ sql: text, parameters }: Query): Promise<void> => {
    const { rows } = await client.query(`explain (costs off) ${text}`, [...parameters])
    plans.push(...rows.map((row) => String(row['QUERY PLAN']).trim()))
  }
  const engine = { text: sql`text`, integer: sql`bigint`, table: sql``, ledger: sql``, rowLocks: true }
  const tx = sqlStore(db, { ...engine, now: async () => 0 }).transaction({
    async all<Row>(query: Query) {
      await explain(query)
      return [] as readonly Row[]
    },
    run: explain,
  })
  return { tx, plans }
}

describe('a store on PostgreSQL', () => {
  it.each(Object.entries(QUESTIONS))('never reads a whole table, and sorts nothing by itself: %s', async (_, ask) => {
    const { tx, plans } = explained()
    await ask(tx)
    expect(plans.length).toBeGreaterThan(0)
    expect(plans.filter((step) => /Seq Scan|(^|-> +)(Incremental )?Sort$/.test(step))).toEqual([])
  })

  it.each([
    ['action', { action: 'issue_refund' }],
    ['source', { source: 'refund-agent' }],
    ['status', { status: 'pending' }],
    ['owner', { owners: ['key:key_a'] }],
  ] as const)('finds a list by its %s alone, in its order', async (name, filter) => {
    const { tx, plans } = explained()
    await tx.intents({ ...PAGE, ...filter })
    expect(plans.filter((step) => step.includes('Scan'))).toEqual([
      `->  Index Scan Backward using intents_of_${name} on intents`,
    ])
  })
})
