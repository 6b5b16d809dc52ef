/**
 * Agent routes: declare, read, list, cancel, claim, report. The project key says whose intents these are; another's are not
 * found.
 *
 * @module
 */
import {
  type IntentDraft,
  type LivingLog,
  type LocalGate,
  type ProjectId,
  SilentAuthError,
  type Store,
} from '@silentauth/core'
import { claimToWire, draftFromWire, executionToWire, intentToWire } from '@silentauth/core/wire'
import { z } from 'zod'
import { claimData, executionData, intentData, verdict } from './answer-forms.js'
import { checkpointHeader } from './checkpoint-header.js'
import type { SignedKey } from './credential.js'
import { cancelForm, claimForm, declareForm, listQuery, reportForm } from './request-forms.js'
import { type Route, route } from './route-table.js'
import type { TokenBuckets } from './token-bucket.js'
import { rememberRequest } from './transport-retry.js'

export interface AgentRoutesOptions {
  readonly gate: LocalGate
  readonly store: Store
  readonly declares: TokenBuckets
  readonly log?: Pick<LivingLog, 'head'> | undefined
}

export function agentRoutes({ gate, store, declares, log }: AgentRoutesOptions): readonly Route[] {
  return [
    route({
      method: 'POST',
      path: '/api/intents',
      access: 'agent',
      summary: 'Declares an intent; a repeated one answers 200 with the intent as it is now.',
      body: declareForm as unknown as z.ZodType<DeclareBody>,
      readBody: (json) => draftFromWire(json as Parameters<typeof draftFromWire>[0]),
      data: intentData,
      beside: { id: z.string(), decision: verdict },
      status: 201,
      errors: [
        'PARAMS_NOT_CANONICAL',
        'UNKNOWN_APPROVER',
        'SOURCE_MISMATCH',
        'AGENT_PAUSED',
        'AGENT_REVOKED',
        'IN_FLIGHT',
        'RATE_LIMITED',
      ],
      async handle({ who: { principal }, body: { draft, projectId }, retry }) {
        requireProject(projectId, principal.projectId)
        declares.take(principal.id)
        const { intent, created } = await gate.declare(principal, draft, { request: retry })
        const { id, decision } = intent
        return { data: intentToWire(intent), beside: { id, decision }, status: created ? 201 : 200 }
      },
    }),

    route({
      method: 'GET',
      path: '/api/intents',
      access: 'agent',
      summary: "Lists the key's own intents, newest first.",
      query: listQuery,
      data: z.array(intentData),
      beside: { next_cursor: z.string().nullable() },
      async handle({ who: { principal }, query }) {
        const { idempotency_key: idempotencyKey, status: spelled, limit = 50, ...filter } = query
        const { status, decision } = statusOf(spelled)
        const { items, nextCursor } =
          idempotencyKey === undefined
            ? await gate.list(principal, { ...filter, status, decision, limit })
            : { items: await byIdempotencyKey(gate, principal, idempotencyKey), nextCursor: undefined }
        const wanted = items.filter(
          (intent) =>
            (status === undefined || intent.status === status) &&
            (decision === undefined || intent.decision === decision) &&
            (filter.action === undefined || intent.action === filter.action) &&
            (filter.source === undefined || intent.source === filter.source),
        )
        return { data: wanted.map(intentToWire), beside: { next_cursor: nextCursor ?? null } }
      },
    }),

    route({
      method: 'POST',
      path: '/api/intents/{id}/cancel',
      access: 'agent',
      summary: 'Takes back an intent that has not begun to execute.',
      body: cancelForm,
      bodyOptional: true,
      data: intentData,
      errors: ['NOT_FOUND', 'ALREADY_RESOLVED', 'IN_FLIGHT'],
      async handle({ who: { principal }, intentId, body: { reason = '' }, retry }) {
        const intent = await gate.gateFor(principal).cancel(intentId, reason, { request: retry })
        return { data: intentToWire(intent) }
      },
    }),

    route({
      method: 'POST',
      path: '/api/intents/{id}/claim',
      access: 'agent',
      summary: 'Begins, or continues, the one execution of an approved intent.',
      body: claimForm,
      data: claimData,
      errors: [
        'NOT_FOUND',
        'INTENT_EXPIRED',
        'NOT_APPROVED',
        'NOT_CLAIMABLE',
        'POLICY_CHANGED',
        'TIME_RESTRICTED',
        'AGENT_PAUSED',
        'AGENT_REVOKED',
        'NOT_SEQUENCED',
        'RESULT_UNREADABLE',
      ],
      everyAnswer: () => checkpointHeader(log),
      async handle({ who: { principal }, intentId, body, retry }) {
        await rememberRequest(store, principal.id, intentId, retry)
        const attempt = { executionId: body.execution_id, attemptId: body.attempt_id, continues: body.continues }
        const claim = await gate.gateFor(principal).claim(intentId, attempt)
        return { data: claimToWire(claim) }
      },
    }),

    route({
      method: 'POST',
      path: '/api/intents/{id}/report',
      access: 'agent',
      summary: 'Says what came of the execution. Only the granted attempt may.',
      body: reportForm,
      data: z.strictObject({ execution: executionData }),
      errors: ['NOT_FOUND', 'NOT_APPROVED', 'NOT_CLAIMABLE', 'ALREADY_RESOLVED', 'ALREADY_REDEEMED'],
      async handle({ who: { principal }, intentId, body, retry }) {
        await rememberRequest(store, principal.id, intentId, retry)
        const { execution_id: executionId, attempt_id: attemptId, status, result } = body
        const own = gate.gateFor(principal)
        await own.report(intentId, { executionId, attemptId }, status === 'succeeded' ? { status, result } : { status })
        return { data: { execution: executionToWire((await own.read(intentId)).execution) } }
      },
    }),
  ]
}

interface DeclareBody {
  readonly draft: IntentDraft
  readonly projectId: string | undefined
}

/** A key speaks for one project; what a body says of another is not there. */
function requireProject(claimed: string | undefined, own: ProjectId): void {
  if (claimed !== undefined && claimed !== own) {
    throw new SilentAuthError('NOT_FOUND', 'project_id is not the project of this key', { field: 'project_id' })
  }
}

/** `pending_approval` and `auto_approved` are spellings that clients come with. */
function statusOf(spelled: z.output<typeof listQuery>['status']) {
  switch (spelled) {
    case 'pending_approval':
      return { status: 'pending', decision: undefined } as const
    case 'auto_approved':
      return { status: 'approved', decision: 'auto_approve' } as const
    case undefined:
    case 'pending':
    case 'approved':
    case 'denied':
    case 'expired':
    case 'cancelled':
    case 'changes_requested':
    case 'superseded':
      return { status: spelled, decision: undefined }
  }
}

/** One at most, and none is an empty list. */
async function byIdempotencyKey(gate: LocalGate, principal: SignedKey['principal'], idempotencyKey: string) {
  try {
    return [await gate.gateFor(principal).read({ idempotencyKey })]
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'NOT_FOUND') return []
    throw error
  }
}
