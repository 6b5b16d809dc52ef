/**
 * Things to store, for the contract of stores: each whole and plausible, and different where a test says so.
 *
 * @module
 */
import { type AuditLeaf, auditLeaf, type LeafDraft } from '../audit.js'
import { canonicalJson } from '../canonical-json.js'
import type { Declaration } from '../declaration.js'
import { digestOf } from '../digest.js'
import { type IntentId, newId, type ProjectId, randomToken } from '../id.js'
import type { JsonObject } from '../json.js'
import { transition } from '../lifecycle.js'
import type { Policy } from '../policy.js'
import type { Agent, Person, Project, ProjectKey, Session, SignInToken } from '../registry.js'
import type { ExecutionRecord, PermitRecord, Redemption, State } from '../state.js'
import type { RequestRecord } from '../store.js'
import { intentHash, type View } from '../view.js'
import type { CastVote } from '../vote.js'

export const PROJECT: ProjectId = 'prj_contract'
export const OTHER_PROJECT: ProjectId = 'prj_other'
/** When things of the contract are made: 2026-03-16T12:34:56Z. */
export const THEN = 1_773_664_496_000

/** A pending intent; `declaration` and `changes` say what differs. */
export function aState(declaration: Partial<Declaration> = {}, changes: Partial<State> = {}): State {
  const declared = aDeclaration(declaration)
  const { state } = transition(
    undefined,
    { type: 'declare', declaration: declared, permitId: newId('pmt') },
    declared.createdAt,
  )
  return { ...state, ...changes }
}

/** An approved intent whose execution is as said. */
export function aBegunState(execution: Partial<ExecutionRecord>, declaration: Partial<Declaration> = {}): State {
  const approved = aState({ ...declaration, verdict: 'auto_approve' })
  return { ...approved, execution: { ...approved.execution, ...execution } }
}

export function aDeclaration(changes: Partial<Declaration> = {}): Declaration {
  const id: IntentId = changes.id ?? newId('int')
  const params: JsonObject = changes.params ?? { customer_id: 'cust_4821', amount: 250 }
  const paramsDigest = digestOf(canonicalJson(params))
  const view = aView(id, params, changes)
  return {
    id,
    projectId: PROJECT,
    declaredBy: 'key:key_one',
    keyId: 'key_one',
    agentId: undefined,
    owner: 'key_one',
    idempotency: undefined,
    action: 'issue_refund',
    params,
    paramsDigest,
    riskTier: 'medium',
    riskTierClaimed: undefined,
    riskScore: 0,
    riskFactors: [],
    source: undefined,
    sourceType: 'ai_agent',
    environment: undefined,
    context: undefined,
    metadata: undefined,
    approvers: [],
    requestedBy: undefined,
    verdict: 'require_approval',
    policy: undefined,
    policyRef: undefined,
    approvalsRequired: 1,
    audience: 'urn:silentauth:prj_contract:issue_refund',
    supersedes: undefined,
    delivery: 'claim',
    edits: false,
    reenters: false,
    idempotent: false,
    permitTtlSeconds: 300,
    executionWindowSeconds: 3600,
    executionDeadlineSeconds: 900,
    createdAt: THEN,
    expiresAt: THEN + 3_600_000,
    view,
    intentHash: intentHash(view),
    redactions: [],
    redactionSecret: randomToken(32),
    chain: { length: 1, excluded: [], requestedBy: [], editors: [] },
    ...changes,
  }
}

function aView(id: IntentId, params: JsonObject, changes: Partial<Declaration>): View {
  return {
    type: 'silentauth.view',
    v: 1,
    intent_id: id,
    project_id: changes.projectId ?? PROJECT,
    action: changes.action ?? 'issue_refund',
    params_digest: digestOf(canonicalJson(params)),
    params,
    redacted: [],
    context: null,
    metadata: null,
    source: null,
    requested_by: null,
    risk_tier: 'medium',
    policy: null,
    approvals_required: 1,
    aud: 'urn:silentauth:prj_contract:issue_refund',
    expires_at: new Date(changes.expiresAt ?? THEN + 3_600_000).toISOString(),
    execution_window: 3600,
    delivery: 'claim',
    edits: false,
    reenters: false,
    idempotent: false,
    supersedes: null,
  }
}

