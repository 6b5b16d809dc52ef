/**
 * What differs between the database engines on which the tables stand. SQL that only one of them understands has no other
 * place.
 *
 * @module
 */
import type { EpochMs } from '@silentauth/core'
import type { Kysely, RawBuilder } from 'kysely'
import type { Connection } from './connection.js'
import type { Tables } from './tables.js'

export interface Engine {
  /** Text that is compared and ordered by its bytes. */
  readonly text: RawBuilder<unknown>
  /** Exact to 2^53, and read as a number. */
  readonly integer: RawBuilder<unknown>
  /** What follows the columns of a table. */
  readonly table: RawBuilder<unknown>
  /** The same for small rows that are only found by their key. */
  readonly ledger: RawBuilder<unknown>
  /** Whether a read can lock its rows; else every transaction is alone from its beginning. */
  readonly rowLocks: boolean
}

export interface DatabaseClock {
  /** The clock that decides. */
  now(connection: Connection): Promise<EpochMs>
}

/** Builds queries; where it is connected, it also runs migrations. */
export type Builder = Kysely<Tables>
