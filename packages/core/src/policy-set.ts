/**
 * A policy set is the policies of a project, compiled once, and the first of them that matches an intent.
 *
 * @module
 */
import type { PolicyRef } from './id.js'
import type { SourceType, Verdict } from './intent.js'
import type { EpochMs, JsonObject } from './json.js'
import type { Policy } from './policy.js'
import type { EffectiveTier } from './risk.js'

declare const compiled: unique symbol
/** Keep it as long as the policies do not change: compiling costs far more than evaluating. */
export interface PolicySet {
  readonly [compiled]: true
  /** How many were compiled, disabled ones not counted. */
  readonly size: number
}

/** What is judged: an intent before it has an id. */
export interface Subject {
  readonly action: string
  readonly params: JsonObject
  readonly sourceType: SourceType
  /** As claimed; undefined when none was. */
  readonly source: string | undefined
  /** The key is bound to the agent that `source` names. */
  readonly sourceIsBound: boolean
  /** As `effectiveTier` gives it. */
  readonly risk: EffectiveTier
  /** Of the key. */
  readonly environment: string | undefined
  readonly reenters: boolean
  readonly idempotent: boolean
  /** Undefined: time restrictions are not judged. */
  readonly now?: EpochMs | undefined
  /** @default 'UTC' */
  readonly projectZone?: string | undefined
}

export type Evaluation = (
  | { readonly verdict: 'auto_approve'; readonly policy: Policy; readonly code: undefined }
  | { readonly verdict: 'auto_deny'; readonly policy: Policy; readonly code: 'TIME_RESTRICTED' | undefined }
  | { readonly verdict: 'require_approval'; readonly policy: Policy | undefined; readonly code: undefined }
) & {
  /** Policies in shadow mode that would have matched first. At most 20. */
  readonly shadow: readonly ShadowMatch[]
  /** `auto_approve` policies that would have approved, had they said what `because` names. At most 20. */
  readonly withheld: readonly WithheldApproval[]
}

export interface ShadowMatch {
  readonly policy: PolicyRef
  readonly verdict: Verdict
}
export interface WithheldApproval {
  readonly policy: PolicyRef
  readonly because: 'trust_claims' | 'allow'
}
