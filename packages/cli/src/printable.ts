/**
 * Printable text: what came from an agent or a gate, made safe for a terminal. A control sequence could move the cursor
 * and write over the very params that a person is about to approve.
 *
 * @module
 */
import { escapedText, type Json } from '@silentauth/core'

/** Invisible, bidirectional and control characters as `⟦U+001B⟧`; on one line. */
export function printable(text: string): string {
  return escapedText(text).replaceAll('\n', ' ')
}

/** JSON as lines, every text in it printable. */
export function printableJson(value: Json, indent = ''): string {
  const inner = `${indent}  `
  if (value === null || typeof value !== 'object') return typeof value === 'string' ? quoted(value) : String(value)
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]'
    return `[\n${value.map((item: Json) => inner + printableJson(item, inner)).join(',\n')}\n${indent}]`
  }
  const members = Object.entries(value)
  if (members.length === 0) return '{}'
  const lines = members.map(([name, item]) => `${inner}${quoted(name)}: ${printableJson(item as Json, inner)}`)
  return `{\n${lines.join(',\n')}\n${indent}}`
}

/** Escaped first, so that no quote or line break of the text passes for one of ours. */
function quoted(text: string): string {
  return JSON.stringify(text).replace(/[^\x20-\x7e]+/gu, (part) => printable(part))
}
