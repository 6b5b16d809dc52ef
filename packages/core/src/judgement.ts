/**
 * A judgement is how policy, people and the kill switch stand towards an intent now: what votes, claims and every
 * hand-out of a permit are measured against, besides what was pinned when the intent was declared.
 *
 * @module
 */
import { type ApprovalRule, approvalRule } from './approval-rule.js'
import type { Judgement } from './claim.js'
import type { Declaration } from './declaration.js'
import type { EpochMs } from './json.js'
import { type Policy, policyTerms } from './policy.js'
import { evaluate, type PolicySet } from './policy-set.js'
import type { Agent, Directory, Project, ProjectKey } from './registry.js'
import { effectiveTier, highestTier, type RiskTier } from './risk.js'
import { blockedAt } from './time-restriction.js'

/** What the transaction read. */
export interface Facts {
  readonly project: Project
  readonly directory: Directory
  /** The key that declared the intent. */
  readonly key: ProjectKey | undefined
  /** The agent that the key was bound to, else the registered one that `source` names. */
  readonly agent: Agent | undefined
  readonly policies: PolicySet
  /** R2: until then nothing is approved by policy alone. @default never */
  readonly cautiousUntil?: EpochMs | undefined
}

export function isCautious({ cautiousUntil = 0 }: Pick<Facts, 'cautiousUntil'>, now: EpochMs): boolean {
  return now < cautiousUntil
}

export function judge(declaration: Declaration, facts: Facts, now: EpochMs): Judgement {
  const { project, directory, key, agent, policies } = facts
  const risk = effectiveTier({
    action: declaration.action,
    claimed: declaration.riskTierClaimed,
    agent,
    actionTiers: project.actionTiers,
  })
  const tier = highestTier(declaration.riskTier, risk.tier)
  const current = evaluate(policies, {
    action: declaration.action,
    params: declaration.params,
    sourceType: declaration.sourceType,
    source: declaration.source,
    sourceIsBound: declaration.agentId !== undefined,
    risk: { ...risk, tier },
    environment: declaration.environment,
    reenters: declaration.reenters,
    idempotent: declaration.idempotent,
    cautious: isCautious(facts, now),
  })
  const rules: ApprovalRule[] = []
  if (declaration.verdict === 'require_approval') rules.push(approvalRule(declaration.policy, declaration.riskTier))
  if (current.verdict === 'require_approval') rules.push(approvalRule(current.policy, tier))
  const restrictions = [declaration.policy?.timeRestrictions, current.policy?.timeRestrictions]
  return {
    bench: {
      now,
      directory,
      agent,
      key,
      rules,
      denied: current.verdict === 'auto_deny',
      mustSee:
        mustSee(declaration.policy, declaration.riskTier) ||
        (current.verdict === 'require_approval' && mustSee(current.policy, tier)),
      labels: project.approverLabels,
    },
    verdict: current.verdict,
    timeRestricted: restrictions.some((restriction) => restriction && blockedAt(restriction, now, project.timezone)),
    ttlSeconds: Math.min(declaration.permitTtlSeconds, policyTerms(current.policy).permitTtlSeconds),
  }
}

function mustSee(policy: Pick<Policy, 'allowUnseen'> | undefined, tier: RiskTier): boolean {
  return (tier === 'high' || tier === 'critical') && !policy?.allowUnseen
}
