/**
 * Tool schemas: the check that the AI SDK makes of a tool's input, for input that did not come through it, and the form of the
 * input in which it is shown and bound.
 *
 * @module
 */
import {
  type BoundArguments,
  bindArguments,
  bindProjection,
  type JsonObject,
  type Parse,
  SilentAuthError,
  snapshot,
} from '@silentauth/core'

/** What of a tool says how its input is parsed. */
export interface HasSchema {
  readonly inputSchema?: unknown
}

/** What of a `Schema` of the AI SDK is used: `jsonSchema()`, `zodSchema()`. */
interface SdkSchema {
  readonly jsonSchema: unknown
  validate?(value: unknown): Validated | PromiseLike<Validated>
}
type Validated = { success: true; value: unknown } | { success: false; error: Error }

/** What of a schema by the Standard Schema specification is used: zod, valibot, arktype. */
interface StandardSchema {
  readonly '~standard': {
    validate(value: unknown): Standard | PromiseLike<Standard>
    readonly jsonSchema?: StandardForms
  }
}
interface StandardForms {
  input(options: { target: string }): unknown
  output(options: { target: string }): unknown
}
type Standard = { readonly issues?: readonly { readonly message?: string }[] | undefined; readonly value?: unknown }

/** As the AI SDK parses the input of a call, for input that did not come through it. */
export function parserOf(tool: HasSchema): Parse {
  return async (args) => {
    const schema = schemaOf(tool)
    if (isStandard(schema)) {
      const result = await schema['~standard'].validate(args)
      if (result.issues) throw new TypeError(`the input does not match the tool's schema`)
      return result.value
    }
    if (!isSdkSchema(schema) || !schema.validate) return args
    const result = await schema.validate(args)
    if (!result.success) throw result.error
    return result.value
  }
}

/** What an approver's edits must satisfy. @throws TypeError when the schema has no JSON form */
export async function editSchemaOf(name: string, tool: HasSchema): Promise<JsonObject> {
  const schema = schemaOf(tool)
  const form = isStandard(schema)
    ? standardForm(schema['~standard'].jsonSchema)
    : isSdkSchema(schema)
      ? await schema.jsonSchema
      : undefined
  if (typeof form !== 'object' || form === null) {
    throw new TypeError(`${name}: allowEdits needs a schema that has a JSON form`)
  }
  return JSON.parse(JSON.stringify(form)) as JsonObject
}

/**
 * The form of the output says that there are no other members, where that of the input leaves it open because they would be
 * dropped: an approver is told, instead of approving what no tool gets.
 */
function standardForm(forms: StandardForms | undefined): unknown {
  const target = { target: 'draft-2020-12' }
  const input = forms?.input(target)
  try {
    const output = forms?.output(target)
    return open(output) === open(input) ? output : input
  } catch {
    // What a transform gives may have no form.
    return input
  }
}

function open(form: unknown): string {
  return JSON.stringify(form, (name, value) => (name === 'additionalProperties' && value === false ? undefined : value))
}

/**
 * Binds the input that a tool is about to get. The SDK has parsed it: input that parses to itself from its JSON form goes
 * through the schema again, and other input is compared by that form just before the tool runs.
 *
 * @throws SilentAuthError `PARAMS_NOT_CANONICAL` for what has no JSON form: such a tool needs the option `params`
 */
export async function bindInput(input: unknown, parse: Parse): Promise<BoundArguments> {
  const form = inputForm(input)
  const again = await parse(structuredClone(form)).then(inputForm, () => undefined)
  const isStable = again !== undefined && snapshot(again).digest === snapshot(form).digest
  return isStable ? bindArguments(form, input, parse) : bindProjection(input, inputForm)
}

/** Plain JSON, with dates as text. Whatever else JSON would make an empty object of is refused: it would be shown as nothing. */
function inputForm(input: unknown): JsonObject {
  const form = jsonForm(input)
  const isObject = typeof form === 'object' && form !== null && !Array.isArray(form)
  return (isObject ? form : form === undefined || form === null ? {} : { input: form }) as JsonObject
}

function jsonForm(value: unknown): unknown {
  if (value instanceof Date || value instanceof URL) return value.toJSON()
  if (Array.isArray(value)) return value.map(jsonForm)
  if (typeof value !== 'object' || value === null) return value
  if (![Object.prototype, null].includes(Object.getPrototypeOf(value))) {
    throw new SilentAuthError('PARAMS_NOT_CANONICAL', 'the input has a value without a JSON form')
  }
  const members = Object.entries(value).filter(([, member]) => member !== undefined)
  return Object.fromEntries(members.map(([name, member]) => [name, jsonForm(member)]))
}

function schemaOf({ inputSchema }: HasSchema): unknown {
  // A schema that is made when it is first needed.
  return typeof inputSchema === 'function' && !isStandard(inputSchema) ? inputSchema() : inputSchema
}

function isStandard(schema: unknown): schema is StandardSchema {
  const isHolder = (typeof schema === 'object' && schema !== null) || typeof schema === 'function'
  return isHolder && '~standard' in (schema as object)
}

function isSdkSchema(schema: unknown): schema is SdkSchema {
  return typeof schema === 'object' && schema !== null && 'jsonSchema' in schema
}
