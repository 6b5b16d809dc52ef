/**
 * The policy form is how a policy is written: strict JSON in snake_case, on the wire, in files and in stores.
 *
 * @module
 */
import { z } from 'zod'
import { MAX_GLOB_LENGTH } from './glob.js'
import type { JsonObject, JsonPointer } from './json.js'
import { isObject, isSet, parseForm, plainText } from './json-form.js'
import type { PolicyDefinition } from './policy.js'
import { assertStorable, type StoringRules } from './policy-storing.js'
import { RISK_TIERS } from './risk.js'
import { isTimeZone } from './time-restriction.js'

export interface PolicyFormOptions extends StoringRules {
  /** JSON pointer of the policy in what the caller parses; pointers in errors begin with it. @default '' */
  readonly at?: string | undefined
}

/**
 * The policy that a JSON value spells; everything that it does not say keeps its default.
 *
 * @throws SilentAuthError `MISSING_FIELDS` or `INVALID_FIELD` with the JSON pointer in `field`: an unknown member, a value of the
 * wrong kind, or a rule of storing that is broken (`policy-storing.ts`)
 */
export function parsePolicy(json: unknown, options: PolicyFormOptions = {}): PolicyDefinition {
  const { at = '' } = options
  const policy = fromWire(parseForm(policyForm, json, at))
  return assertStorable(policy, { ...options, at })
}

/** The JSON of a policy, without id and version: `parsePolicy` gives the same definition again. */
export function policyToWire(policy: PolicyDefinition): JsonObject {
  const { match, approval, timeRestrictions, permit, intent } = policy
  const wire: WirePolicy = {
    name: policy.name,
    enabled: policy.enabled,
    mode: policy.mode,
    priority: policy.priority,
    match: stated({
      action_pattern: match.actionPattern,
      source_type: match.sourceType,
      risk_tier: match.riskTier,
      source: match.source,
      environment: match.environment,
      params_schema: match.paramsSchema,
    }),
    decision: policy.decision,
    approval:
      approval &&
      stated({
        approvers_required: approval.approversRequired,
        allowed_approvers: approval.allowedApprovers,
        all_of: approval.allOf,
        deny_threshold: approval.denyThreshold,
        assurance: approval.assurance,
        typed_confirmation: approval.typedConfirmation,
        editor_may_approve: approval.editorMayApprove,
      }),
    time_restrictions:
      timeRestrictions &&
      stated({
        timezone: timeRestrictions.timezone,
        block_weekends: timeRestrictions.blockWeekends,
        block_hours: timeRestrictions.blockHours,
      }),
    trust_claims: policy.trustClaims,
    any_params: policy.anyParams,
    allow: policy.allow,
    allow_via: policy.allowVia,
    allow_unseen: policy.allowUnseen,
    permit:
      permit &&
      stated({
        ttl_seconds: permit.ttlSeconds,
        audience: permit.audience,
        proof_of_possession: permit.proofOfPossession,
      }),
    intent:
      intent &&
      stated({
        expires_in: intent.expiresInSeconds,
        execution_window: intent.executionWindowSeconds,
        execution_deadline: intent.executionDeadlineSeconds,
      }),
    redact: policy.redact,
  }
  return stated(wire) as unknown as JsonObject
}

/** Pattern over actions: with any other character it could not match one. */
export const actionPatternForm = z
  .string()
  .max(128)
  .regex(/^[a-z*?][a-z0-9_.:*?-]*$/, 'is no glob over actions, which are [a-z][a-z0-9_.:-]*')

const YEAR_SECONDS = 366 * 24 * 3600
const MONTH_SECONDS = 30 * 24 * 3600
const seconds = (max: number) => z.int().min(1).max(max)

const hour = z.int().min(0).max(24)
export const timeRestrictionsForm = z.strictObject({
  timezone: z.string().max(64).refine(isTimeZone, 'is no IANA time zone').optional(),
  block_weekends: z.boolean().optional(),
  block_hours: z
    .tuple([hour, hour])
    .refine(([from, to]) => from !== to && from < 24, 'must be two different hours, the first below 24')
    .readonly()
    .optional(),
})

/** Different names of people and groups. */
export const approversForm = z.array(plainText(256)).min(1).max(100).refine(isSet, 'names somebody twice').readonly()
export const approverCountForm = z.int().min(1).max(100)

