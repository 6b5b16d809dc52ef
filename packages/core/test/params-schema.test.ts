import { describe, expect, it } from 'vitest'
import { assertClosed, type ParamsSchema, parseParamsSchema } from '../src/params-schema.js'
import { refusalOf } from './refusal-of.js'

const fieldOf = (run: () => unknown) => refusalOf(run)?.field

describe('parseParamsSchema', () => {
  it('takes every keyword of the list', () => {
    const schema = {
      type: ['object', 'null'],
      properties: {
        text: { type: 'string', minLength: 1, maxLength: 9, enum: ['a', 'b'] },
        number: { type: 'number', minimum: 0, maximum: 9, exclusiveMinimum: -1, exclusiveMaximum: 10 },
        list: { type: 'array', items: { const: null }, minItems: 0, maxItems: 3 },
      },
      required: ['text'],
      additionalProperties: { not: { type: 'boolean' } },
      allOf: [{}],
      anyOf: [{}, { additionalProperties: true }],
    }
    expect(parseParamsSchema(schema)).toEqual(schema)
  })

  it('gives a copy that nobody can change', () => {
    const schema = { properties: { amount: { maximum: 100 } } }
    const parsed = parseParamsSchema(schema)
    schema.properties.amount.maximum = 1_000_000
    expect(parsed.properties?.amount).toEqual({ maximum: 100 })
    expect(Object.isFrozen(parsed.properties?.amount)).toBe(true)
  })

  it.each([
    ['pattern', { properties: { a: { pattern: '(a+)+$' } } }, '/properties/a/pattern'],
    ['$ref', { $ref: '#' }, '/$ref'],
    ['oneOf', { anyOf: [{}, { oneOf: [{}] }] }, '/anyOf/1/oneOf'],
    ['if', { not: { if: {} } }, '/not/if'],
    ['format', { items: { format: 'email' } }, '/items/format'],
    ['multipleOf', { multipleOf: 2 }, '/multipleOf'],
    ['uniqueItems', { uniqueItems: true }, '/uniqueItems'],
    ['patternProperties', { patternProperties: {} }, '/patternProperties'],
    ['$schema', { $schema: 'https://json-schema.org/draft/2020-12/schema' }, '/$schema'],
    ['description', { description: 'x' }, '/description'],
    ['a name of every object', { constructor: {} }, '/constructor'],
    ['a name with a slash and a tilde', { properties: { 'a/b~c': { title: 'x' } } }, '/properties/a~1b~0c/title'],
  ])('refuses %s, which is not in the list, by its pointer', (_, schema, field) => {
    expect(refusalOf(() => parseParamsSchema(schema))).toMatchObject({ code: 'INVALID_FIELD', field })
  })

  it.each([
    ['an unknown type', { type: 'date' }, '/type'],
    ['no type at all', { type: [] }, '/type'],
    ['a type twice', { type: ['string', 'string'] }, '/type'],
    ['properties as a list', { properties: [] }, '/properties'],
    ['a boolean schema', { properties: { a: true } }, '/properties/a'],
    ['required as a text', { required: 'a' }, '/required'],
    ['required with a number', { required: [1] }, '/required'],
    ['required twice', { required: ['a', 'a'] }, '/required'],
    ['additionalProperties as a text', { additionalProperties: 'false' }, '/additionalProperties'],
    ['items as a list', { items: [{}] }, '/items'],
    ['minItems below zero', { minItems: -1 }, '/minItems'],
    ['maxLength with a fraction', { maxLength: 1.5 }, '/maxLength'],
    ['minimum as a text', { minimum: '0' }, '/minimum'],
    ['exclusiveMaximum as a boolean', { exclusiveMaximum: true }, '/exclusiveMaximum'],
    ['an empty enum', { enum: [] }, '/enum'],
    ['an enum that is none', { enum: 'a' }, '/enum'],
    ['an empty anyOf', { anyOf: [] }, '/anyOf'],
    ['allOf as an object', { allOf: {} }, '/allOf'],
    ['not as a boolean', { not: false }, '/not'],
    ['a list', [], ''],
    ['a text', 'object', ''],
    ['a number beyond numbers', { maximum: Number.POSITIVE_INFINITY }, '/maximum'],
    ['something that is no JSON', { const: new Date(0) }, '/const'],
    ['a member named __proto__', JSON.parse('{"properties":{"__proto__":{}}}'), '/properties/__proto__'],
  ])('refuses %s', (_, schema, field) => {
    expect(refusalOf(() => parseParamsSchema(schema))).toMatchObject({ code: 'INVALID_FIELD', field })
  })

  it('begins its pointers where the schema stands', () => {
    expect(fieldOf(() => parseParamsSchema({ $ref: '#' }, '/match/params_schema'))).toBe('/match/params_schema/$ref')
  })

  it.each([
    ['deep', Array.from({ length: 50 }).reduce((inner: object) => ({ not: inner }), {})],
    ['long', { enum: ['x'.repeat(40_000)] }],
    ['wide', { anyOf: Array.from({ length: 501 }, () => ({})) }],
  ])('refuses a schema that is too %s', (_, schema) => {
    expect(refusalOf(() => parseParamsSchema(schema))?.code).toBe('INVALID_FIELD')
  })
})

