import { afterEach, expect, it, vi } from 'vitest'
import { startPostgres } from './postgres.js'

afterEach(() => vi.unstubAllEnvs())

it('gives databases of their own, which are gone with it', async () => {
  await using postgres = await startPostgres({ own: true })
  const [one, other] = [await postgres.createDatabase(), await postgres.createDatabase()]
  await postgres.query('create table here (id text)', one)
  await expect(postgres.query('select * from here', other)).rejects.toMatchObject({ code: '42P01' })
  const copy = await postgres.createDatabase({ template: one.name })
  expect(await postgres.query('select * from here', copy)).toEqual([])
  await postgres.stop()
  await expect(postgres.query('select 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})

it('has after an immediate restart what was committed before', async () => {
  await using postgres = await startPostgres({ own: true, settings: { max_connections: '17' } })
  await postgres.query('create table kept (id text)')
  await postgres.restartImmediately()
  expect(await postgres.query('select * from kept')).toEqual([])
  expect(await postgres.query('show max_connections')).toEqual([{ max_connections: '17' }])
})

it('starts from the package where the machine has no programs', async () => {
  vi.stubEnv('PATH', '/bin')
  vi.stubEnv('PG_BIN', undefined)
  await using postgres = await startPostgres({ own: true })
  expect(await postgres.query('select 1 as one')).toEqual([{ one: 1 }])
})

it('fails, and says what it needs, where there is none', async () => {
  vi.stubEnv('PG_BIN', '/nowhere')
  await expect(startPostgres({ own: true })).rejects.toThrow('PG_BIN=/nowhere')
})
