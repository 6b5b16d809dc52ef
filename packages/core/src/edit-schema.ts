/**
 * Edit schemas: the JSON Schema of a tool, which an approver's edit must satisfy. It comes from the agent, and is
 * evaluated by the gate: so it may cost the gate only so much.
 *
 * @module
 */
import { type Schema, Validator } from '@cfworker/json-schema'
import { SilentAuthError } from './errors.js'
import type { Json, JsonObject } from './json.js'
import { mutableCopy, snapshot } from './params.js'

/** Schemas within schemas, with every reference followed. */
const MAX_SCHEMAS = 2_000
const MAX_DEPTH = 48

/** Regular expressions of a stranger can be made to run for years; the tool's own parse checks them once more anyway. */
const NOT_EVALUATED: ReadonlySet<string> = new Set([
  'pattern',
  'patternProperties',
  'format',
  '$dynamicRef',
  '$recursiveRef',
])

/**
 * A frozen copy of a schema that the gate can afford to evaluate.
 *
 * @throws SilentAuthError `INVALID_FIELD` when it is recursive, too large, or refers to something outside itself
 */
export function editSchema(schema: JsonObject): JsonObject {
  const { value } = snapshot(schema)
  count(value, value, 0, { left: MAX_SCHEMAS })
  return value
}

/** Whether edited params satisfy the schema. */
export function satisfiesEditSchema(schema: JsonObject, params: JsonObject): boolean {
  const copy = mutableCopy(schema)
  strip(copy)
  return new Validator(copy as Schema, '2020-12', true).validate(params).valid
}

/** Follows every reference, so that a small text cannot stand for a large schema. */
function count(schema: Json, root: JsonObject, depth: number, budget: { left: number }): void {
  if (schema === null || typeof schema !== 'object') return
  if (--budget.left < 0 || depth > MAX_DEPTH) throw refuse('is recursive or too large')
  if (Array.isArray(schema)) {
    for (const item of schema as readonly Json[]) count(item, root, depth + 1, budget)
    return
  }
  for (const [keyword, value] of Object.entries(schema as JsonObject)) {
    if (keyword === '$defs' || keyword === 'definitions') continue
    if (keyword === '$id' || keyword === '$anchor' || keyword === '$dynamicRef') throw refuse(`uses ${keyword}`)
    if (keyword === '$ref') count(target(value, root), root, depth + 1, budget)
    else count(value, root, depth + 1, budget)
  }
}

function target(ref: Json, root: JsonObject): Json {
  if (typeof ref !== 'string' || !/^#(\/|$)/.test(ref)) throw refuse('refers to something outside itself')
  let value: Json = root
  for (const step of ref.slice(1).split('/').slice(1)) {
    const member = decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~')
    if (value === null || typeof value !== 'object' || !Object.hasOwn(value, member)) throw refuse('refers to nothing')
    value = (value as JsonObject)[member] as Json
  }
  return value
}

function strip(schema: unknown): void {
  if (schema === null || typeof schema !== 'object') return
  for (const [keyword, value] of Object.entries(schema)) {
    if (NOT_EVALUATED.has(keyword) && !Array.isArray(schema)) delete (schema as Record<string, unknown>)[keyword]
    else strip(value)
  }
}

function refuse(reason: string): SilentAuthError {
  return new SilentAuthError('INVALID_FIELD', `edits.schema ${reason}`, { field: 'edits.schema' })
}
