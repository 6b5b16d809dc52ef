/**
 * A params schema is the part of JSON Schema that a policy may say about params: a fixed list of keywords, bounded in size, and
 * for `auto_approve` closed, so that nothing is approved that its author did not write down.
 *
 * What matches a schema depends on the decision: `params-match.ts`.
 *
 * @module
 */
import { canonicalCopy } from './canonical-json.js'
import { isSilentAuthError, SilentAuthError } from './errors.js'
import { type Json, type JsonObject, pointerStep } from './json.js'

const TYPES = ['null', 'boolean', 'number', 'integer', 'string', 'array', 'object'] as const
export type SchemaType = (typeof TYPES)[number]

/** A checked schema, read by its keywords. */
export interface ParamsSchema {
  readonly type?: SchemaType | readonly SchemaType[]
  readonly properties?: Readonly<Record<string, ParamsSchema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | ParamsSchema
  readonly items?: ParamsSchema
  readonly minItems?: number
  readonly maxItems?: number
  readonly enum?: readonly Json[]
  readonly const?: Json
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
  readonly exclusiveMaximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly allOf?: readonly ParamsSchema[]
  readonly anyOf?: readonly ParamsSchema[]
  readonly not?: ParamsSchema
}

/** Far above what a person writes for one tool; params are at most 64 KB, so that a match stays bounded. */
const MAX_BYTES = 32_768
const MAX_CONTAINERS_DEEP = 40
const MAX_SUBSCHEMAS = 500

/**
 * A deep-frozen copy of a schema that uses only the known keywords, each with a value of its kind.
 *
 * @param at JSON pointer of the schema in what the caller parses; pointers in errors begin with it
 * @throws SilentAuthError `INVALID_FIELD` with the JSON pointer in `field`
 */
export function parseParamsSchema(schema: unknown, at = ''): JsonObject & ParamsSchema {
  const copy = plainCopy(schema, at)
  checkSchema(copy, at, { subschemas: 0 })
  return copy as JsonObject & ParamsSchema
}

/**
 * The closed-schema rule: every object says `additionalProperties: false`, every property is typed and required, every number is
 * bounded on both sides, and every array says what its items are. A value that `const` or `enum` pins is closed once it is typed.
 * `allOf` is closed when one of its parts is, `anyOf` when all are; `not` closes nothing.
 *
 * @throws SilentAuthError `INVALID_FIELD` with the pointer of the first open part
 */
export function assertClosed(schema: ParamsSchema, at = ''): void {
  const opening = openingOf(schema, at)
  if (opening !== undefined) refuse(opening.at, opening.reason)
  const types = typesOf(schema)
  if (types !== undefined && !types.includes('object')) refuse(`${at}/type`, 'params are an object')
}

export function typesOf(schema: ParamsSchema): readonly SchemaType[] | undefined {
  return typeof schema.type === 'string' ? [schema.type] : schema.type
}

function plainCopy(schema: unknown, at: string): Json {
  try {
    return canonicalCopy(schema, {
      maxBytes: MAX_BYTES,
      maxDepth: MAX_CONTAINERS_DEEP,
      maxKeys: Infinity,
      profile: 'plain',
    }).value
  } catch (cause) {
    const field = `${at}${isSilentAuthError(cause) ? (cause.field ?? '') : ''}`
    const reason = `not plain JSON of at most ${MAX_BYTES} bytes and ${MAX_CONTAINERS_DEEP} levels`
    throw new SilentAuthError('INVALID_FIELD', `${field}: ${reason}`, { cause, field })
  }
}

interface Count {
  subschemas: number
}

type KeywordCheck = (value: Json, at: string, count: Count) => void

/** The whole list: what is not here is refused. */
const KEYWORDS: Readonly<Record<keyof ParamsSchema, KeywordCheck>> = {
  type: (value, at) => {
    const types = Array.isArray(value) ? value : [value]
    const known = types.every((type) => (TYPES as readonly Json[]).includes(type))
    if (types.length === 0 || !known || new Set(types).size < types.length) refuse(at, `is none of ${TYPES.join(', ')}`)
  },
  properties: (value, at, count) => {
    if (!isObject(value)) refuse(at, 'must be an object of schemas')
    for (const [name, schema] of Object.entries(value)) checkSchema(schema, at + pointerStep(name), count)
  },
  required: (value, at) => {
    const names = Array.isArray(value) ? value : [undefined]
    if (!names.every((name) => typeof name === 'string') || new Set(names).size < names.length) {
      refuse(at, 'must be a list of different names')
    }
  },
  additionalProperties: (value, at, count) => {
    if (typeof value !== 'boolean') checkSchema(value, at, count)
  },
  items: checkSchema,
  minItems: checkCount,
  maxItems: checkCount,
  enum: (value, at) => {
    if (!Array.isArray(value) || value.length === 0) refuse(at, 'must be a list of values')
  },
  const: () => {},
  minimum: checkNumber,
  maximum: checkNumber,
  exclusiveMinimum: checkNumber,
  exclusiveMaximum: checkNumber,
  minLength: checkCount,
  maxLength: checkCount,
  allOf: checkSchemas,
  anyOf: checkSchemas,
  not: checkSchema,
}

