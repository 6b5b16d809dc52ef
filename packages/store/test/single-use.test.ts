import { spawn } from 'node:child_process'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { text } from 'node:stream/consumers'
import { postgresSingleUse, type SharedSingleUse, sqliteSingleUse } from '@silentauth/store/single-use'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startPostgres, type TestPostgres } from '../../../test/support/postgres.js'

const HOUR = 3_600_000
const NOW = 1_773_662_400_000

let postgres: TestPostgres
beforeAll(async () => {
  postgres = await startPostgres()
})
afterAll(() => postgres?.stop())

interface Place {
  /** Where a store of this place is, for other processes. */
  readonly where: { readonly file: string } | { readonly url: string }
  open(now?: () => number): Promise<SharedSingleUse>
  keys(): Promise<readonly string[]>
  breakIt(): Promise<void>
}

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'silentauth-single-use-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

function sqlitePlace(): Place {
  const file = path.join(folder, 'deep', 'uses.db')
  const run = (sql: string) => {
    const database = new DatabaseSync(file)
    try {
      return database.prepare(sql).all() as { key: string }[]
    } finally {
      database.close()
    }
  }
  return {
    where: { file },
    open: (now) => sqliteSingleUse({ file, now }),
    keys: async () => run("select key from silentauth_single_use where key <> '' order by key").map(({ key }) => key),
    breakIt: async () => {
      run('drop table silentauth_single_use')
    },
  }
}

async function postgresPlace(): Promise<Place> {
  const { url } = await postgres.createDatabase()
  const run = async (sql: string) => {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    try {
      return (await client.query<{ key: string }>(sql)).rows
    } finally {
      await client.end()
    }
  }
  return {
    where: { url },
    open: (now) => postgresSingleUse({ url, now }),
    keys: async () =>
      (await run("select key from silentauth_single_use where key <> '' order by key")).map(({ key }) => key),
    breakIt: async () => {
      await run('drop table silentauth_single_use')
    },
  }
}

describe.each<[string, () => Place | Promise<Place>]>([
  ['SQLite', sqlitePlace],
  ['PostgreSQL', postgresPlace],
])('a single-use store over %s', (_, makePlace) => {
  let place: Place
  beforeEach(async () => {
    place = await makePlace()
  })

  it('gives each key to the first that takes it (P3)', async () => {
    await using store = await place.open()
    const took = [await store.take('int_1 gate', NOW * 2), await store.take('int_2 gate', NOW * 2)]
    expect([...took, await store.take('int_1 gate', NOW * 2)]).toEqual([true, true, false])
    expect(store.scope).toBe('shared')
  })

  it('remembers over a restart', async () => {
    const before = await place.open()
    await before.take('int_1 gate', NOW * 2)
    await before[Symbol.asyncDispose]()
    await using after = await place.open()
    expect(await after.take('int_1 gate', NOW * 2)).toBe(false)
  })

  it('gives each of 25 keys once to two processes with 500 redemptions that come together (P3)', async () => {
    const keys = Array.from({ length: 250 }, (_, index) => `int_${index % 25} gate`)
    const task = { ...place.where, keys, keepUntil: Date.now() + HOUR, startAt: Date.now() + 3000 }
    const first = await Promise.all([winnersOf(task), winnersOf(task)])
    expect(first.flat().sort()).toEqual([...new Set(keys)].sort())
  })

  it('can be opened by many at the same time, the first time too', async () => {
    const stores = await Promise.all(Array.from({ length: 6 }, () => place.open()))
    const took = await Promise.all(stores.map((store) => store.take('int_1 gate', NOW * 2)))
    expect(took.filter(Boolean)).toHaveLength(1)
    for (const store of stores) await store[Symbol.asyncDispose]()
  })

  it('forgets what nobody could accept any more, and keeps the rest', async () => {
    let now = NOW
    const store = await place.open(() => now)
    await store.take('int_1 gate', NOW + 1000)
    await store.take('int_2 gate', NOW + 10 * HOUR)
    await store[Symbol.asyncDispose]()
    now += 5 * HOUR
    const later = await place.open(() => now)
    await later.take('int_3 gate', NOW + 10 * HOUR)
    await later[Symbol.asyncDispose]()
    expect(await place.keys()).toEqual(['int_2 gate', 'int_3 gate'])
  })

  it('takes nothing for new that it might have forgotten, also when its clock is set back', async () => {
    let now = NOW
    const store = await place.open(() => now)
    await store.take('int_1 gate', NOW + 1000)
    await store[Symbol.asyncDispose]()
    now += 5 * HOUR
    const later = await place.open(() => now)
    await later.take('int_2 gate', NOW + 10 * HOUR)
    await later[Symbol.asyncDispose]()
    now = NOW
    await using again = await place.open(() => now)
    expect(await again.take('int_1 gate', NOW + 1000)).toBe(false)
  })

  it('refuses rather than guess when the database is gone', async () => {
    await using store = await place.open()
    await store.take('int_1 gate', NOW * 2)
    await place.breakIt()
    await expect(store.take('int_2 gate', NOW * 2)).rejects.toMatchObject({ code: 'DB_ERROR' })
  })

  it('refuses once it is closed', async () => {
    const store = await place.open()
    await store[Symbol.asyncDispose]()
    await expect(store.take('int_1 gate', NOW * 2)).rejects.toMatchObject({ code: 'DB_ERROR' })
  })

  it.each<[string, unknown, unknown]>([
    ['an empty key', '', NOW],
    ['a key of more than 1 KB', 'a'.repeat(1025), NOW],
    ['no key', undefined, NOW],
    ['no instant', 'a', undefined],
    ['an instant that is no number', 'a', Number.NaN],
  ])('takes no %s', async (_name, key, keepUntil) => {
    await using store = await place.open()
    await expect(store.take(key as string, keepUntil as number)).rejects.toThrow(TypeError)
  })
})

describe('the file of a single-use store', () => {
  it('can be read by its user alone', async () => {
    const file = path.join(folder, 'deep', 'uses.db')
    await using _store = await sqliteSingleUse({ file })
    const modes = await Promise.all([stat(file), stat(path.dirname(file))])
    expect(modes.map(({ mode }) => mode & 0o777)).toEqual([0o600, 0o700])
  })

  it('is waited for while another process holds it, and no longer than it was told to', async () => {
    const file = path.join(folder, 'uses.db')
    await using store = await sqliteSingleUse({ file, timeoutMs: 50 })
    const other = new DatabaseSync(file)
    other.exec('begin immediate')
    await expect(store.take('int_1 gate', NOW * 2)).rejects.toMatchObject({ code: 'DB_ERROR' })
    other.exec('rollback')
    other.close()
    expect(await store.take('int_1 gate', NOW * 2)).toBe(true)
  })
})

describe('a single-use store over a PostgreSQL that is away', () => {
  it('is not opened', async () => {
    const options = { url: 'postgres://nobody@127.0.0.1:1/none', connectTimeoutMs: 500 }
    await expect(postgresSingleUse(options)).rejects.toThrow('cannot be used')
  })
})

async function winnersOf(task: object): Promise<string[]> {
  const here = (name: string) => path.join(import.meta.dirname, name)
  const sources = process.env.SA_DIST ? [] : ['--conditions=@silentauth/source', '--import', here('sources.mjs')]
  const child = spawn(process.execPath, [...sources, here('single-use-process.mjs'), JSON.stringify(task)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise((resolve) => child.once('close', resolve))
  const said = await text(child.stdout)
  expect(await ended).toBe(0)
  return JSON.parse(said)
}
