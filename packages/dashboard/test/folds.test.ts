import { describe, expect, it } from 'vitest'
import { foldId, foldsOf, ITEM_LIMIT, membersOf, OPEN_DEPTH, TEXT_LIMIT } from '../src/folds.ts'

const fields = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`f${index}`, index]))

describe('foldsOf', () => {
  it('has none for what fits', () => {
    expect(foldsOf({ amount: 250, to: { iban: 'x'.repeat(TEXT_LIMIT) }, list: fields(ITEM_LIMIT) })).toEqual([])
  })

  it.each([
    ['a long text', { note: 'x'.repeat(TEXT_LIMIT + 1) }, ['text /note']],
    ['many fields', fields(ITEM_LIMIT + 1), ['items ']],
    ['many items', { list: Array.from({ length: ITEM_LIMIT + 1 }, () => 1) }, ['items /list']],
    ['a name that needs escaping', { 'a/b~c': 'x'.repeat(TEXT_LIMIT + 1) }, ['text /a~1b~0c']],
  ])('folds %s', (_, value, ids) => {
    expect(foldsOf(value).map(foldId)).toEqual(ids)
  })

  it('folds what lies deep, and finds the long text inside of it', () => {
    let value: object = { end: 'x'.repeat(TEXT_LIMIT + 1) }
    for (let depth = 0; depth < OPEN_DEPTH; depth++) value = { in: value }
    const at = '/in'.repeat(OPEN_DEPTH)
    expect(foldsOf(value as never).map(foldId)).toEqual([`branch ${at}`, `text ${at}/end`])
  })

  it('says how much is held back', () => {
    expect(foldsOf(fields(40))).toEqual([{ kind: 'items', pointer: '', shown: ITEM_LIMIT, total: 40 }])
  })
})

describe('membersOf', () => {
  it('points at items by their number', () => {
    expect(membersOf(['a'], '/list')).toEqual([{ name: 0, pointer: '/list/0', value: 'a' }])
  })

  it('has none for a value without members', () => {
    expect(membersOf('text', '')).toBeNull()
  })
})
