/**
 * Counter routes: what a backend asks of the gate with its verifier key. Is this permit good, mark it as used, this is what
 * came of it.
 *
 * @module
 */
import type { IntentId, LivingLog, LocalGate, PermitClaims, PermitId, Store } from '@silentauth/core'
import { executionToWire } from '@silentauth/core/wire'
import { z } from 'zod'
import { executionData } from './answer-forms.js'
import { checkpointHeader } from './checkpoint-header.js'
import { executionForm, redeemForm, verifyForm } from './request-forms.js'
import { type Route, route } from './route-table.js'
import { rememberRequest } from './transport-retry.js'

export interface CounterRoutesOptions {
  readonly gate: LocalGate
  readonly store: Store
  readonly log?: Pick<LivingLog, 'head'> | undefined
}

/** Every check of a permit can refuse it; the page of error codes has them all. */
const PERMIT_ERRORS = [
  'PERMIT_SIGNATURE',
  'PERMIT_EXPIRED',
  'PERMIT_ACTION',
  'PERMIT_PARAMS',
  'PERMIT_AUDIENCE',
  'PERMIT_REVOKED',
] as const

const claims = z.record(z.string(), z.unknown()) as unknown as z.ZodType<PermitClaims>

export function counterRoutes({ gate, store, log }: CounterRoutesOptions): readonly Route[] {
  return [
    route({
      method: 'POST',
      path: '/api/permits/verify',
      access: 'key',
      summary: 'Checks a permit and its intent as they are now; marks nothing.',
      body: verifyForm,
      data: z.strictObject({ claims }),
      errors: PERMIT_ERRORS,
      async handle({ who: { principal }, body }) {
        const { token, action, parameters: params, audience } = body
        return { data: { claims: await gate.counter.verify(principal, { token, action, params, audience }) } }
      },
    }),

    route({
      method: 'POST',
      path: '/api/permits/redeem',
      access: 'key',
      summary: 'Runs all checks, then marks the approval as used, once.',
      body: redeemForm,
      data: z.strictObject({ replayed: z.boolean() }),
      errors: ['ALREADY_REDEEMED', 'AGENT_PAUSED', 'AGENT_REVOKED', ...PERMIT_ERRORS],
      everyAnswer: () => checkpointHeader(log),
      async handle({ who: { principal }, body, retry }) {
        await rememberRequest(store, principal.id, retry && (await intentNamedIn(store, body.token)), retry)
        const { replayed } = await gate.counter.redeem(principal, {
          token: body.token,
          redemptionId: body.redemption_id,
          action: body.action,
          paramsDigest: body.params_digest,
          audience: body.audience,
          idempotent: body.idempotent,
        })
        return { data: { replayed } }
      },
    }),

    route({
      method: 'POST',
      path: '/api/executions',
      access: 'key',
      summary: "Reports what came of a permit. A verifier's report outranks the agent's.",
      body: executionForm,
      data: z.strictObject({ intent_id: z.string(), execution: executionData }),
      errors: ['NOT_FOUND', 'NOT_CLAIMABLE', 'ALREADY_RESOLVED'],
      async handle({ who: { principal }, body: { permit_id: permitId, status, result }, retry }) {
        await rememberRequest(store, principal.id, retry && (await store.intentByPermit(permitId)), retry)
        const { intentId, ...execution } = await gate.counter.logExecution(principal, { permitId, status, result })
        return { data: { intent_id: intentId, execution: executionToWire(execution) } }
      },
    }),
  ]
}

/** Of a token that nobody has verified yet: good for finding a record, for nothing else. */
async function intentNamedIn(store: Store, token: string): Promise<IntentId | undefined> {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'))
    const { jti } = z.object({ jti: z.string() }).parse(claims)
    return await store.intentByPermit(jti as PermitId)
  } catch {
    return undefined
  }
}
