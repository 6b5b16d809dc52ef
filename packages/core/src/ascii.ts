/**
 * ASCII characters by their codes, for detectors that read a text unit by unit.
 *
 * @module
 */

/** The part of a string that detectors need, so that tests can count what is read. */
export interface Characters {
  readonly length: number
  charCodeAt(index: number): number
}

export const NONE = -1
export const SPACE = 0x20
export const HASH = 0x23
export const HYPHEN = 0x2d
export const SLASH = 0x2f
export const ZERO = 0x30
export const COLON = 0x3a
export const EQUALS = 0x3d
export const QUESTION_MARK = 0x3f
export const AT_SIGN = 0x40
export const UNDERSCORE = 0x5f

/** -1 behind the end. */
export function unitAt(text: Characters, index: number): number {
  return index < text.length ? text.charCodeAt(index) : NONE
}

export function isDigit(unit: number): boolean {
  return unit >= ZERO && unit <= 0x39
}

export function isLetter(unit: number): boolean {
  const small = unit | 0x20
  return unit > 0 && small >= 0x61 && small <= 0x7a
}

export function isAlphanumeric(unit: number): boolean {
  return isDigit(unit) || isLetter(unit)
}
