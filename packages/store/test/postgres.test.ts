import { describeStore } from '@silentauth/core/contracts'
import { postgresStore } from '@silentauth/store/postgres'
import { afterAll, beforeAll } from 'vitest'
import { startPostgres, type TestDatabase, type TestPostgres } from '../../../test/support/postgres.js'

let postgres: TestPostgres
let template: TestDatabase
beforeAll(async () => {
  postgres = await startPostgres()
  template = await postgres.createDatabase()
  await (await postgresStore({ url: template.url }))[Symbol.asyncDispose]()
})
afterAll(() => postgres?.stop())

describeStore('postgresStore', async () => {
  // Making the schema takes longer than most tests.
  const { url } = await postgres.createDatabase({ template: template.name })
  return postgresStore({ url })
})
