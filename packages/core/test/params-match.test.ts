import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Json, JsonObject } from '../src/json.js'
import { compileParamsMatch } from '../src/params-match.js'
import { refusalOf } from './refusal-of.js'

const amountOf = (constraint: JsonObject): JsonObject => ({
  type: 'object',
  properties: { amount: constraint },
  required: ['amount'],
})
/** CONTRACT §4: refunds over 100 need two people. */
const over100 = amountOf({ type: 'number', minimum: 100 })

const stricter = (schema: JsonObject, params: JsonObject) => compileParamsMatch(schema, 'require_approval')(params)
const approved = (schema: JsonObject, params: JsonObject) => compileParamsMatch(schema, 'auto_approve')(params)

describe('a stricter decision', () => {
  it.each([
    ['the number', { amount: 100 }, true],
    ['1e2', { amount: 1e2 }, true],
    ['a larger number', { amount: 5000 }, true],
    ['a smaller number', { amount: 99.99 }, false],
    ['a number below zero', { amount: -5000 }, false],
    ['a text', { amount: '5000' }, true],
    ['a text with a smaller number', { amount: '5' }, true],
    ['an empty text', { amount: '' }, true],
    ['a list', { amount: [100] }, true],
    ['an empty list', { amount: [] }, true],
    ['an operator', { amount: { $gt: 0 } }, true],
    ['null', { amount: null }, true],
    ['true', { amount: true }, true],
    ['nothing', {}, true],
    ['another spelling of the name', { Amount: 5000 }, true],
    ['a member beside it', { amount: 99, note: 'x' }, false],
  ])('over 100: %s', (_, params: JsonObject, expected) => {
    expect(stricter(over100, params)).toBe(expected)
  })

  const nested = {
    properties: { order: { properties: { lines: { items: amountOf({ minimum: 100 }) } }, required: ['lines'] } },
    required: ['order'],
  }
  it.each([
    ['as meant', { order: { lines: [{ amount: 100 }] } }, true],
    ['below', { order: { lines: [{ amount: 99 }] } }, false],
    ['one below, by the letter of items', { order: { lines: [{ amount: 100 }, { amount: 1 }] } }, false],
    ['a text in place of the order', { order: '{"lines":[{"amount":5000}]}' }, true],
    ['a list in place of the order', { order: [{ lines: [{ amount: 5000 }] }] }, true],
    ['an object in place of the list', { order: { lines: { 0: { amount: 5000 } } } }, true],
    ['a number in place of a line', { order: { lines: [5000] } }, true],
    ['a text as the amount', { order: { lines: [{ amount: '5000' }] } }, true],
    ['a line without amount', { order: { lines: [{}] } }, true],
    ['no lines', { order: {} }, true],
    ['an empty list of lines', { order: { lines: [] } }, true],
    ['no order', {}, true],
  ])('over 100 in a list in an object: %s', (_, params: JsonObject, expected) => {
    expect(stricter(nested, params)).toBe(expected)
  })

  /** The params are `{ value }`. */
  it.each<[string, JsonObject, Json, boolean]>([
    ['type', { type: 'number' }, 'x', true],
    ['type, of several', { type: ['number', 'null'] }, 'x', true],
    ['integer', { type: 'integer' }, 1.5, true],
    ['maximum', { maximum: 100 }, 101, false],
    ['maximum', { maximum: 100 }, '5000', true],
    ['exclusiveMinimum', { exclusiveMinimum: 100 }, 100, false],
    ['exclusiveMinimum', { exclusiveMinimum: 100 }, 100.01, true],
    ['exclusiveMaximum', { exclusiveMaximum: 100 }, 100, false],
    ['exclusiveMaximum', { exclusiveMaximum: 100 }, null, true],
    ['minLength', { minLength: 3 }, 'ab', false],
    ['minLength, in code points', { minLength: 3 }, '😀😀', false],
    ['minLength', { minLength: 3 }, 1, true],
    ['maxLength', { maxLength: 3 }, 'abcd', false],
    ['maxLength', { maxLength: 3 }, ['abcd'], true],
    ['minItems', { minItems: 2 }, [1], false],
    ['minItems', { minItems: 2 }, 'ab', true],
    ['maxItems', { maxItems: 1 }, [1, 2], false],
    ['maxItems', { maxItems: 1 }, { length: 9 }, true],
    ['items', { items: { maximum: 9 } }, [1, 99], false],
    ['items', { items: { maximum: 9 } }, [1, '99'], true],
    ['items', { items: { maximum: 9 } }, 99, true],
    ['const', { const: 'prod' }, 'prod', true],
    ['const', { const: 'prod' }, 'staging', false],
    ['const', { const: 'prod' }, ['prod'], true],
    ['const', { const: 'prod' }, null, true],
    ['const', { const: true }, 'true', true],
    ['const', { const: true }, 1, true],
    ['const', { const: true }, false, false],
    ['const', { const: null }, null, true],
    ['const, an object', { const: { a: [1] } }, { a: [1] }, true],
    ['const, an object', { const: { a: [1] } }, { a: [2] }, false],
    ['const, another type inside', { const: { a: [1] } }, { a: ['1'] }, true],
    ['const, a member more', { const: { a: 1 } }, { a: 1, b: 2 }, true],
    ['const, a member more and one that differs', { const: { a: 1 } }, { a: 2, b: 2 }, false],
    ['const, a longer list', { const: [1] }, [1, 1], false],
    ['enum', { enum: ['prod', 'live'] }, 'live', true],
    ['enum', { enum: ['prod', 'live'] }, 'staging', false],
    ['enum', { enum: ['prod', 'live'] }, { name: 'prod' }, true],
    ['enum, of several types', { enum: [1, 'x'] }, '1', true],
    ['properties', { properties: { a: { maximum: 9 } } }, { a: 10 }, false],
    ['properties', { properties: { a: { maximum: 9 } } }, {}, true],
    ['properties', { properties: { a: { maximum: 9 } } }, [10], true],
    ['additionalProperties: false', { additionalProperties: false }, { decoy: 1 }, true],
    ['additionalProperties', { additionalProperties: { maximum: 9 } }, { decoy: 10 }, true],
    ['allOf', { allOf: [{ minimum: 1 }, { maximum: 9 }] }, 10, false],
    ['allOf', { allOf: [{ minimum: 1 }, { maximum: 9 }] }, '10', true],
    ['anyOf', { anyOf: [{ minimum: 100 }, { maximum: 9 }] }, 50, false],
    ['anyOf', { anyOf: [{ minimum: 100 }, { maximum: 9 }] }, '50', true],
    ['anyOf, of types', { anyOf: [{ minimum: 100 }, { minLength: 9 }] }, 1, true],
    ['not', { not: { maximum: 100 } }, 101, true],
    ['not', { not: { maximum: 100 } }, 100, false],
    ['not, the case that JSON Schema alone lets pass', { not: { maximum: 100 } }, '5000', true],
    ['not, of a type', { not: { type: 'number', maximum: 100 } }, [5], true],
    ['not, of a list', { not: { enum: ['staging'] } }, 'staging', false],
    ['not, of a list', { not: { enum: ['staging'] } }, ['staging'], true],
    ['not of not', { not: { not: { maximum: 100 } } }, '5000', true],
    ['not of not', { not: { not: { maximum: 100 } } }, 101, false],
    ['nothing at all', {}, 1, true],
  ])('%s: %j with %j is %s', (_, constraint, value, expected) => {
    expect(stricter({ properties: { value: constraint } }, { value })).toBe(expected)
  })

  it.each<[string, JsonObject, JsonObject, boolean]>([
    ['only required, and absent', { required: ['bcc'] }, {}, false],
    ['only required, and present', { required: ['bcc'] }, { bcc: null }, true],
    ['required to be absent, and present', { not: { required: ['ticket'] } }, { ticket: 'x' }, false],
    ['required to be absent, and absent', { not: { required: ['ticket'] } }, {}, true],
    ['required by one part, constrained by another', { allOf: [over100, { required: ['amount'] }] }, {}, true],
    ['a property that says nothing', { properties: { bcc: {} }, required: ['bcc'] }, {}, false],
    ['a name that every object has', { required: ['toString'] }, {}, false],
    ['a constrained name that every object has', { properties: { toString: { maximum: 9 } } }, {}, true],
  ])('a member that is %s', (_, schema, params, expected) => {
    expect(stricter(schema, params)).toBe(expected)
  })

  it('holds for auto_deny as for require_approval', () => {
    expect(compileParamsMatch(over100, 'auto_deny')({ amount: '5000' })).toBe(true)
  })
})

