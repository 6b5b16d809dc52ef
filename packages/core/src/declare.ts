/**
 * Declaring: from a draft and what the gate knows to a declaration, which never changes again. Everything that the
 * caller says about people, tier, source or environment is a claim, and can only make things stricter.
 *
 * @module
 */
import { approvalRule } from './approval-rule.js'
import { canonicalJson } from './canonical-json.js'
import { type Chain, type Declaration, MAX_CHAIN_LENGTH } from './declaration.js'
import { digestOf } from './digest.js'
import { editSchema } from './edit-schema.js'
import { SilentAuthError } from './errors.js'
import { type IntentId, newId, randomToken } from './id.js'
import type { Edits, IntentDraft } from './intent.js'
import type { Digest, EpochMs, Json, JsonObject } from './json.js'
import { type Facts, isCautious } from './judgement.js'
import { hmacSha256 } from './keyed-digest.js'
import { ownerOf } from './ownership.js'
import { type Snapshot, snapshot } from './params.js'
import { defaultAudience } from './permit-claims.js'
import { policyRef, policyTerms } from './policy.js'
import { type Evaluation, evaluate } from './policy-set.js'
import { redactClaims, redactView } from './redaction.js'
import type { ProjectKey } from './registry.js'
import { effectiveTier, riskScore } from './risk.js'
import type { State } from './state.js'
import { intentHash, type View } from './view.js'
import { type Bench, isExcluded, isNamed, qualifies, seatsOf } from './vote.js'

export interface DeclareInput {
  readonly draft: IntentDraft
  readonly params: Snapshot
  readonly key: ProjectKey
  readonly facts: Facts
  /** Earlier intents of the chain. */
  readonly chain: Chain
  readonly earlierOfAction: number
  readonly unsettledTwins: number
  /** Made by the gate for a successor, whose predecessor already names it. */
  readonly id?: IntentId | undefined
  readonly now: EpochMs
}

/** The start of a chain: no earlier intents. */
export const NO_CHAIN: Chain = { length: 1, excluded: [], requestedBy: [], editors: [] }

/**
 * @throws SilentAuthError `UNKNOWN_APPROVER`, `PARAMS_NOT_CANONICAL` for context or metadata, `INVALID_FIELD` for a chain
 * that is too long
 */
export function declarationOf(input: DeclareInput): { declaration: Declaration; evaluation: Evaluation } {
  const { draft, params, key, facts, chain, now } = input
  const { project, agent } = facts
  const id = input.id ?? newId('int')
  const bound = agent && key.agents.includes(agent.id) ? agent : undefined
  const context = claimed(draft.context, '/context')
  const metadata = claimed(draft.metadata, '/metadata')
  const edits = editsOf(draft.edits)
  const reenters = draft.reenters ?? false
  const idempotent = draft.idempotent ?? false
  const sourceType = draft.sourceType ?? 'ai_agent'
  const risk = effectiveTier({
    action: draft.action,
    claimed: draft.riskTier,
    agent,
    actionTiers: project.actionTiers,
  })
  const evaluation = evaluate(facts.policies, {
    action: draft.action,
    params: params.value,
    sourceType,
    source: draft.source,
    sourceIsBound: bound !== undefined,
    risk,
    environment: key.environment,
    reenters,
    idempotent,
    now,
    projectZone: project.timezone,
    cautious: isCautious(facts, now),
  })
  const { policy, verdict } = evaluation
  const terms = policyTerms(policy)
  const approvalsRequired = verdict === 'require_approval' ? approvalRule(policy, risk.tier).approversRequired : 0
  const audience = terms.audience ?? defaultAudience(project.id, draft.action)
  const expiresAt = now + (draft.expiresInSeconds ?? terms.expiresInSeconds) * 1000

  const redactionSecret = randomToken(32)
  const hmacPrefix = (value: Json): string => hmacSha256(redactionSecret, canonicalJson(value)).slice(0, 12)
  const shown = redactView(params.value, { pointers: policy?.redact, hmacPrefix })
  const shownClaims = (value: JsonObject | undefined) => value && redactClaims(value, { hmacPrefix }).params
  const view: View = {
    type: 'silentauth.view',
    v: 1,
    intent_id: id,
    project_id: project.id,
    action: draft.action,
    params_digest: params.digest,
    params: shown.params,
    redacted: shown.redacted.map(({ pointer }) => pointer),
    context: shownClaims(context) ?? null,
    metadata: shownClaims(metadata) ?? null,
    source: draft.source ?? null,
    requested_by: draft.requestedBy ?? null,
    risk_tier: risk.tier,
    policy: policy ? policyRef(policy) : null,
    approvals_required: approvalsRequired,
    aud: audience,
    expires_at: new Date(expiresAt).toISOString(),
    execution_window: terms.executionWindowSeconds,
    delivery: draft.delivery ?? 'claim',
    edits,
    reenters,
    idempotent,
    supersedes: draft.supersedes ?? null,
  }
  const { score, factors } = riskScore({
    tier: risk.tier,
    policyMatched: policy !== undefined,
    sourceIsRegistered: agent !== undefined,
    sourceIsBound: bound !== undefined,
    earlierOfAction: input.earlierOfAction,
    unsettledTwins: input.unsettledTwins,
    acceptsEdits: edits !== false,
    reenters,
    idempotent,
    params: params.value,
    context,
    metadata,
    now,
    projectZone: project.timezone,
  })
  const declaration: Declaration = {
    id,
    projectId: project.id,
    declaredBy: bound ? `agent:${bound.id}` : `key:${key.id}`,
    keyId: key.id,
    agentId: bound?.id,
    owner: ownerOf(key, bound),
    idempotency: draft.idempotencyKey
      ? { key: draft.idempotencyKey, fingerprint: draftFingerprint(draft, params) }
      : undefined,
    action: draft.action,
    params: params.value,
    paramsDigest: params.digest,
    riskTier: risk.tier,
    riskTierClaimed: draft.riskTier,
    riskScore: score,
    riskFactors: factors,
    source: draft.source,
    sourceType,
    environment: key.environment,
    context,
    metadata,
    approvers: draft.approvers ?? [],
    requestedBy: draft.requestedBy,
    verdict,
    policy,
    policyRef: policy ? policyRef(policy) : undefined,
    approvalsRequired,
    audience,
    supersedes: draft.supersedes,
    delivery: draft.delivery ?? 'claim',
    edits,
    reenters,
    idempotent,
    permitTtlSeconds: terms.permitTtlSeconds,
    executionWindowSeconds: terms.executionWindowSeconds,
    executionDeadlineSeconds: terms.executionDeadlineSeconds,
    createdAt: now,
    expiresAt,
    view,
    intentHash: intentHash(view),
    redactions: shown.redacted,
    redactionSecret,
    chain,
  }
  requireKnownApprovers(declaration, facts)
  return { declaration, evaluation }
}

