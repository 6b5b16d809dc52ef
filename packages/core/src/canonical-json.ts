/**
 * Canonical JSON: the one text of a plain value (RFC 8785), and the frozen copy that is made by the same reading.
 *
 * Public canonicalisers give one digest to different values (a Map, a Date, an absent and an undefined member), so this one
 * refuses whatever is not plain data, and names the place by its JSON pointer.
 *
 * @module
 */
import { SilentAuthError } from './errors.js'
import { type Json, type JsonPointer, pointerStep } from './json.js'

/** What one walk allows. */
export interface CanonicalRules {
  /** Containers within containers, the root included. */
  readonly maxDepth: number
  /** Of the UTF-8 text. */
  readonly maxBytes: number
  /** Members of all objects together. */
  readonly maxKeys: number
  /** The params profile: no integer beyond 2^53-1, no U+0000, no member name that needs escaping. */
  readonly profile: 'plain' | 'params'
}

export interface CanonicalCopy {
  readonly text: string
  /** Deep-frozen, of the same reading as the text. */
  readonly value: Json
}

/** Also what ends a cycle. Deeper than the largest params (64) inside a view or a log entry. */
const PLAIN: CanonicalRules = { maxDepth: 100, maxBytes: Infinity, maxKeys: Infinity, profile: 'plain' }

/**
 * The RFC 8785 text of plain data.
 *
 * @throws SilentAuthError `PARAMS_NOT_CANONICAL` with the JSON pointer in `field`, never the value
 */
export function canonicalJson(value: unknown): string {
  return read(value, PLAIN, undefined)
}

/**
 * The text and a deep-frozen copy of `value`, from one walk that reads each property once: whatever getters, proxies or later
 * assignments do, the copy is what the text says.
 *
 * @throws SilentAuthError `PARAMS_NOT_CANONICAL` with the JSON pointer in `field`, never the value
 */
export function canonicalCopy(value: unknown, rules: CanonicalRules): CanonicalCopy {
  const holder: Container = {}
  const text = read(value, rules, holder)
  return { text, value: holder.root as Json }
}

type Container = { [member: string | number]: unknown }

/** State of one walk. Never of the module: a getter may call back into it. */
interface Walk {
  readonly rules: CanonicalRules
  readonly params: boolean
  /** Steps from the root to what is being read; `path[0]` leads from the root to its member. */
  readonly path: (string | number)[]
  /** UTF-16 units written so far: never more than the bytes of the text. */
  written: number
  keys: number
}

function read(value: unknown, rules: CanonicalRules, holder: Container | undefined): string {
  const walk: Walk = { rules, params: rules.profile === 'params', path: [], written: 0, keys: 0 }
  let text: string
  try {
    text = write(value, 0, walk, holder, 'root')
  } catch (cause) {
    if (cause instanceof SilentAuthError) throw cause
    // A getter, or a trap of a proxy, that throws.
    throw new SilentAuthError('PARAMS_NOT_CANONICAL', 'a value could not be read', { cause, field: '' })
  }
  if (text.length * 3 > rules.maxBytes && utf8Length(text) > rules.maxBytes)
    refuse('more than the allowed bytes', 0, walk)
  return text
}

/** The text of `value`; its copy goes into `into[member]`. `depth` counts the containers around it. */
function write(
  value: unknown,
  depth: number,
  walk: Walk,
  into: Container | undefined,
  member: string | number,
): string {
  switch (typeof value) {
    case 'string': {
      const text = quote(value, depth, walk)
      if (into !== undefined) into[member] = value
      spend(text.length, depth, walk)
      return text
    }
    case 'number': {
      if (!Number.isFinite(value)) return refuse('not a finite number', depth, walk)
      if (walk.params && Number.isInteger(value) && !Number.isSafeInteger(value)) {
        return refuse('an integer beyond 2^53-1: send it as a text', depth, walk)
      }
      const number = value === 0 ? 0 : value // -0, in text and copy alike
      if (into !== undefined) into[member] = number
      const text = `${number}` // how ECMAScript spells numbers is what RFC 8785 prescribes
      spend(text.length, depth, walk)
      return text
    }
    case 'boolean':
      if (into !== undefined) into[member] = value
      spend(value ? 4 : 5, depth, walk)
      return value ? 'true' : 'false'
    case 'object':
      if (value === null) {
        if (into !== undefined) into[member] = null
        spend(4, depth, walk)
        return 'null'
      }
      if (depth >= walk.rules.maxDepth) return refuse('too deep, or a cycle', depth, walk)
      return Array.isArray(value)
        ? writeArray(value, depth, walk, into, member)
        : writeObject(value, depth, walk, into, member)
    case 'undefined':
    case 'bigint':
    case 'function':
    case 'symbol':
      return refuse(`of type ${typeof value}, which JSON does not have`, depth, walk)
  }
}

