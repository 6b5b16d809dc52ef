import { describe, expect, it } from 'vitest'
import { randomToken } from '../src/id.js'
import type { IntentDraft } from '../src/intent.js'
import { signPermit } from '../src/permit.js'
import type { PermitClaims } from '../src/permit-claims.js'
import { permitClaimsOf } from '../src/public-intent.js'
import type { State } from '../src/state.js'
import { principalOf, type TestGate, testGate } from '../src/testing.js'

const PARAMS = { customer_id: 'cust_4821', amount: 250 }
const DRAFT: IntentDraft = { action: 'issue_refund', params: PARAMS }
const ATTEMPT = { executionId: 'execution-1', attemptId: 'attempt-1' }

/** A claimed intent, and what a backend sees of it. */
async function claimed(draft: Partial<IntentDraft> = {}) {
  const test = await testGate()
  const agent = await test.agent()
  const { gate } = await test.addKey({ agents: [agent.id] })
  const { principal: verifier } = await test.addKey({ kind: 'verifier' })
  const intent = await gate.declare({ ...DRAFT, ...draft })
  const { intentHash } = await test.local.desk.read(test.approver, intent.id)
  await test.local.desk.vote(test.approver, intent.id, { verdict: 'approve', intentHash })
  const claim = await gate.claim(intent.id, ATTEMPT)
  if (claim.type !== 'granted') throw new Error(`the claim is ${claim.type}`)
  const { action, audience, paramsDigest } = intent
  const request = { token: claim.permit, action, audience }
  return {
    test,
    agent,
    gate,
    intent,
    verifier,
    counter: test.local.counter,
    verify: { ...request, params: PARAMS },
    redeem: () => ({ ...request, paramsDigest, redemptionId: randomToken() }),
    [Symbol.asyncDispose]: () => test[Symbol.asyncDispose](),
  }
}

async function stateOf(test: TestGate, id: `int_${string}`): Promise<State> {
  return (await test.store.intent(id)) as State
}

describe('verify', () => {
  it('says what the permit says, and marks nothing', async () => {
    await using scene = await claimed()
    const claims = await scene.counter.verify(scene.verifier, scene.verify)
    expect(claims.intent_id).toBe(scene.intent.id)
    expect((await stateOf(scene.test, scene.intent.id)).redemptions).toEqual([])
  })

  it.each([
    ['other params', { params: { ...PARAMS, amount: 2500 } }, 'PERMIT_PARAMS'],
    ['another action', { action: 'delete_account' }, 'PERMIT_ACTION'],
    ['another audience', { audience: 'urn:other' }, 'PERMIT_AUDIENCE'],
  ])('refuses %s', async (_, change, code) => {
    await using scene = await claimed()
    await expect(scene.counter.verify(scene.verifier, { ...scene.verify, ...change })).rejects.toMatchObject({ code })
  })

  it('refuses after the report, while the agent is paused, and once it has expired', async () => {
    await using scene = await claimed()
    await scene.test.agent({ ...scene.agent, status: 'paused' })
    await expect(scene.counter.verify(scene.verifier, scene.verify)).rejects.toMatchObject({ code: 'AGENT_PAUSED' })
    await scene.test.agent(scene.agent)
    await scene.gate.report(scene.intent.id, ATTEMPT, { status: 'succeeded' })
    await expect(scene.counter.verify(scene.verifier, scene.verify)).rejects.toMatchObject({ code: 'PERMIT_REVOKED' })
    scene.test.clock.advance(305_000)
    await expect(scene.counter.verify(scene.verifier, scene.verify)).rejects.toMatchObject({ code: 'PERMIT_EXPIRED' })
  })

  it.each<[string, (claims: PermitClaims) => Partial<PermitClaims>]>([
    ['a later expiry', ({ exp }) => ({ exp: exp + 300 })],
    [
      'another approver',
      ({ approvals }) => ({ approvals: approvals.map((one) => ({ ...one, by: 'user:usr_mallory' })) }),
    ],
    ['another label', () => ({ approved_by: ['mallory@example.com'] })],
    ['another tier', () => ({ risk_tier: 'low' })],
    ['an unknown jti', () => ({ jti: 'pmt_forged' })],
  ])('refuses what a thief of the signing key signed with %s', async (_, change) => {
    await using scene = await claimed()
    const state = await stateOf(scene.test, scene.intent.id)
    const claims = permitClaimsOf(state, state.permits[0] as State['permits'][0], scene.test.local.issuer)
    const token = await signPermit({ ...claims, ...change(claims) }, scene.test.signer)
    const verified = scene.counter.verify(scene.verifier, { ...scene.verify, token })
    await expect(verified).rejects.toMatchObject({ code: expect.stringMatching(/^PERMIT_(CLAIMS|REVOKED)$/) })
  })

  it('is not for an agent key while there is another one', async () => {
    await using scene = await claimed()
    const key = principalOf(scene.test.key)
    await expect(scene.counter.verify(key, scene.verify)).rejects.toMatchObject({ code: 'FORBIDDEN' })
  })
})

