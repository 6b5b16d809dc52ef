import { describe, expect, it } from 'vitest'
import { editSchema, satisfiesEditSchema } from '../src/edit-schema.js'
import type { JsonObject } from '../src/json.js'
import { refusalOf } from './refusal-of.js'

/** Each level holds the one below ten times. */
function laughs(levels: number): JsonObject {
  const defs: Record<string, JsonObject> = { d0: { type: 'string' } }
  for (let level = 1; level <= levels; level++) {
    defs[`d${level}`] = { anyOf: Array.from({ length: 10 }, () => ({ $ref: `#/$defs/d${level - 1}` })) }
  }
  return { $defs: defs, $ref: `#/$defs/d${levels}` }
}

/** Each level holds the one below once. */
function nested(levels: number): JsonObject {
  const defs: Record<string, JsonObject> = { d0: { type: 'string' } }
  for (let level = 1; level <= levels; level++) defs[`d${level}`] = { not: { $ref: `#/$defs/d${level - 1}` } }
  return { $defs: defs, $ref: `#/$defs/d${levels}` }
}

describe('editSchema', () => {
  it.each<[string, JsonObject]>([
    ['recursive', { properties: { child: { $ref: '#' } } }],
    ['recursive in two steps', { $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } }, $ref: '#/$defs/a' }],
    ['small, and large with its references followed', laughs(9)],
    ['nested too deep for its evaluator', nested(30)],
    ['wide', { enum: Array.from({ length: 3000 }, (_, index) => index) }],
    ['about another document', { $ref: 'https://example.com/schema.json' }],
    ['about a file', { $ref: 'file:///etc/passwd' }],
    ['about nothing', { $ref: '#/$defs/none' }],
    ['about a member of the language', { $ref: '#/constructor' }],
    ['about what is no schema', { const: { pattern: '(a+)+$' }, properties: { x: { $ref: '#/const' } } }],
    ['about a map, which would be read as a schema', { properties: { pattern: {} }, not: { $ref: '#/properties' } }],
    ['malformed in a reference', { $ref: '#/%' }],
    ['dynamic', { $dynamicRef: '#meta' }],
    ['no schema within', { properties: { amount: 5 } }],
    ['no map of schemas', { properties: [] }],
  ])('refuses what is %s', (_, schema) => {
    expect(refusalOf(() => editSchema(schema))?.code).toMatch(/^(INVALID_FIELD|PARAMS_NOT_CANONICAL)$/)
  })

  it('keeps the schema as it was written, frozen', () => {
    const schema = { type: 'object', description: 'a refund', properties: { amount: { pattern: 'x' } } }
    const kept = editSchema(schema)
    expect([kept, Object.isFrozen(kept), kept === schema]).toEqual([schema, true, false])
  })
})

describe('satisfiesEditSchema', () => {
  const refund: JsonObject = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    properties: {
      amount: { $ref: '#/$defs/amount' },
      currency: { enum: ['EUR', 'USD'] },
      lines: { type: 'array', items: { type: 'object', required: ['sku'] }, maxItems: 2 },
    },
    required: ['amount'],
    additionalProperties: false,
    $defs: { amount: { type: 'number', minimum: 1, maximum: 100 } },
  }

  it.each<[JsonObject, boolean]>([
    [{ amount: 5 }, true],
    [{ amount: 5, currency: 'EUR', lines: [{ sku: 'a' }] }, true],
    [{ amount: 500 }, false],
    [{ amount: '5' }, false],
    [{}, false],
    [{ amount: 5, currency: 'GBP' }, false],
    [{ amount: 5, lines: [{}] }, false],
    [{ amount: 5, lines: [{ sku: 1 }, { sku: 2 }, { sku: 3 }] }, false],
    [{ amount: 5, extra: true }, false],
    [{ amount: 5, constructor: true }, false],
  ])('of %o is %s', (params, satisfied) => {
    expect(satisfiesEditSchema(editSchema(refund), params)).toBe(satisfied)
  })

  it.each(['pattern', 'format', 'id', '$id', '$ref', 'uniqueItems', 'enum'])(
    'takes a param called %s for a param, not for a keyword',
    (name) => {
      const schema = editSchema({
        properties: { [name]: { type: 'string' } },
        required: [name],
        additionalProperties: false,
      })
      expect([satisfiesEditSchema(schema, { [name]: 'a' }), satisfiesEditSchema(schema, { [name]: 1 })]).toEqual([
        true,
        false,
      ])
    },
  )

  it('compares values as they are, also those that look like keywords', () => {
    const schema = editSchema({ properties: { filter: { const: { pattern: '^a', format: 'b' } } } })
    expect([
      satisfiesEditSchema(schema, { filter: { pattern: '^a', format: 'b' } }),
      satisfiesEditSchema(schema, { filter: {} }),
    ]).toEqual([true, false])
  })

  it('applies a reference together with what stands beside it', () => {
    const schema = editSchema({
      $defs: { text: { type: 'string' } },
      properties: { name: { $ref: '#/$defs/text', maxLength: 2 } },
    })
    const results = ['ab', 'abc', 1].map((name) => satisfiesEditSchema(schema, { name }))
    expect(results).toEqual([true, false, false])
  })

  it.each<[string, JsonObject, JsonObject]>([
    ['pattern', { properties: { name: { pattern: '^(a+)+$' } } }, { name: `${'a'.repeat(50)}!` }],
    ['patternProperties', { patternProperties: { '^(a+)+$': {} } }, { [`${'a'.repeat(50)}!`]: 1 }],
    ['format', { properties: { name: { format: 'email' } } }, { name: `${'a'.repeat(60_000)}@` }],
    ['uniqueItems', { properties: { list: { uniqueItems: true } } }, { list: Array.from({ length: 30_000 }, () => 0) }],
  ])('does not run %s', (_, schema, params) => {
    expect(satisfiesEditSchema(editSchema(schema), params)).toBe(true)
  })

  it('refuses what would take it minutes', () => {
    const schema = editSchema({
      properties: { list: { items: { anyOf: Array.from({ length: 900 }, () => ({ type: 'string' })) } } },
    })
    const params = { list: Array.from({ length: 30_000 }, () => 0) }
    expect(refusalOf(() => satisfiesEditSchema(schema, params))?.code).toBe('TOO_LARGE')
  })

  it('takes a keyword that makes no sense for one that nothing satisfies', () => {
    expect(satisfiesEditSchema(editSchema({ required: 5 }), { amount: 1 })).toBe(false)
  })
})
