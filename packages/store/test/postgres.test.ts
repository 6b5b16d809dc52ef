import { describeStore } from '@silentauth/core/contracts'
import { postgresStore } from '@silentauth/store/postgres'
import { afterAll, beforeAll } from 'vitest'
import { startPostgres, type TestDatabase, type TestPostgres } from '../../../test/support/postgres.js'

let postgres: TestPostgres
/** Emptied after use: to make one, and to remove it at the end, takes longer than most tests. */
const free: TestDatabase[] = []
beforeAll(async () => {
  postgres = await startPostgres()
})
afterAll(() => postgres?.stop())

describeStore('postgresStore', async () => {
  const database = free.pop() ?? (await postgres.createDatabase())
  const store = await postgresStore({ url: database.url })
  return {
    ...store,
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]()
      await empty(database)
      free.push(database)
    },
  }
})

async function empty(database: TestDatabase): Promise<void> {
  const tables = await postgres.query<{ name: string }>(
    `select quote_ident(tablename) as name from pg_tables where schemaname = 'public' and tablename not like 'kysely%'`,
    database,
  )
  // A few rows each: `truncate` would make new files for every table and index.
  await postgres.query(tables.map(({ name }) => `delete from ${name}`).join(';'), database)
}
