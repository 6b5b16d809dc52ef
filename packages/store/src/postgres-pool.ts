/**
 * Connections to PostgreSQL: bounded in number and in time, with settings that are read back, and never used again once one of
 * them is in doubt.
 *
 * @module
 */
import { SilentAuthError } from '@silentauth/core'
import pg from 'pg'
import type { Connection, Query } from './connection.js'
import { endsConnection, isCollision, isStalePlan, unavailable } from './postgres-error.js'

export interface PoolOptions {
  /** `postgres://user@host:port/database`; what pg reads from `PG…` variables fills what is missing. */
  readonly url: string
  /** TLS, password functions and the like, as `pg` takes them. */
  readonly connection?: Readonly<pg.ClientConfig> | undefined
  /** Connections at the same time. @default 10 */
  readonly maxConnections?: number | undefined
  /** How long to wait for a connection, a new one or one that others use. @default 10000 */
  readonly connectTimeoutMs?: number | undefined
  /** @default 15000 */
  readonly statementTimeoutMs?: number | undefined
  /** How long a transaction waits for the row of another one. Longer than the next, so that a lost node is outwaited. @default 10000 */
  readonly lockTimeoutMs?: number | undefined
  /** After this the database ends a transaction whose node says nothing, and frees its rows. @default 5000 */
  readonly idleInTransactionTimeoutMs?: number | undefined
  /** Statements are prepared by name. False behind a pooler that does not keep them. @default true */
  readonly prepare?: boolean | undefined
}

export interface PostgresPool {
  /** Of every connection. */
  readonly config: pg.ClientConfig
  /** Each question on a connection of its own. */
  readonly reading: Connection
  /**
   * Runs `work` between `begin` and `commit`.
   *
   * @throws SilentAuthError `DB_ERROR` when there is no connection, or nobody knows whether the commit took place
   */
  transaction<Result>(work: (connection: Connection) => Promise<Result>): Promise<Result>
  /** A connection of its own, outside of the pool. Whoever opens it ends it. */
  open(more?: pg.ClientConfig): Promise<pg.Client>
  /** Ends connections as they become free. */
  end(): Promise<void>
}

/** @param lost is told of each connection that broke: what was read over it may be of a database that is no longer there */
export function postgresPool(options: PoolOptions, lost: (error: Error) => void): PostgresPool {
  const { maxConnections = 10, connectTimeoutMs = 10_000, prepare = true } = options
  const config = clientConfig(options)
  const expected = settingsOf(options)
  const pool = new pg.Pool({
    ...config,
    max: maxConnections,
    connectionTimeoutMillis: connectTimeoutMs,
    idleTimeoutMillis: 30_000,
    onConnect: (client: pg.ClientBase) => requireSettings(client, expected),
  } as pg.PoolConfig)
  // Without them a connection that the server ends, idle or in use, would end the process.
  pool.on('error', lost)
  pool.on('connect', (client) => client.on('error', lost))
  const name = prepare ? statementNames() : () => undefined

  async function connect(): Promise<pg.PoolClient> {
    try {
      return await pool.connect()
    } catch (error) {
      throw error instanceof TypeError ? error : unavailable(error)
    }
  }

  async function transaction<Result>(work: (connection: Connection) => Promise<Result>): Promise<Result> {
    // Row locks do the rest: docs/decisions has the reasons.
    const { client, line } = await asked({ sql: 'begin isolation level read committed', parameters: [] })
    try {
      const result = await work(line)
      await line.idle()
      await commit(client, line)
      return result
    } catch (error) {
      await line.idle()
      if (!line.doubt) {
        await client.query('rollback').catch((reason) => {
          line.doubt = reason as Error
        })
      }
      throw error
    } finally {
      client.release(line.doubt)
    }
  }

  async function all<Row>(query: Query): Promise<readonly Row[]> {
    const { client, rows } = await asked<Row>(query)
    client.release()
    return rows
  }

  /**
   * The first question on a connection. One that lay idle may be found broken only now, and all of them after a restart of the
   * database: nothing has happened yet, so another one is asked.
   */
  async function asked<Row>(query: Query): Promise<{ client: pg.PoolClient; line: Line; rows: readonly Row[] }> {
    const giveUpAt = performance.now() + connectTimeoutMs
    for (let tried = 0; ; tried++) {
      const client = await connect()
      const line = lineOf(client, name)
      try {
        return { client, line, rows: await line.all<Row>(query) }
      } catch (error) {
        client.release(line.doubt)
        if (!line.doubt || tried >= maxConnections || performance.now() >= giveUpAt) throw error
      }
    }
  }

  return {
    config,
    reading: {
      all,
      async run(query) {
        await all(query)
      },
    },
    transaction,
    async open(more = {}) {
      const client = new pg.Client({ ...config, connectionTimeoutMillis: connectTimeoutMs, ...more })
      client.on('error', lost)
      await client.connect()
      return client
    },
    end: () => pool.end(),
  }
}

/** One connection in use. */
interface Line extends Connection {
  /** Why it must not be used again. */
  doubt: Error | undefined
  /** Resolves once everything that was asked for before has been answered. */
  idle(): Promise<void>
}

