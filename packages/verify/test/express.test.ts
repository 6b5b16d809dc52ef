import { request as httpRequest } from 'node:http'
import express from 'express'
import { describe, expect, it, vi } from 'vitest'
import { permitOf } from '../src/admission.js'
import { type ExpressRequest, requirePermit } from '../src/express.js'
import { ACTION, aKey, aPermit, PARAMS, verifierFor } from './a-permit.js'
import { describeRequirePermit } from './adapter-suite.js'
import { loopback } from './loopback.js'

describeRequirePermit('Express', async (requirement, refund) => {
  const app = express()
  app.post('/refunds', express.json(), requirePermit<typeof ACTION, ExpressRequest>(requirement), (req, res) => {
    res.json(refund(permitOf(req, ACTION), req.body))
  })
  const server = await loopback(app)
  return {
    send: (init) => fetch(`${server.url}/refunds`, init),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
})

describe('requirePermit for Express', async () => {
  const key = await aKey()
  const verifier = verifierFor(key)
  const handler = vi.fn((req: express.Request, res: express.Response) => void res.json(req.permit?.params))
  const app = express()
  app.post('/refunds', express.json(), requirePermit({ verifier, action: ACTION, params: (_, body) => body }), handler)

  /** Two lines of one header can only be sent by Node's own client. */
  const send = async (headers: Record<string, string | string[]>): Promise<unknown> => {
    await using server = await loopback(app)
    return await new Promise((resolve, reject) => {
      const request = httpRequest(`${server.url}/refunds`, { method: 'POST', headers }, async (response) => {
        let text = ''
        for await (const chunk of response.setEncoding('utf8')) text += chunk
        resolve(JSON.parse(text))
      })
      request.on('error', reject).end(JSON.stringify(PARAMS))
    })
  }

  it('puts the permit where handlers look for it', async () => {
    const headers = { 'content-type': 'application/json', 'silentauth-permit': await aPermit(key) }
    expect(await send(headers)).toEqual(PARAMS)
  })

  it.each(['authorization', 'silentauth-permit'])(
    'refuses two lines of %s, of which Node would show one',
    async (name) => {
      const scheme = name === 'authorization' ? 'Permit ' : ''
      const permits = [`${scheme}${await aPermit(key)}`, `${scheme}${await aPermit(key)}`]
      handler.mockClear()
      expect(await send({ 'content-type': 'application/json', [name]: permits })).toMatchObject({
        error: { code: 'PERMIT_MALFORMED' },
      })
      expect(handler).not.toHaveBeenCalled()
    },
  )
})
