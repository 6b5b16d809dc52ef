/**
 * Permits for tests, signed by keys that are made on the spot, and who checks them.
 *
 * @module
 */
import {
  defaultAudience,
  generateSigningKey,
  newId,
  type PermitClaims,
  type PublicJwk,
  privateKeySigner,
  type Signer,
  signPermit,
  snapshot,
} from '@silentauth/core'
import { type PermitVerifier, type PermitVerifierOptions, permitVerifier } from '../src/permit-verifier.js'

export const ISSUER = 'https://gate.example.com'
export const PROJECT = 'prj_test'
export const ACTION = 'issue_refund'
export const PARAMS = { customer_id: 'cust_4821', amount: 250 }
/** 2026-03-16T12:00:00Z */
export const NOW = 1_773_662_400_000

export interface TestKey {
  readonly signer: Signer
  readonly jwk: PublicJwk
}

export async function aKey(): Promise<TestKey> {
  const signer = await privateKeySigner(await generateSigningKey('EdDSA'))
  return { signer, jwk: signer.publicJwk as PublicJwk }
}

/** Takes permits of `key` at `NOW`, each once, and looks at no revocation list. */
export function verifierFor(key: TestKey, changes: object = {}): PermitVerifier {
  const options = { issuer: ISSUER, projectId: PROJECT, keys: { keys: [key.jwk] }, singleUse: 'per-process' }
  return permitVerifier({ ...options, revocations: 'off', now: () => NOW, ...changes } as PermitVerifierOptions)
}

/** Claims of a permit that a policy granted at `NOW`. */
export function claimsOf(params: unknown = PARAMS, changes: Partial<PermitClaims> = {}): PermitClaims {
  const iat = NOW / 1000
  const action = changes.action ?? ACTION
  return {
    iss: ISSUER,
    aud: defaultAudience(PROJECT, action),
    sub: 'key:key_agent',
    jti: newId('pmt'),
    iat,
    exp: iat + 300,
    use_until: iat + 3600,
    ver: 1,
    intent_id: newId('int'),
    project_id: PROJECT,
    action,
    params_digest: snapshot(params).digest,
    risk_tier: 'medium',
    decision: { kind: 'policy', policy: 'pol_1@1', quorum: 0 },
    approvals: [],
    uses: 1,
    declared_by: 'key:key_agent',
    ...changes,
  }
}

export function aPermit(key: TestKey, params: unknown = PARAMS, changes: Partial<PermitClaims> = {}): Promise<string> {
  return signPermit(claimsOf(params, changes), key.signer)
}
