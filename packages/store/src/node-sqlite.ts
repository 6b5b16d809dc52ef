/**
 * Kysely over `node:sqlite`: statements are prepared once, every transaction begins as a write transaction, and migrations
 * run inside one.
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
} from 'kysely'

/** Lists of ids make many texts; the hot ones stay. */
const MAX_STATEMENTS = 256

export class NodeSqliteDialect extends SqliteDialect {
  readonly #database: SqliteDatabase

  constructor(database: DatabaseSync) {
    const wrapped = kyselyDatabase(database)
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

function kyselyDatabase(database: DatabaseSync): SqliteDatabase {
  const statements = new Map<string, SqliteStatement>()
  return {
    close: () => database.close(),
    prepare(text) {
      const known = statements.get(text)
      if (known) statements.delete(text)
      const statement = known ?? kyselyStatement(database.prepare(text))
      statements.set(text, statement) // inserted again: last used, last dropped
      if (statements.size > MAX_STATEMENTS) statements.delete(statements.keys().next().value as string)
      return statement
    },
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

/** SQLITE_BUSY, with all of its extended codes: another process holds the write lock. */
export function isBusy(error: unknown): boolean {
  const { errcode } = (error ?? {}) as { errcode?: unknown }
  return typeof errcode === 'number' && (errcode & 0xff) === 5
}

/** The table whose uniqueness or primary key a statement broke; undefined for other errors. */
export function brokenUniqueness(error: unknown): string | undefined {
  const { errcode, message } = (error ?? {}) as { errcode?: unknown; message?: unknown }
  if (errcode !== 1555 && errcode !== 2067) return undefined
  return /constraint failed: (\w+)\./.exec(String(message))?.[1]
}