describe('redeem', () => {
  it('E18 of a hundred at once one is granted, and its repetition gets the same answer', async () => {
    await using scene = await claimed()
    const requests = Array.from({ length: 100 }, scene.redeem)
    const done = await Promise.allSettled(requests.map((request) => scene.counter.redeem(scene.verifier, request)))
    const first = done.findIndex(({ status }) => status === 'fulfilled')
    expect(done.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    const again = await scene.counter.redeem(scene.verifier, requests[first] as ReturnType<typeof scene.redeem>)
    expect(again).toEqual({ replayed: false })
  })

  it.each([
    ['short', 'a'],
    ['long', 'a'.repeat(257)],
    ['unstorable', `${'a'.repeat(20)}\0`],
  ])('wants 128 random bits, not a %s id', async (_, redemptionId) => {
    await using scene = await claimed()
    const redeemed = scene.counter.redeem(scene.verifier, { ...scene.redeem(), redemptionId })
    await expect(redeemed).rejects.toMatchObject({ code: 'INVALID_FIELD', field: 'redemption_id' })
  })

  it('compares the digest of the params', async () => {
    await using scene = await claimed()
    const redeemed = scene.counter.redeem(scene.verifier, { ...scene.redeem(), paramsDigest: 'sha-256:other' })
    await expect(redeemed).rejects.toMatchObject({ code: 'PERMIT_PARAMS' })
  })

  it('E13 tells a verifier that opted in of a replay, whichever permit it is', async () => {
    await using scene = await claimed({ idempotent: true })
    await scene.counter.redeem(scene.verifier, scene.redeem())
    await scene.gate.report(scene.intent.id, ATTEMPT, { status: 'failed' })
    const again = await scene.gate.claim(scene.intent.id, { ...ATTEMPT, attemptId: 'attempt-2' })
    if (again.type !== 'granted') throw new Error(`the claim is ${again.type}`)
    const request = { ...scene.redeem(), token: again.permit }
    await expect(scene.counter.redeem(scene.verifier, request)).rejects.toMatchObject({ code: 'ALREADY_REDEEMED' })
    expect(await scene.counter.redeem(scene.verifier, { ...request, idempotent: true })).toEqual({ replayed: true })
  })

  it('refuses a verifier of another project', async () => {
    await using scene = await claimed()
    await using other = await testGate({ store: scene.test.store })
    const { principal } = await other.addKey({ kind: 'verifier' })
    await expect(scene.counter.redeem(principal, scene.redeem())).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
  })
})

describe('logExecution', () => {
  it('E19 of a verifier outranks the agent', async () => {
    await using scene = await claimed()
    await scene.gate.report(scene.intent.id, ATTEMPT, { status: 'succeeded' })
    const [permit] = (await stateOf(scene.test, scene.intent.id)).permits
    const report = { permitId: permit?.id as `pmt_${string}`, status: 'failed' } as const
    expect(await scene.counter.logExecution(scene.verifier, report)).toMatchObject({
      state: 'failed',
      reportedBy: 'verifier',
      disputed: true,
    })
  })

  it('of an agent is for its own intents', async () => {
    await using scene = await claimed()
    const [permit] = (await stateOf(scene.test, scene.intent.id)).permits
    const report = { permitId: permit?.id as `pmt_${string}`, status: 'succeeded' } as const
    const stranger = principalOf(scene.test.key)
    await expect(scene.counter.logExecution(stranger, report)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    const unknown = scene.counter.logExecution(scene.verifier, { ...report, permitId: 'pmt_unknown' })
    await expect(unknown).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('takes only statuses that there are', async () => {
    await using scene = await claimed()
    const [permit] = (await stateOf(scene.test, scene.intent.id)).permits
    const report = { permitId: permit?.id as `pmt_${string}`, status: 'completed' as 'succeeded' }
    await expect(scene.counter.logExecution(scene.verifier, report)).rejects.toMatchObject({ field: 'status' })
  })
})
