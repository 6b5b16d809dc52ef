/**
 * Secret names: members that hold passwords, tokens, keys, card or account numbers whatever their value looks like.
 *
 * @module
 */
import { isDigit, isLetter } from './ascii.js'
import type { Json } from './json.js'

/** Whether a member of this name holds a secret. Of a boolean or null there is nothing to hide. */
export function isSecretName(member: string, value: Json): boolean {
  if (value === null || typeof value === 'boolean' || value === '') return false
  const words = wordsOf(member)
  while (words.length > 1 && FILLERS.has(words.at(-1) as string)) words.pop()
  return [1, 2, 3].some((count) => SECRET_NAMES.has(words.slice(-count).join('')))
}

/** By their last words: `stripe_api_key`, `dbPassword`, `customer-iban`. */
const SECRET_NAMES = new Set(
  `password passwd pwd passphrase passcode pin pincode otp totp mfacode
   secret secrets secretkey apikey apisecret accesskey privatekey signingkey encryptionkey masterkey sshkey sharedkey
   token jwt bearer authorization proxyauthorization cookie cookies setcookie credential credentials sessionid
   connectionstring cardnumber cardno creditcard debitcard ccnumber ccnum pan cvv cvc csc securitycode
   iban accountnumber accountno acctnumber acctno bankaccount ssn socialsecurity socialsecuritynumber taxid
   nationalid passportnumber`.split(/\s+/),
)
/** What may follow such a name without changing what it is. */
const FILLERS = new Set('value text plain plaintext raw string hash old new current 1 2'.split(' '))

/** `someAPIKey2` → some, api, key, 2. */
function wordsOf(member: string): string[] {
  const words: string[] = []
  let word = ''
  let last: 'upper' | 'lower' | 'digit' | undefined
  for (const character of member.slice(-128)) {
    const kind = kindOf(character.charCodeAt(0))
    const begins =
      kind === undefined || (kind === 'upper' && last !== 'upper') || (kind === 'digit') !== (last === 'digit')
    if (begins && word !== '') {
      words.push(word)
      word = ''
    }
    // In `APIKey` the capital before a small letter belongs to the next word.
    if (kind === 'lower' && last === 'upper' && word.length > 1) {
      words.push(word.slice(0, -1))
      word = word.slice(-1)
    }
    if (kind !== undefined) word += character.toLowerCase()
    last = kind
  }
  if (word !== '') words.push(word)
  return words
}

function kindOf(unit: number): 'upper' | 'lower' | 'digit' | undefined {
  if (isDigit(unit)) return 'digit'
  if (unit >= 0x41 && unit <= 0x5a) return 'upper'
  return isLetter(unit) ? 'lower' : undefined
}
