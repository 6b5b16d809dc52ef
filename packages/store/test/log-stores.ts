/**
 * The stores that a living log is tested over: memory with places at once and afterwards, SQLite, PostgreSQL.
 *
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
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
