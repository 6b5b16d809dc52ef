import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { inspect } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { indexOf, type KeyRing, keyRing, secretRing } from '../src/key-ring.js'
import { publicJwk } from '../src/public-key.js'

type Jwk = Record<string, unknown>
const exported = (key: KeyObject): Jwk => key.export({ format: 'jwk' }) as Jwk
const rsa = (bits: number, e = 65_537): Jwk =>
  exported(generateKeyPairSync('rsa', { modulusLength: bits, publicExponent: e }).publicKey)
const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve })
const rejected = expect.objectContaining({ code: 'KEY_REJECTED' })
const base64url = (...bytes: number[]): string => Buffer.from(bytes).toString('base64url')

let RSA: Jwk
let EC: Jwk
let ED: Jwk
beforeAll(() => {
  RSA = { ...rsa(2048), alg: 'RS256', kid: 'r' }
  EC = { ...exported(ec('P-256').publicKey), alg: 'ES256', kid: 'e' }
  ED = { ...exported(generateKeyPairSync('ed25519').publicKey), alg: 'EdDSA', kid: 'd' }
})

describe('keyRing', () => {
  it('takes the three kinds of key together', () => {
    expect(keyRing([RSA, EC, ED]).keys.map(({ alg }) => alg)).toEqual(['RS256', 'ES256', 'EdDSA'])
  })

  it('takes no key at all: then every permit is refused', () => {
    expect(keyRing([]).keys).toEqual([])
  })

  it.each<[string, () => Jwk]>([
    ['use: sig', () => ({ ...ED, use: 'sig' })],
    ['key_ops with verify', () => ({ ...ED, key_ops: ['verify'] })],
    ['members that are not needed', () => ({ ...ED, x5c: ['MIIB'], ext: true, exp: 1 })],
    ['RSA of 3072 bits', () => ({ ...rsa(3072), alg: 'RS256', kid: 'r' })],
  ])('takes %s', (_, jwk) => {
    expect(keyRing([jwk()]).keys).toHaveLength(1)
  })

  it('keeps only the members that are needed, frozen', () => {
    const [key] = keyRing([{ ...ED, x5c: ['MIIB'], ext: true }]).keys
    expect([Object.keys(key ?? {}), Object.isFrozen(key)]).toEqual([['kty', 'alg', 'kid', 'use', 'crv', 'x'], true])
  })

  // PA-8: JOSE libraries refuse only some of these.
  it.each<[string, () => unknown]>([
    ['RSA of 512 bits', () => ({ ...rsa(512), alg: 'RS256', kid: 'r' })],
    ['RSA of 1024 bits', () => ({ ...rsa(1024), alg: 'RS256', kid: 'r' })],
    ['RSA of 2047 bits', () => ({ ...rsa(2047), alg: 'RS256', kid: 'r' })],
    ['RSA of 8200 bits', () => ({ ...RSA, n: base64url(...new Array<number>(1025).fill(255)) })],
    ['RSA with a leading zero in n', () => ({ ...RSA, n: base64url(0, ...Buffer.from(String(RSA.n), 'base64url')) })],
    ['RSA with an even modulus', () => ({ ...RSA, n: base64url(...new Array<number>(256).fill(254)) })],
    ['RSA with e = 3', () => ({ ...rsa(2048, 3), alg: 'RS256', kid: 'r' })],
    ['RSA with e = 1, with which anybody forges', () => ({ ...RSA, e: base64url(1) })],
    ['RSA with e = 65535', () => ({ ...RSA, e: base64url(255, 255) })],
    ['RSA with an even e', () => ({ ...RSA, e: base64url(1, 0, 2) })],
    ['RSA with e of five bytes', () => ({ ...RSA, e: base64url(1, 0, 0, 0, 1) })],
    ['RSA with padding in n', () => ({ ...RSA, n: `${RSA.n}==` })],
    ['RSA without n', () => ({ ...RSA, n: undefined })],
    ['ES256 on P-384', () => ({ ...exported(ec('P-384').publicKey), alg: 'ES256', kid: 'e' })],
    ['ES256 on secp256k1', () => ({ ...exported(ec('secp256k1').publicKey), alg: 'ES256', kid: 'e' })],
    ['ES256 on secp256k1 that says P-256, with a short x', () => ({ ...EC, x: base64url(1) })],
    ['a private EC key', () => ({ ...exported(ec('P-256').privateKey), alg: 'ES256', kid: 'e' })],
    ['a private RSA key without d', () => ({ ...RSA, p: 'AQ' })],
    ['a member k', () => ({ ...ED, k: 'AQ' })],
    ['X25519', () => ({ ...exported(generateKeyPairSync('x25519').publicKey), alg: 'EdDSA', kid: 'd' })],
    ['Ed448', () => ({ ...exported(generateKeyPairSync('ed448').publicKey), alg: 'EdDSA', kid: 'd' })],
    ['the other spelling, Ed25519', () => ({ ...ED, alg: 'Ed25519' })],
    ['a symmetric key', () => ({ kty: 'oct', k: 'AAAA', alg: 'HS256', kid: 'h' })],
    ['a symmetric key of an AES algorithm', () => ({ kty: 'oct', k: 'AAAA', alg: 'A128KW', kid: 'h' })],
    ['alg of another kind of key', () => ({ ...RSA, alg: 'ES256' })],
    ['alg PS256', () => ({ ...RSA, alg: 'PS256' })],
    ['no alg', () => ({ ...RSA, alg: undefined })],
    ['alg that every object has (PA-6)', () => ({ ...RSA, alg: 'constructor' })],
    ['alg none', () => ({ ...RSA, alg: 'none' })],
    ['no kid', () => ({ ...ED, kid: undefined })],
    ['an empty kid', () => ({ ...ED, kid: '' })],
    ['a kid that is no text', () => ({ ...ED, kid: 1 })],
    ['a kid with half of a surrogate pair', () => ({ ...ED, kid: '\ud800' })],
    ['a kid of 257 characters', () => ({ ...ED, kid: 'k'.repeat(257) })],
    ['use: enc', () => ({ ...ED, use: 'enc' })],
    ['key_ops without verify', () => ({ ...ED, key_ops: ['sign'] })],
    ['key_ops that is a text', () => ({ ...ED, key_ops: 'verify' })],
    ['null', () => null],
    ['a list in a list', () => [ED]],
    ['a text', () => JSON.stringify(ED)],
  ])('refuses %s', (_, jwk) => {
    expect(() => keyRing([jwk()])).toThrow(rejected)
  })

  it.each<[string, () => unknown]>([
    ['two keys of one kid', () => [ED, { ...EC, kid: 'd' }]],
    ['33 keys', () => Array.from({ length: 33 }, (_, index) => ({ ...ED, kid: `d${index}` }))],
    ['more than 64 KB', () => [{ ...ED, x5c: ['A'.repeat(65_536)] }]],
    ['one bad key among good ones', () => [ED, { ...RSA, e: base64url(3) }]],
    ['a JWKS instead of its keys', () => ({ keys: [ED] })],
    ['nothing', () => undefined],
  ])('refuses a set: %s', (_, keys) => {
    expect(() => keyRing(keys() as unknown[])).toThrow(rejected)
  })

  it('takes 32 keys', () => {
    expect(keyRing(Array.from({ length: 32 }, (_, index) => ({ ...ED, kid: `d${index}` }))).keys).toHaveLength(32)
  })

  it('survives as the JSON of its keys', () => {
    const ring = keyRing([RSA, EC, ED])
    expect(keyRing(JSON.parse(JSON.stringify(ring)).keys)).toEqual(ring)
  })

  it('cannot be changed', () => {
    const ring = keyRing([ED])
    expect(() => (ring.keys as unknown[]).push(EC)).toThrow(TypeError)
  })

  it('finds nothing under a kid that every object has (PA-6)', () => {
    const { byKid } = indexOf(keyRing([ED]), 'v1')
    expect([byKid.get('__proto__'), byKid.get('constructor')]).toEqual([undefined, undefined])
  })

  it('takes a kid of __proto__ like any other', () => {
    expect(indexOf(keyRing([{ ...ED, kid: '__proto__' }]), 'v1').byKid.get('__proto__')?.alg).toBe('EdDSA')
  })
})