export function aVote(changes: Partial<CastVote> = {}): CastVote {
  return {
    by: 'usr_ann',
    label: 'ann@example.com',
    verdict: 'approve',
    comment: undefined,
    at: THEN + 1000,
    via: 'session',
    confirmed: false,
    unseen: [],
    edited: false,
    ...changes,
  }
}

export function aPermit(changes: Partial<PermitRecord> = {}): PermitRecord {
  const iat = Math.floor(THEN / 1000)
  return { id: newId('pmt'), iat, exp: iat + 300, ttlSeconds: 300, revokedAt: undefined, ...changes }
}

export function aRedemption(changes: Partial<Redemption> = {}): Redemption {
  return { id: randomToken(), permitId: 'pmt_one', by: 'key_backend', at: THEN + 2000, replayed: false, ...changes }
}

export function aLeaf(changes: Partial<LeafDraft> = {}): AuditLeaf {
  const draft: LeafDraft = {
    projectId: PROJECT,
    actor: 'system:setup',
    intentId: undefined,
    events: [{ type: 'intent.created', intentId: undefined, data: { action: 'issue_refund' } }],
    values: {},
    ...changes,
  }
  return auditLeaf(draft, THEN)
}

export function aProject(changes: Partial<Project> = {}): Project {
  return {
    id: PROJECT,
    name: 'Contract',
    timezone: 'UTC',
    actionTiers: { 'delete_*': 'high' },
    requireRegisteredAgents: false,
    approverLabels: 'email',
    ...changes,
  }
}

export function aKey(changes: Partial<ProjectKey> = {}): ProjectKey {
  const id = changes.id ?? newId('key')
  return {
    id,
    lineage: id,
    projectId: PROJECT,
    kind: 'agent',
    name: 'a key',
    agents: [],
    environment: undefined,
    createdBy: 'system:setup',
    status: 'active',
    secretHash: randomToken(32),
    createdAt: THEN,
    ...changes,
  }
}

export function anAgent(changes: Partial<Agent> = {}): Agent {
  return {
    id: newId('agt'),
    projectId: PROJECT,
    name: 'Refund agent',
    fingerprint: `refund-agent-${randomToken(4)}`,
    status: 'active',
    owner: undefined,
    riskSensitivity: undefined,
    enforce: false,
    lastSeenAt: undefined,
    ...changes,
  }
}

export function aPerson(changes: Partial<Person> = {}): Person {
  return {
    id: newId('usr'),
    projectId: PROJECT,
    email: 'ann@example.com',
    roles: ['approver'],
    groups: [],
    linked: [],
    status: 'active',
    ...changes,
  }
}

export function aPolicy(changes: Partial<Policy> = {}): Policy {
  return {
    id: newId('pol'),
    version: 1,
    createdAt: THEN,
    name: 'refunds need a person',
    enabled: true,
    mode: 'enforce',
    priority: 0,
    match: { actionPattern: 'issue_*' },
    decision: 'require_approval',
    ...changes,
  }
}

export function aSession(changes: Partial<Session> & Pick<Session, 'expiresAt'>): Session {
  return {
    id: newId('ses'),
    projectId: PROJECT,
    userId: 'usr_ann',
    via: 'session',
    secretHash: randomToken(32),
    cookieHash: randomToken(32),
    createdAt: THEN,
    ...changes,
  }
}

export function aSignInToken(changes: Partial<SignInToken> & Pick<SignInToken, 'expiresAt'>): SignInToken {
  return { tokenHash: randomToken(32), projectId: PROJECT, userId: 'usr_ann', via: 'session', ...changes }
}

export function aRequest(changes: Partial<RequestRecord> & Pick<RequestRecord, 'expiresAt'>): RequestRecord {
  return {
    principal: 'key_one',
    key: 'retry-1',
    bodyDigest: digestOf('{}'),
    intentId: 'int_one',
    ...changes,
  }
}
