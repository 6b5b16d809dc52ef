/**
 * A connection runs statements, one after the other. It is all that the tables know of a database, so the same tables stand
 * on every engine.
 *
 * @module
 */

/** A text with its parameters, as kysely compiles it. */
export interface Query {
  readonly sql: string
  readonly parameters: readonly unknown[]
}

export interface Connection {
  /** The rows of a query, or what a command returns. */
  all<Row>(query: Query): Promise<readonly Row[]>
  run(query: Query): Promise<void>
}

export async function first<Row>(connection: Connection, query: Query): Promise<Row | undefined> {
  return (await connection.all<Row>(query))[0]
}
