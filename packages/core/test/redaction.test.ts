import { createHmac, randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { canonicalJson } from '../src/canonical-json.js'
import type { Json, JsonObject, JsonPointer } from '../src/json.js'
import { REDACTED, redactClaims, redactView } from '../src/redaction.js'

const secret = randomBytes(32)
const hmacPrefix = (value: Json) => createHmac('sha256', secret).update(canonicalJson(value)).digest('hex').slice(0, 12)
const hidden = (value: Json, type: string, length: number | null) => ({
  [REDACTED]: { type, length, hmac: hmacPrefix(value) },
})
const view = (params: JsonObject, ...pointers: JsonPointer[]) => redactView(params, { pointers, hmacPrefix })

describe('redactView', () => {
  it('shows what nothing hides, as it is', () => {
    const params = { customer_id: 'cust_4821', amount: 250, lines: [{ sku: 'x', paid: true, note: null }] }
    expect(view(params)).toEqual({ params, redacted: [] })
  })

  it('shows type, length and an HMAC prefix in the place of a hidden value', () => {
    expect(view({ customer: { iban: 'any', name: 'Ada' } }, '/customer/iban')).toEqual({
      params: { customer: { iban: hidden('any', 'string', 3), name: 'Ada' } },
      redacted: [{ pointer: '/customer/iban', by: 'policy' }],
    })
  })

  it.each<[Json, string, number | null]>([
    ['', 'string', 0],
    ['a😀', 'string', 2],
    [-12.5, 'number', 5],
    [true, 'boolean', null],
    [false, 'boolean', null],
    [null, 'null', null],
    [[1, [2]], 'array', 2],
    [{ a: 1, b: { c: 2 } }, 'object', 2],
  ])('stands for %j as %s of length %s', (value, type, length) => {
    expect(view({ value }, '/value').params).toEqual({ value: hidden(value, type, length) })
  })

  it('tells equal values from different ones, within one intent', () => {
    const { params } = view({ a: 'x', b: 'x', c: 'y' }, '/a', '/b', '/c')
    expect([params.a, params.c]).toEqual([params.b, expect.not.objectContaining(params.a as object)])
  })

  it.each<[string, JsonObject, JsonPointer, readonly string[]]>([
    ['a member', { a: 1 }, '/a', ['/a']],
    ['an item of a list', { a: [1, 2] }, '/a/1', ['/a/1']],
    ['a member of an item', { a: [{ b: 1 }] }, '/a/0/b', ['/a/0/b']],
    ['a name with a slash and a tilde', { 'a/b~c': 1 }, '/a~1b~0c', ['/a~1b~0c']],
    ['a name that looks escaped', { '~1': 1 }, '/~01', ['/~01']],
    ['an empty name', { '': 1 }, '/', ['/']],
    ['a name that is a number', { 0: 1 }, '/0', ['/0']],
    ['the whole', { a: 1 }, '', ['']],
    ['nothing, where the member is absent', { a: 1 }, '/b', []],
    ['nothing, where the item is absent', { a: [1] }, '/a/1', []],
    ['nothing, where the index has a leading zero', { a: [1, 2] }, '/a/01', []],
    ['nothing inside a text', { a: 'text' }, '/a/0', []],
    ['nothing inherited', { a: 1 }, '/constructor', []],
  ])('a pointer hides %s', (_, params, pointer, pointers) => {
    expect(view(params, pointer).redacted.map((redaction) => redaction.pointer)).toEqual(pointers)
  })

  it('hides the outer one of two values within each other, and names it once', () => {
    expect(view({ a: { b: { c: 1 } } }, '/a/b/c', '/a').redacted).toEqual([{ pointer: '/a', by: 'policy' }])
  })

  it.each<[string, JsonObject, string]>([
    ['by name', { login: { password: 'hunter2' } }, '/login/password'],
    ['by name, a number', { pin: 4821 }, '/pin'],
    ['by name, all that is inside', { credentials: { user: 'x', list: [1] } }, '/credentials'],
    ['by shape', { note: 'card 4111 1111 1111 1111' }, '/note'],
    ['by shape, in a list', { notes: ['x', 'DE89370400440532013000'] }, '/notes/1'],
  ])('a detector hides %s', (_, params, pointer) => {
    expect(view(params).redacted).toEqual([{ pointer, by: 'detector' }])
  })

  it.each<[string, JsonPointer, 'policy' | 'detector']>([
    ['the same value', '/card/token', 'policy'],
    ['something inside it, which is there', '/card/token/raw', 'policy'],
    ['something inside it, which is not', '/card/token/other', 'detector'],
    ['something beside it', '/card/name', 'detector'],
  ])('a find of a detector belongs to the policy when that hides %s', (_, pointer, by) => {
    const { redacted } = view({ card: { token: { raw: 'x' }, name: 'Ada' } }, pointer)
    expect(redacted).toContainEqual({ pointer: '/card/token', by })
  })

  it.each([
    ['as it is', REDACTED],
    ['in capitals', 'SilentAuth.Redacted'],
    ['with an invisible character', 'silentauth.\u200bredacted'],
    ['in full-width letters', 'ｓilentauth.redacted'],
    ['with a space', ' silentauth.redacted'],
  ])('an agent cannot fake a hidden value: the name %s', (_, name) => {
    const fake = { [name]: { type: 'string', length: 3, hmac: '000000000000' } }
    expect(view({ to: fake, amount: 1 })).toEqual({
      params: { to: hidden(fake, 'object', 1), amount: 1 },
      redacted: [{ pointer: '/to', by: 'detector' }],
    })
  })

  it('hides the whole when its root is faked', () => {
    const fake = { [REDACTED]: 1 }
    expect(view(fake)).toEqual({ params: hidden(fake, 'object', 1), redacted: [{ pointer: '', by: 'detector' }] })
  })

  it('leaves the params as they are', () => {
    const params = Object.freeze({ card: Object.freeze({ cvv: '123' }) })
    view(params, '/card')
    expect(params).toEqual({ card: { cvv: '123' } })
  })

  it('shows no hidden value anywhere', () => {
    const marker = randomBytes(12).toString('hex')
    const params = { password: marker, deep: [{ api_key: marker }], iban: { number: marker }, plain: marker }
    expect(JSON.stringify(view(params, '/plain'))).not.toContain(marker)
  })
})

describe('redactClaims', () => {
  it('hides what the detectors find in context and metadata', () => {
    const claims = { reasoning: 'key is Bearer a1b2c3d4e5f6g7h8', run: 'r1', secret: 's' }
    expect(redactClaims(claims, { hmacPrefix }).redacted).toEqual([
      { pointer: '/reasoning', by: 'detector' },
      { pointer: '/secret', by: 'detector' },
    ])
  })
})
