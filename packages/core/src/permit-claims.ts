/**
 * Claims: what a permit says. Their names are the wire's, their instants are in seconds.
 *
 * @module
 */
import { canonicalJson } from './canonical-json.js'
import { isDigest } from './digest.js'
import { SilentAuthError } from './errors.js'
import type { AgentId, IntentId, KeyId, PermitId, PolicyRef, ProjectId, UserId } from './id.js'
import type { Via } from './intent.js'
import type { Digest, JsonObject } from './json.js'
import type { RiskTier } from './risk.js'

/** Permit v1. Any other claim is refused. */
export interface PermitClaims {
  /** The gate, compared exactly. */
  readonly iss: string
  /** One text: the backend that executes. @default `urn:silentauth:<project_id>:<action>` */
  readonly aud: string
  /** Who may present it: `agent:<id>` for a key bound to an agent, else `key:<id>`. */
  readonly sub: string
  /** Names one signing, for revocation and logs. Single use is keyed on `(iss, intent_id)`. */
  readonly jti: PermitId
  readonly iat: number
  /** At most 3600 s after `iat`, and never after `use_until`. */
  readonly exp: number
  /** Until when the intent counts as used once it was; the same in every permit of an intent, at most 30 days after `iat`. */
  readonly use_until: number
  readonly ver: 1
  readonly intent_id: IntentId
  readonly project_id: ProjectId
  /** `^[a-z][a-z0-9_.:-]{0,127}$`, never a pattern. */
  readonly action: string
  readonly params_digest: Digest
  readonly risk_tier: RiskTier
  readonly decision: PermitDecision
  /** Kind `human`: `quorum` or more, ascending by `by`. Kind `policy`: empty. */
  readonly approvals: readonly PermitApproval[]
  readonly uses: 1
  /** The authenticated principal that declared the intent; never among those who approved it. */
  readonly declared_by: `key:${KeyId}` | `agent:${AgentId}`
  /** Kind `human` only: one label per approval, in the order of `approvals`. */
  readonly approved_by?: readonly string[]
  /** Kind `human` only: `intent_hash` of the view that the approvers were shown. */
  readonly context_digest?: Digest
  readonly nbf?: number
  /** RFC 7638 thumbprint of the key that must prove possession. */
  readonly cnf?: { readonly jkt: string }
  readonly audit?: { readonly log: string; readonly leaf: string }
  /** RFC 9396, for interoperation only: says what the other claims say, or the permit is refused. */
  readonly authorization_details?: readonly JsonObject[]
}

export interface PermitDecision {
  readonly kind: 'human' | 'policy'
  /** null only for kind `human`, when no policy matched. */
  readonly policy: PolicyRef | null
  /** 0 for kind `policy`. */
  readonly quorum: number
}

export interface PermitApproval {
  readonly at: number
  readonly by: `user:${UserId}`
  /** base64url of SHA-256 over the evidence: the passkey assertion, or the canonical JSON of the vote. */
  readonly ref: string
  readonly via: Via
}

/** What a permit of the HS256 profile is sure to say; with `unboundParams` also the optional four may be missing. */
export type HmacClaims = Pick<PermitClaims, 'intent_id' | 'action' | 'risk_tier' | 'iat' | 'exp'> &
  Partial<PermitClaims>

/** Longest `exp - iat` of any permit, whatever a policy or a verifier says. */
export const MAX_LIFETIME_SECONDS = 3600

/** Audience of permits whose policy names none. */
export function defaultAudience(projectId: string, action: string): string {
  return `urn:silentauth:${projectId}:${action}`
}

/** ASCII, so that no two actions look alike. */
export function isAction(value: unknown): value is string {
  return typeof value === 'string' && ACTION.test(value)
}

/** Whole seconds since 1970; below 1e11, which catches milliseconds. */
export function isSeconds(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0 && (value as number) < 1e11
}

export function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

/** base64url of 32 bytes, as digests and thumbprints are spelled. */
export function isHash(value: unknown): value is string {
  return typeof value === 'string' && HASH.test(value)
}

/** Claims of unknown shape, as parsed. */
export type RawClaims = Readonly<Record<string, unknown>>

/**
 * Which claims a profile lets be absent. `v1`: none but the optional ones. `hs256`: all but nine; single-tenant, so that the secret
 * itself says who issued, for which project. `unbound`: all but five, when the verifier says `unboundParams`.
 */
export type ClaimSet = 'v1' | 'hs256' | 'unbound'

export function mayLack(set: ClaimSet, name: string): boolean {
  switch (set) {
    case 'v1':
      return false
    case 'hs256':
      return !MINIMAL.has(name) && !BINDING.has(name)
    case 'unbound':
      return !MINIMAL.has(name)
  }
}

