import fastify from 'fastify'
import { describe, expect, it } from 'vitest'
import { permitOf } from '../src/admission.js'
import { type FastifyRequestLike, requirePermit } from '../src/fastify.js'
import { ACTION, aKey, aPermit, PARAMS, verifierFor } from './a-permit.js'
import { describeRequirePermit } from './adapter-suite.js'

describeRequirePermit('Fastify', async (requirement, refund) => {
  const app = fastify()
  app.post('/refunds', { preHandler: requirePermit<typeof ACTION, FastifyRequestLike>(requirement) }, async (request) =>
    refund(permitOf(request, ACTION), request.body),
  )
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  return { send: (init) => fetch(`${url}/refunds`, init), [Symbol.asyncDispose]: async () => void (await app.close()) }
})

describe('requirePermit for Fastify', () => {
  it('puts the permit where handlers look for it', async () => {
    const key = await aKey()
    const verifier = verifierFor(key)
    const app = fastify()
    const preHandler = requirePermit({ verifier, action: ACTION, params: (_, body) => body })
    app.post('/refunds', { preHandler }, async (request) => (request as FastifyRequestLike).permit?.params)
    const headers = { 'silentauth-permit': await aPermit(key) }
    const answer = await app.inject({ method: 'POST', url: '/refunds', headers, payload: PARAMS })
    expect(answer.json()).toEqual(PARAMS)
    await app.close()
  })
})
