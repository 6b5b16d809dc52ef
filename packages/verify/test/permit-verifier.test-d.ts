import type { VerifiedPermit } from '@silentauth/core'
import { Hono } from 'hono'
import { permitOf } from '../src/admission.js'
import { type PermitVariables, requirePermit } from '../src/hono.js'
import { permitVerifier } from '../src/permit-verifier.js'

declare function refund(permit: VerifiedPermit<'issue_refund'>): string

const common = { issuer: 'https://gate.example.com', projectId: 'prj_1', keys: 'public.jwks.json' } as const
const gate = { url: 'https://gate.example.com', secretKey: 'sk_1' }
const verifier = permitVerifier({ ...common, singleUse: 'per-process', revocations: 'off' })
const permit = await verifier.verify('token', { action: 'issue_refund', params: {} })

refund(permit)

// @ts-expect-error a permit for another action is no proof for this one
refund(await verifier.verify('token', { action: 'close_account', params: {} }))

// @ts-expect-error nobody else can make a permit
refund({ action: 'issue_refund', params: {}, approvedBy: [], claims: permit.claims, kid: 'k', unbound: false })

// @ts-expect-error what is about to be executed must be said
await verifier.verify('token', { action: 'issue_refund' })

// @ts-expect-error that revocations are not read must be said
permitVerifier({ ...common, singleUse: 'per-process' })

// @ts-expect-error where single use is kept must be said
permitVerifier({ ...common, revocations: 'off' })

// @ts-expect-error single use is kept in one place
permitVerifier({ ...common, revocations: 'off', singleUse: 'per-process', gate })

permitVerifier({ ...common, revocations: 'off', gate })

const app = new Hono<{ Variables: PermitVariables<'issue_refund'> }>()
app.post('/refunds', requirePermit({ verifier, action: 'issue_refund', params: (_, body) => body }), (c) => {
  refund(permitOf(c, 'issue_refund'))
  return c.text(refund(c.get('permit')))
})
