/**
 * The order of texts that every store gives: by code points, which is the order of their UTF-8 bytes. JavaScript's own is by
 * UTF-16 units, in which an emoji comes before `ﬀ`.
 *
 * @module
 */

export function compareText(one: string, other: string): number {
  let index = 0
  while (index < one.length && one.charCodeAt(index) === other.charCodeAt(index)) index++
  if (index === one.length || index === other.length) return one.length - other.length
  const [unit, against] = [one.charCodeAt(index), other.charCodeAt(index)]
  const [astral, againstAstral] = [isSurrogate(unit), isSurrogate(against)]
  return astral === againstAstral ? unit - against : astral ? 1 : -1
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff
}
