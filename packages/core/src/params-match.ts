/**
 * A params match is whether the params of an intent fall under a policy's schema.
 *
 * `auto_approve` goes by JSON Schema to the letter: what is not allowed does not match. The stricter decisions go by *could it be
 * meant*: an agent must not escape a rule by spelling a value in another way than its author thought of. Each constraint says yes,
 * no, or maybe; only a clear no keeps the policy from matching. `not` turns yes and no around and leaves maybe, `allOf` and
 * `properties` take the least, `anyOf` the most. Maybe is the answer
 *
 * - to a value of another type than the constraint expects: `"5000"`, `[5000]`, `{ "$gt": 0 }`, `null` under `minimum`, a text
 *   under `properties`; so `type` alone never keeps a policy from matching;
 * - to a missing member that is required and that the schema constrains anywhere: the tool may have a default for it. A member
 *   that is only required, without a constraint on its value, is a plain question of presence;
 * - to a member that `additionalProperties` does not want: adding one must not lead out of a rule.
 *
 * A value of the expected type outside the range, the list or the length is a clear no.
 *
 * @module
 */
import { type Schema, Validator } from '@cfworker/json-schema'
import type { Verdict } from './intent.js'
import type { Json, JsonObject } from './json.js'
import { mutableCopy } from './params.js'
import { type ParamsSchema, parseParamsSchema, type SchemaType, typesOf } from './params-schema.js'

export type ParamsMatch = (params: JsonObject) => boolean

/**
 * Compiles a schema once, for one decision.
 *
 * @throws SilentAuthError `INVALID_FIELD` for a schema that `parseParamsSchema` refuses
 */
export function compileParamsMatch(schema: JsonObject, decision: Verdict): ParamsMatch {
  const checked = parseParamsSchema(schema)
  switch (decision) {
    case 'auto_approve':
      return strictMatch(checked)
    case 'auto_deny':
    case 'require_approval':
      return possibleMatch(checked)
  }
}

function strictMatch(schema: JsonObject): ParamsMatch {
  // The validator writes into the schema that it is given.
  const validator = new Validator(mutableCopy(schema) as Schema)
  return (params) => {
    try {
      return validator.validate(params).valid
    } catch {
      // What cannot be judged is not approved.
      return false
    }
  }
}

function possibleMatch(schema: ParamsSchema): ParamsMatch {
  const constrained = new Set<string>()
  collectConstrained(schema, constrained)
  const judge = compile(schema, constrained)
  return (params) => judge(params) !== NO
}

const NO = 0
const MAYBE = 1
const YES = 2
type Certainty = typeof NO | typeof MAYBE | typeof YES
type Judge = (value: Json) => Certainty

function compile(schema: ParamsSchema, constrained: ReadonlySet<string>): Judge {
  const judges = [...scalarJudges(schema), ...arrayJudges(schema, constrained), ...objectJudges(schema, constrained)]
  if (schema.allOf) for (const part of schema.allOf) judges.push(compile(part, constrained))
  if (schema.anyOf) judges.push(most(schema.anyOf.map((part) => compile(part, constrained))))
  if (schema.not) {
    const inner = compile(schema.not, constrained)
    judges.push((value) => (YES - inner(value)) as Certainty)
  }
  return least(judges)
}

function scalarJudges(schema: ParamsSchema): Judge[] {
  const judges: Judge[] = []
  const types = typesOf(schema)
  if (types !== undefined) judges.push((value) => (types.some((type) => isOfType(value, type)) ? YES : MAYBE))
  const { const: only, enum: listed } = schema
  if (only !== undefined) judges.push((value) => equality(value, only))
  if (listed !== undefined) judges.push(most(listed.map((each) => (value) => equality(value, each))))
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, minLength, maxLength } = schema
  if (minimum !== undefined) judges.push(ofNumber((value) => value >= minimum))
  if (maximum !== undefined) judges.push(ofNumber((value) => value <= maximum))
  if (exclusiveMinimum !== undefined) judges.push(ofNumber((value) => value > exclusiveMinimum))
  if (exclusiveMaximum !== undefined) judges.push(ofNumber((value) => value < exclusiveMaximum))
  if (minLength !== undefined) judges.push(ofString((value) => characters(value) >= minLength))
  if (maxLength !== undefined) judges.push(ofString((value) => characters(value) <= maxLength))
  return judges
}

function arrayJudges(schema: ParamsSchema, constrained: ReadonlySet<string>): Judge[] {
  const judges: Judge[] = []
  const { minItems, maxItems } = schema
  if (minItems !== undefined) judges.push(ofArray((value) => certainly(value.length >= minItems)))
  if (maxItems !== undefined) judges.push(ofArray((value) => certainly(value.length <= maxItems)))
  if (schema.items) {
    const item = compile(schema.items, constrained)
    judges.push(ofArray((value) => leastOf(value, item)))
  }
  return judges
}

