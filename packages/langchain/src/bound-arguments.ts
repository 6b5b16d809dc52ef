/**
 * Bound arguments: what approvers are shown, what the permit is bound to and what the tool gets, made from one snapshot.
 *
 * @module
 */
import { isDeepStrictEqual } from 'node:util'
import { ToolInputParsingException } from '@langchain/core/tools'
import { toJsonSchema, Validator } from '@langchain/core/utils/json_schema'
import { type InteropZodType, interopParseAsync, isInteropZodSchema } from '@langchain/core/utils/types'
import {
  type Execution,
  isSilentAuthError,
  type JsonObject,
  SilentAuthError,
  type Snapshot,
  snapshot,
} from '@silentauth/core'

export interface BoundArguments {
  readonly snapshot: Snapshot
  /**
   * The arguments of an approved call, as its tool takes them.
   *
   * @throws what the schema says of an approver's edits; SilentAuthError `PERMIT_PARAMS` when the projection came out different
   */
  argumentsOf(execution: Execution): Promise<unknown>
}

/** The tool's own check of arguments; gives what the tool gets. */
export type Parse = (args: unknown) => Promise<unknown>

/** What of a tool says how its arguments are parsed. */
export interface HasSchema {
  readonly schema: unknown
}

/** As `StructuredTool.call` parses, for arguments that did not come through it. */
export function parserOf(tool: HasSchema): Parse {
  return async (args) => {
    const { schema } = tool
    if (isInteropZodSchema(schema)) return interopParseAsync(schema as InteropZodType, args)
    const { valid } = new Validator(schema as ConstructorParameters<typeof Validator>[0]).validate(args)
    if (!valid) throw new ToolInputParsingException('Received tool input did not match expected schema')
    return args
  }
}

/** What an approver's edits must satisfy. @throws TypeError when the schema has no JSON form */
export function editSchemaOf(name: string, tool: HasSchema): JsonObject {
  try {
    return JSON.parse(JSON.stringify(toJsonSchema(tool.schema as Parameters<typeof toJsonSchema>[0]))) as JsonObject
  } catch (cause) {
    throw new TypeError(`${name}: allowEdits needs a schema that has a JSON form`, { cause })
  }
}

/** Binds a projection of the arguments: it is what is shown, and must come out the same when the tool is about to run. */
export function bindProjection(parsed: unknown, project: (args: unknown) => JsonObject): BoundArguments {
  return {
    snapshot: snapshot(project(parsed)),
    async argumentsOf({ intent }) {
      if (snapshot(project(parsed)).digest !== intent.paramsDigest) {
        throw new SilentAuthError('PERMIT_PARAMS', `${intent.id}: params() gives other params than were approved`, {
          intentId: intent.id,
        })
      }
      return parsed
    },
  }
}

/**
 * Binds the arguments themselves. Where the parsed ones are plain JSON that parses to itself, they are shown as the tool
 * gets them; else, for instance with a date, as the model gave them, with the defaults that the schema filled in.
 *
 * @throws SilentAuthError `PARAMS_NOT_CANONICAL` when neither is plain JSON: such a tool needs the option `params`
 */
export async function bindArguments(raw: unknown, parsed: unknown, parse: Parse): Promise<BoundArguments> {
  const shown = await plainSnapshot(parsed, parse)
  if (shown) {
    return {
      snapshot: shown,
      argumentsOf: async ({ edited, params }) => (edited ? parse(params) : params),
    }
  }
  return {
    snapshot: snapshot(await withDefaults(asObject(raw), parsed, parse)),
    argumentsOf: ({ params }) => parse(params),
  }
}

/** Undefined when the arguments are no plain JSON, or mean something else when they are parsed once more. */
async function plainSnapshot(parsed: unknown, parse: Parse): Promise<Snapshot | undefined> {
  const shown = canonical(parsed)
  if (!shown) return undefined
  const again = await parse(structuredClone(shown.value)).then(canonical, () => undefined)
  return again?.digest === shown.digest ? shown : undefined
}

/** Only where that changes nothing: a transform can make something else of a default that it is given back. */
async function withDefaults(raw: unknown, parsed: unknown, parse: Parse): Promise<unknown> {
  if (!isObject(raw) || !isObject(parsed)) return raw
  const added = Object.entries(parsed).filter(([name, value]) => !(name in raw) && canonical({ value }))
  if (added.length === 0) return raw
  const filled = canonical({ ...raw, ...Object.fromEntries(added) })
  if (!filled) return raw
  const again = await parse(structuredClone(filled.value)).catch(() => undefined)
  return isDeepStrictEqual(again, parsed) ? filled.value : raw
}

/** Tools that take a text are called with it, or with `{ input }`. */
function asObject(raw: unknown): unknown {
  if (raw === undefined || raw === null) return {}
  return typeof raw === 'string' ? { input: raw } : raw
}

function canonical(value: unknown): Snapshot | undefined {
  try {
    return snapshot(value)
  } catch (error) {
    if (isSilentAuthError(error)) return undefined
    throw error
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
