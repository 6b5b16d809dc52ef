/**
 * A statement that fails: the nth that the driver of SQLite or PostgreSQL is given, commits among them.
 *
 * @module
 */
import { StatementSync } from 'node:sqlite'
import pg from 'pg'

export interface Fault {
  /** @returns whether it happened */
  disarm(): boolean
}

/** As when the disk does not answer. */
export function failingSqliteStatement(nth: number): Fault {
  const { run, all, iterate } = StatementSync.prototype
  let left = nth
  const failing = <Method extends (...args: never[]) => unknown>(method: Method): Method =>
    function (this: StatementSync, ...args: never[]) {
      if (--left === 0)
        throw Object.assign(new Error('injected: disk I/O error'), { code: 'ERR_SQLITE_ERROR', errcode: 10 })
      return Reflect.apply(method, this, args)
    } as Method
  Object.assign(StatementSync.prototype, { run: failing(run), all: failing(all), iterate: failing(iterate) })
  return {
    disarm() {
      Object.assign(StatementSync.prototype, { run, all, iterate })
      return left <= 0
    },
  }
}

/** Its connection breaks instead: the server never sees the statement, and undoes what came before it. */
export function failingPostgresStatement(nth: number): Fault {
  const { query } = pg.Client.prototype
  let left = nth
  const failing = function (this: pg.Client, ...args: never[]) {
    if (--left === 0) streamOf(this).destroy(new Error('injected: the connection broke'))
    return Reflect.apply(query, this, args)
  }
  Object.assign(pg.Client.prototype, { query: failing })
  return {
    disarm() {
      Object.assign(pg.Client.prototype, { query })
      return left <= 0
    },
  }
}

function streamOf(client: pg.Client): { destroy(error: Error): void } {
  return (client as unknown as { connection: { stream: { destroy(error: Error): void } } }).connection.stream
}
