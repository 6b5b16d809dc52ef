/**
 * Bound arguments: what approvers are shown, what the permit is bound to and what the tool gets, made from one snapshot.
 *
 * @module
 */
import { isSilentAuthError, SilentAuthError } from './errors.js'
import type { Execution } from './granted-execution.js'
import type { JsonObject } from './json.js'
import { type Snapshot, snapshot } from './params.js'

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
  return isSame(again, parsed) ? filled.value : raw
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

/** Of what schemas make of JSON; what is neither plain nor a date is never the same, so that the raw arguments stand. */
function isSame(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true
  if (one instanceof Date && other instanceof Date) return one.getTime() === other.getTime()
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((item, index) => isSame(item, other[index]))
  }
  if (!isPlain(one) || !isPlain(other)) return false
  const names = Object.keys(one)
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => Object.hasOwn(other, name) && isSame(one[name], other[name]))
  )
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return isObject(value) && [Object.prototype, null].includes(Object.getPrototypeOf(value))
}
