import { DatabaseSync } from 'node:sqlite'
import { Kysely, sql } from 'kysely'
import { describe, expect, it, vi } from 'vitest'
import { NodeSqliteDialect, sqliteConnection } from '../src/node-sqlite.js'

describe('sqliteConnection', () => {
  it.each([
    ['a text with NUL', 'a\0b'],
    ['an integer', 2 ** 53 - 1],
    ['a fraction', 0.1],
    ['nothing', null],
  ])('gives %s back as it was bound', async (_, value) => {
    using base = aDatabase()
    expect(await base.connection.all({ sql: 'select ? as value', parameters: [value] })).toEqual([{ value }])
  })

  it.each([
    ['undefined', undefined],
    ['a Date, which SQLite would take for NULL', new Date()],
    ['an object, which SQLite would take for named parameters', { value: 1 }],
    ['a boolean', true],
    ['a symbol', Symbol('value')],
  ])('refuses %s', async (_, value) => {
    using base = aDatabase()
    await expect(base.connection.all({ sql: 'select ? as value', parameters: [value] })).rejects.toThrow(TypeError)
    await expect(base.connection.run({ sql: 'select ? as value', parameters: [value] })).rejects.toThrow(TypeError)
  })

  it('gives plain objects', async () => {
    using base = aDatabase()
    const [row] = await base.connection.all({ sql: 'select 1 as one', parameters: [] })
    expect(Object.getPrototypeOf(row)).toBe(Object.prototype)
  })

  it('refuses an integer that a number cannot hold, rather than round it', async () => {
    using base = aDatabase()
    const all = base.connection.all({ sql: 'select 9007199254740993 as value', parameters: [] })
    await expect(all).rejects.toMatchObject({ code: 'ERR_OUT_OF_RANGE' })
  })

  it('prepares a text once, as long as it is among those used last', async () => {
    using base = aDatabase()
    const prepare = vi.spyOn(base.database, 'prepare')
    const ask = (text: string) => base.connection.all({ sql: `select '${text}'`, parameters: [] })
    for (let count = 0; count < 300; count++) {
      await ask('often')
      await ask(`once ${count}`)
    }
    const texts = prepare.mock.calls.map(([text]) => text)
    expect(texts.filter((text) => text.includes('often'))).toHaveLength(1)
    await ask('once 0')
    expect(prepare).toHaveBeenCalledTimes(302)
  })
})

describe('NodeSqliteDialect', () => {
  it('begins every transaction immediate', async () => {
    using base = aDatabase()
    const prepare = vi.spyOn(base.database, 'prepare')
    await base.db.transaction().execute((tx) => sql`select 1`.execute(tx))
    expect(prepare.mock.calls.map(([text]) => text).filter((text) => text.startsWith('begin'))).toEqual([
      'begin immediate',
    ])
  })
})

function aDatabase() {
  const database = new DatabaseSync(':memory:')
  return {
    database,
    db: new Kysely<unknown>({ dialect: new NodeSqliteDialect(database) }),
    connection: sqliteConnection(database),
    [Symbol.dispose]: () => database.close(),
  }
}