/** I15: what must be equal for a repeated declare to be the same one. */
export function draftFingerprint(draft: IntentDraft, params: Snapshot): Digest {
  return digestOf(
    canonicalJson({
      action: draft.action,
      params_digest: params.digest,
      source: draft.source ?? null,
      supersedes: draft.supersedes ?? null,
      risk_tier: draft.riskTier ?? null,
      approvers: draft.approvers ?? [],
      requested_by: draft.requestedBy ?? null,
      delivery: draft.delivery ?? 'claim',
      edits: draft.edits ?? false,
      reenters: draft.reenters ?? false,
      idempotent: draft.idempotent ?? false,
    }),
  )
}

/** I11: what an intent passes on to its successor, whoever declares that. */
export function chainAfter({ declaration: predecessor, votes }: State, facts: Facts): Chain {
  const { chain } = predecessor
  const editors = seatsOf(votes.filter(({ edited }) => edited))
  const excluded = new Set(chain.excluded)
  if (facts.agent?.owner) excluded.add(facts.agent.owner)
  if (facts.key && facts.key.createdBy !== 'system:setup') excluded.add(facts.key.createdBy)
  const length = chain.length + 1
  if (length > MAX_CHAIN_LENGTH) {
    throw new SilentAuthError('INVALID_FIELD', `supersedes: a chain has at most ${MAX_CHAIN_LENGTH} intents`, {
      field: 'supersedes',
      intentId: predecessor.id,
    })
  }
  return {
    length,
    excluded: [...excluded],
    requestedBy: [...new Set([...chain.requestedBy, ...(predecessor.requestedBy ? [predecessor.requestedBy] : [])])],
    editors: [...new Set([...chain.editors, ...editors])],
  }
}

/** The draft that an approver's edit turns an intent into: all is kept but the params (I12). */
export function editedDraft(predecessor: Declaration, params: JsonObject): IntentDraft {
  return {
    action: predecessor.action,
    params,
    riskTier: predecessor.riskTierClaimed,
    source: predecessor.source,
    sourceType: predecessor.sourceType,
    requestedBy: predecessor.requestedBy,
    approvers: predecessor.approvers,
    context: predecessor.context,
    metadata: predecessor.metadata,
    supersedes: predecessor.id,
    delivery: predecessor.delivery,
    edits: predecessor.edits,
    reenters: predecessor.reenters,
    idempotent: predecessor.idempotent,
  }
}

/** Unknown names and an empty rest are refused at once, not found out when nobody can vote. */
function requireKnownApprovers(declaration: Declaration, facts: Facts): void {
  const { directory, agent, key } = facts
  for (const name of declaration.approvers) {
    const known = directory.groups.includes(name) || directory.people.some((person) => isNamed(person, [name]))
    if (!known) throw unknownApprover('approvers names nobody of this project')
  }
  if (declaration.verdict !== 'require_approval' || declaration.approvers.length === 0) return
  const rule = approvalRule(declaration.policy, declaration.riskTier)
  const now = declaration.createdAt
  const bench: Bench = { now, directory, agent, key, rules: [rule], denied: false, mustSee: false, labels: 'id' }
  const left = directory.people.some(
    (person) => qualifies(person, declaration, rule) && !isExcluded(person, declaration, bench),
  )
  if (!left) throw unknownApprover('approvers leaves nobody whom the policy allows')
}

function unknownApprover(message: string): SilentAuthError {
  return new SilentAuthError('UNKNOWN_APPROVER', message, { field: 'approvers' })
}

/** Context and metadata are kept as strictly as params: they are shown, and hashed with the view. */
function claimed(value: JsonObject | undefined, at: '/context' | '/metadata'): JsonObject | undefined {
  if (value === undefined) return undefined
  try {
    return snapshot(value).value
  } catch (cause) {
    const pointer = cause instanceof SilentAuthError ? (cause.field ?? '') : ''
    throw new SilentAuthError('PARAMS_NOT_CANONICAL', `${at}${pointer}: is not strict JSON`, {
      cause,
      field: `${at}${pointer}`,
    })
  }
}

function editsOf(edits: Edits | undefined): Edits {
  return edits ? { schema: editSchema(edits.schema) } : false
}
