/**
 * How leaves of a SQL store get their places: at once, where one transaction writes at a time, or afterwards, in the order in which
 * they were written, under a lock of their log.
 *
 * @module
 */
import { type RawBuilder, sql } from 'kysely'
import type { Query } from './connection.js'

export type LogPlaces =
  | { readonly type: 'immediate' }
  | {
      readonly type: 'deferred'
      /**
       * When the statement runs, in microseconds: what was written after another commit comes after it. Leaves of one intent come one
       * after the other whatever the clock does, also when it is set back or another host takes over.
       */
      arrived(intentId: string | null): RawBuilder<number>
      /** Until the transaction ends. */
      lock(projectId: string): Query
    }

export const IMMEDIATE: LogPlaces = { type: 'immediate' }

/** No row that every command would have to lock, and no sequence whose numbers a rollback leaves out. */
export const POSTGRES_DEFERRED: LogPlaces = {
  type: 'deferred',
  // Whoever writes about an intent has its row locked, so the one before is there.
  arrived: (intentId) => sql<number>`greatest(
    (extract(epoch from clock_timestamp()) * 1000000)::bigint,
    (select max(arrived) + 1 from audit_leaves where intent_id = ${intentId}::text)
  )`,
  lock: (projectId) => ({
    sql: 'select pg_advisory_xact_lock(hashtextextended($1, 6962))',
    parameters: [projectId],
  }),
}
