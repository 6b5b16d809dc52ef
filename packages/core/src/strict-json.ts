/**
 * Strict JSON: a body is refused before it is parsed when any of its objects has a duplicate or an escaped member name.
 *
 * `JSON.parse` keeps the last of two members in silence, while a proxy or another language may read the first; and V8 can
 * misread an escaped name after it has seen another (nodejs/node#63785), so that one request decides what a later one says.
 *
 * @module
 */
import { SilentAuthError } from './errors.js'
import { type Json, type JsonPointer, pointerStep } from './json.js'

export interface StrictJsonOptions {
  /** Containers within containers. @default 80: the deepest params, inside a body */
  readonly maxDepth?: number | undefined
}

/**
 * The value of a JSON text. Size is the caller's to bound before.
 *
 * @throws SilentAuthError `INVALID_FIELD` with the JSON pointer in `field`: not JSON, too deep, a duplicate member name, one with
 * an escape, or `__proto__`
 */
export function parseStrictJson(text: string, { maxDepth = 80 }: StrictJsonOptions = {}): Json {
  scanNames(text, maxDepth)
  try {
    return JSON.parse(text) as Json
  } catch {
    // Without the cause: a parser's message quotes the text.
    throw new SilentAuthError('INVALID_FIELD', 'the body is not JSON', { field: '' })
  }
}

type Container = { readonly names: Set<string>; name: string } | { index: number }

/**
 * Finds every member name of `text`. Syntax is left to the parser: for any text that it accepts, the names found here are the names
 * it reads, because a text in an object is a name exactly when a colon follows.
 */
function scanNames(text: string, maxDepth: number): void {
  const open: Container[] = []
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE: {
        const end = endOfText(text, at)
        if (end === -1) return // never closed: the parser says so
        const inner = open.at(-1)
        if (inner !== undefined && 'names' in inner && isFollowedByColon(text, end + 1)) {
          const name = text.slice(at + 1, end)
          if (name.includes('\\')) refuse('has a member name with an escape', open.slice(0, -1))
          inner.name = name
          if (name === '__proto__') refuse('a member of this name', open)
          if (inner.names.has(name)) refuse('occurs twice', open)
          inner.names.add(name)
        }
        at = end
        break
      }
      case OPEN_OBJECT:
        if (open.length >= maxDepth) refuse('deeper than allowed', open)
        open.push({ names: new Set(), name: '' })
        break
      case OPEN_ARRAY:
        if (open.length >= maxDepth) refuse('deeper than allowed', open)
        open.push({ index: 0 })
        break
      case CLOSE_OBJECT:
      case CLOSE_ARRAY:
        open.pop()
        break
      case COMMA: {
        const inner = open.at(-1)
        if (inner !== undefined && 'index' in inner) inner.index++
        break
      }
    }
  }
}

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_ARRAY = 0x5b
const BACKSLASH = 0x5c
const CLOSE_ARRAY = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

/** Index of the quote that closes the text opened at `start`, or -1. */
function endOfText(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit === QUOTE) return at
    if (unit === BACKSLASH) at++
  }
  return -1
}

function isFollowedByColon(text: string, start: number): boolean {
  for (let at = start; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit === COLON) return true
    // The whitespace of JSON: space, tab, line feed, carriage return.
    if (unit !== 0x20 && unit !== 0x09 && unit !== 0x0a && unit !== 0x0d) return false
  }
  return false
}

/** `way`: the containers whose current members lead to what is refused. */
function refuse(reason: string, way: readonly Container[]): never {
  const field = way
    .map((container) => pointerStep('index' in container ? container.index : container.name))
    .join('') as JsonPointer
  // Names are data too: escaped and cut, so that none of them can forge a line of a log.
  const place = field === '' ? 'the body' : JSON.stringify(field.slice(0, 200)).slice(1, -1)
  throw new SilentAuthError('INVALID_FIELD', `${place}: ${reason}`, { field })
}
