/**
 * An intent is the record of one action that somebody wants to perform, with its params. It is immutable but for its
 * status; what is true of it now is decided by `lifecycle.ts`.
 *
 * @module
 */
import { z } from 'zod'
import { type ErrorCode, SilentAuthError } from './errors.js'
import type { IntentId, PolicyRef, ProjectId } from './id.js'
import type { Digest, EpochMs, JsonObject } from './json.js'
import type { RiskFactor, RiskTier } from './risk.js'

export type SourceType = 'ai_agent' | 'devops' | 'automation'
/** Who gets the permit: the answer to `claim`, or (plain HTTP) every answer to the declaring key until it expires. */
export type Delivery = 'claim' | 'token'
/** `false`: an approver cannot change the params. `schema`: JSON Schema of the tool, which every edit must satisfy. */
export type Edits = false | { readonly schema: JsonObject }
/** Policy's verdict on a new intent. It never changes, whatever people decide later. */
export type Verdict = 'auto_approve' | 'auto_deny' | 'require_approval'

/** What an agent asks for. All but `action` and `params` are claims of the caller, which can only make things stricter. */
export interface IntentDraft {
  /** `^[a-z][a-z0-9_.:-]{0,127}$`, snake_case by convention. */
  action: string
  /** Strict JSON: 64 KB, depth 32, 1,000 keys. */
  params: JsonObject
  /** Scoped to the bound agent, else to the key's lineage; the same key with other contents is `IDEMPOTENCY_MISMATCH`. */
  idempotencyKey?: string | undefined
  /** @default 'medium' */
  riskTier?: RiskTier | undefined
  /** Fingerprint of the agent. @default what the gate was made with */
  source?: string | undefined
  /** @default what the gate was made with, else 'ai_agent' */
  sourceType?: SourceType | undefined
  /** The person on whose behalf: shown as claimed, and excluded from voting. */
  requestedBy?: string | undefined
  /** Group names or e-mails; they narrow whom policy allows. */
  approvers?: readonly string[] | undefined
  /** How long it may stay pending. @default the policy's `expires_in`, else 3600 */
  expiresInSeconds?: number | undefined
  /** Shown as claimed by the agent. Reserved members: reasoning, impact, model, run, thread. */
  context?: JsonObject | undefined
  metadata?: JsonObject | undefined
  /** An own intent that this one replaces: pending is cancelled, unclaimed is abandoned, begun is `IN_FLIGHT`. */
  supersedes?: IntentId | undefined
  /** @default 'claim' */
  delivery?: Delivery | undefined
  /** @default false */
  edits?: Edits | undefined
  /** The tool may pause itself and be entered again. @default false */
  reenters?: boolean | undefined
  /** The tool may run again after `failed` or `unknown`, with the intent id as its own idempotency key. @default false */
  idempotent?: boolean | undefined
}

export type IntentStatus =
  | 'pending'
  | 'approved'
  | 'denied'
  | 'expired'
  | 'cancelled'
  | 'changes_requested'
  | 'superseded'

/** Why an intent has its status. */
export interface Resolution {
  readonly by: 'policy' | 'person' | 'agent' | 'clock' | 'operator'
  /** `TIME_RESTRICTED`, … where there is one. */
  readonly code: ErrorCode | undefined
  readonly comment: string | undefined
  /** The earlier intent whose denial answered this one. */
  readonly earlierIntent: IntentId | undefined
}

export type ExecutionStatus =
  | 'none'
  | 'started'
  | 'suspended'
  | 'succeeded'
  | 'failed'
  | 'unknown'
  | 'abandoned'
  /** `delivery: token` only: from the approval on, and for good when nobody reports. */
  | 'delivered'

/** The one execution of an approved intent, as everybody may see it. */
export interface ExecutionState {
  readonly state: ExecutionStatus
  /** Suspensions so far, at most 20. */
  readonly continuations: number
  /** Of the attempt that runs. */
  readonly deadline: EpochMs | undefined
  readonly reportedBy: 'agent' | 'verifier' | 'person' | undefined
  /** Two reports contradict each other; the verifier's outranks the agent's. */
  readonly disputed: boolean
}

/** Vote channel; it comes from how the person signed in, never from a body. */
export type Via = 'session' | 'webauthn' | 'slack' | 'teams' | 'api' | 'cli'

/** One counted approval, as it stands in permits. */
export interface Approval {
  readonly at: EpochMs
  /** `user:<id>` */
  readonly by: string
  /** E-mail by default. */
  readonly label: string
  readonly via: Via
}

