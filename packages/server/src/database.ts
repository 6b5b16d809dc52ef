/**
 * The database of a gate: a SQLite file for one machine, PostgreSQL for several nodes.
 *
 * @module
 */
import type { Store } from '@silentauth/core'
import { sqliteStore } from '@silentauth/store/sqlite'
import type { Logger } from 'pino'

export interface DatabaseOptions {
  /** `sqlite:<file>`, `sqlite::memory:` or `postgres://…` */
  readonly url: string
  /** A standby is meant to take over: then commits must be synchronous (LIFECYCLE R3). @default false */
  readonly replicated?: boolean | undefined
  readonly logger: Logger
}

export type DatabaseUrl =
  | { readonly type: 'sqlite'; readonly file: string }
  | { readonly type: 'postgres'; readonly url: string }

/** @throws TypeError for any other kind, never with its value */
export function databaseUrl(url: string): DatabaseUrl {
  const file = /^sqlite:(?!\/\/)(.+)$/.exec(url)?.[1]
  if (file !== undefined) return { type: 'sqlite', file }
  if (/^postgres(ql)?:\/\//.test(url) && URL.canParse(url)) return { type: 'postgres', url }
  throw new TypeError('the database must be sqlite:<file> or postgres://<user>@<host>:<port>/<name>')
}

/** @throws Error when it cannot be used; the message says why, and never holds a password */
export async function openStore({ url, replicated, logger }: DatabaseOptions): Promise<Store> {
  const database = databaseUrl(url)
  switch (database.type) {
    case 'sqlite':
      return sqliteStore({ file: database.file })
    case 'postgres': {
      const { postgresStore } = await driver()
      return postgresStore({ url: database.url, replicated, onWarning: (message) => logger.warn(message) })
    }
  }
}

/** Loaded only where it is used: an embedded gate needs no `pg`. */
async function driver(): Promise<typeof import('@silentauth/store/postgres')> {
  try {
    return await import('@silentauth/store/postgres')
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw cause
    throw new Error('a gate on PostgreSQL needs the package pg: npm install pg', { cause })
  }
}
