/**
 * The remembered denials of a SQL store: one row per principal, action and digest, found by that key. What has expired goes
 * when the next one comes.
 *
 * @module
 */
import type { Denial, DeniedAction, EpochMs, IntentId, StoreReader, StoreTransaction } from '@silentauth/core'
import { type Connection, first } from './connection.js'
import type { Builder, DatabaseClock } from './engine.js'
import { statement } from './statement.js'

export interface SqlDenials {
  reader(connection: Connection): Pick<StoreReader, 'denial'>
  writer(connection: Connection): Pick<StoreTransaction, 'putDenial' | 'takeDenial'>
}

type Found = { intent_id: IntentId; expires_at: EpochMs }

export function sqlDenials(db: Builder, { now }: DatabaseClock): SqlDenials {
  const ask = denialStatements(db)
  const denial = (action: DeniedAction, row: Found | undefined): Denial | undefined =>
    row && { ...keyOf(action), intentId: row.intent_id, expiresAt: Number(row.expires_at) }
  return {
    reader: (connection) => ({
      async denial(action) {
        const values = { ...keyOf(action), now: await now(connection) }
        return denial(action, await first<Found>(connection, ask.find(values)))
      },
    }),
    writer: (connection) => ({
      async putDenial(put) {
        await connection.run(ask.forget({ now: await now(connection) }))
        await connection.run(ask.put({ ...keyOf(put), intentId: put.intentId, expiresAt: put.expiresAt }))
      },
      async takeDenial(action) {
        return denial(action, await first<Found>(connection, ask.take(keyOf(action))))
      },
    }),
  }
}

function keyOf({ projectId, owner, action, paramsDigest }: DeniedAction): DeniedAction {
  return { projectId, owner, action, paramsDigest }
}

function denialStatements(db: Builder) {
  return {
    find: statement(({ projectId, owner, action, paramsDigest, now }: DeniedAction & { now: EpochMs }) =>
      db
        .selectFrom('denials')
        .select(['intent_id', 'expires_at'])
        .where('project_id', '=', projectId)
        .where('owner', '=', owner)
        .where('action', '=', action)
        .where('params_digest', '=', paramsDigest)
        .where('expires_at', '>', now),
    ),
    forget: statement(({ now }: { now: EpochMs }) => db.deleteFrom('denials').where('expires_at', '<=', now)),
    put: statement(({ projectId, owner, action, paramsDigest, intentId, expiresAt }: Denial) =>
      db
        .insertInto('denials')
        .values({
          project_id: projectId,
          owner,
          action,
          params_digest: paramsDigest,
          intent_id: intentId,
          expires_at: expiresAt,
        })
        .onConflict((on) =>
          on
            .columns(['project_id', 'owner', 'action', 'params_digest'])
            .doUpdateSet({ intent_id: intentId, expires_at: expiresAt }),
        ),
    ),
    take: statement(({ projectId, owner, action, paramsDigest }: DeniedAction) =>
      db
        .deleteFrom('denials')
        .where('project_id', '=', projectId)
        .where('owner', '=', owner)
        .where('action', '=', action)
        .where('params_digest', '=', paramsDigest)
        .returning(['intent_id', 'expires_at']),
    ),
  }
}
