import { postgresStore } from '@silentauth/store/postgres'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { startPostgres, type TestPostgres } from '../../../test/support/postgres.js'
import { postgresPool } from '../src/postgres-pool.js'
import { replicationFaults } from '../src/postgres-probe.js'

let postgres: TestPostgres
beforeAll(async () => {
  postgres = await startPostgres({ own: true })
})
afterAll(() => postgres?.stop())

describe('a gate does not start', () => {
  it('on a database of another encoding', async () => {
    const clauses = "encoding 'LATIN1' locale 'C' template template0"
    const { url } = await postgres.createDatabase({ clauses })
    await expect(postgresStore({ url })).rejects.toThrow("encoding LATIN1: create it with encoding 'UTF8'")
  })

  it.each([
    ['behind', -60_000],
    ['ahead', 60_000],
  ])('when its clock is a minute %s that of the database, and changes nothing', async (_, ms) => {
    const database = await postgres.createDatabase()
    const real = Date.now
    const clock = vi.spyOn(Date, 'now').mockImplementation(() => real() + ms)
    const opened = postgresStore({ url: database.url }).finally(() => clock.mockRestore())
    await expect(opened).rejects.toThrow(/clocks .* are \d+ ms apart/)
    const tables = "select 1 from information_schema.tables where table_schema = 'public'"
    expect(await postgres.query(tables, database)).toEqual([])
  })
})

it('a gate takes the clock of the database, not its own', async () => {
  const { url } = await postgres.createDatabase()
  await using store = await postgresStore({ url })
  const clock = vi.spyOn(Date, 'now').mockReturnValue(0)
  const now = await store.now().finally(() => clock.mockRestore())
  expect(now).toBeGreaterThan(1_700_000_000_000)
})

describe('faults of replication (R3)', () => {
  let synchronous: TestPostgres
  beforeAll(async () => {
    // With `on`, a commit would wait for a standby that never comes.
    const settings = { synchronous_standby_names: '*', synchronous_commit: 'local' }
    synchronous = await startPostgres({ own: true, settings })
  })
  afterAll(() => synchronous?.stop())

  it.each([
    ['none where there is no standby', 'off', false, undefined, []],
    ['no synchronous standby is named', 'off', true, undefined, [/set synchronous_standby_names/]],
    ['commits do not wait for its disk', 'on', true, 'local', [/synchronous_commit is local/]],
    ['commits wait for its memory only', 'on', true, 'remote_write', [/synchronous_commit is remote_write/]],
    ['none when commits wait for it', 'on', true, 'on', []],
  ])('%s', async (_, standbys, replicated, commit, faults) => {
    const { url } = standbys === 'on' ? synchronous : postgres
    const connection = commit === undefined ? {} : { options: `-c synchronous_commit=${commit}` }
    const pool = postgresPool({ url, connection }, () => undefined)
    const found = await replicationFaults(pool.reading, { replicated }).finally(() => pool.end())
    expect(found).toEqual(faults.map((fault) => expect.stringMatching(fault)))
  })

  it('are what the store says of itself', async () => {
    const { url } = await postgres.createDatabase()
    await using store = await postgresStore({ url, replicated: true })
    expect(await store.faults?.()).toHaveLength(1)
  })
})
