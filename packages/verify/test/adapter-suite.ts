/**
 * What every adapter for a web framework must do with the same requests.
 *
 * @module
 */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { PermitRequirement } from '../src/admission.js'
import type { PermitVerifier, RedeemedPermit } from '../src/permit-verifier.js'
import { ACTION, aKey, aPermit, NOW, PARAMS, verifierFor } from './a-permit.js'

/** The handler of the route; what it returns is the answer's JSON. */
export type Refund = (permit: RedeemedPermit<typeof ACTION>, body: unknown) => object

/** One route behind a `requirePermit`, in a server or without one. */
export interface Route extends AsyncDisposable {
  send(init: RequestInit): Promise<Response>
}

export type StartRoute = (requirement: PermitRequirement<typeof ACTION, unknown>, refund: Refund) => Promise<Route>

const POST = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(PARAMS) }
const post = (headers: Record<string, string> = {}, body: unknown = PARAMS): RequestInit => ({
  ...POST,
  headers: { ...POST.headers, ...headers },
  body: JSON.stringify(body),
})

export function describeRequirePermit(name: string, start: StartRoute): void {
  describe(`requirePermit for ${name}`, async () => {
    const [key, stranger] = [await aKey(), await aKey()]
    const refund = vi.fn<Refund>(({ params }) => ({ refunded: params }))
    let verifier: PermitVerifier
    let route: Route
    const setUp = async (changes: Partial<PermitRequirement<typeof ACTION, unknown>> = {}) => {
      refund.mockClear()
      return start({ verifier, action: ACTION, params: (_, body) => body, ...changes }, refund)
    }

    beforeAll(async () => {
      verifier = verifierFor(key)
      route = await setUp()
    })
    afterAll(() => route[Symbol.asyncDispose]())

    it.each<[string, (token: string) => RequestInit]>([
      ['its own header', (token) => post({ 'silentauth-permit': token })],
      ['Authorization', (token) => post({ authorization: `Permit ${token}` })],
      ['the body', (token) => post({}, { ...PARAMS, permit_token: token })],
      [
        'its own header, beside the credential of the caller',
        (token) => post({ authorization: 'Bearer x', 'silentauth-permit': token }),
      ],
    ])('lets a permit pass that came in %s', async (_, request) => {
      const answer = await route.send(request(await aPermit(key)))
      expect([answer.status, await answer.json()]).toEqual([200, { refunded: PARAMS }])
    })

    it('gives the handler a body that it can read', async () => {
      refund.mockClear()
      await route.send(post({ 'silentauth-permit': await aPermit(key) }))
      expect(refund).toHaveBeenCalledWith(expect.objectContaining({ action: ACTION, replayed: false }), PARAMS)
    })

    it.each<[string, number, string, (token: string) => RequestInit | Promise<RequestInit>]>([
      ['without permit', 401, 'PERMIT_MISSING', () => post()],
      ['with another scheme only', 401, 'PERMIT_MISSING', (token) => post({ authorization: `Bearer ${token}` })],
      [
        'with two permits',
        403,
        'PERMIT_MALFORMED',
        (token) => post({ 'silentauth-permit': token, authorization: `Permit ${token}` }),
      ],
      [
        'with a permit in header and body',
        403,
        'PERMIT_MALFORMED',
        (token) => post({ 'silentauth-permit': token }, { ...PARAMS, permit_token: token }),
      ],
      ['with a permit that is no text', 403, 'PERMIT_MALFORMED', () => post({}, { ...PARAMS, permit_token: [] })],
      ['with an empty permit', 403, 'PERMIT_MALFORMED', () => post({ authorization: 'Permit' })],
      [
        'for other params',
        403,
        'PERMIT_PARAMS',
        (token) => post({ 'silentauth-permit': token }, { ...PARAMS, amount: 2500 }),
      ],
      [
        'for params beside the approved ones',
        403,
        'PERMIT_PARAMS',
        (token) => post({ 'silentauth-permit': token }, { ...PARAMS, note: '' }),
      ],
      ['of a stranger', 403, 'PERMIT_KID_UNKNOWN', async () => post({ 'silentauth-permit': await aPermit(stranger) })],
      [
        'for another action',
        403,
        'PERMIT_AUDIENCE',
        async () => post({ 'silentauth-permit': await aPermit(key, PARAMS, { action: 'close_account' }) }),
      ],
      [
        'that is over',
        403,
        'PERMIT_EXPIRED',
        async () => {
          const iat = NOW / 1000 - 1000
          return post({ 'silentauth-permit': await aPermit(key, PARAMS, { iat, exp: iat + 300 }) })
        },
      ],
    ])('refuses a request %s, and does not run the handler', async (_, status, code, request) => {
      refund.mockClear()
      const answer = await route.send(await request(await aPermit(key)))
      expect([answer.status, await answer.json()]).toEqual([
        status,
        { data: null, error: { code, message: expect.any(String), hint: expect.any(String) } },
      ])
      expect(refund).not.toHaveBeenCalled()
    })

    it('says how to authenticate when there is no permit', async () => {
      expect((await route.send(post())).headers.get('www-authenticate')).toBe('Permit')
    })

    it('lets a permit pass once', async () => {
      const token = await aPermit(key)
      refund.mockClear()
      await route.send(post({ 'silentauth-permit': token }))
      const answer = await route.send(post({ 'silentauth-permit': token }))
      expect(await answer.json()).toMatchObject({ error: { code: 'PERMIT_REPLAYED' } })
      expect(refund).toHaveBeenCalledOnce()
    })

    it('lets one of two concurrent requests pass', async () => {
      const request = post({ 'silentauth-permit': await aPermit(key) })
      refund.mockClear()
      const answers = await Promise.all([route.send(request), route.send(request)])
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 403])
      expect(refund).toHaveBeenCalledOnce()
    })

    it('hands a repeated use on to what may run again', async () => {
      await using again = await setUp({ idempotent: true })
      const request = post({ 'silentauth-permit': await aPermit(key) })
      await again.send(request)
      await again.send(request)
      expect(refund.mock.calls.map(([permit]) => permit.replayed)).toEqual([false, true])
    })

    it('answers a fault of its own as the framework does, and does not run the handler', async () => {
      await using faulty = await setUp({
        params: () => {
          throw new RangeError('a mistake in params')
        },
      })
      const answer = await faulty.send(post({ 'silentauth-permit': await aPermit(key) })).catch(() => undefined)
      expect(answer?.status ?? 500).toBe(500)
      expect(refund).not.toHaveBeenCalled()
    })

    it('answers 503 while there are no keys, and does not run the handler', async () => {
      await using keyless = verifierFor(key, { keys: 'no-such-file.json' })
      await using dark = await setUp({ verifier: keyless })
      const answer = await dark.send(post({ 'silentauth-permit': await aPermit(key) }))
      expect([answer.status, await answer.json()]).toMatchObject([503, { error: { code: 'GATE_UNAVAILABLE' } }])
      expect(refund).not.toHaveBeenCalled()
    })

    it.each<[string, object]>([
      ['verifier', { verifier: undefined }],
      ['action', { action: '' }],
      ['params', { params: PARAMS }],
    ])('is a mistake at start without %s', async (_, changes) => {
      await expect(setUp(changes)).rejects.toThrow(TypeError)
    })
  })
}
