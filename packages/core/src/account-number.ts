/**
 * Account numbers: payment cards, IBANs and US social security numbers, recognised by their check digits where they have any.
 *
 * Each function looks at a bounded number of characters from the place where a word begins.
 *
 * @module
 */
import { type Characters, HYPHEN, isAlphanumeric, isDigit, isLetter, SPACE, unitAt, ZERO } from './ascii.js'

/** 13 to 19 digits, also in groups, that an issuer could have given and whose check digit is right. */
export function isCardAt(text: Characters, at: number): boolean {
  const digits: number[] = []
  for (let index = at; digits.length < 19; index++) {
    const unit = unitAt(text, index)
    if (isDigit(unit)) digits.push(unit - ZERO)
    else if (!isSeparator(unit) || !isDigit(unitAt(text, index + 1))) return false
    if (!isAlphanumeric(unitAt(text, index + 1)) && isCardNumber(digits)) return true
  }
  return false
}

function isCardNumber(digits: readonly number[]): boolean {
  const count = digits.length
  if (count < 13) return false
  const [first = 0, second = 0, third = 0, fourth = 0] = digits
  const two = first * 10 + second
  const four = two * 100 + third * 10 + fourth
  const issued =
    (first === 4 && (count === 13 || count === 16 || count === 19)) ||
    (((two >= 51 && two <= 55) || (four >= 2221 && four <= 2720)) && count === 16) ||
    ((two === 34 || two === 37) && count === 15) ||
    ((two === 30 || two === 36 || two === 38 || two === 39) && (count === 14 || count === 16)) ||
    ((two === 35 || first === 6) && count >= 16)
  return issued && luhn(digits)
}

/** ISO/IEC 7812-1, annex B. */
function luhn(digits: readonly number[]): boolean {
  let sum = 0
  for (const [index, digit] of digits.entries()) {
    const doubled = (digits.length - index) % 2 === 0 ? digit * 2 : digit
    sum += doubled > 9 ? doubled - 9 : doubled
  }
  return sum % 10 === 0
}

/** `ddd-dd-dddd`, without the numbers that are never given out. */
export function isSocialSecurityAt(text: Characters, at: number, before: number): boolean {
  if (before === HYPHEN) return false
  const digits: number[] = []
  for (let index = 0; index < 11; index++) {
    const unit = unitAt(text, at + index)
    if (index === 3 || index === 6) {
      if (unit !== HYPHEN) return false
    } else if (isDigit(unit)) digits.push(unit - ZERO)
    else return false
  }
  const after = unitAt(text, at + 11)
  if (isAlphanumeric(after) || after === HYPHEN) return false
  const [a = 0, b = 0, c = 0, d = 0, e = 0, ...serial] = digits
  const area = a * 100 + b * 10 + c
  return area !== 0 && area !== 666 && area < 900 && d + e > 0 && serial.some((digit) => digit > 0)
}

/** ISO 13616: country, two check digits, 11 to 30 letters and digits, remainder 1 modulo 97; also in groups. */
export function isIbanAt(text: Characters, at: number): boolean {
  const [country, check] = [text.charCodeAt(at), unitAt(text, at + 1)]
  const [tens, ones] = [unitAt(text, at + 2), unitAt(text, at + 3)]
  if (!isLetter(check) || !isDigit(tens) || !isDigit(ones)) return false
  let remainder = 0
  let count = 4
  for (let index = at + 4; count < 34; index++) {
    const unit = unitAt(text, index)
    if (isAlphanumeric(unit)) {
      remainder = append(remainder, unit)
      count += 1
    } else if (unit !== SPACE || !isAlphanumeric(unitAt(text, index + 1))) return false
    if (count >= 15 && !isAlphanumeric(unitAt(text, index + 1))) {
      // The first four characters count last.
      if ([country, check, tens, ones].reduce(append, remainder) === 1) return true
    }
  }
  return false
}

function append(remainder: number, unit: number): number {
  if (isDigit(unit)) return (remainder * 10 + unit - ZERO) % 97
  return (remainder * 100 + (unit & 0x1f) + 9) % 97 // A is 10, in either case
}

function isSeparator(unit: number): boolean {
  return unit === SPACE || unit === HYPHEN
}