describe('secretRing', () => {
  const secret = crypto.getRandomValues(new Uint8Array(32))

  it('takes 32 bytes', () => {
    expect(secretRing(secret).kids).toEqual(['hs256'])
  })

  it('takes several secrets, while they rotate', () => {
    expect(secretRing([{ secret }, { kid: 'next', secret: crypto.getRandomValues(new Uint8Array(64)) }]).kids).toEqual([
      'hs256',
      'next',
    ])
  })

  it.each([0, 1, 16, 31])('refuses %i bytes', (length) => {
    expect(() => secretRing(new Uint8Array(length))).toThrow(rejected)
  })

  it.each<[string, unknown]>([
    ['a text', 'a-secret-that-is-certainly-long-enough-to-be-one'],
    ['a text as a member', [{ secret: 'a-secret-that-is-certainly-long-enough-to-be-one' }]],
    [
      'a public key (PA-24)',
      [{ kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', kid: 'd', x: base64url(...new Array<number>(32).fill(1)) }],
    ],
    ['two secrets of one kid', [{ secret }, { secret }]],
    ['nothing', undefined],
  ])('refuses %s', (_, secrets) => {
    expect(() => secretRing(secrets as Uint8Array)).toThrow(rejected)
  })

  it('keeps a copy, so that a wiped buffer changes nothing', () => {
    const bytes = Uint8Array.from(secret)
    const ring = secretRing(bytes)
    bytes.fill(0)
    expect(indexOf(ring, 'hs256').byKid.get('hs256')).toMatchObject({ secret })
  })

  it('shows its secret to no log', () => {
    const ring = secretRing(secret)
    expect([JSON.stringify(ring), inspect(ring, { depth: 9 })]).toEqual(['{"kids":["hs256"]}', "{ kids: [ 'hs256' ] }"])
  })
})

describe('a ring of the other type (PA-24)', () => {
  const secrets = secretRing(crypto.getRandomValues(new Uint8Array(32)))

  it('is refused where public keys are expected', () => {
    expect(() => indexOf(secrets, 'v1')).toThrow(TypeError)
  })

  it('is refused where secrets are expected', () => {
    expect(() => indexOf(keyRing([ED]), 'hs256')).toThrow(TypeError)
  })

  it.each<[string, () => unknown]>([
    ['a JWKS', () => ({ keys: [ED] })],
    ['a frozen JWKS whose keys could still change', () => Object.freeze({ keys: [ED] })],
    ['the keys themselves', () => [ED]],
    ['a secret', () => crypto.getRandomValues(new Uint8Array(32))],
    ['undefined', () => undefined],
    ['null', () => null],
  ])('is refused when it is %s', (_, ring) => {
    expect(() => indexOf(ring() as KeyRing, 'v1')).toThrow(TypeError)
  })
})

describe('a ring of another copy of this package', () => {
  it('is taken, and its keys are judged again', () => {
    const foreign = Object.freeze({ keys: Object.freeze([publicJwk(ED)]) })
    expect(indexOf(foreign, 'v1').byKid.has('d')).toBe(true)
  })

  it('is refused when that copy was too lenient', () => {
    const foreign = Object.freeze({ keys: Object.freeze([{ ...RSA, e: base64url(1) }]) }) as unknown as KeyRing
    expect(() => indexOf(foreign, 'v1')).toThrow(rejected)
  })

  it('gives the same index each time, so that imported keys are found again', () => {
    const foreign = Object.freeze({ keys: Object.freeze([publicJwk(ED)]) })
    expect(indexOf(foreign, 'v1')).toBe(indexOf(foreign, 'v1'))
  })

  it('is taken with its secrets', () => {
    const ring = secretRing(crypto.getRandomValues(new Uint8Array(32)))
    const foreign = Object.freeze(Object.defineProperties({}, Object.getOwnPropertyDescriptors(ring)))
    expect(indexOf(foreign as typeof ring, 'hs256').byKid.has('hs256')).toBe(true)
  })
})
