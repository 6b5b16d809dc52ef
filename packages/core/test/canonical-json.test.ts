import { readFileSync } from 'node:fs'
import canonicalize from 'canonicalize'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson } from '../src/canonical-json.js'
import { isSilentAuthError } from '../src/errors.js'

interface Vectors {
  texts: { name: string; json: string; canonical: string }[]
  numbers: { bits: string; text: string | null }[]
  refusals: { name: string; json: string; pointer: string }[]
}
const vectors = JSON.parse(
  readFileSync(new URL('../../../test/vectors/canonical.json', import.meta.url), 'utf8'),
) as Vectors

const refused = (field: string) => expect.objectContaining({ code: 'PARAMS_NOT_CANONICAL', field })
/** Printed with every failure, so that a run can be repeated: SEED=… vitest run … */
const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31)

describe('canonicalJson', () => {
  it.each(vectors.texts)('writes $name', ({ json, canonical }) => {
    expect(canonicalJson(JSON.parse(json))).toBe(canonical)
  })

  it.each(vectors.numbers.filter(({ text }) => text !== null))('writes the double $bits as $text', ({ bits, text }) => {
    expect(canonicalJson(doubleOf(bits))).toBe(text)
  })

  it.each(vectors.numbers.filter(({ text }) => text === null))('refuses the double $bits', ({ bits }) => {
    expect(() => canonicalJson(doubleOf(bits))).toThrow(refused(''))
  })

  it.each(vectors.refusals)('refuses $name', ({ json, pointer }) => {
    expect(() => canonicalJson(JSON.parse(json))).toThrow(refused(pointer))
  })

  it.each<[string, unknown, string]>([
    ['undefined', undefined, ''],
    ['an undefined member', { a: undefined }, '/a'],
    ['a hole in an array', { a: new Array(1) }, '/a/0'],
    ['a function', { a: { b: () => 1 } }, '/a/b'],
    ['a bigint', [1n], '/0'],
    ['a symbol', [Symbol('x')], '/0'],
    ['a symbol as a key', { a: { [Symbol('x')]: 1 } }, '/a'],
    ['a Date', { a: new Date(0) }, '/a'],
    ['a Map', new Map([['a', 1]]), ''],
    ['a boxed number', { a: Object(1) }, '/a'],
    ['bytes', { a: new Uint8Array(1) }, '/a'],
    ['inherited members', Object.create({ amount: 1 }), ''],
    ['a subclass of Array', { a: new (class extends Array {})() }, '/a'],
    ['toJSON, which is a function', { a: { toJSON: () => 1 } }, '/a/toJSON'],
  ])('refuses %s', (_, value, pointer) => {
    expect(() => canonicalJson(value)).toThrow(refused(pointer))
  })

  it('ends a cycle', () => {
    const cycle: Record<string, unknown> = {}
    cycle.self = cycle
    expect(() => canonicalJson(cycle)).toThrow(refused('/self'.repeat(100)))
  })

  it('takes objects without a prototype', () => {
    expect(canonicalJson(Object.assign(Object.create(null), { a: 1 }))).toBe('{"a":1}')
  })

  it('writes names that need escaping, as RFC 8785 does; only params may not have them', () => {
    expect(canonicalJson({ '\n': 1, '"': 2 })).toBe('{"\\n":1,"\\"":2}')
  })

  it('keeps values out of its messages, and control characters of names', () => {
    let message = ''
    try {
      canonicalJson({ 'a\nforged line': Number.NaN, secret: 'hunter2' })
    } catch (error) {
      if (isSilentAuthError(error)) message = error.message
    }
    expect(message).toBe('PARAMS_NOT_CANONICAL: /a\\nforged line: not a finite number')
  })

  it(`agrees with the canonicalize package on plain JSON (seed ${seed})`, () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        const plain = JSON.parse(JSON.stringify(value)) as unknown
        fc.pre(!hasProto(plain))
        expect(canonicalJson(plain)).toBe(canonicalize(plain))
      }),
      { seed, numRuns: 1000 },
    )
  })

  it(`agrees with the canonicalize package on any well-formed text and any double (seed ${seed})`, () => {
    const letters = fc.oneof(fc.integer({ min: 0, max: 0xd7ff }), fc.integer({ min: 0xe000, max: 0x10ffff }))
    const text = fc.array(letters, { maxLength: 30 }).map((points) => String.fromCodePoint(...points))
    fc.assert(
      fc.property(fc.dictionary(text, fc.oneof(text, fc.double({ noNaN: true, noDefaultInfinity: true }))), (value) => {
        fc.pre(!hasProto(value))
        expect(canonicalJson(value)).toBe(canonicalize(value))
      }),
      { seed, numRuns: 1000 },
    )
  })

  it(`is a fixed point: parsing and writing again gives the same text (seed ${seed})`, () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        fc.pre(!hasProto(value))
        const text = canonicalJson(value)
        expect(canonicalJson(JSON.parse(text))).toBe(text)
      }),
      { seed, numRuns: 500 },
    )
  })
})

function doubleOf(bits: string): number {
  const view = new DataView(new ArrayBuffer(8))
  view.setBigUint64(0, BigInt(`0x${bits}`))
  return view.getFloat64(0)
}

function hasProto(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return Object.hasOwn(value, '__proto__') || Object.values(value).some(hasProto)
}
