import { newId, randomToken } from '@silentauth/core'
import { expect, it } from 'vitest'

const MANY = 20_000

it('an id has its prefix and 128 bits, without letters that are read for others', () => {
  for (let index = 0; index < 1000; index++) expect(newId('int')).toMatch(/^int_[0-9abcdefghjkmnpqrstvwxyz]{26}$/)
})

it('no id and no token comes twice, also where the pool of random bytes is drawn anew', () => {
  const drawn = Array.from({ length: MANY }, (_, index) => (index % 2 === 0 ? newId('int') : randomToken()))
  expect(new Set(drawn).size).toBe(MANY)
})

it('a token has as many bytes as were asked for, also more than the pool holds', () => {
  for (const bytes of [1, 16, 32, 4096, 5000]) {
    expect(Buffer.from(randomToken(bytes), 'base64url')).toHaveLength(bytes)
  }
})

it('what was given out is not what is given out next', () => {
  const first = Buffer.from(randomToken(4096), 'base64url')
  expect(first.some((byte) => byte !== 0)).toBe(true)
  expect(Buffer.from(randomToken(4096), 'base64url').equals(first)).toBe(false)
})
