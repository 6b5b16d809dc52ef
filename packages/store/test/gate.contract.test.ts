import type { Store } from '@silentauth/core'
import { describeGate, testGateHarness } from '@silentauth/core/contracts'
import { fakeClock, testGate } from '@silentauth/core/testing'
import { postgresStore } from '@silentauth/store/postgres'
import { sqliteStore } from '@silentauth/store/sqlite'
import { afterAll, beforeAll } from 'vitest'
import { startPostgres, type TestPostgres } from '../../../test/support/postgres.js'

// One store for all tests, each with a project of its own: what one leaves behind must not disturb the next.
const clock = fakeClock()
let postgres: TestPostgres
const stores: { postgres?: Store; sqlite?: Store } = {}
beforeAll(async () => {
  stores.sqlite = await sqliteStore({ file: ':memory:', now: clock.now })
  postgres = await startPostgres()
  const { url } = await postgres.createDatabase()
  stores.postgres = await postgresStore({ url, now: clock.now })
}, 180_000)
afterAll(async () => {
  for (const store of Object.values(stores)) await store[Symbol.asyncDispose]()
  await postgres?.stop()
})

describeGate('localGate over SQLite', async () => testGateHarness(await testGate({ clock, store: stores.sqlite })))

describeGate('localGate over PostgreSQL', async () =>
  testGateHarness(await testGate({ clock, store: stores.postgres })),
)
