/**
 * The table of permit traces.
 *
 * @module
 */
import { type Kysely, sql } from 'kysely'
import type { Engine } from './engine.js'

export async function permitTracesTable({ schema }: Kysely<unknown>, { text, integer, table }: Engine): Promise<void> {
  await schema
    .createTable('permit_traces')
    .addColumn('id', text, (column) => column.notNull())
    .addColumn('project_id', text, (column) => column.notNull())
    .addColumn('intent_id', text, (column) => column.notNull())
    .addColumn('key_id', text, (column) => column.notNull())
    .addColumn('agent_id', text)
    .addColumn('source', text)
    .addColumn('revoked', integer, (column) => column.notNull())
    .addColumn('withdrawn', integer, (column) => column.notNull())
    .addColumn('expires_at', integer, (column) => column.notNull())
    .addColumn('keep_until', integer, (column) => column.notNull())
    .addPrimaryKeyConstraint('permit_traces_key', ['id'])
    .modifyEnd(table)
    .execute()
  const index = (name: string) => schema.createIndex(name).on('permit_traces')
  await index('permit_traces_revoked')
    .columns(['project_id', 'expires_at'])
    .where(sql`revoked`, '=', sql.lit(1))
    .execute()
  await index('permit_traces_live').columns(['project_id', 'expires_at']).where(sql`revoked`, '=', sql.lit(0)).execute()
  await index('permit_traces_end').column('keep_until').execute()
}
