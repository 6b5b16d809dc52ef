/**
 * What a thief does with a permit. Whoever checks a token as any JWT library does (signature, issuer, audience, instants, even
 * a list of the ids that were seen) pays out; a permit verifier compares what is about to run, and remembers the approval.
 */

import { gateTool } from '@silentauth/ai-sdk'
import type { Attempt, IntentId } from '@silentauth/core'
import { sqliteSingleUse } from '@silentauth/store/single-use'
import type { Expected, PermitVerifier } from '@silentauth/verify'
import { tool } from 'ai'
import { createLocalJWKSet, decodeJwt, jwtVerify } from 'jose'
import { beforeEach, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { describeFailure } from './failures.ts'
import { aField, between, type Field, REFUND } from './field.ts'

const pay = vi.fn((_params: unknown) => 'paid')
beforeEach(() => void pay.mockClear())

/** A backend that knows JWTs, and not what is in a permit. */
async function jwtBackend({ server, gate }: Field) {
  const jwks = await (await fetch(server.jwksUrl)).json()
  const keys = createLocalJWKSet(jwks as never)
  const seen = new Set<string>()
  return {
    async refund(token: string, params: unknown): Promise<string> {
      const audience = `urn:silentauth:${gate.projectId}:issue_refund`
      const { payload } = await jwtVerify(token, keys, { issuer: server.issuer, audience, typ: 'permit+jwt' })
      if (seen.has(payload.jti as string)) return 'seen before'
      seen.add(payload.jti as string)
      return pay(params)
    },
  }
}

/** @returns 'paid', or the code of the refusal */
async function spend(verifier: PermitVerifier, token: string, expected: Partial<Expected> = {}): Promise<string> {
  try {
    const { params } = await verifier.verify(token, { ...REFUND, ...expected })
    return pay(params)
  } catch (error) {
    return (error as { code: string }).code
  }
}
describeFailure('a stolen permit, with other arguments', () => {
  const other = { customer_id: 'cust_4821', amount: 9999 }

  it('pays at a backend that checks a JWT', async () => {
    await using field = await aField()
    expect(await (await jwtBackend(field)).refund(await field.permit(), other)).toBe('paid')
  })

  it.each<[string, Partial<Expected>, string]>([
    ['another amount', { params: other }, 'PERMIT_PARAMS'],
    ['an argument more', { params: { ...REFUND.params, also: true } }, 'PERMIT_PARAMS'],
    ['an argument less', { params: { amount: 250 } }, 'PERMIT_PARAMS'],
    ['an amount that only looks the same', { params: { ...REFUND.params, amount: '250' } }, 'PERMIT_PARAMS'],
    ['another action', { action: 'transfer' }, 'PERMIT_AUDIENCE'],
    ['another backend', { audience: 'urn:payments' }, 'PERMIT_AUDIENCE'],
  ])('is refused: %s', async (_, expected, code) => {
    await using field = await aField()
    expect(await spend(await field.backend(), await field.permit(), expected)).toBe(code)
    expect([pay.mock.calls, await field.intents()]).toEqual([[], ['issue_refund 250 approved delivered']])
  })

  it('is refused as another action of the same backend', async () => {
    const audience = 'urn:payments'
    await using field = await aField([
      { decision: 'require_approval', match: { action_pattern: '*' }, permit: { audience } },
    ])
    const backend = await field.backend({ audience })
    expect(await spend(backend, await field.permit(), { action: 'transfer' })).toBe('PERMIT_ACTION')
    expect(pay).not.toHaveBeenCalled()
  })
})

describeFailure('a stolen permit, in the hands of another agent', () => {
  it('pays at a backend that checks a JWT', async () => {
    await using field = await aField()
    expect(await (await jwtBackend(field)).refund(await field.permit(), REFUND.params)).toBe('paid')
  })

  /** The thief's own agent, whose gate hands it the stolen permit in place of the one that it has none of. */
  const thief = async (field: Field, stolen: string, amount: number) => {
    const another = await field.anotherAgent()
    const gate = between(another.gate, {
      claim: async () => ({ type: 'granted', permit: stolen, params: { ...REFUND.params, amount } }),
    })
    const inputSchema = z.object({ customer_id: z.string(), amount: z.number() })
    const gated = gateTool('issue_refund', tool({ inputSchema, execute: async (input) => pay(input) }), { gate })
    const call = { toolCallId: 'call_1', messages: [], context: undefined as never }
    const run = Promise.resolve(gated.execute?.({ ...REFUND.params, amount }, call))
    await field.approve(await field.waiting())
    return run
  }

  it.each([
    ['for what it wants itself', 9999, 'PERMIT_PARAMS'],
    ['for the very same', 250, 'PERMIT_CLAIMS'],
  ])('is refused by its adapter, %s', async (_, amount, code) => {
    await using field = await aField()
    const stolen = await field.permit()
    expect(JSON.stringify(await thief(field, stolen, amount))).toContain(code)
    expect(pay).not.toHaveBeenCalled()
  })

  it('is of an intent that the gate does not show it, let alone claim or report', async () => {
    await using field = await aField()
    const { gate } = await field.anotherAgent()
    const { intent_id } = decodeJwt(await field.permit()) as { intent_id: IntentId }
    const attempt: Attempt = { executionId: 'stolen', attemptId: crypto.randomUUID() }
    const attempts = [
      () => gate.read(intent_id),
      () => gate.claim(intent_id, attempt),
      () => gate.report(intent_id, attempt, { status: 'succeeded' }),
      () => gate.cancel(intent_id, 'mine now'),
    ]
    for (const attempted of attempts) await expect(attempted()).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(await field.intents()).toEqual(['issue_refund 250 approved delivered'])
  })

  it('is refused by a backend that knows who calls, and still good for its owner', async () => {
    await using field = await aField()
    const [owner, other] = [await field.anotherAgent(), await field.anotherAgent()]
    const token = await field.permit(owner.gate)
    const backend = await field.backend()
    expect(await spend(backend, token, { subject: other.subject })).toBe('PERMIT_CLAIMS')
    expect(pay).not.toHaveBeenCalled()
    expect(await spend(backend, token, { subject: owner.subject })).toBe('paid')
  })

  it('is refused by a backend that demands proof of possession', async () => {
    await using field = await aField()
    expect(await spend(await field.backend({ requireProof: true }), await field.permit())).toBe('PERMIT_POP')
    expect(pay).not.toHaveBeenCalled()
  })
})

describeFailure('a stolen permit, twice', () => {
  it('pays twice at a backend that checks a JWT in two processes', async () => {
    await using field = await aField()
    const token = await field.permit()
    for (const backend of [await jwtBackend(field), await jwtBackend(field)]) await backend.refund(token, REFUND.params)
    expect(pay).toHaveBeenCalledTimes(2)
  })

  it('pays once', async () => {
    await using field = await aField()
    const [backend, token] = [await field.backend(), await field.permit()]
    expect([await spend(backend, token), await spend(backend, token)]).toEqual(['paid', 'PERMIT_REPLAYED'])
    expect(pay).toHaveBeenCalledTimes(1)
  })

  it('pays once over two processes that share what was used', async () => {
    await using field = await aField()
    const token = await field.permit()
    await using store = await sqliteSingleUse({ file: ':memory:' })
    const backends = [await field.backend({ singleUse: store }), await field.backend({ singleUse: store })]
    const answers = await Promise.all(backends.map((backend) => spend(backend, token)))
    expect(answers.sort()).toEqual(['PERMIT_REPLAYED', 'paid'])
  })

  it('pays once over backends that share nothing but the gate', async () => {
    await using field = await aField()
    const token = await field.permit()
    const { secretKey } = await field.owner
      .ask('POST', '/api/keys', { kind: 'verifier', name: 'backends' })
      .then(({ data }) => ({ secretKey: data.secret as string }))
    const atGate = { singleUse: undefined, gate: { url: field.server.url, secretKey } } as never
    const backends = [await field.backend(atGate), await field.backend(atGate)]
    const answers: string[] = []
    for (const backend of backends) answers.push(await spend(backend, token))
    expect(answers).toEqual(['paid', 'PERMIT_REPLAYED'])
  })
})

describeFailure('a stolen permit, over two generations', () => {
  /** A tool that may run again after it failed: two signings of one approval, both within their time. */
  const generations = async (field: Field): Promise<[string, string]> => {
    const { id } = await field.gate.declare({
      ...REFUND,
      idempotencyKey: 'the call',
      delivery: 'claim',
      idempotent: true,
    })
    await field.approve(id)
    const claimed = async () => {
      const attempt = { executionId: 'the call', attemptId: crypto.randomUUID().replaceAll('-', '') }
      const claim = await field.gate.claim(id, attempt)
      if (claim.type !== 'granted') throw new Error(`it was not granted: ${claim.type}`)
      return { permit: claim.permit, fail: () => field.gate.report(id, attempt, { status: 'failed' }) }
    }
    const first = await claimed()
    await first.fail()
    const second = await claimed()
    const [one, two] = [decodeJwt(first.permit), decodeJwt(second.permit)]
    expect([one.jti === two.jti, one.intent_id === two.intent_id]).toEqual([false, true])
    return [first.permit, second.permit]
  }

  it('pays twice where single use is of the token', async () => {
    await using field = await aField()
    const backend = await jwtBackend(field)
    for (const token of await generations(field)) await backend.refund(token, REFUND.params)
    expect(pay).toHaveBeenCalledTimes(2)
  })

  it('pays once', async () => {
    await using field = await aField()
    const backend = await field.backend({ revocations: 'off' })
    const answers: string[] = []
    for (const token of await generations(field)) answers.push(await spend(backend, token))
    expect(answers).toEqual(['paid', 'PERMIT_REPLAYED'])
    expect(pay).toHaveBeenCalledTimes(1)
  })
})
