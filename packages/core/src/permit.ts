/**
 * Permits: short-lived signed proof that one action, with one set of parameters, was approved.
 *
 * @module
 */
import { encodeBase64url } from './base64url.js'
import { canonicalJson } from './canonical-json.js'
import { digestAnywhere } from './digest.js'
import { SilentAuthError } from './errors.js'
import type { IntentId, PermitId } from './id.js'
import type { JsonObject } from './json.js'
import type { HmacKeyRing, KeyRing } from './key-ring.js'
import { canonicalParams, type ParamsLimits } from './params.js'
import {
  checkAction,
  checkApprovals,
  checkLifetime,
  checkParams,
  checkRevoked,
  MAX_PERMIT_LENGTH,
  needsProof,
  openPermit,
  type ReadPermit,
  readClaims,
} from './permit-checks.js'
import { checkShape, type HmacClaims, isText, MAX_LIFETIME_SECONDS, type PermitClaims } from './permit-claims.js'
import { type Expected, expectedOf, fullyExpected, type PermitDemands } from './permit-demands.js'
import { headerSegment } from './permit-segment.js'
import { isSignedBy } from './signature.js'
import type { Signer } from './signer.js'

declare const verified: unique symbol

/** Only the verifiers make one, so a backend function can ask for its own proof: `refund(permit: VerifiedPermit<'issue_refund'>)`. */
export interface VerifiedPermit<Action extends string = string, Claims extends HmacClaims = PermitClaims> {
  readonly [verified]: true
  readonly action: Action
  /** The frozen snapshot that was compared. Execute this, never the object that was passed in. */
  readonly params: JsonObject
  /** Labels of the approvers; empty when a policy decided. */
  readonly approvedBy: readonly string[]
  readonly claims: Claims
  readonly kid: string
  /** True only under `unboundParams`, for a permit without `params_digest`: `params` are then the caller's own word. */
  readonly unbound: boolean
}

/** By which a permit can be revoked. Permits of the HS256 profile may lack all but `kid` and `intentId`. */
export interface Revocable {
  readonly jti: PermitId
  readonly kid: string
  readonly sub: string
  readonly intentId: IntentId
  readonly declaredBy: string
}

export interface VerifyOptions<Action extends string = string> extends PermitDemands {
  /** Of this issuer alone: `keyRing(jwks.keys)`. */
  readonly keys: KeyRing
  readonly profile?: 'v1' | undefined
  readonly projectId: string
  readonly action: Action
  /** The params that are about to be executed. */
  readonly params: unknown
  /** This backend: `defaultAudience(projectId, action)`, unless the policy names one. */
  readonly audience: string
  readonly paramsLimits?: ParamsLimits | undefined
  /** Demands that the permit is bound to a key. A bound one is never accepted without a proof, whatever this says. @default false */
  readonly requireProof?: boolean | undefined
  /** Checks the proof of possession of `claims.cnf.jkt` over `token`; throws when there is none. Called only for bound permits. */
  readonly verifyProof?: ((claims: PermitClaims, token: string) => void | Promise<void>) | undefined
  /** Anything but false is `PERMIT_REVOKED`. @default nothing is revoked */
  readonly isRevoked?: ((permit: Revocable) => boolean | Promise<boolean>) | undefined
}

/** The HS256 profile: single-tenant, and whoever can verify can also sign. */
export interface HmacVerifyOptions<Action extends string = string>
  extends Omit<VerifyOptions<Action>, 'keys' | 'profile'> {
  readonly keys: HmacKeyRing
  readonly profile: 'hs256'
  /** Accepts also permits that say only intent_id, action, risk_tier, iat, exp: good for any params at any backend. @default false */
  readonly unboundParams?: boolean | undefined
}

/**
 * Signed, current, unrevoked, approved, and for exactly this action, these params, this audience. Works in any runtime; `./node`
 * has the synchronous twin. Single use is not in it: redeem, keyed on issuer and intent id, before executing.
 *
 * @throws SilentAuthError the first failing `PERMIT_*`, or `PARAMS_NOT_CANONICAL`; TypeError when an option is missing
 */
