/**
 * What it costs to verify a permit, all checks and the digest of the params included, against the signature alone: `verify` of
 * node:crypto with a cached key. Targets: RS256 1.5, ES256 1.25 (of a DER signature), EdDSA 1.1.
 *
 * @module
 */
import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import {
  defaultAudience,
  generateSigningKey,
  keyRing,
  newId,
  type PermitClaims,
  privateKeySigner,
  signPermit,
  snapshot,
} from '@silentauth/core'
import { verifyPermitSync } from '@silentauth/core/node'

const TARGETS = { RS256: 1.5, ES256: 1.25, EdDSA: 1.1 } as const
/** Short rounds, taking turns: the quietest of many is what the code costs, the rest is what the machine does besides. */
const ROUNDS = 1200
const CALLS = 25

const params = { customer_id: 'cust_4821', amount: 250 }
const claims = aPermit()
const expected = {
  issuer: claims.iss,
  projectId: claims.project_id,
  audience: claims.aud,
  action: claims.action,
  params,
  maxLifetimeSeconds: 3600,
}

console.log('verify a permit (v1, two approvals, params digest), CPU µs, against node:crypto verify with a cached key')
for (const alg of ['RS256', 'ES256', 'EdDSA'] as const) {
  const jwk = await generateSigningKey(alg)
  const signer = await privateKeySigner(jwk)
  const token = await signPermit(claims, signer)
  const options = { ...expected, keys: keyRing([signer.publicJwk]) }

  const input = Buffer.from(token.slice(0, token.lastIndexOf('.')))
  const hash = alg === 'EdDSA' ? null : 'sha256'
  const key = createPublicKey({ key: { ...signer.publicJwk }, format: 'jwk' })
  const signature = sign(hash, input, createPrivateKey({ key: { ...jwk }, format: 'jwk' }))

  const [bare, full] = quietest(
    () => verify(hash, input, key, signature),
    () => verifyPermitSync(token, options),
  )
  const ratio = full / bare
  const verdict = ratio <= TARGETS[alg] ? 'reached' : 'MISSED'
  console.log(
    `  ${alg.padEnd(6)} ${`${token.length} B`.padStart(7)}  ${bare.toFixed(1).padStart(6)} → ${full.toFixed(1).padStart(6)}` +
      `  ×${ratio.toFixed(2)}, target ≤ ${TARGETS[alg]}  ${verdict}`,
  )
}

function quietest(...runs: readonly (() => unknown)[]): [number, number] {
  const best = runs.map(() => Number.POSITIVE_INFINITY)
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, run] of runs.entries()) best[index] = Math.min(best[index] as number, cpuMicroseconds(run))
  }
  return best as [number, number]
}

function cpuMicroseconds(run: () => unknown): number {
  const start = process.cpuUsage()
  for (let call = 0; call < CALLS; call++) run()
  const { user, system } = process.cpuUsage(start)
  return (user + system) / CALLS
}

function aPermit(): PermitClaims {
  const iat = Math.floor(Date.now() / 1000)
  const projectId = newId('prj')
  const agent = `agent:${newId('agt')}` as const
  const ref = snapshot({}).digest.slice('sha-256:'.length)
  const people = [newId('usr'), newId('usr')].toSorted()
  return {
    iss: 'https://gate.example.com',
    aud: defaultAudience(projectId, 'issue_refund'),
    sub: agent,
    jti: newId('pmt'),
    iat,
    exp: iat + 3600, // a busy machine may take its time
    use_until: iat + 3600,
    ver: 1,
    intent_id: newId('int'),
    project_id: projectId,
    action: 'issue_refund',
    params_digest: snapshot(params).digest,
    risk_tier: 'high',
    decision: { kind: 'human', policy: `${newId('pol')}@7`, quorum: 2 },
    approvals: people.map((person) => ({ at: iat, by: `user:${person}` as const, ref, via: 'session' })),
    uses: 1,
    declared_by: agent,
    approved_by: ['ada@example.com', 'bob@example.com'],
    context_digest: `sha-256:${ref}`,
  }
}
