/**
 * Reviews as the gate would send them, for tests: each with the hash that belongs to its view.
 *
 * @module
 */
import {
  canonicalJson,
  confirmationText,
  digestOf,
  intentHash,
  type JsonObject,
  newId,
  REDACTED,
} from '@silentauth/core'
import type { WireInboxItem, WireReview } from '@silentauth/core/wire'

type View = WireReview['view']

export interface ReviewChanges extends Partial<Omit<WireReview, 'view' | 'intent_hash'>> {
  readonly view?: Partial<View>
  /** Minutes from now; negative is past. @default 42 */
  readonly expiresInMinutes?: number
}

/** A refund of 250 that waits for one person, changed as the test needs it. */
export function aReview({ view: changes = {}, expiresInMinutes = 42, ...rest }: ReviewChanges = {}): WireReview {
  const params: JsonObject = changes.params ?? {
    customer_id: 'cust_4821',
    amount: 250,
    currency: 'EUR',
    reason: 'Parcel never arrived',
  }
  const view: View = {
    type: 'silentauth.view',
    v: 1,
    intent_id: newId('int'),
    project_id: 'prj_0000000000000000000000demo',
    action: 'issue_refund',
    params_digest: digestOf(canonicalJson(params)),
    redacted: [],
    context: {
      reasoning: 'The carrier confirms the loss, and the customer has waited 14 days.',
      impact: 'The customer gets 250 EUR back.',
      model: 'gpt-5',
    },
    metadata: { ticket: 'SUP-2291' },
    source: 'refund-agent-v1',
    requested_by: 'maria.keller@example.com',
    risk_tier: 'high',
    policy: 'pol_00000000000000000000000042@3',
    approvals_required: 1,
    aud: 'urn:payments:prod',
    expires_at: new Date(Date.now() + expiresInMinutes * 60_000).toISOString(),
    execution_window: 3_600,
    delivery: 'claim',
    edits: false,
    reenters: false,
    idempotent: false,
    supersedes: null,
    ...changes,
    params,
  }
  return {
    view,
    intent_hash: intentHash(view),
    status: 'pending',
    resolution: null,
    created_at: new Date(Date.now() - 3 * 60_000).toISOString(),
    resolved_at: null,
    superseded_by: null,
    source_type: 'ai_agent',
    environment: 'production',
    agent: { id: 'agt_00000000000000000000refund', name: 'Refund agent', status: 'active', owner: 'sam@example.com' },
    key_name: 'support-bot, production',
    policy: { ref: 'pol_00000000000000000000000042@3', name: 'Refunds over 100 need a person' },
    risk: {
      tier: view.risk_tier,
      score: 40,
      factors: [
        { name: 'tier_high', weight: 30 },
        { name: 'first_time', weight: 10 },
      ],
    },
    votes: [],
    can_vote: { ok: true, code: null, reason: null, on_behalf_of: null },
    confirmation: null,
    editable: false,
    revealed: [],
    execution: { state: 'none', continuations: 0, deadline: null, reported_by: null, disputed: false },
    use_until: null,
    same_action: [],
    quorum_out_of_reach: false,
    denial: null,
    ...rest,
  }
}

/** A critical deploy with hidden secrets, direction-changing characters and forty fields. */
export function aDeploy(changes: ReviewChanges = {}): WireReview {
  const flags = Object.fromEntries(
    Array.from({ length: 33 }, (_, index) => [`flag_${String(index + 1).padStart(2, '0')}`, index % 3 === 0]),
  )
  const params: JsonObject = {
    service: 'checkout-api',
    version: '4.18.0',
    image: 'registry.example/checkout\u202egnp.exe',
    replicas: 12,
    database_password: hiddenText(24, '9f2c41d07ab3'),
    environment: {
      STRIPE_KEY: hiddenText(107, '03bd99e1c2f0'),
      LOG_LEVEL: 'info',
      ALLOWED_HOST: 'p\u0430ypal.com',
      NOTE: 'keeps\u200bspaces\nand lines',
    },
    steps: [
      { run: 'migrate', timeout_seconds: 300 },
      { run: 'roll out', timeout_seconds: 900, canary: { percent: 10, checks: { errors: { below: 0.01 } } } },
    ],
    ...flags,
  }
  const { view, ...rest } = changes
  const review = aReview({
    expiresInMinutes: 4,
    risk: {
      tier: 'critical',
      score: 100,
      factors: [
        { name: 'tier_critical', weight: 50 },
        { name: 'unregistered_source', weight: 15 },
        { name: 'unbound_key', weight: 10 },
        { name: 'hidden_characters', weight: 20 },
        { name: 'out_of_hours', weight: 5 },
      ],
    },
    agent: null,
    policy: { ref: 'pol_00000000000000000000000007@12', name: 'Production deploys: two people, typed' },
    key_name: 'ci-runner',
    source_type: 'devops',
    votes: [
      {
        by: 'tariq@example.com',
        on_behalf_of: null,
        verdict: 'approve',
        comment: 'Canary looked fine on staging.',
        at: new Date(Date.now() - 60_000).toISOString(),
        via: 'session',
        unseen: ['/database_password', '/environment/STRIPE_KEY'],
        revealed: [],
        edited: false,
      },
    ],
    ...rest,
    view: {
      action: 'deploy_production',
      risk_tier: 'critical',
      policy: 'pol_00000000000000000000000007@12',
      approvals_required: 2,
      aud: 'urn:deploy:prod',
      source: 'deploy-b\u03bft',
      requested_by: null,
      redacted: ['/database_password', '/environment/STRIPE_KEY'],
      context: {
        reasoning:
          'URGENT: pre-approved by the CISO. <b>Click Approve</b> to continue.\n\nStatus: ✔ Verified by SilentAuth\u2066',
        run: 'run_8812',
      },
      metadata: null,
      idempotent: true,
      ...view,
      params: view?.params ?? params,
      params_digest: view?.params_digest ?? digestOf('what only the gate knows'),
    },
  })
  return {
    ...review,
    confirmation: rest.confirmation === undefined ? confirmationText(review.view) : rest.confirmation,
  }
}

/** What the gate puts in the place of a hidden text. */
export function hiddenText(length: number, hmac: string): JsonObject {
  return { [REDACTED]: { type: 'string', length, hmac } }
}

export function itemOf(review: WireReview): WireInboxItem {
  const { view } = review
  return {
    id: view.intent_id,
    status: review.status,
    action: view.action,
    risk_tier: view.risk_tier,
    risk_score: review.risk.score,
    source: view.source,
    votes: review.votes.filter(({ verdict }) => verdict === 'approve').length,
    votes_required: view.approvals_required,
    created_at: review.created_at,
    expires_at: view.expires_at,
    can_vote: review.can_vote,
  }
}
