/**
 * Answer forms: the shapes of `data`, for OpenAPI and for tests. Each is checked against the type in core's `wire.ts`.
 *
 * @module
 */
import type { JsonObject } from '@silentauth/core'
import type {
  WireClaim,
  WireExecution,
  WireInboxItem,
  WireIntent,
  WireResolution,
  WireReview,
} from '@silentauth/core/wire'
import { z } from 'zod'

const object: z.ZodType<JsonObject> = z.record(z.string(), z.json())
const instant = z.iso.datetime()
const text = z.string()
const intentId = z.templateLiteral(['int_', text])
const digest = z.templateLiteral(['sha-256:', text])
const pointer = z.union([z.literal(''), z.templateLiteral(['/', text])])
const policyRef = z.templateLiteral(['pol_', text, '@', z.int()])

const status = z.enum(['pending', 'approved', 'denied', 'expired', 'cancelled', 'changes_requested', 'superseded'])
const riskTier = z.enum(['low', 'medium', 'high', 'critical'])
const sourceType = z.enum(['ai_agent', 'devops', 'automation'])
const riskFactors = z.array(z.strictObject({ name: text, weight: z.number() }))
const delivery = z.enum(['claim', 'token'])
const edits = z.union([z.literal(false), z.strictObject({ schema: object })])

const resolution: z.ZodType<WireResolution> = z.strictObject({
  by: z.enum(['policy', 'person', 'agent', 'clock', 'operator']),
  code: text.nullable(),
  comment: text.nullable(),
  earlier_intent: text.nullable(),
})

export const executionData: z.ZodType<WireExecution> = z.strictObject({
  state: z.enum(['none', 'started', 'suspended', 'succeeded', 'failed', 'unknown', 'abandoned', 'delivered']),
  continuations: z.int(),
  deadline: instant.nullable(),
  reported_by: text.nullable(),
  disputed: z.boolean(),
})

export const verdict = z.enum(['auto_approve', 'auto_deny', 'require_approval'])

export const intentData: z.ZodType<WireIntent> = z.strictObject({
  id: text,
  status,
  decision: verdict,
  action: text,
  risk_tier: riskTier,
  risk_tier_claimed: riskTier.nullable(),
  risk_score: z.number(),
  risk_factors: riskFactors,
  source: text.nullable(),
  source_type: sourceType,
  environment: text.nullable(),
  parameters: object,
  params_digest: text,
  intent_hash: text,
  context: object.nullable(),
  metadata: object.nullable(),
  approvers: z.array(text),
  approvals: z.array(z.strictObject({ at: instant, by: text, label: text, via: text })),
  approvals_required: z.int(),
  approval_url: z.url(),
  requested_by: text.nullable(),
  policy: text.nullable(),
  audience: text,
  project_id: text,
  supersedes: text.nullable(),
  superseded_by: text.nullable(),
  delivery,
  created_at: instant,
  expires_at: instant,
  resolved_at: instant.nullable(),
  resolution: resolution.nullable(),
  approved_by: z.array(text).nullable(),
  permit_token: text.nullable(),
  execution: executionData,
  execution_window: z.int(),
  edits,
  reenters: z.boolean(),
  idempotent: z.boolean(),
})

export const claimData: z.ZodType<WireClaim> = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('granted'), permit_token: text, parameters: object }),
  z.strictObject({ type: z.literal('running'), since: instant, deadline: instant }),
  z.strictObject({
    type: z.literal('recorded'),
    outcome: z.strictObject({
      status: z.enum(['succeeded', 'failed']),
      result_recorded: z.boolean(),
      result: z.json().optional(),
    }),
  }),
  z.strictObject({ type: z.literal('unknown') }),
  z.strictObject({ type: z.literal('closed'), reason: text }),
])

const canVote = z.strictObject({
  ok: z.boolean(),
  code: text.nullable(),
  reason: text.nullable(),
  on_behalf_of: text.nullable(),
})

export const inboxItemData: z.ZodType<WireInboxItem> = z.strictObject({
  id: text,
  status,
  action: text,
  risk_tier: riskTier,
  risk_score: z.number(),
  source: text.nullable(),
  votes: z.int(),
  votes_required: z.int(),
  created_at: instant,
  expires_at: instant,
  can_vote: canVote,
})

/** Preimage of `intent_hash`. */
const view = z.strictObject({
  type: z.literal('silentauth.view'),
  v: z.literal(1),
  intent_id: intentId,
  project_id: z.templateLiteral(['prj_', text]),
  action: text,
  params_digest: digest,
  params: object,
  redacted: z.array(pointer),
  context: object.nullable(),
  metadata: object.nullable(),
  source: text.nullable(),
  requested_by: text.nullable(),
  risk_tier: riskTier,
  policy: policyRef.nullable(),
  approvals_required: z.int(),
  aud: text,
  expires_at: instant,
  execution_window: z.int(),
  delivery,
  edits,
  reenters: z.boolean(),
  idempotent: z.boolean(),
  supersedes: intentId.nullable(),
})

const vote = z.strictObject({
  by: text,
  on_behalf_of: text.nullable(),
  verdict: z.enum(['approve', 'deny', 'request_changes']),
  comment: text.nullable(),
  at: instant,
  via: text,
  unseen: z.array(text),
  revealed: z.array(text),
  edited: z.boolean(),
})

export const reviewData: z.ZodType<WireReview> = z.strictObject({
  view,
  intent_hash: text,
  status,
  resolution: resolution.nullable(),
  created_at: instant,
  resolved_at: instant.nullable(),
  superseded_by: text.nullable(),
  source_type: sourceType,
  environment: text.nullable(),
  agent: z.strictObject({ id: text, name: text, status: text, owner: text.nullable() }).nullable(),
  key_name: text,
  policy: z.strictObject({ ref: text, name: text }).nullable(),
  risk: z.strictObject({ tier: riskTier, score: z.number(), factors: riskFactors }),
  votes: z.array(vote),
  can_vote: canVote,
  confirmation: text.nullable(),
  editable: z.boolean(),
  revealed: z.array(z.strictObject({ pointer, value: z.json() })),
  execution: executionData,
  use_until: instant.nullable(),
  same_action: z.array(text),
  quorum_out_of_reach: z.boolean(),
  denial: z.strictObject({ intent_id: text, remembered_until: instant, can_lift: canVote }).nullable(),
})
