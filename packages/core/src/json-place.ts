/**
 * Places in a JSON text: which member a character belongs to, and where two values differ first. Paths are spelled as findings spell
 * them: `leaves/0/body`.
 *
 * @module
 */
import type { Json, JsonObject } from './json.js'

/** The member that the character at `offset` belongs to; also in a text that is no JSON from there on. */
export function placeAt(text: string, offset: number): string {
  const steps: (string | number)[] = []
  for (let at = 0; at < text.length && at <= offset; at++) {
    switch (text[at]) {
      case '"': {
        const end = endOfText(text, at)
        const isName = typeof steps.at(-1) === 'string' && text[end + 1] === ':' && isPlain(text, at, end)
        if (isName && end < offset) steps[steps.length - 1] = text.slice(at + 1, end)
        if (isName && end >= offset) return [...steps.slice(0, -1), text.slice(at + 1, end)].join('/')
        at = end
        break
      }
      case '{':
        steps.push('')
        break
      case '[':
        steps.push(0)
        break
      case '}':
      case ']':
        if (at < offset) steps.pop()
        break
      case ',': {
        const step = steps.at(-1)
        if (typeof step === 'number') steps[steps.length - 1] = step + 1
        break
      }
    }
  }
  return steps.filter((step) => step !== '').join('/')
}

/** Where a text without whitespace ceases to be JSON; its length when it ends too early. */
export function brokenAt(text: string): number {
  const open: ('{' | '[')[] = []
  let at = 0
  const takeText = (): boolean => {
    const end = endOfStrictText(text, at)
    if (end !== undefined) at = end
    return end !== undefined
  }
  const take = (token: RegExp): boolean => {
    token.lastIndex = at
    const found = token.exec(text)
    if (found) at += found[0].length
    return found !== null
  }
  // The name before a value, where one is wanted.
  const begins = (): boolean => open.at(-1) !== '{' || (takeText() && take(/:/y))
  for (;;) {
    if (take(/\{/y)) {
      open.push('{')
      if (!take(/(?=\})/y)) {
        if (!begins()) return at
        continue
      }
    } else if (take(/\[/y)) {
      open.push('[')
      if (!take(/(?=\])/y)) continue
    } else if (!takeText() && !take(SCALAR)) return at
    while (open.length > 0 && take(open.at(-1) === '{' ? /\}/y : /\]/y)) open.pop()
    if (open.length === 0 || !take(/,/y) || !begins()) return at
  }
}

/** Path to the first member that differs, in the order of names; undefined when nothing does. */
export function firstDifference(given: Json | undefined, expected: Json | undefined, path: string): string | undefined {
  if (given === expected) return undefined
  if (Array.isArray(given) && Array.isArray(expected)) {
    for (let index = 0; index < Math.max(given.length, expected.length); index++) {
      const found = firstDifference(given[index], expected[index], `${path}/${index}`)
      if (found) return found
    }
    return undefined
  }
  if (isObject(given) && isObject(expected)) {
    for (const name of [...new Set([...Object.keys(given), ...Object.keys(expected)])].sort()) {
      const member = (of: JsonObject) => (Object.hasOwn(of, name) ? of[name] : undefined)
      const found = firstDifference(member(given), member(expected), `${path}/${name}`)
      if (found) return found
    }
    return undefined
  }
  return path
}

const MAX_NAME = 130
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null/y

/** By hand: for what a stranger sends, a regular expression with a choice in a loop would need more stack than there is. */
function endOfStrictText(text: string, start: number): number | undefined {
  if (text[start] !== '"') return undefined
  for (let at = start + 1; at < text.length; at++) {
    const unit = text[at] as string
    if (unit === '"') return at + 1
    if (unit < ' ') return undefined
    if (unit !== '\\') continue
    at++
    if (text[at] === 'u' && /^[0-9a-fA-F]{4}$/.test(text.slice(at + 1, at + 5))) at += 4
    else if (!ESCAPES.includes(text[at] ?? '-')) return undefined
  }
  return undefined
}

const ESCAPES = '"\\/bfnrt'

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** No escapes, and no longer than names are: where a text is broken, a value can stand before a colon, and must not be told. */
function isPlain(text: string, start: number, end: number): boolean {
  return end - start <= MAX_NAME && !text.slice(start, end).includes('\\')
}

/** Index of the quote that closes the text opened at `start`; the last character when none does. */
function endOfText(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '"') return at
    if (text[at] === '\\') at++
  }
  return text.length - 1
}
