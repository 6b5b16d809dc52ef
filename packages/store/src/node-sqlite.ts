/**
 * `node:sqlite` as kysely and the tables see it: statements are prepared once, every transaction begins as a write
 * transaction, and migrations run inside one.
 *
 * @module
 */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import {
  CompiledQuery,
  type DatabaseConnection,
  SqliteAdapter,
  type SqliteDatabase,
  SqliteDialect,
  SqliteDriver,
  type SqliteStatement,
  sql,
} from 'kysely'
import type { Connection, Query } from './connection.js'
import type { Engine } from './engine.js'

export const SQLITE: Engine = {
  text: sql`text`,
  integer: sql`integer`,
  // Strict: what is not of the type of its column is refused, not stored as something else.
  table: sql`strict`,
  ledger: sql`strict, without rowid`,
  rowLocks: false,
}

/** Lists of ids make many texts; the hot ones stay. */
const MAX_STATEMENTS = 256

/** For building and for migrations; work goes through `sqliteConnection`, which costs a third. */
export class NodeSqliteDialect extends SqliteDialect {
  readonly #database: SqliteDatabase

  constructor(database: DatabaseSync) {
    const prepare = preparedOnce((text) => kyselyStatement(database.prepare(text)))
    const wrapped: SqliteDatabase = { prepare, close: () => database.close() }
    super({ database: wrapped })
    this.#database = wrapped
  }

  override createDriver(): ImmediateDriver {
    return new ImmediateDriver({ database: this.#database })
  }

  override createAdapter(): TransactionalAdapter {
    return new TransactionalAdapter()
  }
}

/**
 * A transaction that reads before it writes would have to be upgraded, and SQLite refuses that at once when another
 * connection has written meanwhile: its busy timeout does not cover it.
 */
class ImmediateDriver extends SqliteDriver {
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'))
  }
}

/** SQLite's DDL is transactional: `begin immediate` is the lock of a migration, and its rollback. */
class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}

/** The connection of a database. A failed statement rejects as the binding threw. */
export function sqliteConnection(database: DatabaseSync): Connection {
  const prepare = preparedOnce((text) => database.prepare(text))
  return {
    // The binding gives null prototypes.
    all: async <Row>({ sql: text, parameters }: Query) =>
      prepare(text)
        .all(...bindable(parameters))
        .map((row) => ({ ...row }) as Row),
    async run({ sql: text, parameters }) {
      prepare(text).run(...bindable(parameters))
    },
  }
}

function preparedOnce<Prepared>(make: (text: string) => Prepared): (text: string) => Prepared {
  const statements = new Map<string, Prepared>()
  return (text) => {
    const known = statements.get(text)
    if (known) statements.delete(text)
    const statement = known ?? make(text)
    statements.set(text, statement) // inserted again: last used, last dropped
    if (statements.size > MAX_STATEMENTS) statements.delete(statements.keys().next().value as string)
    return statement
  }
}

function kyselyStatement(statement: StatementSync): SqliteStatement {
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => statement.all(...bindable(parameters)),
    run: (parameters) => statement.run(...bindable(parameters)),
    iterate: (parameters) => statement.iterate(...bindable(parameters)),
  }
}

/** The binding takes a leading object, also a Date, for named parameters, and binds NULL without a word. */
function bindable(parameters: readonly unknown[]): SQLInputValue[] {
  return parameters.map((value, index) => {
    const plain =
      value === null ||
      typeof value === 'string' ||
      typeof value === 'number' ||
      typeof value === 'bigint' ||
      value instanceof Uint8Array
    if (plain) return value
    throw new TypeError(`parameter ${index + 1} is of type ${typeof value}: convert it before it is bound`)
  })
}
