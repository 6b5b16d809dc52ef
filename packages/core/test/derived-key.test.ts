import { DERIVE_KEY, derivedKeyOf, deriveKey, type KeyDeriving } from '@silentauth/core'
import { testGate } from '@silentauth/core/testing'
import { expect, it } from 'vitest'

const secret = (byte: number) => new Uint8Array(32).fill(byte)

it('the same secret and label give the same key, anything else another', async () => {
  const key = await deriveKey(secret(1), 'a')
  expect(key).toHaveLength(32)
  expect(await deriveKey(secret(1), 'a')).toEqual(key)
  expect(await deriveKey(secret(1), 'b')).not.toEqual(key)
  expect(await deriveKey(secret(2), 'a')).not.toEqual(key)
})

it('each key of a gate has its own, and a gate without any gives none', async () => {
  await using test = await testGate()
  const one = test.local.gateFor({ type: 'key', id: 'key_one' as never, projectId: test.project.id })
  const other = test.local.gateFor({ type: 'key', id: 'key_other' as never, projectId: test.project.id })
  expect(await derivedKeyOf(one, 'a')).toEqual(await (one as KeyDeriving)[DERIVE_KEY]('a'))
  expect(await derivedKeyOf(one, 'a')).not.toEqual(await derivedKeyOf(other, 'a'))
  expect(await derivedKeyOf({}, 'a')).toBeUndefined()
})
