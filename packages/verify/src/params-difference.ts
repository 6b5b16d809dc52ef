/**
 * What may differ between params and the approved ones, of which only a digest is known. Small changes are tried until one gives
 * the approved digest: a member too many, a number that became a text, another spelling of a name. For developers: it finds
 * their usual mistakes, and never says a value. A missing member cannot be found this way.
 *
 * @module
 */
import { type Digest, type Json, type JsonObject, snapshot } from '@silentauth/core'

/** One sentence per member that differs; empty when no small change explains it. */
export function paramsDifference(params: JsonObject, approved: Digest): readonly string[] {
  const names = Object.keys(params)
  if (names.length > MAX_MEMBERS || JSON.stringify(params).length > MAX_LENGTH) return []
  const single = names.flatMap((name) => [
    { changed: without(params, [name]), says: [`"${name}" was not approved`] },
    ...otherTypes(params, [name]),
    ...otherNames(params, [name]),
  ])
  const together = [...otherTypes(params, names), ...otherNames(params, names)]
  return [...single, ...together].find(({ changed }) => digestOf(changed) === approved)?.says ?? []
}

interface Attempt {
  readonly changed: JsonObject
  readonly says: readonly string[]
}

const MAX_MEMBERS = 50
const MAX_LENGTH = 16_384

/** All of `names` whose value has a twin of another type. */
function otherTypes(params: JsonObject, names: readonly string[]): Attempt[] {
  const changed: Record<string, Json> = { ...params }
  const says: string[] = []
  for (const name of names) {
    const twin = twinOf(params[name] as Json)
    if (twin === undefined) continue
    changed[name] = twin
    says.push(`"${name}" is a ${typeName(params[name] as Json)}, approved was a ${typeName(twin)}`)
  }
  return says.length === 0 ? [] : [{ changed, says }]
}

function otherNames(params: JsonObject, names: readonly string[]): Attempt[] {
  return [camel, snake].flatMap((spell) => {
    const renamed = names.filter((name) => spell(name) !== name && !Object.hasOwn(params, spell(name)))
    if (renamed.length === 0) return []
    const changed: Record<string, Json> = { ...without(params, renamed) }
    for (const name of renamed) changed[spell(name)] = params[name] as Json
    return [{ changed, says: renamed.map((name) => `"${name}" was approved as "${spell(name)}"`) }]
  })
}

/** The same value as forms, query strings and careless callers spell it. */
function twinOf(value: Json): Json | undefined {
  switch (typeof value) {
    case 'number':
    case 'boolean':
      return String(value)
    case 'string':
      if (value === 'true' || value === 'false') return value === 'true'
      return value !== '' && String(Number(value)) === value && Number.isFinite(Number(value))
        ? Number(value)
        : undefined
    default:
      return undefined
  }
}

function typeName(value: Json): string {
  return typeof value === 'string' ? 'text' : typeof value
}

function without(params: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(params).filter(([name]) => !names.includes(name)))
}

function camel(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

function digestOf(params: JsonObject): Digest | undefined {
  try {
    return snapshot(params).digest
  } catch {
    return undefined // a text that is a number beyond 2^53-1, for instance
  }
}