/** One statement at a time, in the order in which they were asked for. */
function lineOf(client: pg.ClientBase, name: (text: string) => string | undefined): Line {
  let last: Promise<unknown> = Promise.resolve()
  const line: Line = {
    doubt: undefined,
    all<Row>({ sql: text, parameters }: Query): Promise<readonly Row[]> {
      const asked = last.then(async () => {
        const values = parameters.map(bindable)
        if (line.doubt) throw line.doubt
        try {
          return (await client.query({ name: name(text), text, values } as pg.QueryConfig)).rows as Row[]
        } catch (error) {
          // What the server itself refused leaves the connection as it was.
          if (endsConnection(error) || isStalePlan(error)) line.doubt = error as Error
          throw error
        }
      })
      last = asked.catch(() => undefined)
      return asked
    },
    async run(query) {
      await line.all(query)
    },
    async idle() {
      await last
    },
  }
  return line
}

/** @throws SilentAuthError `DB_ERROR` also when the answer is lost: then nobody knows whether it took place */
async function commit(client: pg.ClientBase, line: Line): Promise<void> {
  try {
    const { command } = await client.query('commit')
    if (command === 'COMMIT') return
  } catch (error) {
    line.doubt = error as Error
    if (isCollision(error)) throw unavailable(error)
    throw new SilentAuthError('DB_ERROR', 'the commit was not answered: repeat', { cause: error })
  }
  // `commit` ends a transaction that has failed by a rollback, without an error.
  throw unavailable(new Error('the transaction had failed before its commit'))
}

/** `pg` would turn an object into JSON, a Date into local time, undefined into NULL, half a pair into U+FFFD, without a word. */
function bindable(value: unknown, index: number): unknown {
  if (value === null || typeof value === 'number') return value
  if (typeof value === 'string') {
    if (value.isWellFormed()) return value
    throw new TypeError(`parameter ${index + 1} holds a lone surrogate: refuse it before it is bound`)
  }
  throw new TypeError(`parameter ${index + 1} is of type ${typeof value}: convert it before it is bound`)
}

/** Names for the texts that come first; lists of ids make many more. */
const MAX_NAMED = 256

function statementNames(): (text: string) => string | undefined {
  const names = new Map<string, string>()
  return (text) => {
    const known = names.get(text)
    if (known !== undefined || names.size >= MAX_NAMED) return known
    const made = `sa_${names.size}`
    names.set(text, made)
    return made
  }
}

const INT8 = 20

/** Exact to 2^53, which is all that the tables hold. For these connections only, not for the whole process. */
const TYPES: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === INT8 && format !== 'binary'
      ? exactInteger
      : pg.types.getTypeParser(oid, format as 'text')) as pg.CustomTypesConfig['getTypeParser'],
}

function exactInteger(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new RangeError('an integer of the database is beyond 2^53')
  return value
}

const COMMITS_CAN_BE_LOST =
  'synchronous_commit is off, so that an answered decision could be lost: set it to on for this role'

interface Settings {
  readonly statement_timeout: number
  readonly lock_timeout: number
  readonly idle_in_transaction_session_timeout: number
}

function settingsOf(options: PoolOptions): Settings {
  return {
    statement_timeout: options.statementTimeoutMs ?? 15_000,
    lock_timeout: options.lockTimeoutMs ?? 10_000,
    idle_in_transaction_session_timeout: options.idleInTransactionTimeoutMs ?? 5000,
  }
}

/** Longer than the server's own limit, for the case that nothing comes back at all. */
const NETWORK_MS = 5000

function clientConfig(options: PoolOptions): pg.ClientConfig {
  const settings = settingsOf(options)
  return {
    application_name: 'silentauth',
    ...options.connection,
    connectionString: options.url,
    ...settings,
    query_timeout: settings.statement_timeout + NETWORK_MS,
    keepAlive: true,
    types: TYPES,
  }
}

/**
 * A pooler in between may take the settings of a session for its own, and one that gives each transaction another session
 * loses them: then a node that hangs would hold its rows for ever.
 */
async function requireSettings(client: pg.ClientBase, expected: Settings): Promise<void> {
  client.on('error', () => undefined)
  const names = Object.keys(expected) as (keyof Settings)[]
  const { rows } = await client.query<{ name: string; setting: string }>(
    "select name, setting from pg_settings where name = any($1) or name = 'synchronous_commit'",
    [names],
  )
  // Another role, or a changed one, can have it off for sessions that begin later.
  if (rows.some(({ name, setting }) => name === 'synchronous_commit' && setting === 'off')) {
    throw new Error(COMMITS_CAN_BE_LOST)
  }
  const lost = names.filter((name) => {
    const setting = Number(rows.find((row) => row.name === name)?.setting)
    return setting !== expected[name]
  })
  if (lost.length > 0) {
    throw new Error(
      `the connection lost its settings (${lost.join(', ')}): behind a transaction pooler? Connect directly, or pool sessions`,
    )
  }
}
