import { describe, expect, it } from 'vitest'
import { requirePermit, verifyRequest } from '../src/web.js'
import { ACTION, aKey, aPermit, PARAMS, verifierFor } from './a-permit.js'
import { describeRequirePermit } from './adapter-suite.js'

describeRequirePermit('web requests', async (requirement, refund) => {
  const handler = requirePermit(requirement, async (permit, request) =>
    Response.json(refund(permit, await request.json())),
  )
  return { send: (init) => handler(new Request('http://127.0.0.1/refunds', init)), async [Symbol.asyncDispose]() {} }
})

const key = await aKey()
const verifier = verifierFor(key)
const requirement = { verifier, action: ACTION, params: (_: Request, body: unknown) => body } as const
const aRequest = async (init: RequestInit = {}) =>
  new Request('http://127.0.0.1/refunds', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'silentauth-permit': await aPermit(key) },
    body: JSON.stringify(PARAMS),
    ...init,
  })

describe('verifyRequest', () => {
  it('gives the permit', async () => {
    await expect(verifyRequest(await aRequest(), requirement)).resolves.toMatchObject({
      action: ACTION,
      params: PARAMS,
    })
  })

  it('throws the refusal', async () => {
    const request = await aRequest({ headers: { 'content-type': 'application/json' } })
    await expect(verifyRequest(request, requirement)).rejects.toMatchObject({ code: 'PERMIT_MISSING' })
  })

  it('lets params be read from the request itself', async () => {
    const params = async (request: Request) => Object.fromEntries(await request.formData())
    const form = new FormData()
    form.set('customer_id', 'cust_1')
    const token = await aPermit(key, { customer_id: 'cust_1' })
    const request = await aRequest({ headers: { 'silentauth-permit': token }, body: form })
    await expect(verifyRequest(request, { ...requirement, params })).resolves.toBeDefined()
  })

  it('lets params read the JSON again', async () => {
    await expect(
      verifyRequest(await aRequest(), { ...requirement, params: (request: Request) => request.json() }),
    ).resolves.toBeDefined()
  })

  it.each([
    ['a member twice', '{"customer_id":"cust_4821","amount":2500,"amount":250}', 'INVALID_FIELD'],
    ['more than a permit can be for', `"${'x'.repeat(262_144)}"`, 'TOO_LARGE'],
  ])('refuses a body with %s', async (_, body, code) => {
    await expect(verifyRequest(await aRequest({ body }), requirement)).rejects.toMatchObject({ code })
  })
})

describe('requirePermit without a handler', () => {
  it('says where those of the frameworks are', () => {
    expect(() => requirePermit(requirement, undefined as never)).toThrow(/@silentauth\/verify\/hono/)
  })
})
