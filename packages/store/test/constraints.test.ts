/**
 * What a database itself refuses, whoever writes to it: rules of docs/lifecycle.md that a key can hold.
 */
import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { postgresStore } from '@silentauth/store/postgres'
import { sqliteStore } from '@silentauth/store/sqlite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startPostgres, type TestPostgres } from '../../../test/support/postgres.js'

const RULES: readonly (readonly [rule: string, first: string, second: string, other: string])[] = [
  [
    'I9 one vote per person',
    `insert into votes (intent_id, person_id) values ('int_1', 'usr_1')`,
    `insert into votes (intent_id, person_id) values ('int_1', 'usr_1')`,
    `insert into votes (intent_id, person_id) values ('int_1', 'usr_2')`,
  ],
  [
    'I15 one intent per idempotency key of an owner',
    `insert into idempotency_keys (owner, key, intent_id) values ('key_1', 'call-1', 'int_1')`,
    `insert into idempotency_keys (owner, key, intent_id) values ('key_1', 'call-1', 'int_2')`,
    `insert into idempotency_keys (owner, key, intent_id) values ('key_2', 'call-1', 'int_2')`,
  ],
  [
    'P1 one intent per permit',
    `insert into permits (id, intent_id) values ('pmt_1', 'int_1')`,
    `insert into permits (id, intent_id) values ('pmt_1', 'int_2')`,
    `insert into permits (id, intent_id) values ('pmt_2', 'int_1')`,
  ],
  [
    'P3 one first use of an approval',
    `insert into redemptions (intent_id, use, redemption_id) values ('int_1', 'first', 'one')`,
    `insert into redemptions (intent_id, use, redemption_id) values ('int_1', 'first', 'two')`,
    `insert into redemptions (intent_id, use, redemption_id) values ('int_2', 'first', 'one')`,
  ],
  [
    'E18 one redemption per id',
    `insert into redemptions (intent_id, use, redemption_id) values ('int_3', 'first', 'one')`,
    `insert into redemptions (intent_id, use, redemption_id) values ('int_3', 'one', 'one')`,
    `insert into redemptions (intent_id, use, redemption_id) values ('int_3', 'two', 'two')`,
  ],
]

let postgres: TestPostgres
let folder: string
const databases: Record<string, (statement: string) => Promise<unknown>> = {}
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'silentauth-constraints-'))
  const file = path.join(folder, 'gate.db')
  await (await sqliteStore({ file }))[Symbol.asyncDispose]()
  const sqlite = new DatabaseSync(file)
  databases.SQLite = async (statement) => sqlite.exec(statement)
  postgres = await startPostgres()
  const database = await postgres.createDatabase()
  await (await postgresStore({ url: database.url }))[Symbol.asyncDispose]()
  databases.PostgreSQL = (statement) => postgres.query(statement, database)
}, 180_000)
afterAll(async () => {
  await postgres?.stop()
  rmSync(folder, { recursive: true, force: true })
})

describe.each(['SQLite', 'PostgreSQL'])('%s itself holds', (name) => {
  it.each(RULES)('%s', async (_, first, second, other) => {
    const run = databases[name] as (statement: string) => Promise<unknown>
    await run(first)
    await expect(run(second)).rejects.toThrow(/unique/i)
    await run(other)
  })
})
