import { getRequestListener } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { permitOf } from '../src/admission.js'
import { type HonoContext, requirePermit } from '../src/hono.js'
import { ACTION, aKey, aPermit, PARAMS, verifierFor } from './a-permit.js'
import { describeRequirePermit, type StartRoute } from './adapter-suite.js'
import { loopback } from './loopback.js'

const appOf: (...args: Parameters<StartRoute>) => Hono = (requirement, refund) => {
  const app = new Hono()
  app.onError((_, c) => c.text('a fault', 500))
  app.post('/refunds', requirePermit<typeof ACTION, HonoContext>(requirement), async (c) =>
    c.json(refund(permitOf(c, ACTION), await c.req.json())),
  )
  return app
}

describeRequirePermit('Hono', async (requirement, refund) => {
  const app = appOf(requirement, refund)
  return { send: async (init) => app.request('/refunds', init), async [Symbol.asyncDispose]() {} }
})

// Its requests are lighter than the runtime's own.
describeRequirePermit('Hono on Node', async (requirement, refund) => {
  const server = await loopback(getRequestListener(appOf(requirement, refund).fetch))
  return {
    send: (init) => fetch(`${server.url}/refunds`, init),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
})

describe('requirePermit for Hono', async () => {
  const key = await aKey()
  const verifier = verifierFor(key)
  const send = async (app: Hono, path: string, body: string = JSON.stringify(PARAMS)) =>
    app.request(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'silentauth-permit': await aPermit(key) },
      body,
    })

  it('puts the permit where handlers look for it', async () => {
    const app = new Hono()
    app.post('/refunds', requirePermit({ verifier, action: ACTION, params: (_, body) => body }), (c) =>
      c.json((c.get as (key: string) => { params: object })('permit').params),
    )
    expect(await (await send(app, '/refunds')).json()).toEqual(PARAMS)
  })

  it('works after a validator that has read the body', async () => {
    const app = new Hono()
    app.use(async (c, next) => {
      await c.req.json()
      await next()
    })
    app.post('/refunds', requirePermit({ verifier, action: ACTION, params: (_, body) => body }), async (c) =>
      c.json(await c.req.json()),
    )
    expect(await (await send(app, '/refunds')).json()).toEqual(PARAMS)
  })

  it('takes params from wherever the context has them', async () => {
    const app = new Hono()
    const params = async (c: Context) => ({ customer_id: c.req.param('id'), amount: (await c.req.json()).amount })
    app.post('/customers/:id/refunds', requirePermit({ verifier, action: ACTION, params }), (c) => c.text('done'))
    expect((await send(app, '/customers/cust_4821/refunds', '{"amount":250}')).status).toBe(200)
    expect((await send(app, '/customers/cust_1/refunds', '{"amount":250}')).status).toBe(403)
  })
})
