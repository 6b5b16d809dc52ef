import { readFileSync } from 'node:fs'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson } from '../src/canonical-json.js'
import { isSilentAuthError } from '../src/errors.js'
import type { JsonObject } from '../src/json.js'
import { mutableCopy, type ParamsLimits, snapshot } from '../src/params.js'

interface Refusal {
  name: string
  json: string
  pointer: string
  fill?: { text: string; times: number }
}
const load = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../../test/vectors/${name}`, import.meta.url), 'utf8'))
const { refusals, params_refusals } = load('canonical.json') as { refusals: Refusal[]; params_refusals: Refusal[] }
const { cases: digests } = load('params-digest.json') as {
  cases: { name: string; json: string; canonical: string; digest: string }[]
}

const refused = (field: string) => expect.objectContaining({ code: 'PARAMS_NOT_CANONICAL', field })
const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31)
const nested = (depth: number): JsonObject => JSON.parse(`${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`)

describe('snapshot', () => {
  it.each(digests)('digests $name', ({ json, canonical, digest }) => {
    expect(snapshot(JSON.parse(json))).toMatchObject({ canonical, digest })
  })

  it.each([...refusals, ...params_refusals])('refuses $name', ({ json, pointer, fill }) => {
    const text = fill === undefined ? json : json.replaceAll('@', fill.text.repeat(fill.times))
    expect(() => snapshot(JSON.parse(text))).toThrow(refused(pointer))
  })

  // What JSON texts cannot say, and PA-16.
  it.each<[string, unknown, string]>([
    ['undefined', undefined, ''],
    ['a number', 1, ''],
    ['an undefined member', { a: undefined }, '/a'],
    ['a hole in an array', { a: Object.assign(new Array(2), { 0: 0 }) }, '/a/1'],
    ['NaN', { a: Number.NaN }, '/a'],
    ['infinity', { a: -Infinity }, '/a'],
    ['2^53', { a: 2 ** 53 }, '/a'],
    ['1e21, whose spelling has an exponent', { a: 1e21 }, '/a'],
    ['a bigint', { a: 1n }, '/a'],
    ['a function', { a() {} }, '/a'],
    ['a symbol as a key', { [Symbol('a')]: 1 }, ''],
    ['a Map', new Map([['amount', 1]]), ''],
    ['a Set', { to: new Set(['acme']) }, '/to'],
    ['a Date', { at: new Date(0) }, '/at'],
    ['a Buffer', { a: Buffer.from('x') }, '/a'],
    ['a RegExp', { a: /x/ }, '/a'],
    ['an Error', { a: new Error('x') }, '/a'],
    ['a boxed number', { amount: Object(50) }, '/amount'],
    ['a private-field class', new Money(), ''],
    ['inherited members', Object.create({ amount: 1 }), ''],
    ['a subclass of Array', { a: new (class extends Array {})() }, '/a'],
    ['an object of another realm (PA-15)', runInNewContext('({ a: 1 })'), ''],
    ['an array of another realm', { a: runInNewContext('[1]') }, '/a'],
  ])('refuses %s', (_, params, pointer) => {
    expect(() => snapshot(params)).toThrow(refused(pointer))
  })

  it('ends a cycle by the depth limit (PA-18)', () => {
    const cycle: Record<string, unknown> = {}
    cycle.self = cycle
    expect(() => snapshot(cycle)).toThrow(refused('/self'.repeat(32)))
  })

  it('names no value in its message', () => {
    let message = ''
    try {
      snapshot({ password: 'hunter2\u0000' })
    } catch (error) {
      if (isSilentAuthError(error)) message = error.message
    }
    expect(message).toBe('PARAMS_NOT_CANONICAL: /password: holds U+0000')
  })

  it('turns a getter that throws into a refusal', () => {
    const params = {
      get amount() {
        throw new Error('no')
      },
    }
    expect(() => snapshot(params)).toThrow(refused(''))
  })

  it('gives the same for members in any order', () => {
    expect(snapshot({ b: 1, a: { d: 2, c: 3 } })).toEqual(snapshot({ a: { c: 3, d: 2 }, b: 1 }))
  })

  it('writes -0 as 0, in the text and in the copy', () => {
    const { canonical, value } = snapshot({ a: -0 })
    expect([canonical, Object.is(value.a, 0)]).toEqual(['{"a":0}', true])
  })
})

describe('the copy', () => {
  const isDeepFrozen = (value: unknown): boolean =>
    typeof value !== 'object' || value === null || (Object.isFrozen(value) && Object.values(value).every(isDeepFrozen))

  it('is frozen all the way down', () => {
    expect(isDeepFrozen(snapshot({ a: [{ b: [1] }], c: { d: {} } }))).toBe(true)
  })

  it('stays what it was when the original is changed', () => {
    const params = { items: [{ amount: 50 }] }
    const { value } = snapshot(params)
    const [item] = params.items
    if (item) item.amount = 5000
    expect(value).toEqual({ items: [{ amount: 50 }] })
  })

  it('reads a getter once, for text and copy alike', () => {
    let reads = 0
    const params = {
      get amount() {
        return reads++ === 0 ? 50 : 5000
      },
    }
    const { canonical, value } = snapshot(params)
    expect([reads, canonical, value.amount]).toEqual([1, '{"amount":50}', 50])
  })

  it('of a proxy that answers differently each time is what the text says', () => {
    let reads = 0
    const params = new Proxy(
      { to: 'acme', amount: 1 },
      { get: (target, name) => (reads++ % 2 ? 'evil' : Reflect.get(target, name)) },
    )
    const { canonical, value } = snapshot(params)
    expect(canonicalJson(value)).toBe(canonical)
  })

  it('of a proxy that grows is what the text says', () => {
    const keys = [['a'], ['a', 'b']]
    const params = new Proxy({ a: 1, b: 2 }, { ownKeys: () => keys.shift() ?? ['a', 'b'] })
    const { canonical, value } = snapshot(params)
    expect([canonical, value]).toEqual(['{"a":1}', { a: 1 }])
  })

  it('has members that are hidden from enumeration', () => {
    const params = Object.defineProperty({ to: 'x' }, 'amount', { value: 5000 })
    expect(snapshot(params).value).toEqual({ amount: 5000, to: 'x' })
  })

  it('has none of the other properties of an array', () => {
    const { canonical, value } = snapshot({ to: Object.assign(['acme'], { extra: 'evil' }) })
    expect([canonical, Object.keys(value.to as object)]).toEqual(['{"to":["acme"]}', ['0']])
  })

  it('can be made while another is being made (PA-17)', () => {
    let inner = ''
    const params = {
      get a() {
        inner = snapshot({ b: { c: 1 } }, { maxDepth: 2 }).canonical
        return 1
      },
      z: { y: { x: 2 } },
    }
    expect([snapshot(params).canonical, inner]).toEqual(['{"a":1,"z":{"y":{"x":2}}}', '{"b":{"c":1}}'])
  })

  it(`says what the text says, for any params (seed ${seed})`, () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (params) => {
        let made: ReturnType<typeof snapshot>
        try {
          made = snapshot(params)
        } catch (error) {
          return isSilentAuthError(error) && error.code === 'PARAMS_NOT_CANONICAL'
        }
        return (
          canonicalJson(made.value) === made.canonical && canonicalJson(JSON.parse(made.canonical)) === made.canonical
        )
      }),
      { seed, numRuns: 800 },
    )
  })

  it(`has another digest after any change of one member (seed ${seed})`, () => {
    const leaf = fc.oneof(fc.integer(), fc.stringMatching(/^[ -~]{0,8}$/), fc.boolean(), fc.constant(null))
    const names = fc.stringMatching(/^[a-z]{1,8}$/)
    fc.assert(
      fc.property(fc.dictionary(names, leaf, { minKeys: 1 }), leaf, fc.nat(), (params, other, pick) => {
        const name = Object.keys(params)[pick % Object.keys(params).length] as string
        fc.pre(params[name] !== other)
        expect(snapshot({ ...params, [name]: other }).digest).not.toBe(snapshot(params).digest)
      }),
      { seed, numRuns: 500 },
    )
  })
})

describe('limits', () => {
  it.each<[string, unknown, ParamsLimits | undefined]>([
    ['32 containers', nested(32), undefined],
    ['64 containers, where 64 are allowed', nested(64), { maxDepth: 64 }],
    ['1,000 members', wide(1000), undefined],
    ['10,000 members, where 10,000 are allowed', wide(10_000), { maxKeys: 10_000, maxBytes: 262_144 }],
    ['exactly 64 KB', { a: 'x'.repeat(65_536 - 8) }, undefined],
    ['exactly 256 KB, where they are allowed', { a: 'x'.repeat(262_144 - 8) }, { maxBytes: 262_144 }],
    ['exactly 64 KB of short values', { aaaaa: new Array(13_105).fill(true) }, undefined],
    ['64 KB of UTF-8', { a: '\u20ac'.repeat((65_536 - 10) / 3) }, undefined],
  ])('take %s', (_, params, limits) => {
    expect(Object.isFrozen(snapshot(params, limits))).toBe(true)
  })

  it.each<[string, unknown, ParamsLimits | undefined]>([
    ['33 containers', nested(33), undefined],
    ['65 containers, where 64 are allowed', nested(65), { maxDepth: 64 }],
    ['2 containers, where 1 is allowed', nested(2), { maxDepth: 1 }],
    ['1,001 members', wide(1001), undefined],
    ['10,001 members, where 10,000 are allowed', wide(10_001), { maxKeys: 10_000, maxBytes: 262_144 }],
    ['a byte more than 64 KB', { a: 'x'.repeat(65_536 - 7) }, undefined],
    ['a byte more than 256 KB', { a: 'x'.repeat(262_144 - 7) }, { maxBytes: 262_144 }],
    ['a byte more than 64 KB of UTF-8', { a: `${'\u20ac'.repeat((65_536 - 10) / 3)}xxx` }, undefined],
    ['a byte more in pairs of surrogates', { a: '\ud83d\ude00'.repeat(65_536 / 4 - 1) }, undefined],
    ['control characters that escapes make six times as long', { a: '\u0001'.repeat(20_000) }, undefined],
    ['many elements', { a: new Array(40_000).fill(1) }, undefined],
    ['an array that claims to be endless', { a: new Array(2 ** 32 - 1) }, undefined],
  ])('refuse %s', (_, params, limits) => {
    expect(() => snapshot(params, limits)).toThrow(expect.objectContaining({ code: 'PARAMS_NOT_CANONICAL' }))
  })

  it('end while the text is being written, not after (PA-18)', () => {
    let reads = 0
    const element = {
      get a() {
        reads++
        return 'x'.repeat(1000)
      },
    }
    expect(() => snapshot({ list: new Array(100_000).fill(element) }, { maxKeys: 10_000 })).toThrow(
      expect.objectContaining({ code: 'PARAMS_NOT_CANONICAL' }),
    )
    expect(reads).toBeLessThan(70)
  })

  it.each<[string, ParamsLimits]>([
    ['more than 256 KB', { maxBytes: 262_145 }],
    ['more than 64 containers', { maxDepth: 65 }],
    ['more than 10,000 members', { maxKeys: 10_001 }],
    ['zero', { maxDepth: 0 }],
    ['a fraction', { maxKeys: 1.5 }],
    ['NaN', { maxBytes: Number.NaN }],
    ['infinity', { maxBytes: Infinity }],
    ['a text', { maxBytes: '65536' as never }],
  ])('cannot be set to %s', (_, limits) => {
    expect(() => snapshot({}, limits)).toThrow(TypeError)
  })
})

describe('after V8 has misread a name (PA-14)', () => {
  // nodejs/node#63785: once a name with a backslash was parsed, later objects of its shape are misread. In every process, twice.
  it.each(['{"w":0,"\\n":2}', '{"w":0,"\\t":2}', '{"w":0,"\\"":2}', '{"w":0,"\\u0061":2}'])(
    'nothing is digested for %s unless it is right',
    (json) => {
      JSON.parse('{"w":0,"\\\\":1}')
      JSON.parse('{"w":0,"\\\\":1}')
      const wanted = { '{"w":0,"\\u0061":2}': '{"a":2,"w":0}' }[json]
      let text: string | undefined
      try {
        text = snapshot(JSON.parse(json)).canonical
      } catch (error) {
        expect(error).toMatchObject({ code: 'PARAMS_NOT_CANONICAL' })
      }
      expect([undefined, wanted]).toContain(text)
    },
  )
})

describe('mutableCopy', () => {
  it('can be written to, and does not touch the snapshot', () => {
    const { value } = snapshot({ items: [{ amount: 50 }] })
    const copy = mutableCopy(value)
    ;(copy.items as { amount: number }[])[0] = { amount: 5000 }
    expect([copy, value]).toEqual([{ items: [{ amount: 5000 }] }, { items: [{ amount: 50 }] }])
  })

  it('is of plain objects and arrays', () => {
    const copy = mutableCopy(snapshot({ a: [{}] }).value)
    expect([Object.getPrototypeOf(copy), Array.isArray(copy.a)]).toEqual([Object.prototype, true])
  })

  it('says the same', () => {
    const made = snapshot({ a: [1, 'x', null, true, { b: 1.5 }] })
    expect(canonicalJson(mutableCopy(made.value))).toBe(made.canonical)
  })
})

function wide(keys: number): JsonObject {
  return Object.fromEntries(Array.from({ length: keys }, (_, index) => [`k${index}`, 0]))
}

class Money {
  #amount = 1
  get amount(): number {
    return this.#amount
  }
}
