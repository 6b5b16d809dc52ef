/**
 * The table of deliveries: what a channel has still to hear. A delivery that succeeded has no row.
 *
 * @module
 */
import type { Kysely } from 'kysely'
import type { Engine } from './engine.js'

export async function outboxDeliveriesTable(
  { schema }: Kysely<unknown>,
  { text, integer, ledger }: Pick<Engine, 'text' | 'integer' | 'ledger'>,
): Promise<void> {
  await schema
    .createTable('outbox_deliveries')
    .addColumn('event_at', integer, (column) => column.notNull())
    .addColumn('event_id', text, (column) => column.notNull())
    .addColumn('channel', text, (column) => column.notNull())
    .addColumn('project_id', text, (column) => column.notNull())
    .addColumn('attempts', integer, (column) => column.notNull())
    .addColumn('due_at', integer)
    // By the time of the event, so that what is written together stands together.
    .addPrimaryKeyConstraint('outbox_deliveries_key', ['event_at', 'event_id', 'channel'])
    .modifyEnd(ledger)
    .execute()
  await schema
    .createIndex('outbox_deliveries_due')
    .on('outbox_deliveries')
    .columns(['project_id', 'channel', 'due_at'])
    .execute()
}
