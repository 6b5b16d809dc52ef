import { describe, expect, it } from 'vitest'
import { brokenAt, firstDifference, placeAt } from '../src/json-place.js'

const TEXT = '{"a":{"b":[1,{"c":"x\\"y"}],"d":true},"e":"z"}'

describe('placeAt', () => {
  it.each([
    ['{', ''],
    ['"a"', 'a'],
    ['{"b"', 'a'],
    ['"b"', 'a/b'],
    ['1', 'a/b/0'],
    ['{"c"', 'a/b/1'],
    ['"c"', 'a/b/1/c'],
    ['"y', 'a/b/1/c'],
    ['true', 'a/d'],
    ['"z"', 'e'],
  ])('of %s', (part, place) => {
    expect(placeAt(TEXT, TEXT.indexOf(part))).toBe(place)
  })

  it('is one for every offset, also outside', () => {
    for (let at = -1; at < TEXT.length + 3; at++) expect(typeof placeAt(TEXT, at)).toBe('string')
  })
})

describe('brokenAt', () => {
  it.each([
    ['', 0],
    ['{', 1],
    ['{"a"', 4],
    ['{"a":', 5],
    ['{"a":1', 6],
    ['{"a":1,}', 7],
    ['{"a":tru}', 5],
    ['[1,]', 3],
    ['[1 ]', 2],
    ['["a\n"]', 1],
    ['["\\x"]', 1],
    ['[01]', 2],
    ['{1:2}', 1],
    ['[1}', 2],
  ])('%j at %d', (text, at) => {
    expect(brokenAt(text)).toBe(at)
  })

  it.each(['{}', '[]', '1', '"\\u00e9\\n"', '[[],{},-1.5e3,null]', TEXT])('%s is whole, up to its end', (text) => {
    expect(brokenAt(text)).toBe(text.length)
    expect(brokenAt(`${text}x`)).toBe(text.length)
  })

  it('is of texts that the parser refuses too', () => {
    for (let at = 0; at < TEXT.length; at++) {
      for (const mark of ['"', '}', ',', '\u0001']) {
        const text = TEXT.slice(0, at) + mark + TEXT.slice(at + 1)
        const parsed = (() => {
          try {
            return Boolean(JSON.parse(text)) || true
          } catch {
            return false
          }
        })()
        if (!parsed) expect(brokenAt(text)).toBeLessThanOrEqual(text.length)
        else expect(brokenAt(text)).toBe(text.length)
      }
    }
  })
})

describe('brokenAt, for a text of megabytes', () => {
  it('needs no stack for what a stranger sends', () => {
    expect(brokenAt(`{"a":"${'\\n'.repeat(8_000_000)}",x`)).toBe(16_000_008)
  })
})

describe('firstDifference', () => {
  it.each([
    [{ a: 1 }, { a: 1 }, undefined],
    [{ a: 1 }, { a: 2 }, 'x/a'],
    [{ a: [1, 2] }, { a: [1, 3] }, 'x/a/1'],
    [{ a: [1] }, { a: [1, 3] }, 'x/a/1'],
    [{ b: 1 }, { a: 1, b: 1 }, 'x/a'],
    [{ a: null }, {}, 'x/a'],
    [{ a: [] }, { a: {} }, 'x/a'],
    [null, {}, 'x'],
  ])('of %j and %j', (given, expected, path) => {
    expect(firstDifference(given as never, expected as never, 'x')).toBe(path)
  })
})
