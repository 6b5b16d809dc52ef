import { describeGate } from '@silentauth/core/contracts'
import { fakeClock } from '@silentauth/core/testing'
import { postgresStore } from '@silentauth/store/postgres'
import { sqliteStore } from '@silentauth/store/sqlite'
import { afterAll, beforeAll } from 'vitest'
import { startPostgres, type TestDatabase, type TestPostgres } from '../../../test/support/postgres.js'
import { gateHarness } from './gate-harness.js'

let postgres: TestPostgres
let template: TestDatabase
beforeAll(async () => {
  postgres = await startPostgres()
  template = await postgres.createDatabase()
  await (await postgresStore({ url: template.url }))[Symbol.asyncDispose]()
})
afterAll(() => postgres?.stop())

describeGate('localGate over SQLite', async () => {
  const clock = fakeClock()
  return gateHarness(clock, await sqliteStore({ file: ':memory:', now: clock.now }))
})

describeGate('localGate over PostgreSQL', async () => {
  const clock = fakeClock()
  const { url } = await postgres.createDatabase({ template: template.name })
  return gateHarness(clock, await postgresStore({ url, now: clock.now }))
})
