import { createPrivateKey, createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import { calculateJwkThumbprint } from 'jose'
import { describe, expect, it } from 'vitest'
import type { PublicAlg } from '../src/public-key.js'
import { generateSigningKey, type PrivateJwk, privateKeySigner, secretSigner } from '../src/signer.js'

const ALGS: readonly PublicAlg[] = ['RS256', 'ES256', 'EdDSA']
const bytes = new TextEncoder().encode('what is signed')
const rejected = expect.objectContaining({ code: 'KEY_REJECTED' })

describe.each(ALGS)('generateSigningKey(%s)', (alg) => {
  it('makes a key that node:crypto takes, named by its thumbprint', async () => {
    const jwk = await generateSigningKey(alg)
    expect(createPrivateKey({ key: jwk, format: 'jwk' }).type).toBe('private')
    expect(jwk).toMatchObject({ alg, use: 'sig', kid: await calculateJwkThumbprint(jwk) })
  })

  it('makes another key each time', async () => {
    expect((await generateSigningKey(alg)).kid).not.toBe((await generateSigningKey(alg)).kid)
  })
})

describe.each(ALGS)('privateKeySigner with %s', (alg) => {
  it('makes signatures that node:crypto takes', async () => {
    const signer = await privateKeySigner(await generateSigningKey(alg))
    const key = createPublicKey({ key: { ...signer.publicJwk }, format: 'jwk' })
    const how = alg === 'ES256' ? ({ key, dsaEncoding: 'ieee-p1363' } as const) : key
    expect(verify(alg === 'EdDSA' ? null : 'sha256', bytes, how, await signer.sign(bytes))).toBe(true)
  })

  it('gives out no private member', async () => {
    const { publicJwk } = await privateKeySigner(await generateSigningKey(alg))
    expect(
      Object.keys(publicJwk ?? {}).filter((name) => ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'].includes(name)),
    ).toEqual([])
  })

  it('refuses a file whose halves do not fit', async () => {
    const [one, other] = [await generateSigningKey(alg), await generateSigningKey(alg)]
    const {
      d: _,
      p: __,
      q: ___,
      dp: ____,
      dq: _____,
      qi: ______,
      ...ownPublic
    } = one as PrivateJwk & Record<string, unknown>
    await expect(privateKeySigner({ ...other, ...ownPublic } as PrivateJwk)).rejects.toEqual(rejected)
  })

  it('refuses a public key', async () => {
    const { d: _, ...jwk } = await generateSigningKey(alg)
    await expect(privateKeySigner(jwk as PrivateJwk)).rejects.toEqual(rejected)
  })
})

describe('privateKeySigner', () => {
  it.each<[string, () => unknown]>([
    [
      'RSA of 1024 bits',
      () => generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({ format: 'jwk' }),
    ],
    ['no alg', async () => ({ ...(await generateSigningKey('EdDSA')), alg: undefined })],
    ['no kid', async () => ({ ...(await generateSigningKey('EdDSA')), kid: '' })],
    ['alg of another kind', async () => ({ ...(await generateSigningKey('EdDSA')), alg: 'RS256' })],
    ['null', () => null],
  ])('refuses %s', async (_, jwk) => {
    await expect(privateKeySigner((await jwk()) as PrivateJwk)).rejects.toEqual(rejected)
  })

  it('tells a log nothing about a private key', async () => {
    const jwk = { ...(await generateSigningKey('EdDSA')), d: 'c2VjcmV0' } as PrivateJwk
    const error = await privateKeySigner(jwk).then(
      () => undefined,
      (thrown: Error) => thrown,
    )
    expect([String(error).includes('c2VjcmV0'), error?.cause]).toEqual([false, undefined])
  })
})

describe('secretSigner', () => {
  it('has nothing for verifiers', () => {
    expect(secretSigner(crypto.getRandomValues(new Uint8Array(32)))).toMatchObject({
      alg: 'HS256',
      kid: 'hs256',
      publicJwk: undefined,
    })
  })

  it('signs the same bytes the same', async () => {
    const signer = secretSigner(crypto.getRandomValues(new Uint8Array(32)), { kid: 'next' })
    expect(await signer.sign(bytes)).toEqual(await signer.sign(bytes))
  })

  it.each<[string, unknown]>([
    ['31 bytes', new Uint8Array(31)],
    ['a text', 'a-secret-that-is-certainly-long-enough-to-be-one'],
  ])('refuses %s', (_, secret) => {
    expect(() => secretSigner(secret as Uint8Array)).toThrow(rejected)
  })
})
