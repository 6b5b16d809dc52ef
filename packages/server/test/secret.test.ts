import { describe, expect, it } from 'vitest'
import { isProjectKey, isSecret, newProjectKey, newSecret, sameHash, secretHash } from '../src/secret.js'

describe('secrets', () => {
  it('are 256 random bits, in keys and sessions alike', () => {
    const [key, secret] = [newProjectKey(), newSecret()]
    expect([Buffer.from(key.slice(3), 'base64url').length, Buffer.from(secret, 'base64url').length]).toEqual([32, 32])
    expect([isProjectKey(key), isSecret(secret)]).toEqual([true, true])
  })

  it.each([
    '',
    'sk_',
    'sk_short',
    `pk_${'a'.repeat(43)}`,
    `sk_${'a'.repeat(42)}`,
    `sk_${'a'.repeat(43)}=`,
    `sk_${'a'.repeat(200)}`,
  ])('are not looked up when no key can look like that: %s', (text) => {
    expect(isProjectKey(text)).toBe(false)
  })

  it('are compared by their hashes', () => {
    const [one, other] = [secretHash(newSecret()), secretHash(newSecret())]
    expect([sameHash(one, one), sameHash(one, other), sameHash(one, '')]).toEqual([true, false, false])
  })
})
