import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseStrictJson } from '../src/strict-json.js'

const refused = (field: string) => expect.objectContaining({ code: 'INVALID_FIELD', field })
const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31)

describe('parseStrictJson', () => {
  it.each([
    '{}',
    ' [ ] ',
    'null',
    '"a text: with, {signs} [of] \\"all\\" kinds"',
    '{"a":{"b":[1,{"c":"d"}]},"e":-1.5e3,"f":true,"g":null}',
    '{"a":"b\\n","c":["\\u0061:"],"d":"\\\\"}',
    '{"a":{"x":1},"b":{"x":1}}',
    '[{"x":1},{"x":1}]',
    '{ "a" \t\r\n : 1 }',
    '{"":1}',
    '{"a":"a","b":"a"}',
  ])('gives what JSON.parse gives for %s', (text) => {
    expect(parseStrictJson(text)).toEqual(JSON.parse(text))
  })

  it.each<[string, string, string]>([
    ['a duplicate member', '{"a":1,"a":2}', '/a'],
    ['the same, further in', '{"x":[0,{"parameters":{"amount":50,"amount":5000}}]}', '/x/1/parameters/amount'],
    ['the same, after whitespace', '{"a" :1,\n"a"\t: 2}', '/a'],
    ['the same, after a nested object', '{"a":{"b":1},"a":2}', '/a'],
    ['the same, after a text with signs in it', '{"a":"}],\\"a\\":{","a":2}', '/a'],
    ['the empty name twice', '{"":1,"":2}', '/'],
    ['a step of the pointer is escaped', '{"a/b":1,"a/b":2}', '/a~1b'],
    ['an escaped name', '{"x":{"\\u0061mount":1}}', '/x'],
    ['an escaped name that duplicates another', '{"amount":1,"\\u0061mount":2}', ''],
    ['an escaped line feed in a name', '{"a\\n":1}', ''],
    ['an escaped quote in a name', '{"a\\":":1}', ''],
    ['a member named __proto__', '{"a":{"__proto__":{}}}', '/a/__proto__'],
    ['no JSON', 'not json', ''],
    ['nothing', '', ''],
    ['a text that is never closed', '{"a', ''],
    ['more than one value', '{} {}', ''],
    ['a comma too many', '{"a":1,}', ''],
    ['a byte order mark', '\ufeff{}', ''],
  ])('refuses %s', (_, text, pointer) => {
    expect(() => parseStrictJson(text)).toThrow(refused(pointer))
  })

  it.each<[number, string, string]>([
    [3, '{"a":[{"b":[]}]}', '/a/0/b'],
    [1, '[0,[]]', '/1'],
    [2, '{"a":1,"b":{"c":{}}}', '/b/c'],
  ])('refuses what is deeper than %i', (maxDepth, text, pointer) => {
    expect(() => parseStrictJson(text, { maxDepth })).toThrow(refused(pointer))
  })

  it('refuses a million open brackets without reading them all', () => {
    expect(() => parseStrictJson('['.repeat(1_000_000))).toThrow(refused('/0'.repeat(80)))
  })

  it('takes the deepest params, inside a body', () => {
    expect(() => parseStrictJson(`{"parameters":${'{"a":'.repeat(64)}1${'}'.repeat(65)}`)).not.toThrow()
  })

  it('names no value in its message, and keeps no cause that would', () => {
    let thrown: unknown
    try {
      parseStrictJson('{"password":"hunter2","x":}')
    } catch (error) {
      thrown = error
    }
    expect([String(thrown), (thrown as Error).cause]).toEqual([expect.not.stringContaining('hunter2'), undefined])
  })

  it('keeps control characters of names out of its message', () => {
    expect(() => parseStrictJson('{"a\nforged":1,"a\nforged":2}')).toThrow('INVALID_FIELD: /a\\nforged: occurs twice')
  })

  it('never lets V8 misread a name: a poisoned text does not reach the parser', () => {
    expect(() => parseStrictJson('{"w":0,"\\\\":1}')).toThrow(refused(''))
  })

  it(`gives what JSON.parse gives for any text without escaped names (seed ${seed})`, () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(0, 1, '\t'), (value, indent) => {
        const text = JSON.stringify(value, null, indent)
        fc.pre(!hasAwkwardName(value))
        expect(parseStrictJson(text)).toEqual(JSON.parse(text))
      }),
      { seed, numRuns: 1000 },
    )
  })

  it(`finds a member doubled anywhere (seed ${seed})`, () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('array', 'object'), { maxLength: 10 }), fc.string(), (path, noise) => {
        const quoted = JSON.stringify(noise)
        let text = `{"x":${quoted},"y":[${quoted}],"x":1}`
        for (const step of path) text = step === 'array' ? `[${quoted},${text}]` : `{"z":${quoted},"w":${text}}`
        expect(() => parseStrictJson(text)).toThrow(
          refused(
            `${path
              .map((step) => (step === 'array' ? '/1' : '/w'))
              .reverse()
              .join('')}/x`,
          ),
        )
      }),
      { seed, numRuns: 500 },
    )
  })
})

function hasAwkwardName(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(value).some(
    ([name, member]) => name === '__proto__' || JSON.stringify(name).includes('\\') || hasAwkwardName(member),
  )
}
