/**
 * A duration on the command line: a number and its unit.
 *
 * @module
 */
import { InvalidArgumentError } from 'commander'

const UNIT_SECONDS = { h: 3600, d: 86_400, w: 7 * 86_400 } as const

/** `36h`, `90d`, `12w`, at least a day. */
export function parseDuration(text: string): number {
  const [, count = '', unit = ''] = /^([0-9]{1,5})([hdw])$/.exec(text) ?? []
  const seconds = Number(count) * (UNIT_SECONDS[unit as keyof typeof UNIT_SECONDS] ?? Number.NaN)
  if (!(seconds >= UNIT_SECONDS.d))
    throw new InvalidArgumentError('a duration is such as 36h, 90d or 12w, at least a day')
  return seconds
}
