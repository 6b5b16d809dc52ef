/**
 * The tables of what the engine remembers beside its intents.
 *
 * @module
 */
import type { Kysely } from 'kysely'
import type { Engine } from './engine.js'

export async function engineTables({ schema }: Kysely<unknown>, { text, integer, table }: Engine): Promise<void> {
  await schema
    .createTable('denials')
    .addColumn('project_id', text, (column) => column.notNull())
    .addColumn('owner', text, (column) => column.notNull())
    .addColumn('action', text, (column) => column.notNull())
    .addColumn('params_digest', text, (column) => column.notNull())
    .addColumn('intent_id', text, (column) => column.notNull())
    .addColumn('expires_at', integer, (column) => column.notNull())
    .addPrimaryKeyConstraint('denials_key', ['project_id', 'owner', 'action', 'params_digest'])
    .modifyEnd(table)
    .execute()
  await schema.createIndex('denials_expiry').on('denials').column('expires_at').execute()
}
