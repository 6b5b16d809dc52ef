/** An attack on a backend: the permit of a refund of 120 that a person approved, in the hands of a thief. */
import { embeddedGate, permitVerifier } from '@silentauth/verify'
import { createLocalJWKSet, jwtVerify } from 'jose'
import type { AttackGate } from './attack-gate.ts'
import type { Attack } from './attack-report.ts'

const APPROVED = { customer_id: 'cust_4821', amount: 120 }
const STOLEN = { customer_id: 'cust_4821', amount: 9999 }

export function stolenPermit({ gate, approve, dataDir, issuer, jwksUrl }: AttackGate): Attack {
  /** One that knows JWTs, and not what is in a permit. */
  async function jwtBackend() {
    const keys = createLocalJWKSet(await (await fetch(jwksUrl)).json())
    const audience = `urn:silentauth:${gate.projectId}:issue_refund`
    const paid: number[] = []
    return {
      paid,
      async refund(token: string, { amount }: typeof APPROVED) {
        await jwtVerify(token, keys, { issuer, audience })
        paid.push(amount)
      },
    }
  }
  return {
    name: 'a stolen permit',
    stock: 'a backend that checks tokens with a JWT library',
    story: [
      'A person approves a refund of 120. The permit leaks, from a log, say. The thief sends it with 9999, and then sends it twice.',
      'Its signature, issuer, audience and time are right each time.',
    ],
    wrap: "requirePermit({ verifier, action: 'issue_refund', params: (_, body) => body })",
    why: 'a permit is bound to the approved arguments, and one approval is one execution',
    async run() {
      const intent = await gate.createIntent({ action: 'issue_refund', params: APPROVED })
      await approve(intent.id)
      const { token } = await intent.waitForApproval()

      const stock = await jwtBackend()
      for (const params of [STOLEN, APPROVED, APPROVED]) await stock.refund(token, params)

      await using verifier = permitVerifier({ ...(await embeddedGate(dataDir)), singleUse: 'per-process' })
      const attempt = async (params: typeof APPROVED) => {
        try {
          const permit = await verifier.verify(token, { action: 'issue_refund', params })
          return { paid: permit.params.amount as number, code: undefined }
        } catch (error) {
          return { paid: undefined, code: (error as { code?: string }).code }
        }
      }
      const other = await attempt(STOLEN)
      const approved = await attempt(APPROVED)
      const again = await attempt(APPROVED)
      if (approved.paid !== APPROVED.amount) throw new Error('what was approved was not paid')
      return {
        // Less the one that was approved.
        stock: stock.paid.toSpliced(stock.paid.indexOf(APPROVED.amount), 1),
        gated: [other.paid, again.paid].filter((paid) => paid !== undefined),
        asked: 0,
        refusals: { 'with 9999': other.code, 'a second time': again.code },
      }
    },
  }
}
