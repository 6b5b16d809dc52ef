import { describe, expect, it } from 'vitest'
import { type HeadersLike, permitFromRequest, withoutPermit } from '../src/permit-carrier.js'

describe('the permit of a request', () => {
  it.each<[string, HeadersLike, unknown]>([
    ['its own header', { 'silentauth-permit': 'a.b.c' }, undefined],
    ['its own header, in a list', { 'silentauth-permit': ['a.b.c'] }, undefined],
    ['its own header, as it came', ['Host', 'a.example', 'SilentAuth-Permit', 'a.b.c'], undefined],
    ['its own header, of a web request', new Headers({ 'Silentauth-Permit': 'a.b.c' }), undefined],
    ['Authorization', { authorization: 'Permit a.b.c' }, undefined],
    ['Authorization, in another case', { authorization: 'pErMiT   a.b.c' }, undefined],
    ['Authorization of a web request', new Headers({ authorization: 'Permit a.b.c' }), undefined],
    ['the body', {}, { amount: 250, permit_token: 'a.b.c' }],
    ['its own header, beside another scheme', { authorization: 'Bearer x', 'silentauth-permit': 'a.b.c' }, undefined],
  ])('comes in %s', (_, headers, body) => {
    expect(permitFromRequest({ headers, body })).toBe('a.b.c')
  })

  it.each<[string, HeadersLike, unknown, string]>([
    ['there is none', {}, { amount: 250 }, 'PERMIT_MISSING'],
    ['there is no body either', new Headers(), undefined, 'PERMIT_MISSING'],
    ['only another scheme is used', { authorization: 'Bearer a.b.c' }, undefined, 'PERMIT_MISSING'],
    ['a scheme only begins like ours', { authorization: 'PermitX a.b.c' }, undefined, 'PERMIT_MISSING'],
    ['the body is a list', {}, ['permit_token'], 'PERMIT_MISSING'],
    ['the body only inherits one', {}, Object.create({ permit_token: 'a.b.c' }), 'PERMIT_MISSING'],
    ['two headers carry one', { authorization: 'Permit a.b.c', 'silentauth-permit': 'a.b.c' }, {}, 'PERMIT_MALFORMED'],
    ['header and body carry one', { 'silentauth-permit': 'a.b.c' }, { permit_token: 'a.b.c' }, 'PERMIT_MALFORMED'],
    ['the body carries one that is null', { 'silentauth-permit': 'a.b.c' }, { permit_token: null }, 'PERMIT_MALFORMED'],
    ['its header came twice', { 'silentauth-permit': ['a.b.c', 'd.e.f'] }, {}, 'PERMIT_MALFORMED'],
    [
      'its header came in two lines',
      ['silentauth-permit', 'a.b.c', 'Silentauth-Permit', 'd.e.f'],
      {},
      'PERMIT_MALFORMED',
    ],
    ['only a value looks like its header', ['x', 'silentauth-permit', 'a.b.c', 'y'], {}, 'PERMIT_MISSING'],
    ['its header came twice and was joined', { 'silentauth-permit': 'a.b.c, d.e.f' }, {}, 'PERMIT_MALFORMED'],
    ['Authorization came twice', { authorization: ['Permit a.b.c', 'Permit d.e.f'] }, {}, 'PERMIT_MALFORMED'],
    ['Authorization was joined', { authorization: 'Permit a.b.c, Permit d.e.f' }, {}, 'PERMIT_MALFORMED'],
    ['it is no text', {}, { permit_token: ['a.b.c'] }, 'PERMIT_MALFORMED'],
  ])('is refused when %s', (_, headers, body, code) => {
    expect(() => permitFromRequest({ headers, body })).toThrow(expect.objectContaining({ code }))
  })

  it('is empty, for the verifier to refuse, when only the scheme came', () => {
    expect(permitFromRequest({ headers: { authorization: 'Permit' } })).toBe('')
  })
})

describe('a body without its permit', () => {
  it('has everything else', () => {
    expect(withoutPermit({ amount: 250, permit_token: 'a.b.c' })).toEqual({ amount: 250 })
  })

  it.each([undefined, 'text', [1], { amount: 250 }])('is the same when it carried none: %j', (body) => {
    expect(withoutPermit(body)).toBe(body)
  })
})
