/**
 * Edit schemas: the JSON Schema of a tool, which an approver's edit must satisfy. It comes from the agent, and is
 * evaluated by the gate: so it is rewritten first, to a tree of keywords that cost only so much.
 *
 * @module
 */
import { type Schema, Validator } from '@cfworker/json-schema'
import { SilentAuthError } from './errors.js'
import type { Json, JsonObject } from './json.js'
import { mutableCopy, snapshot } from './params.js'

/** Values in the schema, with every reference followed. */
const MAX_VALUES = 2_000
const MAX_DEPTH = 48
/** Values of the schema times values of the params: what one evaluation may at most compare. */
const MAX_COMPARISONS = 1_000_000

/**
 * Keywords that are evaluated. The others are left out, as the tool's own parse checks them once more anyway: regular
 * expressions of a stranger (`pattern`, `format`) can be made to run for years, `uniqueItems` takes the square of a list.
 */
const ASSERTIONS: ReadonlySet<string> = new Set([
  'type',
  'const',
  'enum',
  'required',
  'dependentRequired',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'minProperties',
  'maxProperties',
  'minContains',
  'maxContains',
])
const SCHEMA: ReadonlySet<string> = new Set([
  'additionalProperties',
  'propertyNames',
  'additionalItems',
  'items',
  'contains',
  'not',
  'if',
  'then',
  'else',
])
const SCHEMA_LISTS: ReadonlySet<string> = new Set(['allOf', 'anyOf', 'oneOf', 'prefixItems', 'items'])
const SCHEMA_MAPS: ReadonlySet<string> = new Set(['properties', 'dependentSchemas', '$defs', 'definitions'])
/** What they refer to depends on the way there, so no tree can stand for it. */
const REFUSED: ReadonlySet<string> = new Set(['$dynamicRef', '$recursiveRef'])

/**
 * A frozen copy of a schema that the gate can afford to evaluate.
 *
 * @throws SilentAuthError `INVALID_FIELD` when it is recursive, too large, or refers to something outside itself;
 * `PARAMS_NOT_CANONICAL` when it is no plain JSON
 */
export function editSchema(schema: JsonObject): JsonObject {
  const { value } = snapshot(schema)
  rewrite(value, { root: value, left: MAX_VALUES }, 0)
  return value
}

/**
 * Whether edited params satisfy the schema.
 *
 * @throws SilentAuthError `TOO_LARGE` when comparing them would take the gate too long
 */
export function satisfiesEditSchema(schema: JsonObject, params: JsonObject): boolean {
  const budget: Budget = { root: schema, left: MAX_VALUES }
  const rewritten = rewrite(schema, budget, 0)
  const comparisons = (MAX_VALUES - budget.left) * valuesIn(params)
  if (comparisons > MAX_COMPARISONS) {
    throw new SilentAuthError('TOO_LARGE', 'parameters: too many to compare with edits.schema', { field: 'parameters' })
  }
  try {
    return new Validator(rewritten as Schema, '2020-12', true).validate(mutableCopy(params)).valid
  } catch {
    return false // a keyword has a value that makes no sense
  }
}

interface Budget {
  readonly root: JsonObject
  left: number
}

/** The same schema as a tree: references replaced by what they refer to, and nothing in it but evaluated keywords. */
function rewrite(schema: Json | undefined, budget: Budget, depth: number): boolean | Record<string, unknown> {
  spend(budget, depth)
  if (typeof schema === 'boolean') return schema
  if (schema === null || typeof schema !== 'object' || Array.isArray(schema)) throw refuse('holds something else')
  const rewritten: Record<string, unknown> = {}
  const referred: unknown[] = []
  for (const [keyword, value] of Object.entries(schema as JsonObject)) {
    if (REFUSED.has(keyword)) throw refuse(`uses ${keyword}`)
    if (keyword === '$ref') referred.push(rewrite(target(value, budget.root), budget, depth + 1))
    else if (SCHEMA_LISTS.has(keyword) && Array.isArray(value)) {
      rewritten[keyword] = value.map((item: Json) => rewrite(item, budget, depth + 1))
    } else if (SCHEMA.has(keyword)) rewritten[keyword] = rewrite(value, budget, depth + 1)
    else if (keyword === 'properties' || keyword === 'dependentSchemas') {
      const named = Object.entries(mapOf(value)).map(([name, item]) => [name, rewrite(item, budget, depth + 1)])
      rewritten[keyword] = Object.fromEntries(named)
    } else if (ASSERTIONS.has(keyword)) {
      spend(budget, depth, valuesIn(value))
      rewritten[keyword] = mutableCopy(value)
    }
  }
  // Beside its siblings, as 2020-12 has it.
  if (referred.length > 0) rewritten.allOf = [...((rewritten.allOf as unknown[] | undefined) ?? []), ...referred]
  return rewritten
}

function spend(budget: Budget, depth: number, values = 1): void {
  budget.left -= values
  if (budget.left < 0 || depth > MAX_DEPTH) throw refuse('is recursive or too large')
}

/** Only to where a schema stands: anything else could be read as one that was not rewritten. */
function target(ref: Json, root: JsonObject): Json {
  if (typeof ref !== 'string' || !/^#(\/|$)/.test(ref)) throw refuse('refers to something outside itself')
  let value: Json | undefined = root
  let expects: 'schema' | 'map' | 'list' = 'schema'
  for (const step of stepsOf(ref)) {
    if (value === null || typeof value !== 'object' || !Object.hasOwn(value, step)) throw refuse('refers to nothing')
    value = (value as JsonObject)[step]
    if (expects !== 'schema') expects = 'schema'
    else if (SCHEMA_MAPS.has(step)) expects = 'map'
    else if (SCHEMA_LISTS.has(step) && Array.isArray(value)) expects = 'list'
    else if (!SCHEMA.has(step)) throw refuse('refers to what is no schema')
  }
  if (expects !== 'schema' || value === undefined) throw refuse('refers to what is no schema')
  return value
}

function stepsOf(ref: string): string[] {
  try {
    const steps = decodeURIComponent(ref.slice(1)).split('/').slice(1)
    return steps.map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
  } catch {
    throw refuse('refers to nothing')
  }
}

function mapOf(value: Json): JsonObject {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw refuse('holds something else')
  return value as JsonObject
}

function valuesIn(value: Json): number {
  if (value === null || typeof value !== 'object') return 1
  let count = 1
  for (const item of Object.values(value as JsonObject)) count += valuesIn(item)
  return count
}

function refuse(reason: string): SilentAuthError {
  return new SilentAuthError('INVALID_FIELD', `edits.schema ${reason}`, { field: 'edits.schema' })
}
