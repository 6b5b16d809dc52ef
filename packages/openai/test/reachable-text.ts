/**
 * Every text that can be reached from a value: names and values of members, bytes read as UTF-8. What is to be found
 * nowhere is looked for in this.
 *
 * @module
 */

export function reachableText(value: unknown): string {
  const texts: string[] = []
  const seen = new Set<unknown>()
  const left: unknown[] = [value]
  while (left.length > 0) {
    const next = left.pop()
    if (typeof next === 'string') texts.push(next)
    if (typeof next !== 'object' || next === null || seen.has(next)) continue
    seen.add(next)
    if (next instanceof Uint8Array) texts.push(new TextDecoder().decode(next))
    else if (next instanceof Map || next instanceof Set) left.push(...next)
    else if (next instanceof Error) left.push(next.message, next.cause, Object.entries(next))
    else left.push(...Object.keys(next), ...Object.values(next))
  }
  return texts.join('\n')
}
