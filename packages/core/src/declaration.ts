/**
 * A declaration is the part of an intent that never changes: what was asked, by whom, and how policy judged it.
 *
 * @module
 */
import type { AgentId, IntentId, KeyId, PolicyRef, ProjectId, UserId } from './id.js'
import type { Delivery, Edits, SourceType, Verdict } from './intent.js'
import type { Digest, EpochMs, JsonObject, JsonPointer } from './json.js'
import type { Policy } from './policy.js'
import type { RiskFactor, RiskTier } from './risk.js'
import type { View } from './view.js'

/** The authenticated principal behind an intent, as permits name it. */
export type Declarer = `key:${KeyId}` | `agent:${AgentId}`

export interface Declaration {
  readonly id: IntentId
  readonly projectId: ProjectId
  /** The bound agent, else the key. */
  readonly declaredBy: Declarer
  readonly keyId: KeyId
  /** The agent that the key is bound to and that `source` names. */
  readonly agentId: AgentId | undefined
  /** Whose it is: the bound agent, else the lineage of the key. Idempotency keys count within it. */
  readonly owner: string
  readonly idempotency: { readonly key: string; readonly fingerprint: Digest } | undefined
  readonly action: string
  /** The frozen snapshot. */
  readonly params: JsonObject
  readonly paramsDigest: Digest
  readonly riskTier: RiskTier
  readonly riskTierClaimed: RiskTier | undefined
  readonly riskScore: number
  readonly riskFactors: readonly RiskFactor[]
  readonly source: string | undefined
  readonly sourceType: SourceType
  readonly environment: string | undefined
  readonly context: JsonObject | undefined
  readonly metadata: JsonObject | undefined
  /** Claimed narrowing of who may vote. */
  readonly approvers: readonly string[]
  readonly requestedBy: string | undefined
  readonly verdict: Verdict
  /** Pinned: what the view names, and what votes must satisfy whatever comes later. */
  readonly policy: Policy | undefined
  readonly policyRef: PolicyRef | undefined
  readonly approvalsRequired: number
  readonly audience: string
  readonly supersedes: IntentId | undefined
  readonly delivery: Delivery
  readonly edits: Edits
  readonly reenters: boolean
  readonly idempotent: boolean
  readonly permitTtlSeconds: number
  readonly executionWindowSeconds: number
  readonly executionDeadlineSeconds: number
  readonly createdAt: EpochMs
  readonly expiresAt: EpochMs
  readonly view: View
  readonly intentHash: Digest
  /** Hidden in the view, and what hid it: only a detector's find may be revealed by every eligible voter. */
  readonly redactions: readonly { readonly pointer: JsonPointer; readonly by: 'policy' | 'detector' }[]
  /** Key of the prefixes that stand for hidden values; never leaves the gate. */
  readonly redactionSecret: string
  /** I11: what earlier intents of the chain pass on. */
  readonly chain: Chain
}

/** The intents that led to this one, by an approver's edit or by the agent's own `supersedes`. At most 10 long. */
export interface Chain {
  readonly length: number
  /** Everyone whom an earlier intent excluded, besides those that this one excludes itself. */
  readonly excluded: readonly UserId[]
  /** `requested_by` of earlier intents, as claimed. */
  readonly requestedBy: readonly string[]
  readonly editors: readonly UserId[]
}

export const MAX_CHAIN_LENGTH = 10
