import { describe, expect, it } from 'vitest'
import { isCardAt, isIbanAt, isSocialSecurityAt } from '../src/account-number.js'
import { NONE } from '../src/ascii.js'

describe('isCardAt', () => {
  it.each([
    ['Visa', '4111111111111111', true],
    ['Visa of 13 digits', '4222222222222', true],
    ['Visa of 19 digits', '4000000000000000006', true],
    ['Mastercard', '5555555555554444', true],
    ['Mastercard of the second range', '2223003122003222', true],
    ['American Express', '378282246310005', true],
    ['Diners', '30569309025904', true],
    ['Discover', '6011111111111117', true],
    ['JCB', '3530111333300000', true],
    ['with spaces', '4111 1111 1111 1111', true],
    ['with hyphens', '4111-1111-1111-1111', true],
    ['before other digits', '4111 1111 1111 1111 250', true],
    ['before a full stop', '4111111111111111.', true],
    ['with a wrong check digit', '4111111111111112', false],
    ['before letters', '4111111111111111a', false],
    ['of another issuer', '1111111111111117', false],
    ['a Visa of 15 digits', '411111111111116', false],
    ['milliseconds since 1970', '1773664496006', false],
    ['with two spaces', '4111  1111 1111 1111', false],
    ['ending too early', '4111 1111', false],
    ['with more digits than a card has', '41111111111111110000', false],
  ])('%s: %s is %s', (_, text, expected) => {
    expect(isCardAt(text, 0)).toBe(expected)
  })
})

describe('isIbanAt', () => {
  it.each([
    ['German', 'DE89370400440532013000', true],
    ['British', 'GB29NWBK60161331926819', true],
    ['Norwegian, the shortest', 'NO9386011117947', true],
    ['Maltese', 'MT84MALT011000012345MTLCAST001S', true],
    ['in groups', 'DE89 3704 0044 0532 0130 00', true],
    ['in groups, before words', 'DE89 3704 0044 0532 0130 00 please', true],
    ['in small letters', 'gb29nwbk60161331926819', true],
    ['with a wrong digit', 'DE89370400440532013001', false],
    ['with swapped check digits', 'DE98370400440532013000', false],
    ['too short', 'DE8937040044', false],
    ['without check digits', 'DEXX370400440532013000', false],
    ['glued to more letters', 'DE89370400440532013000xyz', false],
  ])('%s: %s is %s', (_, text, expected) => {
    expect(isIbanAt(text, 0)).toBe(expected)
  })
})

describe('isSocialSecurityAt', () => {
  it.each([
    ['123-45-6789', NONE, true],
    ['123-45-6789, said he', NONE, true],
    ['000-45-6789', NONE, false],
    ['666-45-6789', NONE, false],
    ['900-45-6789', NONE, false],
    ['123-00-6789', NONE, false],
    ['123-45-0000', NONE, false],
    ['123-45-67890', NONE, false],
    ['123-45-6789-1', NONE, false],
    ['123 45 6789', NONE, false],
    ['123-45-678', NONE, false],
    ['123-45-6789', '-'.charCodeAt(0), false],
  ])('%s behind %i is %s', (text, before, expected) => {
    expect(isSocialSecurityAt(text, 0, before)).toBe(expected)
  })
})
