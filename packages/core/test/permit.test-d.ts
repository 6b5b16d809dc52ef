/**
 * What the types of permits rule out. Checked by tsc; nothing here runs.
 *
 * @module
 */
import { type HmacKeyRing, type KeyRing, keyRing, secretRing } from '../src/key-ring.js'
import { verifyPermitSync } from '../src/node.js'
import { type VerifiedPermit, type VerifyOptions, verifyPermit } from '../src/permit.js'
import type { HmacClaims, PermitClaims } from '../src/permit-claims.js'

declare const token: string
declare const claims: PermitClaims
declare const options: VerifyOptions<'issue_refund'>
declare function refund(permit: VerifiedPermit<'issue_refund'>): void

const permit = await verifyPermit(token, options)
refund(permit)
refund(verifyPermitSync(token, { ...options, isRevoked: () => false, verifyProof: () => {} }))
permit.claims satisfies PermitClaims

// @ts-expect-error: the proof of one action is no proof of another
refund(await verifyPermit(token, { ...options, action: 'delete_account' }))

// @ts-expect-error: only a verifier makes one, so an object of the same members is no proof
refund({ action: 'issue_refund', params: {}, approvedBy: [], claims, kid: 'k1', unbound: false })

// @ts-expect-error: what is verified cannot be changed
permit.params.amount = 5000

const { params: _, ...withoutParams } = options
// @ts-expect-error: params are compared, always
await verifyPermit(token, withoutParams)

const { audience: __, ...withoutAudience } = options
// @ts-expect-error: so is the audience
await verifyPermit(token, withoutAudience)

const secrets = secretRing(new Uint8Array(32))
// @ts-expect-error: secrets are no public keys
secrets satisfies KeyRing
// @ts-expect-error: public keys are no secrets
keyRing([]) satisfies HmacKeyRing
// @ts-expect-error: a ring of secrets goes with its profile only
await verifyPermit(token, { ...options, keys: secrets })

const hmac = await verifyPermit(token, { ...options, profile: 'hs256', keys: secrets })
hmac.claims satisfies HmacClaims
// @ts-expect-error: a claim that the profile lets be absent must be looked at first
hmac.claims.jti satisfies string

// @ts-expect-error: the synchronous verifier cannot wait for an answer
verifyPermitSync(token, { ...options, isRevoked: async () => false })
