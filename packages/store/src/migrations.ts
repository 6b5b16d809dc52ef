/**
 * Migrations, in the order of their names. One that has been released is never changed again.
 *
 * @module
 */
import { type CreateTableBuilder, type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { auditTreeTables } from './audit-tree-tables.js'
import type { Engine } from './engine.js'
import { engineTables } from './engine-tables.js'
import { listIndexes } from './list-indexes.js'
import { outboxDeliveriesTable } from './outbox-tables.js'
import { permitTracesTable } from './permit-traces-tables.js'
import { recordedResultsTable } from './recorded-results-tables.js'

export type Migrations = Readonly<Record<string, Migration>>

export function migrationsFor(engine: Engine): Migrations {
  return {
    '0001_first_tables': { up: (db: Kysely<unknown>) => firstTables(db, engine) },
    '0002_audit_tree': { up: (db: Kysely<unknown>) => auditTreeTables(db, engine) },
    '0003_revocations': { up: (db: Kysely<unknown>) => permitTracesTable(db, engine) },
    '0004_engine': { up: (db: Kysely<unknown>) => engineTables(db, engine) },
    '0005_outbox_delivery': { up: (db: Kysely<unknown>) => outboxDeliveriesTable(db, engine) },
    '0006_lists': { up: (db: Kysely<unknown>) => listIndexes(db) },
    '0007_recorded_results': { up: (db: Kysely<unknown>) => recordedResultsTable(db, engine) },
  }
}

async function firstTables({ schema }: Kysely<unknown>, engine: Engine): Promise<void> {
  const { text, integer } = engine
  /** `name text` columns in one line each; `!` marks what may not be null. */
  const table = (name: string, columns: Readonly<Record<string, Column>>, form: 'table' | 'ledger' = 'table') => {
    let create: CreateTableBuilder<string, string> = schema.createTable(name)
    for (const [column, type] of Object.entries(columns)) {
      create = create.addColumn(column, type.startsWith('text') ? text : integer, (built) =>
        type.endsWith('?') ? built : built.notNull(),
      )
    }
    return create.modifyEnd(engine[form])
  }
  const index = (name: string) => schema.createIndex(name)

  await table('intents', {
    id: 'text',
    project_id: 'text',
    owner: 'text',
    key_id: 'text',
    declared_by: 'text',
    action: 'text',
    source: 'text?',
    params: 'text',
    params_digest: 'text',
    decision: 'text',
    created_at: 'integer',
    declaration: 'text',
    status: 'text',
    is_open: 'integer',
    due_at: 'integer?',
    progress: 'text',
  })
    .addPrimaryKeyConstraint('intents_key', ['id'])
    .execute()
  await index('intents_newest').on('intents').columns(['project_id', 'created_at', 'id']).execute()
  await index('intents_of_status').on('intents').columns(['project_id', 'status', 'created_at', 'id']).execute()
  await index('intents_of_owner').on('intents').columns(['project_id', 'owner', 'created_at', 'id']).execute()
  await index('intents_declared').on('intents').columns(['declared_by', 'action']).execute()
  // Few at a time, of however many there are.
  await index('intents_due')
    .on('intents')
    .columns(['project_id', 'due_at', 'id'])
    .where(sql`due_at`, 'is not', null)
    .execute()
  await index('intents_pending').on('intents').column('key_id').where(sql`status`, '=', sql.lit('pending')).execute()
  await index('intents_open')
    .on('intents')
    .columns(['declared_by', 'action', 'params_digest', 'project_id', 'created_at', 'id'])
    .where(sql`is_open`, '=', sql.lit(1))
    .execute()

  await table('idempotency_keys', { owner: 'text', key: 'text', intent_id: 'text' }, 'ledger')
    .addPrimaryKeyConstraint('idempotency_keys_key', ['owner', 'key'])
    .execute()
  await table('votes', { intent_id: 'text', person_id: 'text' }, 'ledger')
    .addPrimaryKeyConstraint('votes_key', ['intent_id', 'person_id'])
    .execute()
  await table('permits', { id: 'text', intent_id: 'text' }, 'ledger')
    .addPrimaryKeyConstraint('permits_key', ['id'])
    .execute()
  await table('redemptions', { intent_id: 'text', use: 'text', redemption_id: 'text' }, 'ledger')
    .addPrimaryKeyConstraint('redemptions_key', ['intent_id', 'use'])
    .addUniqueConstraint('redemptions_id', ['intent_id', 'redemption_id'])
    .execute()

  // By time, so that what is written together stands together.
  await table(
    'outbox',
    { created_at: 'integer', id: 'text', project_id: 'text', intent_id: 'text', event: 'text', sequence: 'integer' },
    'ledger',
  )
    .addPrimaryKeyConstraint('outbox_key', ['created_at', 'id'])
    .execute()

  await table('audit_leaves', {
    project_id: 'text',
    sequence: 'integer?',
    id: 'text',
    intent_id: 'text?',
    at: 'integer',
    arrived: 'integer?',
    body: 'text',
    hash: 'text',
  })
    .addPrimaryKeyConstraint('audit_leaves_key', ['id'])
    .addUniqueConstraint('audit_leaves_place', ['project_id', 'sequence'])
    .execute()
  await index('audit_leaves_of_intent').on('audit_leaves').column('intent_id').execute()
  await index('audit_leaves_waiting')
    .on('audit_leaves')
    .columns(['project_id', 'arrived', 'id'])
    .where(sql`sequence`, 'is', null)
    .execute()
  // By time, as the leaves.
  await table(
    'audit_payloads',
    { at: 'integer', leaf_id: 'text', field: 'text', salt: 'text', value: 'text' },
    'ledger',
  )
    .addPrimaryKeyConstraint('audit_payloads_key', ['at', 'leaf_id', 'field'])
    .execute()

  await table('projects', { id: 'text', body: 'text' }).addPrimaryKeyConstraint('projects_key', ['id']).execute()
  await table('project_keys', { id: 'text', project_id: 'text', secret_hash: 'text', body: 'text' })
    .addPrimaryKeyConstraint('project_keys_key', ['id'])
    .addUniqueConstraint('project_keys_secret', ['secret_hash'])
    .execute()
  await index('project_keys_of_project').on('project_keys').columns(['project_id', 'id']).execute()
  await table('agents', {
    id: 'text',
    project_id: 'text',
    fingerprint: 'text',
    body: 'text',
    last_seen_at: 'integer?',
  })
    .addPrimaryKeyConstraint('agents_key', ['id'])
    .addUniqueConstraint('agents_fingerprint', ['project_id', 'fingerprint'])
    .execute()
  await index('agents_of_project').on('agents').columns(['project_id', 'id']).execute()
  await table('people', { id: 'text', project_id: 'text', body: 'text' })
    .addPrimaryKeyConstraint('people_key', ['id'])
    .execute()
  await index('people_of_project').on('people').columns(['project_id', 'id']).execute()
  await table('groups', { project_id: 'text', name: 'text' }, 'ledger')
    .addPrimaryKeyConstraint('groups_key', ['project_id', 'name'])
    .execute()
  await table('directories', { project_id: 'text', revision: 'integer' }, 'ledger')
    .addPrimaryKeyConstraint('directories_key', ['project_id'])
    .execute()
  await table('policies', { project_id: 'text', revision: 'integer', body: 'text' })
    .addPrimaryKeyConstraint('policies_key', ['project_id'])
    .execute()

  await table('sessions', { id: 'text', cookie_hash: 'text', expires_at: 'integer', body: 'text' })
    .addPrimaryKeyConstraint('sessions_key', ['id'])
    .addUniqueConstraint('sessions_cookie', ['cookie_hash'])
    .execute()
  await table('sign_in_tokens', { token_hash: 'text', expires_at: 'integer', body: 'text' })
    .addPrimaryKeyConstraint('sign_in_tokens_key', ['token_hash'])
    .execute()
  await table('requests', { principal: 'text', key: 'text', expires_at: 'integer', body: 'text' })
    .addPrimaryKeyConstraint('requests_key', ['principal', 'key'])
    .execute()
  for (const expiring of ['sessions', 'sign_in_tokens', 'requests']) {
    await index(`${expiring}_expiry`).on(expiring).column('expires_at').execute()
  }
}

/** A question mark: may be null. */
type Column = 'text' | 'text?' | 'integer' | 'integer?'
