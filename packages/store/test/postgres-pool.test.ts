import { newId, type Store } from '@silentauth/core'
import { principalOf, testGate } from '@silentauth/core/testing'
import { postgresStore } from '@silentauth/store/postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startPostgres, type TestDatabase, type TestPostgres } from '../../../test/support/postgres.js'
import { postgresProxy } from '../../../test/support/postgres-proxy.js'
import { type PoolOptions, postgresPool } from '../src/postgres-pool.js'
import { MAX_COLLISIONS } from '../src/run-again.js'

let postgres: TestPostgres
let template: TestDatabase
beforeAll(async () => {
  postgres = await startPostgres({ own: true })
  template = await postgres.createDatabase()
  await (await postgresStore({ url: template.url }))[Symbol.asyncDispose]()
})
afterAll(() => postgres?.stop())

const fresh = () => postgres.createDatabase({ template: template.name })
const query = (sql: string, parameters: readonly unknown[] = []) => ({ sql, parameters })

describe('texts', () => {
  it('come back as they were stored, also with U+0000 and half a surrogate pair inside a document', async () => {
    await using store = await postgresStore({ url: (await fresh()).url })
    const name = 'a\0b \ud800 Gr\u00fc\u00dfe \u{1F44D}'
    await store.transaction((tx) => tx.putProject(aProject('prj_a', name)))
    expect(await store.project('prj_a')).toEqual(aProject('prj_a', name))
  })

  it('are never cut at U+0000: the database refuses', async () => {
    await using store = await postgresStore({ url: (await fresh()).url })
    const put = store.transaction((tx) => tx.putGroup('prj_a', 'ops\0-team'))
    await expect(put).rejects.toMatchObject({ code: 'DB_ERROR', cause: { code: '22021' } })
    await store.transaction((tx) => tx.putGroup('prj_a', 'ops'))
    expect((await store.directory('prj_a')).groups).toEqual(['ops'])
  })

  it('never turn half a surrogate pair into another character', async () => {
    await using store = await postgresStore({ url: (await fresh()).url })
    await expect(store.transaction((tx) => tx.putGroup('prj_a', 'ops\ud800'))).rejects.toThrow(TypeError)
    expect((await store.directory('prj_a')).groups).toEqual([])
  })
})

describe('settings of a connection', () => {
  const SETTINGS = ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout']

  it.each(SETTINGS)('are read back: a gate behind a pooler that loses %s does not start', async (name) => {
    await using proxy = await postgresProxy((await fresh()).url)
    proxy.lostSettings.add(name)
    await expect(postgresStore({ url: proxy.url })).rejects.toThrow(`lost its settings (${name})`)
  })

  it('are read back on each connection: one without them is not used', async () => {
    await using proxy = await postgresProxy((await fresh()).url)
    await using store = await postgresStore({ url: proxy.url })
    proxy.lostSettings.add('lock_timeout')
    proxy.cut()
    await expect.poll(() => store.projects().catch(({ code }) => code)).toBe('DB_ERROR')
    proxy.lostSettings.clear()
    expect(await store.projects()).toEqual([])
  })

  it('a role whose commits do not wait for the disk is refused', async () => {
    const database = await fresh()
    await postgres.query(`alter database ${database.name} set synchronous_commit = off`)
    await expect(postgresStore({ url: database.url })).rejects.toThrow('synchronous_commit is off')
  })
})

