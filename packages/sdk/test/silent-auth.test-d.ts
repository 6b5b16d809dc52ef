import type { Gate } from '@silentauth/core'
import { SilentAuth } from '../src/silent-auth.js'

const sa = new SilentAuth()

const gate: Gate = sa
void gate

const intent = await sa.createIntent({ action: 'issue_refund', params: { amount: 250 }, riskTier: 'high' })
const texts: string[] = [intent.approvalUrl, intent.approval_url, intent.expiresAt, intent.expires_at]

await sa.createIntent({ action: 'issue_refund', params: { amount: 250 }, risk_tier: 'high', expires_in: 60 })
await sa.createIntent({ action: 'issue_refund', parameters: { amount: 250 } })

// @ts-expect-error an intent is about params
await sa.createIntent({ action: 'issue_refund' })

// @ts-expect-error a member that is none
await sa.createIntent({ action: 'issue_refund', params: {}, tier: 'high' })

const permit = await intent.waitForApproval({ timeout: 1_000 })
texts.push(permit.token, permit.permitId, permit.permit_id, permit.approvedAt, permit.approved_at)

// @ts-expect-error a policy may have approved, so nobody did
texts.push(permit.approvedBy)

const { valid, bound, revocationChecked, revocation_checked } = await sa.validatePermit(permit.token)
const flags: boolean[] = [valid, bound.params, revocationChecked, revocation_checked]
void flags

await sa.logExecution({ permitId: permit.permitId, status: 'completed' })
await sa.logExecution({ permit_id: permit.permit_id, status: 'failed' })

// @ts-expect-error an outcome that is none
await sa.logExecution({ permitId: permit.permitId, status: 'done' })
