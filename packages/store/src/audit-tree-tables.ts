/**
 * The tables of the tree over the audit log: perfect subtrees, signed checkpoints, epochs.
 *
 * @module
 */
import type { Kysely } from 'kysely'
import type { Engine } from './engine.js'

export async function auditTreeTables({ schema }: Kysely<unknown>, engine: Engine): Promise<void> {
  const { text, integer } = engine
  await schema
    .createTable('audit_nodes')
    .addColumn('project_id', text, (column) => column.notNull())
    .addColumn('level', integer, (column) => column.notNull())
    .addColumn('place', integer, (column) => column.notNull())
    .addColumn('hash', text, (column) => column.notNull())
    .addPrimaryKeyConstraint('audit_nodes_key', ['project_id', 'level', 'place'])
    .modifyEnd(engine.ledger)
    .execute()
  await schema
    .createTable('audit_checkpoints')
    .addColumn('project_id', text, (column) => column.notNull())
    .addColumn('epoch', integer, (column) => column.notNull())
    .addColumn('size', integer, (column) => column.notNull())
    .addColumn('root', text, (column) => column.notNull())
    .addColumn('note', text, (column) => column.notNull())
    .addColumn('at', integer, (column) => column.notNull())
    .addPrimaryKeyConstraint('audit_checkpoints_key', ['project_id', 'epoch', 'size'])
    .modifyEnd(engine.ledger)
    .execute()
  await schema
    .createTable('audit_epochs')
    .addColumn('project_id', text, (column) => column.notNull())
    .addColumn('epoch', integer, (column) => column.notNull())
    .addColumn('body', text, (column) => column.notNull())
    .addPrimaryKeyConstraint('audit_epochs_key', ['project_id', 'epoch'])
    .modifyEnd(engine.ledger)
    .execute()
}
