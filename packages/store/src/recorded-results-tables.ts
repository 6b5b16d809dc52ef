/**
 * The table of recorded results.
 *
 * @module
 */
import type { Kysely } from 'kysely'
import type { Engine } from './engine.js'

export async function recordedResultsTable({ schema }: Kysely<unknown>, { text, table }: Engine): Promise<void> {
  await schema
    .createTable('recorded_results')
    .addColumn('intent_id', text, (column) => column.notNull())
    .addColumn('project_id', text, (column) => column.notNull())
    .addColumn('sealed', text, (column) => column.notNull())
    .addPrimaryKeyConstraint('recorded_results_key', ['intent_id'])
    .modifyEnd(table)
    .execute()
}
