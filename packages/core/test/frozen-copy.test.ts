import { describe, expect, it } from 'vitest'
import { frozenCopy } from '../src/frozen-copy.js'

describe('frozenCopy', () => {
  it('copies, and freezes to the bottom', () => {
    const given = { list: [{ a: 1 }], text: 'b' }
    const copy = frozenCopy(given)
    given.list.push({ a: 2 })
    expect(copy).toEqual({ list: [{ a: 1 }], text: 'b' })
    expect([copy, copy.list, copy.list[0]].every(Object.isFrozen)).toBe(true)
    expect(Object.isFrozen(given)).toBe(false)
  })

  it('is itself for a copy, also within something new', () => {
    const copy = frozenCopy({ a: { b: 1 } })
    expect([frozenCopy(copy), frozenCopy({ c: copy }).c]).toEqual([copy, copy])
    expect([frozenCopy(copy) === copy, frozenCopy({ c: copy }).c === copy]).toEqual([true, true])
  })

  it('does not trust what others froze: something below may still change', () => {
    const below = { b: 1 }
    const copy = frozenCopy(Object.freeze({ below }))
    below.b = 2
    expect(copy.below.b).toBe(1)
  })

  it('leaves out what is undefined, as a database does', () => {
    expect(Object.keys(frozenCopy({ a: undefined, b: null, c: 0 }))).toEqual(['b', 'c'])
  })

  it('keeps a member called __proto__ a member', () => {
    const copy = frozenCopy(JSON.parse('{"__proto__": {"admin": true}}'))
    expect([Object.keys(copy), Object.getPrototypeOf(copy)]).toEqual([['__proto__'], Object.prototype])
  })

  it.each([
    ['a Date', new Date()],
    ['a Map', new Map()],
    ['a function', () => 1],
    ['a bigint', 1n],
    ['a symbol', Symbol('a')],
    ['NaN', Number.NaN],
    ['infinity', Number.POSITIVE_INFINITY],
    ['undefined in an array', [undefined]],
  ])('refuses %s, which JSON would lose or change', (_, value) => {
    expect(() => frozenCopy({ value })).toThrow(TypeError)
  })
})