describe('auto_approve', () => {
  const upTo100 = { ...amountOf({ type: 'number', minimum: 0, maximum: 100 }), additionalProperties: false }
  it.each([
    ['the number', { amount: 100 }, true],
    ['a larger number', { amount: 100.01 }, false],
    ['a number below', { amount: -1 }, false],
    ['a text', { amount: '5' }, false],
    ['a list', { amount: [5] }, false],
    ['an operator', { amount: { $lt: 100 } }, false],
    ['null', { amount: null }, false],
    ['nothing', {}, false],
    ['a member beside it', { amount: 5, note: 'x' }, false],
    ['another spelling of the name', { Amount: 5 }, false],
    ['an own member of the name of an inherited one', { amount: 5, toString: 'x' }, false],
  ])('up to 100: %s', (_, params: JsonObject, expected) => {
    expect(approved(upTo100, params)).toBe(expected)
  })

  it.each<[string, JsonObject, Json, boolean]>([
    ['integer', { type: 'integer' }, 1.5, false],
    ['integer', { type: 'integer' }, 2, true],
    ['enum', { enum: ['eu', { a: 1 }] }, { a: 1 }, true],
    ['enum', { enum: ['eu', { a: 1 }] }, { a: '1' }, false],
    ['const', { const: null }, null, true],
    ['const', { const: 0 }, false, false],
    ['maxLength, in code points', { type: 'string', maxLength: 2 }, '😀😀', true],
    ['items', { type: 'array', items: { type: 'string' }, maxItems: 2 }, ['a', 1], false],
    ['not', { not: { maximum: 100 } }, '5000', false],
    ['anyOf', { anyOf: [{ type: 'string' }, { type: 'null' }] }, 1, false],
    ['allOf', { allOf: [{ type: 'number' }, { minimum: 5 }] }, 4, false],
  ])('%s: %j with %j is %s', (_, constraint, value, expected) => {
    expect(approved({ properties: { value: constraint } }, { value })).toBe(expected)
  })

  it('does not match what the validator cannot judge', () => {
    const lone = JSON.parse('{"\\ud800":1}') as JsonObject
    expect(approved({ properties: { '\ufffd': {} }, additionalProperties: { type: 'number' } }, lone)).toBe(false)
  })

  it('leaves the schema of the policy as it is', () => {
    const schema = Object.freeze({ type: 'object' })
    expect(approved(schema, {})).toBe(true)
  })
})

