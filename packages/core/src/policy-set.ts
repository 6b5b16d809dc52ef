/**
 * A policy set is the policies of a project, compiled once, and the first of them that matches an intent.
 *
 * First match wins in descending priority, ties go to the older policy; without a match a person decides. What the caller only
 * claims (tier, source, source type) can make the verdict stricter, never laxer: an `auto_approve` must hold without those claims
 * that its policy does not trust (LIFECYCLE I14), and no stricter policy before it may have been dodged by them.
 *
 * @module
 */
import type { PolicyRef } from './id.js'
import type { SourceType, Verdict } from './intent.js'
import type { EpochMs, JsonObject } from './json.js'
import { type Policy, policyRef } from './policy.js'
import { type CompiledPolicy, type PolicyIndex, policyIndex } from './policy-index.js'
import { type EffectiveTier, highestTier, type RiskTier } from './risk.js'
import { blockedAt } from './time-restriction.js'

/** Keep it as long as the policies do not change: compiling costs far more than evaluating. */
export interface PolicySet {
  /** Disabled policies are not part of it. */
  readonly size: number
  readonly index: PolicyIndex
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
  /** R2: an older backup was restored, and what it lost may still be under way. @default false */
  readonly cautious?: boolean | undefined
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

/** Compiles the enabled policies, shadow ones included. Schemas are compiled when they are first needed. */
export function policySet(policies: readonly Policy[]): PolicySet {
  const ordered = policies.filter(({ enabled }) => enabled).sort(byPrecedence)
  return { size: ordered.length, index: policyIndex(ordered) }
}

/**
 * The verdict of the first policy that matches.
 *
 * An `auto_approve` whose intent `reenters` or is `idempotent` without the policy's `allow` is held for a person under that policy:
 * asking the next one could end in another approval that no author meant for such an intent.
 *
 * @throws SilentAuthError `INVALID_FIELD` or RangeError for a policy that no parser has seen
 */
export function evaluate(set: PolicySet, subject: Subject): Evaluation {
  const shadow: ShadowMatch[] = []
  const withheld: WithheldApproval[] = []
  const policy = firstMatch(set, subject, shadow, withheld)
  if (policy === undefined) return { verdict: 'require_approval', policy, code: undefined, shadow, withheld }
  const verdict = verdictOf(policy, subject)
  if (verdict === 'auto_deny') {
    const code = isTimeRestricted(policy, subject) ? 'TIME_RESTRICTED' : undefined
    return { verdict, policy, code, shadow, withheld }
  }
  if (verdict !== policy.decision) note(withheld, { policy: policyRef(policy), because: 'allow' })
  const held = verdict === 'auto_approve' && subject.cautious
  return { verdict: held ? 'require_approval' : verdict, policy, code: undefined, shadow, withheld }
}

function byPrecedence(one: Policy, other: Policy): number {
  if (one.priority !== other.priority) return other.priority - one.priority
  if (one.createdAt !== other.createdAt) return one.createdAt - other.createdAt
  return one.id < other.id ? -1 : 1
}

function verdictOf(policy: Policy, subject: Subject): Verdict {
  if (isTimeRestricted(policy, subject)) return 'auto_deny'
  if (policy.decision !== 'auto_approve') return policy.decision
  const reentry = !subject.reenters || policy.allow?.includes('reenters')
  const repetition = !subject.idempotent || policy.allow?.includes('idempotent')
  return reentry && repetition ? 'auto_approve' : 'require_approval'
}

function isTimeRestricted({ timeRestrictions }: Policy, { now, projectZone }: Subject): boolean {
  return timeRestrictions !== undefined && now !== undefined && blockedAt(timeRestrictions, now, projectZone)
}

/** What an intent says about its origin, as far as it is believed. */
interface View {
  readonly tier: RiskTier
  readonly source: string
  readonly sourceType: SourceType
}

function firstMatch(
  set: PolicySet,
  subject: Subject,
  shadow: ShadowMatch[],
  withheld: WithheldApproval[],
): Policy | undefined {
  const claimed: View = { tier: subject.risk.tier, source: subject.source ?? '', sourceType: subject.sourceType }
  const dodged: CompiledPolicy[] = []
  const next = set.index.candidates(subject.action, claimed.source, subject.environment)
  for (let candidate = next(); candidate !== undefined; candidate = next()) {
    const { policy, action, matchesParams } = candidate
    if (action !== undefined && !action.matches(subject.action)) continue
    const seenAsClaimed = isSeen(candidate, claimed)
    const approves = policy.decision === 'auto_approve'
    const views = approves ? viewsOf(policy, subject, claimed) : []
    const seen = approves ? views.every((view) => isSeen(candidate, view)) : seenAsClaimed
    if (!seen || !matchesParams(subject.params)) {
      if (policy.mode === 'shadow') continue
      if (!seenAsClaimed && !approves) dodged.push(candidate)
      if (seenAsClaimed && !seen && matchesParams(subject.params)) {
        note(withheld, { policy: policyRef(policy), because: 'trust_claims' })
      }
      continue
    }
    if (policy.mode === 'shadow') {
      note(shadow, { policy: policyRef(policy), verdict: verdictOf(policy, subject) })
      continue
    }
    // Without views, which is without approval, nobody was dodged.
    const stricter = dodged.find((one) => views.some((view) => isSeen(one, view)) && one.matchesParams(subject.params))
    if (stricter !== undefined) note(withheld, { policy: policyRef(policy), because: 'trust_claims' })
    return stricter?.policy ?? policy
  }
  return undefined
}

function isSeen({ policy, source }: CompiledPolicy, view: View): boolean {
  const { riskTier, sourceType } = policy.match
  if (riskTier !== undefined && riskTier !== 'any' && riskTier !== view.tier) return false
  if (sourceType !== undefined && sourceType !== 'any' && sourceType !== view.sourceType) return false
  return source?.matches(view.source) ?? true
}

/**
 * How an approving policy may see the intent: with the claims, where they are stricter, and without those that it does not trust.
 * It has to match all of these, and no stricter policy before it any.
 */
function viewsOf(policy: Policy, subject: Subject, claimed: View): readonly View[] {
  const { risk, sourceIsBound } = subject
  const trusts = policy.trustClaims ?? []
  const trustsTier = trusts.includes('risk_tier')
  const tier = trustsTier || risk.named ? risk.tier : highestTier(risk.tier, 'medium')
  const views: View[] = [{ ...claimed, tier }]
  if (!sourceIsBound && !trusts.includes('source')) views.push({ tier, source: '', sourceType: UNCLAIMED_SOURCE_TYPE })
  // A claim above what the intent would have had without it: it may have led past a policy for the lower tier.
  if (!trustsTier && highestTier(risk.tier, risk.unclaimed) !== risk.unclaimed) {
    views.push({ ...(views.at(-1) as View), tier: risk.unclaimed })
  }
  return views
}

/** What `source_type` is where nobody said. */
const UNCLAIMED_SOURCE_TYPE: SourceType = 'ai_agent'

/** An agent chooses its action, but not how many notes its intent carries. */
const MAX_NOTES = 20

function note<Note>(notes: Note[], entry: Note): void {
  if (notes.length < MAX_NOTES) notes.push(entry)
}
