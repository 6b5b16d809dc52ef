/**
 * A policy is a rule that gives a verdict on an intent: `auto_approve`, `auto_deny` or `require_approval`, and says what an
 * approval of it takes. `policy-form.ts` reads and writes its JSON, `policy-set.ts` finds the first that matches.
 *
 * @module
 */
import type { PolicyId, PolicyRef } from './id.js'
import type { SourceType, Verdict, Via } from './intent.js'
import type { EpochMs, JsonObject, JsonPointer } from './json.js'
import type { RiskTier } from './risk.js'
import type { TimeRestrictions } from './time-restriction.js'

/** A stored policy at one version. */
export interface Policy extends PolicyDefinition {
  readonly id: PolicyId
  /** Counts up with every change; the view and permits name it. */
  readonly version: number
  /** Of the first version: among equal priorities the older policy is asked first. */
  readonly createdAt: EpochMs
}

/** What an author writes; id, version and age are given by whoever stores it. Absent members mean their default. */
export interface PolicyDefinition {
  readonly name: string
  readonly enabled: boolean
  /** `shadow`: recorded, not enforced. */
  readonly mode: 'enforce' | 'shadow'
  /** First match wins in descending order; ties: the older. */
  readonly priority: number
  readonly match: PolicyMatch
  readonly decision: Verdict
  readonly approval?: ApprovalDemands | undefined
  /** Judged at declare (`auto_deny`, `TIME_RESTRICTED`) and at claim. */
  readonly timeRestrictions?: TimeRestrictions | undefined
  /** What `auto_approve` may believe of what the caller claims (LIFECYCLE I14). @default [] */
  readonly trustClaims?: readonly ('risk_tier' | 'source')[] | undefined
  /** `auto_approve` without a closed `paramsSchema`. @default false */
  readonly anyParams?: boolean | undefined
  /** What an intent under `auto_approve` may be. @default [] */
  readonly allow?: readonly ('reenters' | 'idempotent')[] | undefined
  /** Channels whose votes count for high and critical too. @default [] */
  readonly allowVia?: readonly Via[] | undefined
  /** High and critical may be approved although no counted voter revealed each hidden value. @default false */
  readonly allowUnseen?: boolean | undefined
  readonly permit?: PermitDemands | undefined
  readonly intent?: IntentTimes | undefined
  /** Params that the view hides, besides what the detectors find. @default [] */
  readonly redact?: readonly JsonPointer[] | undefined
}

/** Every member that is given must match. */
export interface PolicyMatch {
  /** Glob. @default every action */
  readonly actionPattern?: string | undefined
  readonly sourceType?: SourceType | 'any' | undefined
  /** The effective tier, exactly. */
  readonly riskTier?: RiskTier | 'any' | undefined
  /** Glob over the source; an intent without one has the empty text. */
  readonly source?: string | undefined
  /** Of the key, exactly. */
  readonly environment?: string | undefined
  /** See `params-schema.ts` for what matches, which depends on the decision. */
  readonly paramsSchema?: JsonObject | undefined
}

export interface ApprovalDemands {
  /** Different people. @default 1 */
  readonly approversRequired?: number | undefined
  /** Group names, e-mails or user ids. @default owners, admins and approvers of the project */
  readonly allowedApprovers?: readonly string[] | undefined
  /** Each of these groups must be among the approvals that often. */
  readonly allOf?: readonly GroupDemand[] | undefined
  /** @default 1 */
  readonly denyThreshold?: number | undefined
  /** `confirm`: the vote carries the typed confirmation. `passkey` is refused by this build. @default 'session' */
  readonly assurance?: Assurance | undefined
  /** @default false */
  readonly typedConfirmation?: boolean | undefined
  /** Frees an editor of the chain to vote; without effect on high and critical intents. @default false */
  readonly editorMayApprove?: boolean | undefined
}
export type Assurance = 'session' | 'confirm' | 'passkey'
export interface GroupDemand {
  readonly group: string
  readonly count: number
}

export interface PermitDemands {
  /** At most 3600. @default 300 */
  readonly ttlSeconds?: number | undefined
  /** `aud` of the permits. @default `urn:silentauth:<project_id>:<action>` */
  readonly audience?: string | undefined
  /** Refused by this build. @default false */
  readonly proofOfPossession?: boolean | undefined
}

export interface IntentTimes {
  /** How long an intent that does not say may stay pending. @default 3600 */
  readonly expiresInSeconds?: number | undefined
  /** From the approval; at most 30 days. @default 3600 */
  readonly executionWindowSeconds?: number | undefined
  /** From the claim; at least the permit's TTL and 60 s. @default 900 */
  readonly executionDeadlineSeconds?: number | undefined
}

/** The times of an intent and its permits, after defaults. */
export interface PolicyTerms {
  readonly expiresInSeconds: number
  readonly executionWindowSeconds: number
  readonly executionDeadlineSeconds: number
  readonly permitTtlSeconds: number
  /** Undefined: the default of the project and action. */
  readonly audience: string | undefined
  readonly proofOfPossession: boolean
}

/** What holds where no policy matched, or the matching one does not say. */
export function policyTerms(policy: Pick<PolicyDefinition, 'intent' | 'permit'> | undefined): PolicyTerms {
  return {
    expiresInSeconds: policy?.intent?.expiresInSeconds ?? 3600,
    executionWindowSeconds: policy?.intent?.executionWindowSeconds ?? 3600,
    executionDeadlineSeconds: policy?.intent?.executionDeadlineSeconds ?? 900,
    permitTtlSeconds: policy?.permit?.ttlSeconds ?? 300,
    audience: policy?.permit?.audience,
    proofOfPossession: policy?.permit?.proofOfPossession ?? false,
  }
}

/** `pol_…@version`, as the view and permits name it. */
export function policyRef(policy: Pick<Policy, 'id' | 'version'>): PolicyRef {
  return `${policy.id}@${policy.version}`
}
