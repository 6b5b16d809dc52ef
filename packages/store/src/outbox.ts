/**
 * The outbox of a SQL store: events on their way to channels, written with the change that they tell of.
 *
 * @module
 */
import type { OutboxRow, StoreTransaction } from '@silentauth/core'
import type { Connection } from './connection.js'
import type { Builder } from './engine.js'
import { statement } from './statement.js'

export interface SqlOutbox {
  writer(connection: Connection): Pick<StoreTransaction, 'enqueue'>
}

export function sqlOutbox(db: Builder): SqlOutbox {
  const insert = statement((row: OutboxRow) =>
    db.insertInto('outbox').values({
      created_at: row.createdAt,
      id: row.id,
      project_id: row.projectId,
      intent_id: row.intentId,
      event: row.event,
    }),
  )
  return {
    writer: (connection) => ({
      async enqueue(rows) {
        for (const row of rows) await connection.run(insert(row))
      },
    }),
  }
}
