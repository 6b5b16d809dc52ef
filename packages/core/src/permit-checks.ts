/**
 * Checks of a permit: the steps that both verifiers take, cheap before dear, in one order, so that they refuse alike. A step throws
 * the code of the first thing that is wrong; what is left to the verifiers is the signature and whatever may be asynchronous.
 *
 * @module
 */
import { asciiOfBase64url, decodeBase64url } from './base64url.js'
import { type ErrorCode, SilentAuthError } from './errors.js'
import type { Via } from './intent.js'
import type { RingIndex, RingKey } from './key-ring.js'
import {
  type ClaimSet,
  checkShape,
  isAction,
  isHash,
  isSeconds,
  isText,
  mayLack,
  type PermitClaims,
  type RawClaims,
} from './permit-claims.js'
import { channelList, type Expected } from './permit-demands.js'
import { ordinaryClaims } from './permit-grammar.js'
import { PERMIT_TYP, readSegment } from './permit-segment.js'

/** A permit taken apart. Nothing in it is proved yet. */
export interface OpenedPermit {
  readonly key: RingKey
  readonly signingInput: string
  readonly payload: string
  readonly signature: Uint8Array
}

/** What a genuine permit says. */
export interface ReadPermit {
  readonly claims: PermitClaims
  /** The grammar has read it, so every claim is in shape, approvals included. */
  readonly ordinary: boolean
}

/** A permit's full text is at most this long. */
export const MAX_PERMIT_LENGTH = 8192

/** Steps 1 to 5: text, size, segments, header, key, and the length of the signature. The signature itself comes next. */
export function openPermit(token: unknown, ring: RingIndex): OpenedPermit {
  if (typeof token !== 'string') return refuse('PERMIT_MALFORMED', 'a permit is a text')
  if (token.length > MAX_PERMIT_LENGTH)
    refuse('PERMIT_TOO_LARGE', `a permit has at most ${MAX_PERMIT_LENGTH} characters`)
  const first = token.indexOf('.')
  const second = token.indexOf('.', first + 1)
  if (first === -1 || second === -1 || token.indexOf('.', second + 1) !== -1) {
    refuse('PERMIT_MALFORMED', 'a permit has three segments')
  }
  const header = token.slice(0, first)
  const key = ring.byHeader.get(header) ?? explainHeader(header, ring)
  const signature = decodeBase64url(token.slice(second + 1))
  if (signature === undefined) return refuse('PERMIT_ENCODING', 'the signature is not canonical base64url')
  if (signature.length !== key.signatureBytes)
    refuse('PERMIT_SIGNATURE', 'the signature has another length than the key makes')
  return { key, signingInput: token.slice(0, second), payload: token.slice(first + 1, second), signature }
}

/** Steps 6 to 9, once the signature is good: encoding, parties, times, shape. */
export function readClaims(payload: string, expected: Expected): ReadPermit {
  const text = asciiOfBase64url(payload)
  const ordinary = text === undefined ? undefined : ordinaryClaims(text)
  const claims = (ordinary ?? readSegment(payload, 'payload')) as RawClaims
  checkParties(claims, expected)
  checkLifetime(claims, expected.set, expected.maxLifetime)
  checkTime(claims, expected)
  if (ordinary === undefined) checkShape(claims, expected.set)
  if (expected.subject !== undefined && claims.sub !== expected.subject)
    refuse('PERMIT_CLAIMS', 'claim sub is of another presenter', 'sub')
  // `hs256` may lack some: `HmacClaims` is what its callers see.
  return { claims: claims as unknown as PermitClaims, ordinary: ordinary !== undefined }
}

/** Step 10. `answer` is the hook's: anything but false counts as revoked, a promise in the synchronous verifier included. */
export function checkRevoked(answer: unknown, claims: PermitClaims): void {
  if (answer !== false) refuse('PERMIT_REVOKED', `permit ${claims.jti} was revoked`)
}

/** First half of step 11. Globs live in policies, never in permits. */
export function checkAction(claims: PermitClaims, expected: Pick<Expected, 'action'>): void {
  if (!isAction(claims.action) || (expected.action !== undefined && claims.action !== expected.action)) {
    refuse('PERMIT_ACTION', 'the permit is for another action', 'action')
  }
}

/** Second half of step 11: `digest` is of the params that are about to be executed. False when the permit names no params. */
export function checkParams(claims: PermitClaims, digest: string, expected: Expected): boolean {
  if (claims.params_digest === undefined && mayLack(expected.set, 'params_digest')) return false
  if (claims.params_digest !== digest) refuse('PERMIT_PARAMS', 'the permit is for other params', 'params_digest')
  return true
}