/** An intent as its declaring key sees it. */
export interface Intent {
  readonly id: IntentId
  readonly projectId: ProjectId
  readonly status: IntentStatus
  readonly decision: Verdict
  readonly resolution: Resolution | undefined
  readonly action: string
  readonly params: JsonObject
  readonly paramsDigest: Digest
  /** Hash of what approvers are shown; stable over votes. */
  readonly intentHash: Digest
  readonly riskTier: RiskTier
  readonly riskTierClaimed: RiskTier | undefined
  readonly riskScore: number
  readonly riskFactors: readonly RiskFactor[]
  readonly source: string | undefined
  readonly sourceType: SourceType
  /** Of the key, never of the caller. */
  readonly environment: string | undefined
  readonly context: JsonObject | undefined
  readonly metadata: JsonObject | undefined
  readonly approvers: readonly string[]
  readonly approvals: readonly Approval[]
  readonly approvalsRequired: number
  readonly approvalUrl: string
  readonly requestedBy: string | undefined
  readonly policy: PolicyRef | undefined
  /** `aud` of its permits. */
  readonly audience: string
  readonly supersedes: IntentId | undefined
  /** Set by the gate from an approver's edit; the only link that adapters follow. */
  readonly supersededBy: IntentId | undefined
  readonly delivery: Delivery
  readonly edits: Edits
  readonly reenters: boolean
  readonly idempotent: boolean
  readonly executionWindowSeconds: number
  readonly createdAt: EpochMs
  /** Only while pending; afterwards only the execution window counts. */
  readonly expiresAt: EpochMs
  readonly resolvedAt: EpochMs | undefined
  /** Labels of those who approved. */
  readonly approvedBy: readonly string[] | undefined
  readonly execution: ExecutionState
  /** Only with `delivery: token`, to the declaring key, until it expires or is redeemed. */
  readonly permitToken: string | undefined
}
export type SettledIntent = Intent & { readonly status: Exclude<IntentStatus, 'pending'> }

export function isSettled(intent: Intent): intent is SettledIntent {
  return intent.status !== 'pending'
}

/** `^[a-z][a-z0-9_.:-]{0,127}$`: ASCII, so that no look-alike letter passes for an action. */
export const ACTION_PATTERN = /^[a-z][a-z0-9_.:-]{0,127}$/
/** Thirty days: the longest that an intent may wait. */
export const MAX_EXPIRES_IN_SECONDS = 30 * 24 * 3600

/** Text that both stores keep as it is: no U+0000 (PostgreSQL refuses it), no lone surrogate (becomes U+FFFD). */
const storableText = (maxLength: number) =>
  z
    .string()
    .min(1)
    .max(maxLength)
    .refine((text) => !text.includes('\0') && text.isWellFormed(), 'holds U+0000 or a lone surrogate')

const jsonObject = z.custom<JsonObject>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  'must be an object',
)

/** The shape of a draft. Params, context and metadata are only checked to be objects here; `snapshot` does the rest. */
const draftSchema = z.strictObject({
  action: z.string().regex(ACTION_PATTERN, 'must match ^[a-z][a-z0-9_.:-]{0,127}$'),
  params: jsonObject,
  idempotencyKey: storableText(256).optional(),
  riskTier: z.enum(['low', 'medium', 'high', 'critical']).optional(),
  source: storableText(128).optional(),
  sourceType: z.enum(['ai_agent', 'devops', 'automation']).optional(),
  requestedBy: storableText(256).optional(),
  approvers: z.array(storableText(256)).max(50).optional(),
  expiresInSeconds: z.int().min(1).max(MAX_EXPIRES_IN_SECONDS).optional(),
  context: jsonObject.optional(),
  metadata: jsonObject.optional(),
  supersedes: z.templateLiteral(['int_', z.string()]).optional(),
  delivery: z.enum(['claim', 'token']).optional(),
  edits: z.union([z.literal(false), z.strictObject({ schema: jsonObject })]).optional(),
  reenters: z.boolean().optional(),
  idempotent: z.boolean().optional(),
})

/**
 * Checks the shape of a draft.
 *
 * @param spell how the caller spells a member: `wire.ts` answers in snake_case
 * @throws SilentAuthError `MISSING_FIELDS` or `INVALID_FIELD`, naming the members
 */
export function parseDraft(draft: unknown, spell: (member: string) => string = (member) => member): IntentDraft {
  const parsed = draftSchema.safeParse(draft)
  if (parsed.success) return parsed.data
  throw draftError(draft, parsed.error, spell)
}

function draftError(draft: unknown, error: z.ZodError, spell: (member: string) => string): SilentAuthError {
  const has = (member: PropertyKey): boolean =>
    typeof draft === 'object' && draft !== null && (draft as Record<PropertyKey, unknown>)[member] !== undefined
  const missing = ['action', 'params'].filter((member) => !has(member)).map(spell)
  if (missing.length > 0) {
    return new SilentAuthError('MISSING_FIELDS', `missing: ${missing.join(', ')}`, { field: missing[0] as string })
  }
  const issue = error.issues[0]
  const member = issue?.code === 'unrecognized_keys' ? (issue.keys[0] ?? '') : (issue?.path.map(String).join('.') ?? '')
  const field = issue?.code === 'unrecognized_keys' ? member : spell(member)
  const reason = issue?.code === 'unrecognized_keys' ? 'is not a member' : fieldReason(issue)
  return new SilentAuthError('INVALID_FIELD', `${field || 'draft'} ${reason}`, { field, cause: error })
}

/** zod's own messages can quote the input; only the kinds that do not are passed on. */
function fieldReason(issue: z.core.$ZodIssue | undefined): string {
  switch (issue?.code) {
    case 'custom':
    case 'invalid_format':
      return issue.message
    case 'too_big':
    case 'too_small':
      return 'is out of range'
    default:
      return 'has the wrong type or is none of the allowed values'
  }
}
