/**
 * The steps that tests of a gate are made of: a draft, a decision, a claim, a report.
 *
 * @module
 */
import { expect } from 'vitest'
import { type ErrorCode, isSilentAuthError, type SilentAuthError } from '../errors.js'
import type { Claim, GateCall, Outcome } from '../gate.js'
import { randomToken } from '../id.js'
import type { Intent, IntentDraft } from '../intent.js'
import type { JsonObject } from '../json.js'
import { snapshot } from '../params.js'
import type { PermitClaims } from '../permit-claims.js'
import type { Principal } from '../registry.js'
import type { Attempt } from '../state.js'
import type { Vote } from '../vote.js'
import type { GateHarness } from './gate-harness.js'

export const TWO_PEOPLE = {
  name: 'two people',
  match: {},
  decision: 'require_approval',
  approval: { approvers_required: 2 },
}
export function aDraft(details: Partial<IntentDraft> = {}): IntentDraft {
  return { action: 'issue_refund', params: { customer_id: 'cust_4821', amount: 250 }, ...details }
}

export function aCall(params: JsonObject = { customer_id: 'cust_4821', amount: 250 }): GateCall {
  return { key: `call-${randomToken()}`, snapshot: snapshot(params), draft: { action: 'issue_refund' } }
}

export function anAttempt(details: Partial<Attempt> = {}): Attempt {
  return { executionId: 'execution-1', attemptId: randomToken(), ...details }
}

export async function decide(
  desk: GateHarness['desk'],
  person: Principal,
  id: Intent['id'],
  verdict: Vote['verdict'],
  comment?: string,
): Promise<void> {
  const { intentHash, confirmation } = await desk.read(person, id)
  await desk.vote(person, id, { verdict, intentHash, confirm: confirmation, comment })
}

export async function approved(harness: GateHarness, details: Partial<IntentDraft> = {}): Promise<Intent> {
  const { gate, desk, approver } = harness
  const { id } = await gate.declare(aDraft(details))
  await decide(desk, approver, id, 'approve')
  return gate.read(id)
}

/** Claims and reports. */
export async function run({ gate }: GateHarness, id: Intent['id'], outcome: Outcome): Promise<Attempt> {
  const attempt = anAttempt()
  await gate.claim(id, attempt)
  await gate.report(id, attempt, outcome)
  return attempt
}

export function permitIdOf(claim: Awaited<ReturnType<GateHarness['gate']['claim']>>): string {
  if (claim.type !== 'granted') return claim.type
  const [, payload = ''] = claim.permit.split('.')
  const { jti } = JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/'))) as { jti: string }
  return jti
}

export async function errorOf(work: Promise<unknown>): Promise<SilentAuthError> {
  const error: unknown = await work.then(
    () => new Error('nothing was refused'),
    (refusal: unknown) => refusal,
  )
  if (!isSilentAuthError(error)) throw error
  return error
}

export async function expectCode(work: Promise<unknown>, code: ErrorCode): Promise<void> {
  expect(await errorOf(work)).toMatchObject({ code })
}

/** Approves with edits. */
export async function edit(
  desk: GateHarness['desk'],
  person: Principal,
  id: Intent['id'],
  params: JsonObject,
): Promise<void> {
  const { intentHash, confirmation } = await desk.read(person, id)
  await desk.vote(person, id, { verdict: 'approve', intentHash, confirm: confirmation, params })
}

export function tokenOf(claim: Claim): string {
  if (claim.type !== 'granted') throw new Error(`the claim is ${claim.type}`)
  return claim.permit
}

/** As a backend asks, of the permit of this intent. */
export async function verify(
  { counter }: GateHarness,
  { action, params, audience }: Intent,
  token: string | undefined,
): Promise<PermitClaims> {
  if (token === undefined) throw new Error('there is no token')
  return counter.verify({ token, action, params, audience })
}

/** As a backend uses it, by default under an id of its own. */
export async function redeem(
  { counter }: GateHarness,
  { action, paramsDigest, audience }: Intent,
  claim: Claim,
  details: { readonly redemptionId?: string; readonly idempotent?: boolean } = {},
): Promise<{ replayed: boolean }> {
  const redemptionId = `redemption-${randomToken()}`
  return counter.redeem({ token: tokenOf(claim), redemptionId, action, paramsDigest, audience, ...details })
}
