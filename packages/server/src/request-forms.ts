/**
 * Request forms: what bodies and queries may hold, spelled as on the wire. Unknown members are refused, null means absent.
 *
 * @module
 */
import type { Digest, IntentStatus, JsonObject, JsonPointer, PermitId } from '@silentauth/core'
import { z } from 'zod'

/** Text that every store and screen keeps as it is. */
const text = (maxLength: number) => z.string().min(1).max(maxLength)
const object: z.ZodType<JsonObject> = z.record(z.string(), z.json())
const digest = z
  .string()
  .regex(/^sha-256:[A-Za-z0-9_-]{43}$/, 'must be sha-256: and base64url')
  .transform((value) => value as Digest)
const permitId = z
  .string()
  .regex(/^pmt_[0-9a-z]{1,64}$/, 'must be pmt_…')
  .transform((value) => value as PermitId)
/** Absent and null are the same. */
const maybe = <Form extends z.ZodType>(form: Form) => form.nullish().transform((value) => value ?? undefined)

const MAX_COMMENT = 2000
const comment = z.string().max(MAX_COMMENT)
const token = text(16_384)
const riskTier = z.enum(['low', 'medium', 'high', 'critical'])

/** Described here, read by core's `draftFromWire`, which says the same. */
export const declareForm = z.strictObject({
  action: z.string().regex(/^[a-z][a-z0-9_.:-]{0,127}$/),
  source_type: z.enum(['ai_agent', 'devops', 'automation']),
  source: text(128).nullish(),
  risk_tier: riskTier.nullish(),
  parameters: object.nullish(),
  project_id: z.string().nullish(),
  approvers: z.array(text(256)).max(50).nullish(),
  expires_in: z
    .int()
    .min(1)
    .max(30 * 24 * 3600)
    .nullish(),
  context: object.nullish(),
  metadata: object.nullish(),
  requested_by: text(256).nullish(),
  supersedes: z.string().startsWith('int_').nullish(),
  idempotency_key: text(256).nullish(),
  delivery: z.enum(['token', 'claim']).nullish(),
  edits: z.union([z.literal(false), z.strictObject({ schema: object })]).nullish(),
  reenters: z.boolean().nullish(),
  idempotent: z.boolean().nullish(),
})

const limit = z
  .string()
  .regex(/^[0-9]{1,3}$/, 'must be 1 to 100')
  .transform(Number)
  .pipe(z.int().min(1).max(100))
  .optional()
const cursor = text(512).optional()
const STATUSES = [
  'pending',
  'approved',
  'denied',
  'expired',
  'cancelled',
  'changes_requested',
  'superseded',
] as const satisfies readonly IntentStatus[]

export const listQuery = z.strictObject({
  status: z.enum([...STATUSES, 'pending_approval', 'auto_approved']).optional(),
  action: text(128).optional(),
  source: text(128).optional(),
  idempotency_key: text(256).optional(),
  limit,
  cursor,
})

export const MAX_WAIT_SECONDS = 60
export const waitQuery = z.strictObject({
  wait: z
    .string()
    .regex(/^[0-9]{1,3}$/, 'must be whole seconds')
    .transform(Number)
    .pipe(z.int().min(0).max(MAX_WAIT_SECONDS))
    .optional(),
})

export const noQuery = z.strictObject({})

export const cancelForm = z.strictObject({ reason: maybe(comment) })

export const claimForm = z.strictObject({
  execution_id: text(256),
  attempt_id: text(256),
  continues: maybe(z.int().min(0)),
})

export const reportForm = z.strictObject({
  execution_id: text(256),
  attempt_id: text(256),
  status: z.enum(['succeeded', 'failed', 'suspended', 'not_started']),
  result: z.json().optional(),
})

export const verifyForm = z.strictObject({ token, action: text(128), parameters: object, audience: text(512) })

export const redeemForm = z.strictObject({
  token,
  redemption_id: text(256),
  action: text(128),
  params_digest: digest,
  audience: text(512),
  idempotent: maybe(z.boolean()),
})

export const executionForm = z.strictObject({
  permit_id: permitId,
  status: z
    .enum(['completed', 'succeeded', 'failed'])
    .transform((status) => (status === 'completed' ? 'succeeded' : status)),
  result: z.json().optional(),
})

/** `cli` is the weaker channel: its votes count for low and medium intents only. */
export const signInForm = z.strictObject({ token: text(256), client: maybe(z.enum(['browser', 'cli'])) })

/** A passkey's assertion would be lost here, and whoever sent it believes that it counts. */
const evidence = z.null('is not checked by this build').optional()

export const approveForm = z.strictObject({
  intent_hash: digest,
  comment: maybe(comment),
  confirm: maybe(text(256)),
  parameters: maybe(object),
  evidence,
})
export const refuseForm = z.strictObject({ intent_hash: digest, comment: maybe(comment), evidence })
export const eraseForm = z.strictObject({ reason: comment.min(1) })
export const withdrawForm = z.strictObject({ reason: comment.min(1) })
export const reconcileForm = z.strictObject({
  finding: z.enum(['happened', 'did_not_happen']),
  comment: maybe(comment),
})
export const liftDenialForm = z.strictObject({})
export const revealForm = z.strictObject({
  pointer: z
    .string()
    .max(4096)
    .regex(/^(\/.*)?$/s, 'must be a JSON pointer')
    .transform((value) => value as JsonPointer),
})

export const inboxQuery = z.strictObject({
  status: z.enum([...STATUSES, 'pending_approval']).optional(),
  action: text(128).optional(),
  limit,
  cursor,
})

export const auditQuery = z.strictObject({
  limit,
  cursor: z
    .string()
    .regex(/^[0-9]{1,15}$/, 'must be one that a page of leaves gave')
    .transform(Number)
    .optional(),
})

const flag = z.enum(['true', 'false']).transform((text) => text === 'true')
const treeSize = z
  .string()
  .regex(/^[1-9][0-9]{0,14}$/, 'must be a count of leaves from 1')
  .transform(Number)

/** `since`: a size of the log that the caller knows. */
export const proofQuery = z.strictObject({ since: treeSize.optional() })
export const exportQuery = z.strictObject({ size: treeSize.optional(), values: flag.optional() })
export const bundleQuery = z.strictObject({ values: flag.optional() })
