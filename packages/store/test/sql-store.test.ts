import { DatabaseSync } from 'node:sqlite'
import { Kysely } from 'kysely'
import { describe, expect, it } from 'vitest'
import type { Query } from '../src/connection.js'
import { migrate } from '../src/migrate.js'
import { migrationsFor } from '../src/migrations.js'
import { NodeSqliteDialect, SQLITE } from '../src/node-sqlite.js'
import { sqlStore } from '../src/sql-store.js'
import type { Tables } from '../src/tables.js'
import { PAGE, QUESTIONS } from './questions.js'

describe('sqlStore', () => {
  it('finds the payloads of a part of the log by their keys', async () => {
    using base = await explainedDatabase([{ id: 'leaf_a' }])
    await base.tx.leaves({ projectId: 'prj_a', from: 10, limit: 10 })
    expect(base.plans.filter((step) => /^SCAN (?!part)/.test(step))).toEqual([])
    expect(base.plans.filter((step) => step.includes('audit_payloads'))).toEqual([
      'SEARCH audit_payloads USING PRIMARY KEY (at=? AND leaf_id=?)',
    ])
  })

  it.each(Object.entries(QUESTIONS))('never reads a whole table, and sorts nothing by itself: %s', async (_, ask) => {
    using base = await explainedDatabase()
    await ask(base.tx)
    expect(base.plans.length).toBeGreaterThan(0)
    expect(base.plans.filter((step) => /^SCAN (?!part|some)|TEMP B-TREE/.test(step))).toEqual([])
  })

  it.each([
    ['action', { action: 'issue_refund' }],
    ['source', { source: 'refund-agent' }],
    ['status', { status: 'pending' }],
    ['owner', { owners: ['key:key_a'] }],
  ] as const)('finds a list by its %s alone, and looks at nothing else', async (name, filter) => {
    using base = await explainedDatabase()
    await base.tx.intents({ ...PAGE, ...filter })
    expect(base.plans).toEqual([`SEARCH intents USING INDEX intents_of_${name} (project_id=? AND ${name}=?)`])
  })
})

/** Answers every query with the same, and keeps how the database would have found it. */
async function explainedDatabase(answer: readonly unknown[] = []) {
  const database = new DatabaseSync(':memory:')
  const db = new Kysely<Tables>({ dialect: new NodeSqliteDialect(database) })
  await migrate(db, migrationsFor(SQLITE))
  const plans: string[] = []
  const explain = ({ sql, parameters }: Query) => {
    const steps = database.prepare(`explain query plan ${sql}`).all(...(parameters as string[])) as { detail: string }[]
    plans.push(...steps.map(({ detail }) => detail))
  }
  const tx = sqlStore(db, { ...SQLITE, now: async () => 0 }).transaction({
    async all<Row>(query: Query) {
      explain(query)
      return answer as readonly Row[]
    },
    run: async (query) => explain(query),
  })
  return { tx, plans, [Symbol.dispose]: () => database.close() }
}