function objectJudges(schema: ParamsSchema, constrained: ReadonlySet<string>): Judge[] {
  const judges: Judge[] = []
  const properties = schema.properties ?? {}
  for (const [name, property] of Object.entries(properties)) {
    const member = compile(property, constrained)
    judges.push(ofObject((value) => (Object.hasOwn(value, name) ? member(value[name] as Json) : YES)))
  }
  for (const name of schema.required ?? []) {
    const missing = constrained.has(name) ? MAYBE : NO
    judges.push(ofObject((value) => (Object.hasOwn(value, name) ? YES : missing)))
  }
  const others = schema.additionalProperties
  if (others !== undefined && others !== true) {
    const judge: Judge = others === false ? () => NO : compile(others, constrained)
    judges.push(
      ofObject((value) => {
        const added = Object.keys(value).filter((name) => !Object.hasOwn(properties, name))
        return Math.max(
          MAYBE,
          leastOf(added, (name) => judge(value[name as string] as Json)),
        ) as Certainty
      }),
    )
  }
  return judges
}

/** Names of members that some part of the schema says more about than that they exist. */
function collectConstrained(schema: ParamsSchema, names: Set<string>): void {
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    if (Object.keys(property).length > 0) names.add(name)
    collectConstrained(property, names)
  }
  const { additionalProperties } = schema
  if (typeof additionalProperties === 'object') collectConstrained(additionalProperties, names)
  for (const part of [schema.items, schema.not, ...(schema.allOf ?? []), ...(schema.anyOf ?? [])]) {
    if (part !== undefined) collectConstrained(part, names)
  }
}

function least(judges: readonly Judge[]): Judge {
  return (value) => leastOf(judges, (judge) => judge(value))
}

function leastOf<Item>(items: readonly Item[], judge: (item: Item) => Certainty): Certainty {
  let answer: Certainty = YES
  for (const item of items) {
    answer = Math.min(answer, judge(item)) as Certainty
    if (answer === NO) return NO
  }
  return answer
}

function most(judges: readonly Judge[]): Judge {
  return (value) => {
    let answer: Certainty = NO
    for (const judge of judges) {
      answer = Math.max(answer, judge(value)) as Certainty
      if (answer === YES) return YES
    }
    return answer
  }
}

function certainly(holds: boolean): Certainty {
  return holds ? YES : NO
}

function ofNumber(holds: (value: number) => boolean): Judge {
  return (value) => (typeof value === 'number' ? certainly(holds(value)) : MAYBE)
}

function ofString(holds: (value: string) => boolean): Judge {
  return (value) => (typeof value === 'string' ? certainly(holds(value)) : MAYBE)
}

function ofArray(judge: (value: readonly Json[]) => Certainty): Judge {
  return (value) => (Array.isArray(value) ? judge(value) : MAYBE)
}

function ofObject(judge: (value: JsonObject) => Certainty): Judge {
  return (value) => (kindOf(value) === 'object' ? judge(value as JsonObject) : MAYBE)
}

/** Equal, different, or, anywhere inside, of another kind than what it is compared with. */
function equality(value: Json, expected: Json): Certainty {
  const kind = kindOf(expected)
  if (kindOf(value) !== kind) return MAYBE
  if (kind === 'array') {
    const items = value as readonly Json[]
    const expectedItems = expected as readonly Json[]
    if (items.length !== expectedItems.length) return NO
    return leastOf([...items.keys()], (index) => equality(items[index] as Json, expectedItems[index] as Json))
  }
  if (kind === 'object') {
    const members = value as JsonObject
    const names = Object.keys(expected as JsonObject)
    const shared = names.filter((name) => Object.hasOwn(members, name))
    const same = leastOf(shared, (name) => equality(members[name] as Json, (expected as JsonObject)[name] as Json))
    const complete = shared.length === names.length && names.length === Object.keys(members).length
    return complete ? same : (Math.min(MAYBE, same) as Certainty)
  }
  return certainly(value === expected)
}

function isOfType(value: Json, type: SchemaType): boolean {
  return type === 'integer' ? Number.isInteger(value) : kindOf(value) === type
}

function kindOf(value: Json): Exclude<SchemaType, 'integer'> {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return typeof value as 'boolean' | 'number' | 'string' | 'object'
}

/** As JSON Schema counts them: code points. */
function characters(text: string): number {
  let count = 0
  for (const _ of text) count += 1
  return count
}
