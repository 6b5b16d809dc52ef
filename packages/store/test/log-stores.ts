/**
 * The stores that a living log is tested over: memory with places at once and afterwards, SQLite, PostgreSQL.
 *
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { backup, DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { memoryStore, type Store } from '@silentauth/core'
import { postgresStore } from '@silentauth/store/postgres'
import { sqliteStore } from '@silentauth/store/sqlite'
import { startPostgres, type TestDatabase, type TestPostgres } from '../../../test/support/postgres.js'

export const LOG_STORES = ['memory', 'deferred memory', 'SQLite', 'PostgreSQL'] as const
export const DURABLE = ['SQLite', 'PostgreSQL'] as const
export type LogStore = (typeof LOG_STORES)[number]

/** One store's data, which several nodes may open. */
export interface LogData {
  /** Another node over the same data, but for memory. */
  open(options?: { readonly now?: () => number }): Promise<Store>
  /** Runs a statement behind the back of every store; durable ones only. */
  tamper(sql: string): Promise<void>
  /** As it is now; durable ones only. */
  backup(): Promise<LogBackup>
}

export interface LogBackup {
  /** Puts it back in the place of what came after, whoever has that open. */
  restore(): Promise<void>
}

export interface LogStores extends AsyncDisposable {
  make(kind: LogStore): Promise<LogData>
}

/** PostgreSQL is started when it is first asked for. */
export function logStores(): LogStores {
  const folder = mkdtempSync(path.join(tmpdir(), 'silentauth-log-'))
  let postgres: Promise<{ server: TestPostgres; template: TestDatabase }> | undefined
  let files = 0
  const started = async () => {
    const server = await startPostgres()
    const template = await server.createDatabase()
    await (await postgresStore({ url: template.url }))[Symbol.asyncDispose]()
    return { server, template }
  }

  return {
    async make(kind) {
      switch (kind) {
        case 'memory':
        case 'deferred memory': {
          const stores: Store[] = []
          return {
            async open({ now } = {}) {
              stores[0] ??= memoryStore({ now, sequencing: kind === 'memory' ? 'immediate' : 'deferred' })
              return stores[0]
            },
            tamper: async () => {
              throw new TypeError('memory is not tampered with')
            },
            backup: async () => {
              throw new TypeError('memory has no backup')
            },
          }
        }
        case 'SQLite': {
          const file = path.join(folder, `${files++}.db`)
          return {
            open: ({ now } = {}) => sqliteStore({ file, now }),
            async tamper(sql) {
              const database = new DatabaseSync(file, { timeout: 5000 })
              database.exec(sql)
              database.close()
            },
            async backup() {
              const copy = path.join(folder, `${files++}.backup`)
              const live = new DatabaseSync(file, { timeout: 5000 })
              live.exec(`vacuum into '${copy}'`)
              live.close()
              return {
                async restore() {
                  const older = new DatabaseSync(copy)
                  await onceFree(() => backup(older, file))
                  older.close()
                },
              }
            },
          }
        }
        case 'PostgreSQL': {
          postgres ??= started()
          const { server, template } = await postgres
          const database = await server.createDatabase({ template: template.name })
          return {
            open: ({ now } = {}) => postgresStore({ url: database.url, now }),
            tamper: async (sql) => {
              await server.query(sql, database)
            },
            async backup() {
              const cutOff = `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${database.name}'`
              // A gate that is open connects again at once, and a database in use cannot be copied.
              await server.query(`alter database ${database.name} with allow_connections false`)
              await server.query(cutOff)
              const copy = await server.createDatabase({ template: database.name })
              await server.query(`alter database ${database.name} with allow_connections true`)
              return {
                async restore() {
                  await server.query(`alter database ${database.name} with allow_connections false`)
                  await server.query(cutOff)
                  // They change names, so that both still go with the server.
                  await server.query(`alter database ${database.name} rename to ${database.name}_lost`)
                  await server.query(`alter database ${copy.name} rename to ${database.name}`)
                  await server.query(`alter database ${database.name}_lost rename to ${copy.name}`)
                },
              }
            },
          }
        }
      }
    },
    async [Symbol.asyncDispose]() {
      await (await postgres)?.server.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A gate that has the file open may be writing: SQLite then copies nothing, and calls that no error. */
async function onceFree(copy: () => Promise<unknown>): Promise<void> {
  for (let left = 100; ; left--) {
    try {
      await copy()
      return
    } catch (error) {
      if (left === 0) throw error
      await sleep(20)
    }
  }
}
