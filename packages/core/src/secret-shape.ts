/**
 * Secret shapes: the values by which passwords, tokens, keys, card and account numbers are recognised.
 *
 * A text is read once from left to right without RegExp; at each place where a word begins, a bounded number of characters is
 * looked at. A detector is a help for honest agents, not a wall: what must be hidden for certain is named by the policy.
 *
 * @module
 */
import { isCardAt, isIbanAt, isSocialSecurityAt } from './account-number.js'
import {
  AT_SIGN,
  type Characters,
  COLON,
  EQUALS,
  HASH,
  HYPHEN,
  isAlphanumeric,
  isDigit,
  isLetter,
  NONE,
  QUESTION_MARK,
  SLASH,
  SPACE,
  UNDERSCORE,
  unitAt,
} from './ascii.js'
import type { Json } from './json.js'
import { isSecretName } from './secret-name.js'

/** Whether a text, or a number, is or contains something that looks like a secret. */
export function isSecretValue(value: Json): boolean {
  if (typeof value === 'string') return holdsSecret(value)
  return typeof value === 'number' && Number.isSafeInteger(value) && holdsSecret(String(value))
}

/** True when a card or account number, a token or a password stands anywhere in the text. */
export function holdsSecret(text: Characters): boolean {
  let before = NONE
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (!isAlphanumeric(before)) {
      if (holdsToken(text, at, unit)) return true
      if (isDigit(unit) && (isCardAt(text, at) || isSocialSecurityAt(text, at, before))) return true
      if (isLetter(unit) && isIbanAt(text, at)) return true
    }
    if (unit === HYPHEN && isPrivateKeyAt(text, at)) return true
    if (unit === COLON && hasUserInfoAt(text, at)) return true
    if (unit === EQUALS && isAssignmentAt(text, at)) return true
    before = unit
  }
  return false
}

interface TokenShape {
  readonly prefix: string
  /** Characters of a token that must follow. */
  readonly following: number
  /** One of them a digit: tells a token from words with hyphens. */
  readonly digit: boolean
}

/** How issuers begin their tokens and keys. */
const TOKENS: readonly TokenShape[] = [
  ...shapes(8, false, 'sk_live_ sk_test_ rk_live_ rk_test_'),
  ...shapes(10, false, 'xoxa- xoxb- xoxe- xoxp- xoxr- xoxs- xapp-'),
  ...shapes(16, true, 'sk_ sk- rk_'),
  ...shapes(16, false, 'AKIA ASIA glpat- whsec_ eyJ'),
  ...shapes(20, false, 'ghp_ gho_ ghu_ ghs_ ghr_ github_pat_ ya29. shpat_ shpss_ shpca_'),
  ...shapes(30, false, 'AIza SG. npm_ pypi- hf_ dop_v1_ AGE-SECRET-KEY-1'),
  ...['Bearer ', 'bearer ', 'BEARER ', 'Basic ', 'basic '].map((prefix) => ({ prefix, following: 16, digit: true })),
]
const TOKENS_BY_FIRST = Map.groupBy(TOKENS, ({ prefix }) => prefix.charCodeAt(0))

function shapes(following: number, digit: boolean, prefixes: string): TokenShape[] {
  return prefixes.split(' ').map((prefix) => ({ prefix, following, digit }))
}

function holdsToken(text: Characters, at: number, unit: number): boolean {
  return TOKENS_BY_FIRST.get(unit)?.some((shape) => isTokenAt(text, at, shape)) ?? false
}

function isTokenAt(text: Characters, at: number, { prefix, following, digit }: TokenShape): boolean {
  if (!startsWith(text, at, prefix)) return false
  const from = at + prefix.length
  let digits = 0
  for (let index = from; index < from + following; index++) {
    const unit = unitAt(text, index)
    if (!isTokenUnit(unit)) return false
    if (isDigit(unit)) digits += 1
  }
  return !digit || digits > 0
}

/** `-----BEGIN … PRIVATE KEY-----`, whatever algorithm stands between. */
function isPrivateKeyAt(text: Characters, at: number): boolean {
  if (!startsWith(text, at, '-----BEGIN ')) return false
  for (let index = at + 11; index < at + 43; index++) if (startsWith(text, index, 'PRIVATE KEY-----')) return true
  return false
}

/** `scheme://user:password@`. The next place to look at lies behind the slash at which this one ends. */
function hasUserInfoAt(text: Characters, at: number): boolean {
  if (!startsWith(text, at, '://')) return false
  let colon = false
  for (let index = at + 3; index < text.length; index++) {
    const unit = unitAt(text, index)
    if (unit === AT_SIGN) return colon
    if (unit === COLON) colon = true
    else if (unit <= SPACE || unit === SLASH || unit === QUESTION_MARK || unit === HASH) return false
  }
  return false
}

/** `--password=…`, `API_KEY=…`, `?access_token=…`. Looks back no further than to the sign before. */
function isAssignmentAt(text: Characters, at: number): boolean {
  for (let index = at + 1; index <= at + 4; index++) {
    const unit = unitAt(text, index)
    if (unit <= SPACE || unit === EQUALS) return false
  }
  let from = at
  while (from > 0 && isNameUnit(text.charCodeAt(from - 1))) from -= 1
  let name = ''
  for (let index = from; index < at; index++) name += String.fromCharCode(text.charCodeAt(index))
  return isSecretName(name, name)
}

function startsWith(text: Characters, at: number, prefix: string): boolean {
  for (let index = 0; index < prefix.length; index++) {
    if (unitAt(text, at + index) !== prefix.charCodeAt(index)) return false
  }
  return true
}

function isNameUnit(unit: number): boolean {
  return isAlphanumeric(unit) || unit === HYPHEN || unit === UNDERSCORE
}

/** base64, base64url, and the dots of a JWT. */
function isTokenUnit(unit: number): boolean {
  return (
    isAlphanumeric(unit) || unit === HYPHEN || unit === SLASH || [0x2b, 0x2e, EQUALS, UNDERSCORE, 0x7e].includes(unit)
  )
}
