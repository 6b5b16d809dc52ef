/**
 * Permits for tests, signed by a key that is made on the spot.
 *
 * @module
 */
import {
  defaultAudience,
  generateSigningKey,
  type PermitClaims,
  type PublicJwk,
  privateKeySigner,
  type Signer,
  signPermit,
  snapshot,
} from '@silentauth/core'
import { INTENT_ID } from './scripted-server.js'

export const ISSUER = 'urn:silentauth:embedded:test'
export const PARAMS = { customer_id: 'cust_4821', amount: 250 }

export interface TestKey {
  readonly signer: Signer
  readonly jwk: PublicJwk
}

export async function aKey(): Promise<TestKey> {
  const signer = await privateKeySigner(await generateSigningKey('EdDSA'))
  return { signer, jwk: signer.publicJwk as PublicJwk }
}

/** Of the intent that `wireIntent` makes, approved by a policy just now. */
export function aPermit(key: TestKey, changes: Partial<PermitClaims> = {}): Promise<string> {
  const iat = Math.floor(Date.now() / 1000)
  const claims: PermitClaims = {
    iss: ISSUER,
    aud: defaultAudience('prj_test', 'issue_refund'),
    sub: 'key:key_agent',
    jti: 'pmt_7',
    iat,
    exp: iat + 300,
    use_until: iat + 3600,
    ver: 1,
    intent_id: INTENT_ID,
    project_id: 'prj_test',
    action: 'issue_refund',
    params_digest: snapshot(PARAMS).digest,
    risk_tier: 'medium',
    decision: { kind: 'policy', policy: 'pol_1@1', quorum: 0 },
    approvals: [],
    uses: 1,
    declared_by: 'key:key_agent',
    ...changes,
  }
  return signPermit(claims, key.signer)
}