function writeArray(
  array: readonly unknown[],
  depth: number,
  walk: Walk,
  into: Container | undefined,
  member: string | number,
): string {
  if (Object.getPrototypeOf(array) !== Array.prototype) return refuse('a subclass of Array', depth, walk)
  const copy: unknown[] | undefined = into === undefined ? undefined : []
  const length = array.length
  let text = '['
  for (let index = 0; index < length; index++) {
    walk.path[depth] = index
    if (index > 0) text += ','
    text += write(array[index], depth + 1, walk, copy as Container | undefined, index)
    spend(1, depth, walk)
  }
  if (into !== undefined) into[member] = Object.freeze(copy)
  return `${text}]`
}

function writeObject(
  object: object,
  depth: number,
  walk: Walk,
  into: Container | undefined,
  member: string | number,
): string {
  const prototype = Object.getPrototypeOf(object)
  if (prototype !== Object.prototype && prototype !== null) return refuse('not a plain object', depth, walk)
  // All own names: what is hidden from enumeration is digested too, not skipped. (Reflect.ownKeys is ten times slower.)
  const keys = Object.getOwnPropertyNames(object)
  if (Object.getOwnPropertySymbols(object).length > 0) refuse('has a symbol as a key', depth, walk)
  walk.keys += keys.length
  if (walk.keys > walk.rules.maxKeys) refuse('more than the allowed keys', depth, walk)
  sort(keys)
  const copy: Container | undefined = into === undefined ? undefined : {}
  let text = '{'
  for (const key of keys) {
    walk.path[depth] = key
    if (key === '__proto__') refuse('a member named __proto__', depth + 1, walk)
    const name = quote(key, depth + 1, walk)
    // Fails closed on V8's JSON.parse, which can misread an escaped key after it has seen another (nodejs/node#63785).
    if (walk.params && name.length !== key.length + 2) refuse('a member name that needs escaping', depth + 1, walk)
    spend(name.length + 2, depth, walk)
    text += text === '{' ? `${name}:` : `,${name}:`
    text += write((object as Container)[key], depth + 1, walk, copy, key)
  }
  if (into !== undefined) into[member] = Object.freeze(copy)
  return `${text}}`
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: what JSON escapes, and surrogates
const NEEDS_CARE = /[\u0000-\u001f"\\\ud800-\udfff]/
const LONE_SURROGATE = /\p{Surrogate}/u

/** By UTF-16 units (RFC 8785, section 3.2.3). For a handful of names, the engine's own sort costs more than all the rest. */
function sort(keys: string[]): void {
  if (keys.length > 16) {
    keys.sort()
    return
  }
  for (let index = 1; index < keys.length; index++) {
    const key = keys[index] as string
    let to = index
    for (; to > 0 && (keys[to - 1] as string) > key; to--) keys[to] = keys[to - 1] as string
    keys[to] = key
  }
}

function quote(text: string, depth: number, walk: Walk): string {
  // Before it is copied and escaped: the longest text must not be able to cost more than its share.
  if (text.length > walk.rules.maxBytes) refuse('more than the allowed bytes', depth, walk)
  if (!NEEDS_CARE.test(text)) return `"${text}"`
  if (LONE_SURROGATE.test(text)) refuse('holds half of a surrogate pair', depth, walk)
  if (walk.params && text.includes('\u0000')) refuse('holds U+0000', depth, walk)
  return JSON.stringify(text)
}

function spend(units: number, depth: number, walk: Walk): void {
  walk.written += units
  if (walk.written > walk.rules.maxBytes) refuse('more than the allowed bytes', depth, walk)
}

function utf8Length(text: string): number {
  let bytes = text.length
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    if (unit < 0x80) continue
    // Each half of a pair stands for two of its four bytes.
    bytes += unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 1 : 2
  }
  return bytes
}

function refuse(reason: string, depth: number, walk: Walk): never {
  const field = walk.path.slice(0, depth).map(pointerStep).join('') as JsonPointer
  // Names are data too: escaped and cut, so that none of them can forge a line of a log.
  const place = field === '' ? 'the whole' : JSON.stringify(field.slice(0, 200)).slice(1, -1)
  throw new SilentAuthError('PARAMS_NOT_CANONICAL', `${place}: ${reason}`, { field })
}
