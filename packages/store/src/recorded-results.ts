/**
 * The recorded results of a SQL store: one row per intent, sealed before it comes here.
 *
 * @module
 */
import type { IntentId, ProjectId, RecordedResult, StoreReader, StoreTransaction } from '@silentauth/core'
import { type Connection, first } from './connection.js'
import type { Builder } from './engine.js'
import { statement } from './statement.js'

export interface SqlRecordedResults {
  reader(connection: Connection): Pick<StoreReader, 'recordedResult'>
  writer(connection: Connection): Pick<StoreTransaction, 'putResult' | 'eraseResult'>
  /** Of an intent that goes. */
  remove(connection: Connection, intentId: IntentId): Promise<void>
}

interface Place {
  readonly projectId: ProjectId
  readonly intentId: IntentId
}

export function sqlRecordedResults(db: Builder): SqlRecordedResults {
  const ask = resultStatements(db)
  return {
    reader: (connection) => ({
      async recordedResult(projectId, intentId) {
        const row = await first<{ sealed: string }>(connection, ask.find({ projectId, intentId }))
        return row && { projectId, intentId, sealed: row.sealed }
      },
    }),
    writer: (connection) => ({
      async putResult({ projectId, intentId, sealed }) {
        await connection.run(ask.put({ projectId, intentId, sealed }))
      },
      async eraseResult(projectId, intentId) {
        return (await connection.all(ask.erase({ projectId, intentId }))).length > 0
      },
    }),
    async remove(connection, intentId) {
      await connection.run(ask.remove({ intentId }))
    },
  }
}

function resultStatements(db: Builder) {
  return {
    find: statement(({ projectId, intentId }: Place) =>
      db
        .selectFrom('recorded_results')
        .select('sealed')
        .where('intent_id', '=', intentId)
        .where('project_id', '=', projectId),
    ),
    put: statement(({ projectId, intentId, sealed }: RecordedResult) =>
      db
        .insertInto('recorded_results')
        .values({ intent_id: intentId, project_id: projectId, sealed })
        .onConflict((on) => on.column('intent_id').doUpdateSet({ project_id: projectId, sealed })),
    ),
    erase: statement(({ projectId, intentId }: Place) =>
      db
        .deleteFrom('recorded_results')
        .where('intent_id', '=', intentId)
        .where('project_id', '=', projectId)
        .returning('intent_id'),
    ),
    remove: statement(({ intentId }: { intentId: IntentId }) =>
      db.deleteFrom('recorded_results').where('intent_id', '=', intentId),
    ),
  }
}
