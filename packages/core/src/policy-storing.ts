/**
 * The rules of storing: what is refused when a policy is stored, because it would approve more than its author wrote down, or
 * promise what this build cannot enforce.
 *
 * @module
 */
import { SilentAuthError } from './errors.js'
import { compileGlob } from './glob.js'
import { assertClosed, parseParamsSchema } from './params-schema.js'
import { type PolicyDefinition, policyTerms } from './policy.js'
import type { RiskTier } from './risk.js'

export interface StoringRules {
  /** Of the project: with a tier named for its actions, `auto_approve` may match `low` without trusting the claim. */
  readonly actionTiers?: Readonly<Record<string, RiskTier>> | undefined
}

/** The permit must be over before its execution counts as unknown (LIFECYCLE E21). */
const DEADLINE_MARGIN_SECONDS = 60

/**
 * The policy with its schema frozen.
 *
 * @throws SilentAuthError `INVALID_FIELD` with the JSON pointer of the member in the policy's JSON
 */
export function assertStorable(
  policy: PolicyDefinition,
  { at = '', actionTiers }: StoringRules & { at?: string },
): PolicyDefinition {
  const refuse = (field: string, reason: string): never => {
    throw new SilentAuthError('INVALID_FIELD', `${at}${field}: ${reason}`, { field: at + field })
  }
  const place = `${at}/match/params_schema`
  const { match, approval, permit } = policy
  const schema = match.paramsSchema === undefined ? undefined : parseParamsSchema(match.paramsSchema, place)

  if (policy.decision === 'auto_approve') {
    if (!policy.anyParams) {
      if (schema === undefined)
        refuse('/match/params_schema', 'auto_approve needs a closed schema, or any_params: true')
      else assertClosed(schema, place)
    }
    if (
      match.riskTier === 'low' &&
      !policy.trustClaims?.includes('risk_tier') &&
      !isNamed(match.actionPattern, actionTiers)
    ) {
      refuse(
        '/trust_claims',
        'auto_approve sees a claimed low as medium: name the action in the action_tiers of the project, or say trust_claims: ["risk_tier"]',
      )
    }
  }
  // DESIGN rule 13: what this build cannot enforce is refused, not ignored.
  if (approval?.assurance === 'passkey') refuse('/approval/assurance', 'passkeys are not enforced by this build')
  if (permit?.proofOfPossession) refuse('/permit/proof_of_possession', 'is not enforced by this build')
  if (approval?.editorMayApprove && (match.riskTier === 'high' || match.riskTier === 'critical')) {
    refuse('/approval/editor_may_approve', 'never holds for high or critical')
  }
  const { executionDeadlineSeconds, permitTtlSeconds } = policyTerms(policy)
  if (executionDeadlineSeconds < permitTtlSeconds + DEADLINE_MARGIN_SECONDS) {
    refuse('/intent/execution_deadline', 'must be at least ttl_seconds + 60; the default is 900')
  }
  return schema === undefined ? policy : { ...policy, match: { ...match, paramsSchema: schema } }
}

/** Whether the project names a tier for every action of this pattern. */
function isNamed(pattern: string | undefined, actionTiers: StoringRules['actionTiers']): boolean {
  if (pattern === undefined || actionTiers === undefined) return false
  // A `*` takes whatever stands in the pattern, its wildcards too; a `?` would take a `*` for one character.
  return Object.keys(actionTiers).some(
    (named) => named === pattern || (!named.includes('?') && compileGlob(named).matches(pattern)),
  )
}
