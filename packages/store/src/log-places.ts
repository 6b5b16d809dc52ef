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
      /** When the statement runs, in microseconds: what was written after another commit comes after it. */
      readonly arrived: RawBuilder<number>
      /** Until the transaction ends. */
      lock(projectId: string): Query
    }

export const IMMEDIATE: LogPlaces = { type: 'immediate' }

/** No row that every command would have to lock, and no sequence whose numbers a rollback leaves out. */
export const POSTGRES_DEFERRED: LogPlaces = {
  type: 'deferred',
  arrived: sql<number>`(extract(epoch from clock_timestamp()) * 1000000)::bigint`,
  lock: (projectId) => ({
    sql: 'select pg_advisory_xact_lock(hashtextextended($1, 6962))',
    parameters: [projectId],
  }),
}
