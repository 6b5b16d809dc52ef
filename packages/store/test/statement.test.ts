import { DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely'
import { describe, expect, it, vi } from 'vitest'
import { statement } from '../src/statement.js'

interface Base {
  notes: { id: string; text: string | null; at: number }
}

const db = new Kysely<Base>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (base) => new SqliteIntrospector(base),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
})

describe('statement', () => {
  it('fills the places with values, and leaves what is fixed', () => {
    const ask = statement(({ id, at }: { id: string; at: number }) =>
      db.selectFrom('notes').select('text').where('id', '=', id).where('text', '=', 'fixed').where('at', '<', at),
    )
    expect(ask({ id: 'a', at: 7 }).parameters).toEqual(['a', 'fixed', 7])
    expect(ask({ at: 8, id: 'b' }).parameters).toEqual(['b', 'fixed', 8])
  })

  it('can use a value twice', () => {
    const put = statement(({ id, text }: { id: string; text: string }) =>
      db
        .insertInto('notes')
        .values({ id, text, at: 0 })
        .onConflict((on) => on.column('id').doUpdateSet({ text })),
    )
    expect(put({ id: 'a', text: 'b' }).parameters).toEqual(['a', 'b', 0, 'b'])
  })

  it('is built once', () => {
    const build = vi.fn(({ id }: { id: string }) => db.deleteFrom('notes').where('id', '=', id))
    const remove = statement(build)
    expect(remove({ id: 'a' }).sql).toBe(remove({ id: 'b' }).sql)
    expect(build).toHaveBeenCalledTimes(1)
  })

  it('refuses a spread, which would leave every column out', () => {
    expect(() => statement((row: Base['notes']) => db.insertInto('notes').values({ ...row }))).toThrow(TypeError)
  })
})
