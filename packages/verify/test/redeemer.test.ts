import { newId } from '@silentauth/core'
import { describe, expect, it } from 'vitest'
import { redeemer } from '../src/redeemer.js'
import { answerJson, bodyOf, loopback } from './loopback.js'

const intentId = newId('int')
const use = {
  token: 'header.payload.signature',
  intentId,
  action: 'issue_refund',
  paramsDigest: 'sha-256:47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU',
  audience: 'urn:payments:test',
  idempotent: false,
} as const
const first = { data: { replayed: false }, error: null }
const refusal = (code: string) => ({ data: null, error: { code, message: 'no', hint: '' } })

describe('a redemption', () => {
  it('is asked for with what was verified', async () => {
    await using gate = await aGate([[200, first]])
    await gate.redeemer.redeem(use)
    expect(gate.requests).toEqual([
      {
        line: 'POST /api/permits/redeem',
        authorization: 'Bearer sk_verifier',
        body: {
          token: use.token,
          redemption_id: expect.stringMatching(/^[\w-]{22}$/),
          action: use.action,
          params_digest: use.paramsDigest,
          audience: use.audience,
          idempotent: false,
        },
      },
    ])
  })

  it.each([true, false])('says whether it is a replay: %s', async (replayed) => {
    await using gate = await aGate([[200, { data: { replayed }, error: null }]])
    await expect(gate.redeemer.redeem(use)).resolves.toEqual({ replayed })
  })

  it('is repeated under the same id when its answer is lost', async () => {
    await using gate = await aGate(['lost', [503, '<html>'], [200, first]])
    await gate.redeemer.redeem(use)
    const ids = gate.requests.map(({ body }) => body.redemption_id)
    expect(ids).toHaveLength(3)
    expect(new Set(ids)).toHaveProperty('size', 1)
  })

  it('has another id than the one before', async () => {
    await using gate = await aGate([
      [200, first],
      [200, first],
    ])
    await gate.redeemer.redeem(use)
    await gate.redeemer.redeem(use)
    expect(new Set(gate.requests.map(({ body }) => body.redemption_id))).toHaveProperty('size', 2)
  })

  it.each([
    ['an approval that was used', refusal('ALREADY_REDEEMED'), 409, 'PERMIT_REPLAYED'],
    ['a permit that was revoked', refusal('PERMIT_REVOKED'), 403, 'PERMIT_REVOKED'],
    ['an agent that was stopped', refusal('AGENT_PAUSED'), 403, 'AGENT_PAUSED'],
    ['a verifier key that is none', refusal('UNAUTHORIZED'), 401, 'GATE_UNAVAILABLE'],
    ['a key of another kind', refusal('FORBIDDEN'), 403, 'GATE_UNAVAILABLE'],
    ['a code that nobody knows', refusal('NEW_RULE'), 403, 'GATE_UNAVAILABLE'],
    ['an answer without the word', { data: {}, error: null }, 200, 'GATE_UNAVAILABLE'],
    ['an answer with another word', { data: { replayed: 'no' }, error: null }, 200, 'GATE_UNAVAILABLE'],
    ['a redirect', first, 302, 'GATE_UNAVAILABLE'],
  ])('is refused for %s, at the first answer', async (_, body, status, code) => {
    await using gate = await aGate([[status, body]])
    await expect(gate.redeemer.redeem(use)).rejects.toMatchObject({ code, intentId })
    expect(gate.requests).toHaveLength(1)
  })

  it('is refused when what stands there answers without end, and is not read to the end', async () => {
    let sent = 0
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 64 * 1024
        if (sent > 64 * 1024 * 1024) controller.close()
        else controller.enqueue(new Uint8Array(64 * 1024).fill(0x20))
      },
    })
    const url = 'https://gate.example'
    const answering = redeemer({ url, secretKey: 'sk_verifier', attempts: 1, fetch: async () => new Response(endless) })
    await expect(answering.redeem(use)).rejects.toMatchObject({ code: 'GATE_UNAVAILABLE' })
    expect(sent).toBeLessThan(2 * 1024 * 1024)
  })

  it('is refused when the gate stays away', async () => {
    await using gate = await aGate(['lost', 'lost', 'lost'])
    await expect(gate.redeemer.redeem(use)).rejects.toMatchObject({ code: 'GATE_UNAVAILABLE', intentId })
    expect(gate.requests).toHaveLength(3)
  })

  it('is refused when the gate is too slow', async () => {
    await using gate = await aGate(['slow'], { timeoutMs: 20, attempts: 1 })
    await expect(gate.redeemer.redeem(use)).rejects.toMatchObject({ code: 'GATE_UNAVAILABLE', intentId })
  })

  it('ends with the redeemer', async () => {
    await using gate = await aGate(['slow'], { timeoutMs: 600_000 })
    const asked = gate.redeemer.redeem(use)
    await gate.redeemer[Symbol.asyncDispose]()
    await expect(asked).rejects.toThrow(TypeError)
  })

  it('says neither token nor key when it fails', async () => {
    await using gate = await aGate([[401, refusal('UNAUTHORIZED')]])
    const error = await gate.redeemer.redeem(use).catch((error: Error) => error)
    expect(`${error}`).not.toMatch(/header\.payload|sk_verifier/)
  })
})

describe('a redeemer', () => {
  it.each<[string, object]>([
    ['no key', { secretKey: '' }],
    ['http to another machine', { url: 'http://gate.example.com' }],
    ['no attempts', { attempts: 0 }],
  ])('is refused with %s', (_, changes) => {
    expect(() => redeemer({ url: 'https://gate.example.com', secretKey: 'sk_verifier', ...changes })).toThrow(TypeError)
  })
})

interface Seen {
  line: string
  authorization: string | undefined
  body: Record<string, unknown>
}

/** A gate that gives these answers, one after the other. */
async function aGate(script: readonly ([status: number, body: unknown] | 'lost' | 'slow')[], options: object = {}) {
  const requests: Seen[] = []
  const server = await loopback(async (request, response) => {
    const step = script[requests.length]
    const { method, url, headers } = request
    requests.push({
      line: `${method} ${url}`,
      authorization: headers.authorization,
      body: JSON.parse(await bodyOf(request)),
    })
    if (step === undefined || step === 'slow') return
    if (step === 'lost') response.destroy()
    else answerJson(response, step[0], step[1], step[0] === 302 ? { location: '/elsewhere' } : {})
  })
  const own = redeemer({ url: server.url, secretKey: 'sk_verifier', backoffMs: 1, ...options })
  return {
    requests,
    redeemer: own,
    async [Symbol.asyncDispose]() {
      await own[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
    },
  }
}