/** Step 12: quorum of distinct people, none of them the requester, through channels that count here. */
export function checkApprovals(
  { claims, ordinary }: ReadPermit,
  { requireHuman, allowedVia, set }: Pick<Expected, 'requireHuman' | 'allowedVia' | 'set'>,
): void {
  const { decision, approvals, approved_by: labels } = claims
  if (decision === undefined && mayLack(set, 'decision')) {
    if (requireHuman || allowedVia !== undefined) refuse('PERMIT_APPROVALS', 'the permit names no decision')
    return
  }
  if (!Array.isArray(approvals)) refuse('PERMIT_APPROVALS', 'approvals are missing')
  if (decision.kind === 'policy') {
    if (requireHuman) refuse('PERMIT_APPROVALS', 'a policy decided, and a person is demanded')
    if (approvals.length !== 0) refuse('PERMIT_APPROVALS', 'a policy decided, and approvals are named')
    return
  }
  if (approvals.length < decision.quorum) refuse('PERMIT_APPROVALS', 'fewer approvals than the quorum')
  if (labels?.length !== approvals.length) refuse('PERMIT_APPROVALS', 'not one label per approval')
  const counts = typeof allowedVia === 'function' ? channelList(allowedVia(claims.risk_tier)) : allowedVia
  let before = ''
  for (const approval of approvals) {
    if (!ordinary && !isApproval(approval)) refuse('PERMIT_APPROVALS', 'an approval is malformed')
    const { by, via } = approval
    // Ascending order makes them distinct.
    if (by <= before) refuse('PERMIT_APPROVALS', 'approvals are not ascending by person')
    if (by === claims.sub || by === claims.declared_by) refuse('PERMIT_APPROVALS', 'the requester approved')
    if (counts !== undefined && !counts.includes(via))
      refuse('PERMIT_APPROVALS', 'an approval came through a channel that does not count here')
    before = by
  }
}

/** Before step 13: true when a proof of possession must now be checked. A bound permit is worth nothing without one. */
export function needsProof(claims: PermitClaims, { requireProof }: Expected, canCheck: boolean): boolean {
  if (claims.cnf === undefined) {
    if (requireProof) refuse('PERMIT_POP', 'the permit is not bound to a key', 'cnf')
    return false
  }
  if (!canCheck) refuse('PERMIT_POP', 'the permit is bound to a key, and no proof can be checked', 'cnf')
  return true
}

/** Shape and order of the instants; nothing of now. */
export function checkLifetime(claims: RawClaims, set: ClaimSet, maxLifetime: number): void {
  const { iat, exp, nbf } = claims
  const until = claims.use_until === undefined && mayLack(set, 'use_until') ? exp : claims.use_until
  if (!isSeconds(iat) || !isSeconds(exp) || !isSeconds(until))
    refuse('PERMIT_LIFETIME', 'an instant is missing or not in whole seconds')
  if (exp <= iat || exp - iat > maxLifetime)
    refuse('PERMIT_LIFETIME', `the permit does not live for 1 to ${maxLifetime} seconds`)
  if (until < exp || until - iat > MAX_WINDOW)
    refuse('PERMIT_LIFETIME', 'use_until is before exp, or beyond the longest window')
  if (nbf !== undefined && !isSeconds(nbf)) refuse('PERMIT_LIFETIME', 'nbf is not in whole seconds')
}

/** Longest execution window. It also bounds how long a single-use store must remember. */
const MAX_WINDOW = 30 * 86_400

const VIAS: ReadonlySet<unknown> = new Set<Via>(['session', 'webauthn', 'slack', 'teams', 'api', 'cli'])
const PERSON = /^user:usr_[A-Za-z0-9_-]+$/

function isApproval(value: unknown): boolean {
  if (value === null || typeof value !== 'object' || Object.keys(value).length !== 4) return false
  const { at, by, ref, via } = value as RawClaims
  return isSeconds(at) && typeof by === 'string' && PERSON.test(by) && isHash(ref) && VIAS.has(via)
}

function checkParties(claims: RawClaims, { issuer, audience, projectId, set }: Expected): void {
  if (!says(claims.iss, issuer, set, 'iss')) refuse('PERMIT_ISSUER', 'the permit is of another issuer', 'iss')
  if (!says(claims.aud, audience, set, 'aud')) refuse('PERMIT_AUDIENCE', 'the permit is for another audience', 'aud')
  if (!says(claims.project_id, projectId, set, 'project_id'))
    refuse('PERMIT_PROJECT', 'the permit is of another project', 'project_id')
}

/** One text, never a list of them: the expected one, or any when none is expected. */
function says(claim: unknown, expected: string | undefined, set: ClaimSet, name: string): boolean {
  if (claim === undefined) return mayLack(set, name)
  return expected === undefined ? isText(claim) : claim === expected
}

function checkTime({ iat, exp, nbf }: RawClaims, { now, skew }: Expected): void {
  if (now >= (exp as number) + skew) refuse('PERMIT_EXPIRED', 'the permit is over')
  if ((iat as number) > now + skew || (nbf !== undefined && (nbf as number) > now + skew)) {
    refuse('PERMIT_NOT_YET_VALID', 'the permit begins later')
  }
}

/** Reached only when the header is not that of one of our keys: it says why, and never accepts. */
function explainHeader(segment: string, ring: RingIndex): never {
  const header = readSegment(segment, 'header')
  for (const name in header) {
    if (name !== 'alg' && name !== 'kid' && name !== 'typ')
      refuse('PERMIT_HEADER', 'the header has members beyond alg, kid, typ')
  }
  if (header.typ !== PERMIT_TYP) refuse('PERMIT_TYP', `typ is not ${PERMIT_TYP}`)
  if (typeof header.kid !== 'string') return refuse('PERMIT_KID', 'the header names no key')
  if (!ring.byKid.has(header.kid)) refuse('PERMIT_KID_UNKNOWN', 'the key is not in the ring')
  return refuse('PERMIT_ALG', 'alg is not the one pinned for the key')
}

function refuse(code: ErrorCode, message: string, field?: string): never {
  throw new SilentAuthError(code, message, field === undefined ? {} : { field })
}