/**
 * The shape of every claim that has no check of its own.
 *
 * @throws SilentAuthError `PERMIT_CLAIMS` naming the claim
 */
export function checkShape(claims: RawClaims, set: ClaimSet): void {
  for (const name in claims) if (!KNOWN.has(name)) malformed(name)
  const shaped = (name: string, is: (value: unknown) => boolean): void => {
    const value = claims[name]
    if (value === undefined ? !mayLack(set, name) : !is(value)) malformed(name)
  }
  shaped('ver', (ver) => ver === 1)
  shaped('uses', (uses) => uses === 1)
  shaped('risk_tier', (tier) => tier === 'low' || tier === 'medium' || tier === 'high' || tier === 'critical')
  shaped('jti', (jti) => isId(jti, PERMIT_ID))
  shaped('intent_id', (id) => isId(id, INTENT_ID))
  shaped('sub', isText)
  shaped('action', isText)
  shaped('params_digest', isText)
  shaped('declared_by', (by) => isId(by, DECLARER))
  shaped('decision', isDecision)

  const isHuman = (claims.decision as PermitDecision | undefined)?.kind === 'human'
  if (isHuman ? !isLabels(claims.approved_by) : claims.approved_by !== undefined) malformed('approved_by')
  if (isHuman ? !isDigest(claims.context_digest) : claims.context_digest !== undefined) malformed('context_digest')
  if (claims.decision === undefined && claims.approvals !== undefined) malformed('approvals')

  if (claims.cnf !== undefined && !(hasExactly(claims.cnf, ['jkt']) && isHash(claims.cnf.jkt))) malformed('cnf')
  const { audit } = claims
  if (audit !== undefined && !(hasExactly(audit, ['leaf', 'log']) && isHash(audit.leaf) && isText(audit.log)))
    malformed('audit')
  if (claims.authorization_details !== undefined && !repeatsClaims(claims)) malformed('authorization_details')
}

/** A plain object with these members and no others. */
function hasExactly(value: unknown, names: readonly string[]): value is RawClaims {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return false
  return Object.keys(value).length === names.length && names.every((name) => Object.hasOwn(value, name))
}

const ACTION = /^[a-z][a-z0-9_.:-]{0,127}$/
const HASH = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/
const PERMIT_ID = /^pmt_[A-Za-z0-9_-]+$/
const INTENT_ID = /^int_[A-Za-z0-9_-]+$/
const DECLARER = /^(?:key:key|agent:agt)_[A-Za-z0-9_-]+$/
const POLICY_REF = /^pol_[A-Za-z0-9_-]+@[1-9][0-9]*$/

const MINIMAL: ReadonlySet<string> = new Set(['intent_id', 'action', 'risk_tier', 'iat', 'exp'])
const BINDING: ReadonlySet<string> = new Set(['params_digest', 'aud', 'jti', 'use_until'])
const KNOWN: ReadonlySet<string> = new Set([
  'action',
  'approvals',
  'approved_by',
  'aud',
  'audit',
  'authorization_details',
  'cnf',
  'context_digest',
  'decision',
  'declared_by',
  'exp',
  'iat',
  'intent_id',
  'iss',
  'jti',
  'nbf',
  'params_digest',
  'project_id',
  'risk_tier',
  'sub',
  'use_until',
  'uses',
  'ver',
])

function malformed(name: string): never {
  throw new SilentAuthError('PERMIT_CLAIMS', `claim ${KNOWN.has(name) ? name : 'of an unknown name'}`, {
    ...(KNOWN.has(name) && { field: name }),
  })
}

function isId(value: unknown, pattern: RegExp): boolean {
  return typeof value === 'string' && pattern.test(value)
}

function isDecision(value: unknown): boolean {
  if (!hasExactly(value, ['kind', 'policy', 'quorum'])) return false
  const { kind, policy, quorum } = value
  if (kind === 'policy') return isId(policy, POLICY_REF) && quorum === 0
  return (
    kind === 'human' &&
    (policy === null || isId(policy, POLICY_REF)) &&
    Number.isSafeInteger(quorum) &&
    (quorum as number) >= 1
  )
}

function isLabels(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.every(isText)
}

/** Two sources of truth must say exactly the same. */
function repeatsClaims({ action, aud, authorization_details, intent_id, params_digest }: RawClaims): boolean {
  const said = { actions: [action], intent_id, locations: [aud], params_digest, type: 'urn:silentauth:tool-call' }
  try {
    return canonicalJson(authorization_details) === canonicalJson([said])
  } catch {
    return false // a claim that it repeats is absent
  }
}
