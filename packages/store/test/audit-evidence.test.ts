import { exportAudit, newId, proofBundle, verifyAudit, verifyProofBundle, vkeyFingerprint } from '@silentauth/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { anAttempt, type LivingKeys, livingGate, livingKeys, PROJECT } from './living-gate.js'
import { LOG_STORES, logStores } from './log-stores.js'

const stores = logStores()
let keys: LivingKeys
beforeAll(async () => {
  keys = await livingKeys()
})
afterAll(() => stores[Symbol.asyncDispose]())

describe.each(LOG_STORES)('evidence from %s', (kind) => {
  it.each([
    ['low', 'claim'],
    ['critical', 'claim'],
    ['critical', 'token'],
  ] as const)(
    'shows the permit of a %s intent by %s, whenever it began (P6), and verifies',
    async (riskTier, delivery) => {
      await using store = await (await stores.make(kind)).open()
      await using living = await livingGate(store, keys)
      const { id, action, audience, paramsDigest, permitToken } = await living.approved({ riskTier, delivery })
      const attempt = anAttempt()
      const claim = delivery === 'claim' ? await living.agent.claim(id, attempt) : undefined
      const token = claim?.type === 'granted' ? claim.permit : permitToken
      const redemption = { token: token ?? '', redemptionId: newId('int'), action, audience, paramsDigest }
      await living.gate.counter.redeem(living.verifier, redemption)
      if (delivery === 'claim') await living.agent.report(id, attempt, { status: 'succeeded' })
      await living.log.settle()

      const trust = await vkeyFingerprint(living.log.vkey)
      const bundle = await proofBundle(store, { projectId: PROJECT, intentId: id, vkey: living.log.vkey, values: true })
      const proved = await verifyProofBundle(bundle, { trust })
      expect(proved.findings).toEqual([])
      const claims = JSON.parse(Buffer.from((token ?? '').split('.')[1] ?? '', 'base64url').toString())
      expect(proved.bundle?.permits).toEqual([claims])
      expect(proved.bundle?.redemptions).toHaveLength(1)

      const { size = 0, note = '' } = living.log.head() ?? {}
      const lines: string[] = []
      for await (const line of exportAudit(store, { projectId: PROJECT, size })) lines.push(line)
      const verdict = await verifyAudit({ lines, checkpoint: note, vkeys: [living.log.vkey] }, { trust })
      expect(verdict).toMatchObject({ exitCode: 0, findings: [], leaves: size })
    },
  )
})
