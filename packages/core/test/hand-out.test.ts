import { generateSigningKey, privateKeySigner, type Signer } from '@silentauth/core'
import { testGate } from '@silentauth/core/testing'
import { expect, it } from 'vitest'

const POLICIES = [{ match: {}, decision: 'auto_approve', any_params: true }]

/** Away, as a key management service can be, until it is back. */
async function signerThatIsAway(): Promise<{ signer: Signer; away: Error; back(): void }> {
  const inner = await privateKeySigner(await generateSigningKey('EdDSA'))
  const away = new Error('connect ECONNREFUSED')
  let isAway = true
  return {
    away,
    back: () => {
      isAway = false
    },
    signer: {
      ...inner,
      async sign(bytes) {
        if (isAway) throw away
        return inner.sign(bytes)
      },
    },
  }
}

it('says GATE_UNAVAILABLE, with the cause, while the signer of permits is away', async () => {
  const { signer, away } = await signerThatIsAway()
  await using test = await testGate({ policies: POLICIES, signer })
  const { id } = await test.gate.declare({ action: 'issue_refund', params: {} })
  const claim = test.gate.claim(id, { executionId: 'call-1', attemptId: 'attempt-1' })
  await expect(claim).rejects.toMatchObject({ code: 'GATE_UNAVAILABLE', intentId: id, cause: away })
})

it('grants the same claim once the signer is back', async () => {
  const { signer, back } = await signerThatIsAway()
  await using test = await testGate({ policies: POLICIES, signer })
  const { id } = await test.gate.declare({ action: 'issue_refund', params: {} })
  const attempt = { executionId: 'call-1', attemptId: 'attempt-1' }
  await test.gate.claim(id, attempt).catch(() => undefined)
  back()
  expect((await test.gate.claim(id, attempt)).type).toBe('granted')
})
