/**
 * What differs between the database engines on which the tables stand. SQL that only one of them understands has no other
 * place.
 *
 * @module
 */
import type { Kysely, RawBuilder } from 'kysely'
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
}

/** Builds queries; where it is connected, it also runs migrations. */
export type Builder = Kysely<Tables>