export function verifyPermit<const Action extends string>(
  token: string,
  options: VerifyOptions<Action>,
): Promise<VerifiedPermit<Action>>
export function verifyPermit<const Action extends string>(
  token: string,
  options: HmacVerifyOptions<Action>,
): Promise<VerifiedPermit<Action, HmacClaims>>
export async function verifyPermit<Action extends string>(
  token: string,
  options: VerifyOptions<Action> | HmacVerifyOptions<Action>,
): Promise<VerifiedPermit<Action>> {
  const expected = fullyExpected(options)
  const { kid, ...permit } = await openAndRead(token, expected, options.isRevoked)
  const { claims } = permit
  checkAction(claims, expected)
  const params = canonicalParams(options.params, options.paramsLimits)
  const bound = checkParams(claims, await digestAnywhere(params.text), expected)
  checkApprovals(permit, expected)
  if (needsProof(claims, expected, options.verifyProof !== undefined)) await options.verifyProof?.(claims, token)
  return seal(claims, kid, params.value, bound)
}

/** Comparisons are made with what is given, and only with that. */
export interface ReadOptions extends PermitDemands {
  readonly keys: KeyRing | HmacKeyRing
  /** @default 'v1' */
  readonly profile?: 'v1' | 'hs256' | undefined
  readonly unboundParams?: boolean | undefined
  readonly projectId?: string | undefined
  readonly action?: string | undefined
  readonly params?: unknown | undefined
  readonly audience?: string | undefined
  readonly paramsLimits?: ParamsLimits | undefined
  readonly isRevoked?: ((permit: Revocable) => boolean | Promise<boolean>) | undefined
}

/**
 * What a genuine, current permit says. For looking only, in tools that show permits: what is not given is not compared, a proof of
 * possession is not asked for, and the result is no proof. Execute on nothing but `verifyPermit`.
 *
 * @throws SilentAuthError the first failing `PERMIT_*`, or `PARAMS_NOT_CANONICAL`
 */
export async function readPermit(
  token: string,
  options: ReadOptions,
): Promise<{ readonly claims: PermitClaims; readonly kid: string }> {
  const expected = expectedOf(options)
  const { kid, ...permit } = await openAndRead(token, expected, options.isRevoked)
  const { claims } = permit
  checkAction(claims, expected)
  if (options.params !== undefined) {
    checkParams(claims, await digestAnywhere(canonicalParams(options.params, options.paramsLimits).text), expected)
  }
  checkApprovals(permit, expected)
  return { claims, kid }
}

/**
 * The permit that says `claims`.
 *
 * @throws SilentAuthError `PERMIT_*` for claims that no verifier would accept, so that they are never signed
 */
export async function signPermit(claims: PermitClaims, signer: Signer): Promise<string> {
  for (const name of ['iss', 'aud', 'project_id'] as const) {
    if (!isText(claims[name])) throw new SilentAuthError('PERMIT_CLAIMS', `claim ${name}`, { field: name })
  }
  checkLifetime({ ...claims }, 'v1', MAX_LIFETIME_SECONDS)
  checkShape({ ...claims }, 'v1')
  checkAction(claims, { action: undefined })
  checkApprovals({ claims, ordinary: false }, { requireHuman: false, allowedVia: undefined, set: 'v1' })
  const utf8 = new TextEncoder()
  const input = `${headerSegment(signer.alg, signer.kid)}.${encodeBase64url(utf8.encode(canonicalJson(claims)))}`
  const permit = `${input}.${encodeBase64url(await signer.sign(utf8.encode(input)))}`
  if (permit.length > MAX_PERMIT_LENGTH) {
    throw new SilentAuthError('PERMIT_TOO_LARGE', `a permit has at most ${MAX_PERMIT_LENGTH} characters`)
  }
  return permit
}

/** For the verifiers alone. */
export function seal<Action extends string>(
  claims: PermitClaims,
  kid: string,
  params: JsonObject,
  bound: boolean,
): VerifiedPermit<Action> {
  const approvedBy = claims.approved_by ?? []
  const permit = { action: claims.action as Action, params, approvedBy, claims, kid, unbound: !bound }
  return Object.freeze(permit) as VerifiedPermit<Action>
}

export function revocable(claims: PermitClaims, kid: string): Revocable {
  return { jti: claims.jti, kid, sub: claims.sub, intentId: claims.intent_id, declaredBy: claims.declared_by }
}

async function openAndRead(
  token: string,
  expected: Expected,
  isRevoked: ReadOptions['isRevoked'],
): Promise<ReadPermit & { kid: string }> {
  const { key, signingInput, signature, payload } = openPermit(token, expected.ring)
  if (!(await isSignedBy(key, signingInput, signature))) {
    throw new SilentAuthError('PERMIT_SIGNATURE', 'the signature is not of the key that the header names')
  }
  const permit = readClaims(payload, expected)
  if (isRevoked !== undefined) checkRevoked(await isRevoked(revocable(permit.claims, key.kid)), permit.claims)
  return { ...permit, kid: key.kid }
}
