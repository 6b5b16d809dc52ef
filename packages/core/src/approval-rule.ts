/**
 * An approval rule is what the votes on one intent must satisfy: the demands of its policy, resolved for its risk tier.
 *
 * @module
 */
import type { Via } from './intent.js'
import type { Assurance, GroupDemand, PolicyDefinition } from './policy.js'
import type { RiskTier } from './risk.js'

export interface ApprovalRule {
  /** Different people. */
  readonly approversRequired: number
  /** Group names, e-mails or user ids; undefined: owners, admins and approvers of the project. */
  readonly allowedApprovers: readonly string[] | undefined
  /** Each of these groups must be among the approvals that often. */
  readonly allOf: readonly GroupDemand[]
  readonly denyThreshold: number
  readonly assurance: Assurance
  /** The vote must carry `<action> <last 4 characters of params_digest>`. */
  readonly typedConfirmation: boolean
  /** Never for high and critical. */
  readonly editorMayApprove: boolean
  /** Channels whose approvals count at this tier. */
  readonly allowVia: readonly Via[]
}

/**
 * The demands on votes for an intent of this tier. Without a policy one person of the project decides, and critical also
 * wants the typed confirmation. The same holds for an `auto_approve` policy whose intent was held for a person.
 */
export function approvalRule(
  policy: Pick<PolicyDefinition, 'decision' | 'approval' | 'allowVia'> | undefined,
  tier: RiskTier,
): ApprovalRule {
  const demands = policy?.approval
  const elevated = tier === 'high' || tier === 'critical'
  const assurance = demands?.assurance ?? 'session'
  const ruled = policy?.decision === 'require_approval'
  return {
    approversRequired: demands?.approversRequired ?? 1,
    allowedApprovers: demands?.allowedApprovers,
    allOf: demands?.allOf ?? [],
    denyThreshold: demands?.denyThreshold ?? 1,
    assurance,
    typedConfirmation: assurance === 'confirm' || (demands?.typedConfirmation ?? (tier === 'critical' && !ruled)),
    editorMayApprove: !elevated && (demands?.editorMayApprove ?? false),
    allowVia: elevated ? [...new Set<Via>([...SIGNED_IN, ...(policy?.allowVia ?? [])])] : EVERY_CHANNEL,
  }
}

/** Sessions of a browser, where the whole review was rendered. */
const SIGNED_IN = ['session', 'webauthn'] as const satisfies readonly Via[]
const EVERY_CHANNEL = ['session', 'webauthn', 'slack', 'teams', 'api', 'cli'] as const satisfies readonly Via[]