const policyForm = z.strictObject({
  name: plainText(200),
  enabled: z.boolean().default(true),
  mode: z.enum(['enforce', 'shadow']).default('enforce'),
  priority: z.int().min(-1_000_000_000).max(1_000_000_000).default(0),
  match: z.strictObject({
    action_pattern: actionPatternForm.optional(),
    source_type: z.enum(['ai_agent', 'devops', 'automation', 'any']).optional(),
    risk_tier: z.enum([...RISK_TIERS, 'any']).optional(),
    source: plainText(MAX_GLOB_LENGTH).optional(),
    environment: plainText(128).optional(),
    params_schema: z.custom<JsonObject>(isObject, 'must be a schema, which is an object').optional(),
  }),
  decision: z.enum(['auto_approve', 'auto_deny', 'require_approval']),
  approval: z
    .strictObject({
      approvers_required: approverCountForm.optional(),
      allowed_approvers: approversForm.optional(),
      all_of: z
        .array(z.strictObject({ group: plainText(256), count: approverCountForm }))
        .max(100)
        .refine((demands) => isSet(demands.map(({ group }) => group)), 'names a group twice')
        .readonly()
        .optional(),
      deny_threshold: z.int().min(1).max(100).optional(),
      assurance: z.enum(['session', 'confirm', 'passkey']).optional(),
      typed_confirmation: z.boolean().optional(),
      editor_may_approve: z.boolean().optional(),
    })
    .optional(),
  time_restrictions: timeRestrictionsForm.optional(),
  trust_claims: setOf(['risk_tier', 'source']).optional(),
  any_params: z.boolean().optional(),
  allow: setOf(['reenters', 'idempotent']).optional(),
  allow_via: setOf(['session', 'webauthn', 'slack', 'teams', 'api', 'cli']).optional(),
  allow_unseen: z.boolean().optional(),
  permit: z
    .strictObject({
      ttl_seconds: seconds(3600).optional(),
      audience: plainText(256).optional(),
      proof_of_possession: z.boolean().optional(),
    })
    .optional(),
  intent: z
    .strictObject({
      expires_in: seconds(MONTH_SECONDS).optional(),
      execution_window: seconds(MONTH_SECONDS).optional(),
      execution_deadline: seconds(YEAR_SECONDS).optional(),
    })
    .optional(),
  redact: z
    .array(z.custom<JsonPointer>(isPointer, 'is no JSON pointer (RFC 6901); `*` and `-` stand for nothing'))
    .max(100)
    .refine(isSet, 'names a path twice')
    .readonly()
    .optional(),
})
type WirePolicy = z.output<typeof policyForm>

function setOf<const Values extends readonly [string, ...string[]]>(values: Values) {
  return z.array(z.enum(values)).refine(isSet, 'names a value twice').readonly()
}

function fromWire(wire: WirePolicy): PolicyDefinition {
  const { match, approval, time_restrictions: times, permit, intent } = wire
  return stated({
    name: wire.name,
    enabled: wire.enabled,
    mode: wire.mode,
    priority: wire.priority,
    match: stated({
      actionPattern: match.action_pattern,
      sourceType: match.source_type,
      riskTier: match.risk_tier,
      source: match.source,
      environment: match.environment,
      paramsSchema: match.params_schema,
    }),
    decision: wire.decision,
    approval:
      approval &&
      stated({
        approversRequired: approval.approvers_required,
        allowedApprovers: approval.allowed_approvers,
        allOf: approval.all_of,
        denyThreshold: approval.deny_threshold,
        assurance: approval.assurance,
        typedConfirmation: approval.typed_confirmation,
        editorMayApprove: approval.editor_may_approve,
      }),
    timeRestrictions:
      times &&
      stated({
        timezone: times.timezone,
        blockWeekends: times.block_weekends,
        blockHours: times.block_hours,
      }),
    trustClaims: wire.trust_claims,
    anyParams: wire.any_params,
    allow: wire.allow,
    allowVia: wire.allow_via,
    allowUnseen: wire.allow_unseen,
    permit:
      permit &&
      stated({
        ttlSeconds: permit.ttl_seconds,
        audience: permit.audience,
        proofOfPossession: permit.proof_of_possession,
      }),
    intent:
      intent &&
      stated({
        expiresInSeconds: intent.expires_in,
        executionWindowSeconds: intent.execution_window,
        executionDeadlineSeconds: intent.execution_deadline,
      }),
    redact: wire.redact,
  })
}

/** Without the members that are undefined. */
function stated<Value extends object>(value: Value): Value {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as Value
}

/** RFC 6901. `*` and `-` are refused, because who writes them means something that a pointer cannot say. */
function isPointer(value: unknown): boolean {
  if (typeof value !== 'string' || value.length > 512) return false
  const [first, ...steps] = value.split('/')
  return first === '' && steps.every((step) => step !== '*' && step !== '-' && !/~(?![01])/.test(step))
}