/** A closed object with one property. */
const around = (property: object, change: object = {}): ParamsSchema =>
  parseParamsSchema({
    type: 'object',
    properties: { a: property },
    required: ['a'],
    additionalProperties: false,
    ...change,
  })

describe('assertClosed', () => {
  const number = { type: 'number', minimum: 0, maximum: 100 }
  it.each([
    ['an object without members', parseParamsSchema({ type: 'object', additionalProperties: false })],
    ['a text', around({ type: 'string' })],
    ['a boolean or null', around({ type: ['boolean', 'null'] })],
    ['a number with bounds', around(number)],
    ['a number with exclusive bounds', around({ type: 'integer', exclusiveMinimum: 0, exclusiveMaximum: 9 })],
    ['a number that is listed', around({ type: 'number', enum: [1, 2] })],
    ['a text that is given', around({ type: 'string', const: 'eu' })],
    ['a list of closed items', around({ type: 'array', items: number })],
    ['an object in an object', around({ type: 'object', additionalProperties: false })],
    ['a choice of closed parts', around({ anyOf: [{ type: 'string' }, number] })],
    ['an intersection with one closed part', around({ allOf: [{ not: { const: 'x' } }, { type: 'string' }] })],
    ['a closed schema that is narrowed further', around(number, { not: { properties: { a: { const: 5 } } } })],
  ])('accepts %s', (_, schema) => {
    expect(() => assertClosed(schema)).not.toThrow()
  })

  it.each([
    ['anything', parseParamsSchema({}), ''],
    ['the root without a type', parseParamsSchema({ additionalProperties: false }), ''],
    ['a root that is no object', parseParamsSchema({ type: 'string' }), '/type'],
    ['an open root', parseParamsSchema({ type: 'object' }), ''],
    ['additionalProperties: true', around({ type: 'string' }, { additionalProperties: true }), ''],
    ['additionalProperties as a schema', around({ type: 'string' }, { additionalProperties: number }), ''],
    ['a property without a type', around({}), '/properties/a'],
    ['a listed value without a type', around({ enum: ['a'] }), '/properties/a'],
    ['a property that is not required', around({ type: 'string' }, { required: [] }), '/properties/a'],
    ['a number without bounds', around({ type: 'number' }), '/properties/a'],
    ['a number without minimum', around({ type: 'number', maximum: 100 }), '/properties/a'],
    ['a number without maximum', around({ type: 'integer', minimum: 0 }), '/properties/a'],
    ['a number beside another type', around({ type: ['string', 'number'] }), '/properties/a'],
    ['a list of anything', around({ type: 'array' }), '/properties/a'],
    ['a list of open items', around({ type: 'array', items: { type: 'number' } }), '/properties/a/items'],
    ['an open object inside', around({ type: 'object' }), '/properties/a'],
    [
      'an open object in a list',
      around({ type: 'array', items: { type: 'object', properties: {} } }),
      '/properties/a/items',
    ],
    [
      'a choice with an open part',
      around({ anyOf: [{ type: 'string' }, { type: 'number' }] }),
      '/properties/a/anyOf/1',
    ],
    ['an intersection of open parts', around({ allOf: [{ minimum: 0 }, { maximum: 9 }] }), '/properties/a'],
    ['a negation', around({ not: { type: 'string' } }), '/properties/a'],
    [
      'a name with a slash',
      parseParamsSchema({ type: 'object', properties: { 'a/b': {} }, required: ['a/b'], additionalProperties: false }),
      '/properties/a~1b',
    ],
  ])('refuses %s, by its pointer', (_, schema, field) => {
    expect(refusalOf(() => assertClosed(schema))).toMatchObject({ code: 'INVALID_FIELD', field })
  })

  it('begins its pointers where the schema stands', () => {
    expect(fieldOf(() => assertClosed(around({}), '/match/params_schema'))).toBe('/match/params_schema/properties/a')
  })
})
