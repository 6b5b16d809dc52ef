/**
 * Migrations, in the order of their names. One that has been released is never changed again.
 *
 * @module
 */
import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001_first_tables': { up: firstTables },
}

async function firstTables(db: Kysely<unknown>): Promise<void> {
  const { schema } = db
  await schema
    .createTable('intents')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('project_id', 'text', (column) => column.notNull())
    .addColumn('owner', 'text', (column) => column.notNull())
    .addColumn('idempotency_key', 'text')
    .addColumn('key_id', 'text', (column) => column.notNull())
    .addColumn('declared_by', 'text', (column) => column.notNull())
    .addColumn('action', 'text', (column) => column.notNull())
    .addColumn('source', 'text')
    .addColumn('params_digest', 'text', (column) => column.notNull())
    .addColumn('decision', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('declaration', 'text', (column) => column.notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('execution_state', 'text', (column) => column.notNull())
    .addColumn('due_at', 'bigint')
    .addColumn('progress', 'text', (column) => column.notNull())
    .execute()
  await schema
    .createIndex('intents_idempotency')
    .unique()
    .on('intents')
    .columns(['owner', 'idempotency_key'])
    .where('idempotency_key' as never, 'is not', null)
    .execute()
  await schema.createIndex('intents_newest').on('intents').columns(['project_id', 'created_at', 'id']).execute()
  await schema
    .createIndex('intents_newest_by_status')
    .on('intents')
    .columns(['project_id', 'status', 'created_at', 'id'])
    .execute()
  await schema
    .createIndex('intents_due')
    .on('intents')
    .column('due_at')
    .where('due_at' as never, 'is not', null)
    .execute()
  await schema
    .createIndex('intents_pending_by_key')
    .on('intents')
    .column('key_id')
    .where('status' as never, '=', 'pending')
    .execute()
  await schema
    .createIndex('intents_by_call')
    .on('intents')
    .columns(['declared_by', 'action', 'params_digest'])
    .execute()

  await schema
    .createTable('votes')
    .addColumn('intent_id', 'text', (column) => column.notNull())
    .addColumn('person_id', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('votes_key', ['intent_id', 'person_id'])
    .execute()
  await schema
    .createTable('permits')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('intent_id', 'text', (column) => column.notNull())
    .execute()
  await schema
    .createTable('redemptions')
    .addColumn('intent_id', 'text', (column) => column.notNull())
    .addColumn('use', 'text', (column) => column.notNull())
    .addColumn('redemption_id', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('redemptions_key', ['intent_id', 'use'])
    .addUniqueConstraint('redemptions_id', ['intent_id', 'redemption_id'])
    .execute()

  await schema
    .createTable('outbox')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('project_id', 'text', (column) => column.notNull())
    .addColumn('intent_id', 'text', (column) => column.notNull())
    .addColumn('event', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('attempts', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('next_at', 'bigint', (column) => column.notNull())
    .addColumn('done_at', 'bigint')
    .execute()
  await schema
    .createIndex('outbox_due')
    .on('outbox')
    .column('next_at')
    .where('done_at' as never, 'is', null)
    .execute()

  await schema
    .createTable('audit_leaves')
    .addColumn('project_id', 'text', (column) => column.notNull())
    .addColumn('sequence', 'bigint', (column) => column.notNull())
    .addColumn('id', 'text', (column) => column.notNull().unique())
    .addColumn('intent_id', 'text')
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('body', 'text', (column) => column.notNull())
    .addColumn('hash', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('audit_leaves_place', ['project_id', 'sequence'])
    .execute()
  await schema
    .createTable('audit_payloads')
    .addColumn('leaf_id', 'text', (column) => column.notNull())
    .addColumn('field', 'text', (column) => column.notNull())
    .addColumn('salt', 'text', (column) => column.notNull())
    .addColumn('value', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('audit_payloads_key', ['leaf_id', 'field'])
    .execute()

  await schema
    .createTable('projects')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('body', 'text', (column) => column.notNull())
    .execute()
  await schema
    .createTable('project_keys')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('project_id', 'text', (column) => column.notNull())
    .addColumn('secret_hash', 'text', (column) => column.notNull().unique())
    .addColumn('body', 'text', (column) => column.notNull())
    .execute()
  await schema
    .createTable('agents')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('project_id', 'text', (column) => column.notNull())
    .addColumn('fingerprint', 'text', (column) => column.notNull())
    .addColumn('body', 'text', (column) => column.notNull())
    .addUniqueConstraint('agents_fingerprint', ['project_id', 'fingerprint'])
    .execute()
  await schema
    .createTable('people')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('project_id', 'text', (column) => column.notNull())
    .addColumn('body', 'text', (column) => column.notNull())
    .execute()
  await schema.createIndex('people_of_project').on('people').column('project_id').execute()
  await schema
    .createTable('groups')
    .addColumn('project_id', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('groups_key', ['project_id', 'name'])
    .execute()
  await schema
    .createTable('policies')
    .addColumn('project_id', 'text', (column) => column.primaryKey())
    .addColumn('revision', 'integer', (column) => column.notNull())
    .addColumn('body', 'text', (column) => column.notNull())
    .execute()
  await schema
    .createTable('sessions')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('cookie_hash', 'text', (column) => column.notNull().unique())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .addColumn('body', 'text', (column) => column.notNull())
    .execute()
  await schema
    .createTable('sign_in_tokens')
    .addColumn('token_hash', 'text', (column) => column.primaryKey())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .addColumn('body', 'text', (column) => column.notNull())
    .execute()
  await schema
    .createTable('requests')
    .addColumn('principal', 'text', (column) => column.notNull())
    .addColumn('key', 'text', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .addColumn('body', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('requests_key', ['principal', 'key'])
    .execute()
  for (const table of ['sessions', 'sign_in_tokens', 'requests']) {
    await schema.createIndex(`${table}_expiry`).on(table).column('expires_at').execute()
  }
}