function checkSchema(schema: Json, at: string, count: Count): void {
  if (!isObject(schema)) refuse(at, 'must be a schema, which is an object')
  count.subschemas += 1
  if (count.subschemas > MAX_SUBSCHEMAS) refuse(at, `more than ${MAX_SUBSCHEMAS} schemas within each other`)
  for (const [keyword, value] of Object.entries(schema)) {
    const place = at + pointerStep(keyword)
    if (!Object.hasOwn(KEYWORDS, keyword)) refuse(place, `not one of the keywords ${Object.keys(KEYWORDS).join(', ')}`)
    KEYWORDS[keyword as keyof ParamsSchema](value, place, count)
  }
}

function checkSchemas(value: Json, at: string, count: Count): void {
  if (!Array.isArray(value) || value.length === 0) refuse(at, 'must be a list of schemas')
  for (const [index, schema] of value.entries()) checkSchema(schema, `${at}/${index}`, count)
}

function checkCount(value: Json, at: string): void {
  if (!Number.isSafeInteger(value) || (value as number) < 0) refuse(at, 'must be a whole number from 0')
}

function checkNumber(value: Json, at: string): void {
  if (typeof value !== 'number') refuse(at, 'must be a number')
}

interface Opening {
  readonly at: string
  readonly reason: string
}

/** The first part that lets something through that nobody wrote down. */
function openingOf(schema: ParamsSchema, at: string): Opening | undefined {
  const own = ownOpening(schema, at)
  if (own === undefined) return undefined
  if (schema.allOf?.some((part, index) => openingOf(part, `${at}/allOf/${index}`) === undefined)) return undefined
  if (schema.anyOf === undefined) return own
  for (const [index, part] of schema.anyOf.entries()) {
    const opening = openingOf(part, `${at}/anyOf/${index}`)
    if (opening !== undefined) return schema.type === undefined ? opening : own
  }
  return undefined
}

/** The same, of the keywords of this very schema; the parts that it composes could only narrow it further. */
function ownOpening(schema: ParamsSchema, at: string): Opening | undefined {
  const types = typesOf(schema)
  if (types === undefined) return { at, reason: 'has no type' }
  if (schema.const !== undefined || schema.enum !== undefined) return undefined
  for (const type of types) {
    const opening = openingOfType(type, schema, at)
    if (opening !== undefined) return opening
  }
  return undefined
}

function openingOfType(type: SchemaType, schema: ParamsSchema, at: string): Opening | undefined {
  switch (type) {
    case 'null':
    case 'boolean':
    case 'string':
      return undefined
    case 'number':
    case 'integer':
      if (schema.minimum === undefined && schema.exclusiveMinimum === undefined) return { at, reason: 'has no minimum' }
      if (schema.maximum === undefined && schema.exclusiveMaximum === undefined) return { at, reason: 'has no maximum' }
      return undefined
    case 'array':
      return schema.items === undefined ? { at, reason: 'has no items' } : openingOf(schema.items, `${at}/items`)
    case 'object': {
      if (schema.additionalProperties !== false) return { at, reason: 'does not say additionalProperties: false' }
      for (const [name, property] of Object.entries(schema.properties ?? {})) {
        const place = `${at}/properties${pointerStep(name)}`
        if (!schema.required?.includes(name)) return { at: place, reason: 'is not required' }
        const opening = openingOf(property, place)
        if (opening !== undefined) return opening
      }
      return undefined
    }
  }
}

function isObject(value: Json): value is JsonObject {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

function refuse(at: string, reason: string): never {
  throw new SilentAuthError('INVALID_FIELD', `${at === '' ? 'the schema' : at}: ${reason}`, { field: at })
}
