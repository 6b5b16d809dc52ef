import { DatabaseSync } from 'node:sqlite'
import { newId, type StoreTransaction } from '@silentauth/core'
import { Kysely } from 'kysely'
import { describe, expect, it } from 'vitest'
import type { Query } from '../src/connection.js'
import { migrate } from '../src/migrate.js'
import { migrationsFor } from '../src/migrations.js'
import { NodeSqliteDialect, SQLITE } from '../src/node-sqlite.js'
import { sqlStore } from '../src/sql-store.js'
import type { Tables } from '../src/tables.js'

const PAGE = { projectId: 'prj_a', limit: 50 } as const
const LATER = { ...PAGE, cursor: `1.${newId('int')}` }

const QUESTIONS: Record<string, (tx: StoreTransaction) => Promise<unknown>> = {
  intent: (tx) => tx.intent('int_a'),
  lockIntent: (tx) => tx.lockIntent('int_a'),
  intentByIdempotencyKey: (tx) => tx.intentByIdempotencyKey('key_a', 'k'),
  intentByPermit: (tx) => tx.intentByPermit('pmt_a'),
  'intents of a project': (tx) => tx.intents(PAGE),
  'a later page': (tx) => tx.intents(LATER),
  'intents of a status': (tx) => tx.intents({ ...LATER, status: 'pending' }),
  'intents of owners': (tx) => tx.intents({ ...LATER, owners: ['key_a', 'key_b'] }),
  settledAmong: (tx) => tx.settledAmong(['int_a', 'int_b']),
  due: (tx) => tx.due({ projectId: 'prj_a', now: 1, limit: 10 }),
  countPending: (tx) => tx.countPending('key_a'),
  countDeclared: (tx) => tx.countDeclared('key:key_a', 'issue_refund'),
  sameAction: (tx) =>
    tx.sameAction({ projectId: 'prj_a', declaredBy: 'key:key_a', action: 'issue_refund', paramsDigest: 'sha-256:a' }),
  leaves: (tx) => tx.leaves({ projectId: 'prj_a', from: 10, limit: 10 }),
  project: (tx) => tx.project('prj_a'),
  key: (tx) => tx.key('key_a'),
  keyBySecretHash: (tx) => tx.keyBySecretHash('hash'),
  keys: (tx) => tx.keys('prj_a'),
  agent: (tx) => tx.agent('agt_a'),
  agentByFingerprint: (tx) => tx.agentByFingerprint('prj_a', 'refund-agent'),
  agents: (tx) => tx.agents('prj_a'),
  person: (tx) => tx.person('usr_a'),
  directory: (tx) => tx.directory('prj_a'),
  policies: (tx) => tx.policies('prj_a'),
  sessionByCookieHash: (tx) => tx.sessionByCookieHash('hash'),
  request: (tx) => tx.request('key_a', 'k'),
  takeSignInToken: (tx) => tx.takeSignInToken('hash'),
}

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
