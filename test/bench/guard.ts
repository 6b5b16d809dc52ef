/**
 * What a gated call costs over calling the tool directly: declare, policy, claim, permit, local check, report, over an in-memory gate
 * whose policy approves. Targets are of CPU time per call: 1.2 ms with RS256 signing, 0.2 ms with EdDSA. Another load on the machine
 * shows in all figures alike: the signatures beside them tell how much.
 *
 * @module
 */
import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import { type GateCall, generateSigningKey, guard, type PrivateJwk, privateKeySigner, snapshot } from '@silentauth/core'
import { testGate } from '@silentauth/core/testing'

const TARGETS = { RS256: 1.2, ES256: undefined, EdDSA: 0.2 } as const
const WARM_UP = 500
const ROUNDS = 1500
const BATCHES = 5

console.log('guard over an auto-approving gate in memory, CPU ms per call beyond the tool itself')
const bare = await cpuPerCall(async () => tool({ customer_id: 'cust_4821', amount: 250 }))
for (const alg of ['RS256', 'ES256', 'EdDSA'] as const) {
  const jwk = await generateSigningKey(alg)
  await using test = await testGate({
    signer: await privateKeySigner(jwk),
    policies: [{ match: { action_pattern: 'issue_*' }, decision: 'auto_approve', any_params: true }],
  })
  const guarded = await cpuPerCall((index) => guard(test.gate, callOf(index), ({ params }) => tool(params)))
  const target = TARGETS[alg]
  const verdict = target === undefined ? 'for comparison' : guarded - bare <= target ? 'reached' : 'MISSED'
  const wanted = target === undefined ? '' : `target ≤ ${target}`
  const signatures = await cpuPerCall(signing(alg, jwk))
  const beside = `of it signing and verifying once: ${signatures.toFixed(3)}`
  console.log(
    `  ${alg.padEnd(8)} ${(guarded - bare).toFixed(3).padStart(8)}  ${wanted.padEnd(14)}  ${verdict.padEnd(14)}  ${beside}`,
  )
}

async function tool(params: object): Promise<number> {
  return Object.keys(params).length
}

/** One signature and its verification by node:crypto, over as many bytes as a permit has: nothing can be faster than that. */
function signing(alg: 'RS256' | 'ES256' | 'EdDSA', jwk: PrivateJwk): () => Promise<unknown> {
  const [privateKey, publicKey] = [
    createPrivateKey({ key: jwk, format: 'jwk' }),
    createPublicKey({ key: jwk, format: 'jwk' }),
  ]
  const bytes = new Uint8Array(1000)
  const digest = alg === 'EdDSA' ? null : 'sha256'
  return async () => verify(digest, bytes, publicKey, sign(digest, bytes, privateKey))
}

function callOf(index: number): GateCall {
  return {
    key: `call-${index}`,
    snapshot: snapshot({ customer_id: 'cust_4821', amount: 250 + (index % 100) }),
    draft: { action: 'issue_refund' },
  }
}

/** The best of several batches: what the machine does besides is not what is measured. */
async function cpuPerCall(run: (index: number) => Promise<unknown>): Promise<number> {
  let index = 0
  for (; index < WARM_UP; index++) await run(index)
  let best = Number.POSITIVE_INFINITY
  for (let batch = 0; batch < BATCHES; batch++) {
    const begin = process.cpuUsage()
    for (let round = 0; round < ROUNDS; round++) await run(index++)
    const { user, system } = process.cpuUsage(begin)
    best = Math.min(best, (user + system) / 1000 / ROUNDS)
  }
  return best
}
