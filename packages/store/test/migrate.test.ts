import { DatabaseSync } from 'node:sqlite'
import { Kysely, sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { migrate } from '../src/migrate.js'
import { type Migrations, migrationsFor } from '../src/migrations.js'
import { NodeSqliteDialect, SQLITE } from '../src/node-sqlite.js'
import type { Tables } from '../src/tables.js'

const ALL = migrationsFor(SQLITE)
const HALF: Migrations = {
  ...ALL,
  '9999_half': {
    async up(db: Kysely<unknown>) {
      await db.schema.createTable('half').addColumn('id', 'text').execute()
      throw new Error('in the middle')
    },
  },
}

describe('migrate', () => {
  it('makes every table of the schema, strict', async () => {
    using base = aDatabase()
    await migrate(base.db, ALL)
    const tables = base.database.prepare('pragma table_list').all() as { name: string; strict: number }[]
    const own = tables.filter(({ name }) => !/^(sqlite|kysely)_/.test(name))
    expect(own.map(({ name }) => name).toSorted()).toEqual(Object.keys(TABLES).toSorted())
    expect(own.every(({ strict }) => strict === 1)).toBe(true)
  })

  it('changes nothing when all is up to date', async () => {
    using base = aDatabase()
    await migrate(base.db, ALL)
    const before = base.schema()
    await migrate(base.db, ALL)
    expect(base.schema()).toEqual(before)
  })

  it('leaves nothing of migrations that failed on a fresh database', async () => {
    using base = aDatabase()
    await expect(migrate(base.db, HALF)).rejects.toMatchObject({ cause: { message: 'in the middle' } })
    expect(base.schema().filter((name) => !name.includes('kysely'))).toEqual([])
  })

  it('leaves what was there when a later migration fails, and can go on from it', async () => {
    using base = aDatabase()
    await migrate(base.db, ALL)
    const before = base.schema()
    await expect(migrate(base.db, HALF)).rejects.toThrow('as it was before')
    expect(base.schema()).toEqual(before)
    await migrate(base.db, ALL)
  })

  it('refuses a schema of migrations that it does not know', async () => {
    using base = aDatabase()
    await migrate(base.db, { ...ALL, '9999_later': { up: async () => undefined } })
    await expect(migrate(base.db, ALL)).rejects.toThrow('newer schema (9999_later)')
  })

  it('refuses what is not of the type of its column', async () => {
    using base = aDatabase()
    await migrate(base.db, ALL)
    await expect(sql`insert into directories values ('prj_a', 'one')`.execute(base.db)).rejects.toThrow('INTEGER')
  })
})

/** Every name once: the compiler holds the list to the type. */
const TABLES: Record<keyof Tables, true> = {
  intents: true,
  idempotency_keys: true,
  votes: true,
  permits: true,
  redemptions: true,
  outbox: true,
  audit_leaves: true,
  audit_payloads: true,
  projects: true,
  project_keys: true,
  agents: true,
  people: true,
  groups: true,
  directories: true,
  policies: true,
  sessions: true,
  sign_in_tokens: true,
  requests: true,
  outbox_deliveries: true,
  audit_checkpoints: true,
  audit_epochs: true,
  audit_nodes: true,
  denials: true,
  permit_traces: true,
  recorded_results: true,
}

function aDatabase() {
  const database = new DatabaseSync(':memory:')
  return {
    database,
    db: new Kysely<Tables>({ dialect: new NodeSqliteDialect(database) }),
    schema: () =>
      (database.prepare('select name from sqlite_master order by name').all() as { name: string }[]).map(
        ({ name }) => name,
      ),
    [Symbol.dispose]: () => database.close(),
  }
}