it.each(['auto_approve', 'auto_deny', 'require_approval'] as const)(
  '%s refuses a keyword that it would ignore',
  (decision) => {
    expect(refusalOf(() => compileParamsMatch({ pattern: 'x' }, decision))?.code).toBe('INVALID_FIELD')
  },
)

it('a stricter decision matches whatever JSON Schema matches', () => {
  const names = fc.constantFrom('a', 'b', 'c')
  const bounds = fc.constantFrom(0, 1, 2, 100)
  const scalars = fc.constantFrom<Json>(null, true, 0, 1, 2.5, 100, '', 'x', 'xyz', '100')
  const lists = fc.array(scalars, { maxLength: 3 })
  const objects = fc.dictionary(names, fc.oneof(scalars, lists), { maxKeys: 3, noNullPrototype: true })
  const values = fc.oneof(scalars, lists, objects, fc.array(objects, { maxLength: 2 }))
  const keyword = fc.oneof(
    fc.record({ type: fc.constantFrom('null', 'boolean', 'number', 'integer', 'string', 'array', 'object') }),
    fc.record({ minimum: bounds }),
    fc.record({ exclusiveMaximum: bounds }),
    fc.record({ minLength: bounds }),
    fc.record({ maxItems: bounds }),
    fc.record({ const: values }),
    fc.record({ enum: fc.array(values, { minLength: 1, maxLength: 3 }) }),
    fc.record({ required: fc.uniqueArray(names) }),
    fc.constant({ additionalProperties: false }),
  ) as fc.Arbitrary<JsonObject>
  const around = (inner: fc.Arbitrary<JsonObject>) =>
    fc.oneof(
      keyword,
      fc.record({ properties: fc.dictionary(names, inner, { maxKeys: 2, noNullPrototype: true }) }),
      fc.record({ additionalProperties: inner }),
      fc.record({ items: inner }),
      fc.record({ allOf: fc.tuple(inner, inner) }),
      fc.record({ anyOf: fc.tuple(inner, inner) }),
      fc.record({ not: inner }),
    ) as fc.Arbitrary<JsonObject>
  const schemas = fc.record({
    properties: fc.record({ a: around(around(keyword)), b: around(keyword) }),
    not: around(keyword),
  })
  const params = fc.record({ a: values, b: values })
  fc.assert(
    fc.property(schemas, params, (schema, value) => !approved(schema, value) || stricter(schema, value)),
    { numRuns: 5000 },
  )
})