describe('time limits', () => {
  const limited = async (limits: Partial<PoolOptions>) => {
    const { url } = await fresh()
    const pool = postgresPool({ url, ...limits }, () => undefined)
    return Object.assign(pool, { [Symbol.asyncDispose]: () => pool.end() })
  }

  it('a statement that runs for too long is ended, and its connection is used again', async () => {
    await using pool = await limited({ statementTimeoutMs: 50, maxConnections: 1 })
    await expect(pool.reading.all(query('select pg_sleep(60)'))).rejects.toMatchObject({ code: '57014' })
    expect(await pool.reading.all(query('select 1 as one'))).toEqual([{ one: 1 }])
  })

  it('a row that somebody else keeps is waited for only so long', async () => {
    await using pool = await limited({ lockTimeoutMs: 50 })
    await pool.reading.run(query("insert into projects (id, body) values ('prj_a', '{}')"))
    const lock = query("select 1 from projects where id = 'prj_a' for update")
    await pool.transaction(async (holder) => {
      await holder.run(lock)
      const other = pool.transaction((connection) => connection.run(lock))
      await expect(other).rejects.toMatchObject({ code: '55P03' })
    })
    await pool.transaction((connection) => connection.run(lock))
  })

  it('a transaction whose node says nothing is ended: its rows are free, and what it wrote never was', async () => {
    await using pool = await limited({ idleInTransactionTimeoutMs: 50 })
    const insert = query("insert into projects (id, body) values ('prj_a', '{}')")
    const [written, goneOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const silent = pool.transaction(async (connection) => {
      await connection.run(insert)
      written.resolve()
      await goneOn.promise
    })
    const told = expect(silent).rejects.toMatchObject({ code: 'DB_ERROR' })
    await written.promise
    // Waits for the row of the first, until the database has ended that.
    await pool.transaction((connection) => connection.run(insert))
    goneOn.resolve()
    await told
    expect(await pool.reading.all(query('select id from projects'))).toEqual([{ id: 'prj_a' }])
  })
})

describe('a transaction that met another one', () => {
  it('is begun again after a deadlock, which the database ends for one of them', async () => {
    await using store = await postgresStore({ url: (await fresh()).url })
    const ids = ['prj_a', 'prj_b'] as const
    for (const id of ids) await store.transaction((tx) => tx.putProject(aProject(id, 'first')))
    let runs = 0
    let arrived = 0
    const met = Promise.withResolvers<void>()
    const write = (order: readonly (typeof ids)[number][], name: string) =>
      store.transaction(async (tx) => {
        runs++
        for (const [index, id] of order.entries()) {
          await tx.putProject(aProject(id, name))
          if (index === 0 && ++arrived >= 2) met.resolve()
          if (index === 0) await met.promise
        }
      })
    await Promise.all([write(ids, 'one'), write([...ids].reverse(), 'other')])
    expect(runs).toBe(3)
    expect(new Set((await store.projects()).map(({ name }) => name)).size).toBe(1)
  })

  it.each([
    ['by a statement', '40001', 'after', ''],
    ['by a statement, as a deadlock', '40P01', 'after', ''],
    ['by its commit', '40001', 'constraint', 'deferrable initially deferred'],
  ])('is begun again when the database ended it %s (%s)', async (_, state, kind, deferred) => {
    const database = await fresh()
    await endedTransactions(database, { state, times: 3, kind, deferred })
    await using store = await postgresStore({ url: database.url })
    let runs = 0
    await store.transaction(async (tx) => {
      runs++
      await tx.putProject(aProject('prj_a', 'kept'))
    })
    expect(runs).toBe(4)
    expect(await store.projects()).toEqual([aProject('prj_a', 'kept')])
  })

  it.each([
    ['a statement', 'after', ''],
    ['its commit', 'constraint', 'deferrable initially deferred'],
  ])('is given up after a bounded number of runs, with DB_ERROR and the cause: %s', async (_, kind, deferred) => {
    const database = await fresh()
    await endedTransactions(database, { state: '40001', times: 1000, kind, deferred })
    await using store = await postgresStore({ url: database.url })
    let runs = 0
    const put = store.transaction(async (tx) => {
      runs++
      await tx.putProject(aProject('prj_a', 'never'))
    })
    await expect(put).rejects.toMatchObject({ code: 'DB_ERROR', cause: { code: '40001' } })
    expect(runs).toBe(MAX_COLLISIONS)
    expect(await store.projects()).toEqual([])
  })

  it('is not begun again for another reason', async () => {
    const database = await fresh()
    await endedTransactions(database, { state: '23514', times: 1, kind: 'after', deferred: '' })
    await using store = await postgresStore({ url: database.url })
    const put = store.transaction((tx) => tx.putProject(aProject('prj_a', 'never')))
    await expect(put).rejects.toMatchObject({ code: 'DB_ERROR', cause: { code: '23514' } })
  })
})

describe('a database that goes away', () => {
  it('is used again when it is back, whatever its connections were doing; no error is left alone', async () => {
    const database = await fresh()
    await using store = await postgresStore({ url: database.url, maxConnections: 4 })
    await store.transaction((tx) => tx.putProject(aProject('prj_a', 'before')))
    // Idle ones.
    await Promise.all(Array.from({ length: 4 }, () => store.projects()))
    // One in use.
    const inUse = store.transaction(async (tx) => {
      await tx.putProject(aProject('prj_a', 'lost'))
      await postgres.restartImmediately()
      await tx.putProject(aProject('prj_a', 'lost too'))
    })
    await expect(inUse).rejects.toMatchObject({ code: 'DB_ERROR' })
    expect(await store.projects()).toEqual([aProject('prj_a', 'before')])
    await store.transaction((tx) => tx.putProject(aProject('prj_a', 'after')))
    expect(await store.projects()).toEqual([aProject('prj_a', 'after')])
  })

  it('is told as DB_ERROR while it is away, and the next call after it works', async () => {
    const database = await fresh()
    await using store = await postgresStore({ url: database.url })
    await postgres.stopImmediately()
    await expect(store.projects()).rejects.toMatchObject({ code: 'DB_ERROR' })
    await expect(store.transaction((tx) => tx.project('prj_a'))).rejects.toMatchObject({ code: 'DB_ERROR' })
    await postgres.start()
    expect(await store.projects()).toEqual([])
  })

  it('cannot be opened when it is not there, in words that name no password', async () => {
    const opened: unknown = await postgresStore({ url: 'postgres://gate:hunter2@127.0.0.1:1/gate' }).catch(
      (error) => error,
    )
    expect(String(opened)).toContain('the database cannot be used')
    expect(String(opened)).not.toContain('hunter2')
  })

  it.each([
    ['is not there', (url: URL) => Object.assign(url, { port: '1' }), 'check host and port'],
    ['knows no such database', (url: URL) => Object.assign(url, { pathname: '/nowhere' }), 'create it first'],
    ['knows no such user', (url: URL) => Object.assign(url, { username: 'nobody_here' }), 'check user and password'],
    [
      'lets its user make no tables',
      (url: URL) => Object.assign(url, { username: 'weak' }),
      'the owner of the database',
    ],
  ])('says what to do when the server %s', async (_, change, advice) => {
    const database = await fresh()
    await postgres.query(
      `do $$ begin create role weak login password 'weak'; exception when duplicate_object then end $$`,
    )
    const url = Object.assign(change(new URL(database.url)), { password: 'weak' })
    await expect(postgresStore({ url: url.href })).rejects.toThrow(advice)
  })
})

describe('a commit whose answer is lost', () => {
  it('is DB_ERROR, and repeating what was asked for finds what took place', async () => {
    await using proxy = await postgresProxy((await fresh()).url)
    await using store = await postgresStore({ url: proxy.url })
    const clock = { now: Date.now, advance: () => undefined }
    await using test = await testGate({ store, clock })
    const lost = async (ask: () => Promise<unknown>) => {
      proxy.cutCommits = 1
      await expect(ask()).rejects.toMatchObject({ code: 'DB_ERROR' })
      expect(proxy.cutCommits).toBe(0)
    }

    const declare = () => test.gate.declare({ action: 'issue_refund', params: { amount: 5 }, idempotencyKey: 'once' })
    await lost(declare)
    const { id } = await declare()
    expect((await test.local.list(principalOf(test.key), { limit: 10 })).items.map((intent) => intent.id)).toEqual([id])

    const { intentHash } = await test.local.desk.read(test.approver, id)
    const vote = () => test.local.desk.vote(test.approver, id, { verdict: 'approve', intentHash })
    await lost(vote)
    await expect(vote()).rejects.toMatchObject({ code: 'ALREADY_RESOLVED' })
    expect(await test.gate.read(id)).toMatchObject({ status: 'approved', approvedBy: ['approver@example.com'] })

    const attempt = { executionId: 'run-1', attemptId: newId('att') }
    await lost(() => test.gate.claim(id, attempt))
    expect(await test.gate.claim(id, attempt)).toMatchObject({ type: 'granted' })
    expect(await test.gate.claim(id, { ...attempt, attemptId: newId('att') })).toMatchObject({ type: 'running' })

    await test.gate.report(id, attempt, { status: 'succeeded' })
    expect(await eventsOf(store, id)).toEqual([
      'intent.created',
      'approval.recorded',
      'intent.approved',
      'execution.started',
      'permit.issued',
      'execution.reported',
    ])
  })
})

it('nodes that come up on a fresh database at the same moment all come up', async () => {
  const { url } = await postgres.createDatabase()
  const stores = await Promise.all(Array.from({ length: 4 }, () => postgresStore({ url })))
  expect(await Promise.all(stores.map((store) => store.projects()))).toEqual([[], [], [], []])
  for (const store of stores) await store[Symbol.asyncDispose]()
})

it('a schema that is newer than the code is refused, and left alone', async () => {
  const database = await fresh()
  await postgres.query("insert into kysely_migration (name, timestamp) values ('9999_later', 'then')", database)
  const before = await postgres.query('select name from kysely_migration order by name', database)
  await expect(postgresStore({ url: database.url })).rejects.toThrow('newer schema (9999_later)')
  expect(await postgres.query('select name from kysely_migration order by name', database)).toEqual(before)
})

function aProject(id: `prj_${string}`, name: string) {
  return {
    id,
    name,
    timezone: 'UTC',
    actionTiers: {},
    requireRegisteredAgents: false,
    approverLabels: 'email',
  } as const
}

interface Ended {
  readonly state: string
  readonly times: number
  readonly kind: string
  readonly deferred: string
}

/** As often as that, the database ends whoever writes a project. Its counter is a sequence: a rollback leaves it. */
async function endedTransactions(database: TestDatabase, { state, times, kind, deferred }: Ended): Promise<void> {
  const trigger = kind === 'constraint' ? 'constraint trigger' : 'trigger'
  await postgres.query(
    `create sequence ended;
    create function end_it() returns trigger language plpgsql as $$ begin
      if nextval('ended') <= ${times} then raise exception 'ended' using errcode = '${state}'; end if; return null; end $$;
    create ${trigger} ends after insert or update on projects ${deferred} for each row execute function end_it()`,
    database,
  )
}

async function eventsOf(store: Store, id: `int_${string}`): Promise<readonly string[]> {
  const state = await store.intent(id)
  if (!state) return []
  const leaves = await store.leavesOf(state.declaration.projectId, id)
  return leaves.flatMap(({ body }) =>
    (JSON.parse(body) as { events: { type: string }[] }).events.map(({ type }) => type),
  )
}
