/**
 * The revocation list: what a gate tells verifiers that cannot ask it. A compact JWS with a type and a key of its own, good
 * for two minutes, that names permits, signing keys, agents, project keys and intents on which nothing may run any more.
 *
 * @module
 */
import { decodeBase64url, encodeBase64url } from './base64url.js'
import { canonicalJson } from './canonical-json.js'
import { compareText } from './compare-text.js'
import { SilentAuthError } from './errors.js'
import type { AgentId, IntentId, KeyId, PermitId, ProjectId } from './id.js'
import type { EpochMs } from './json.js'
import { indexOf, type KeyRing } from './key-ring.js'
import type { Revocable } from './permit.js'
import { isSeconds, isText } from './permit-claims.js'
import { readSegment } from './permit-segment.js'
import type { StoredRevocations } from './permit-trace.js'
import { isSignedBy } from './signature.js'
import type { Signer } from './signer.js'

/** The payload. Any other member is refused. Each list is ascending, without repeats. */
export interface RevocationClaims {
  readonly iss: string
  readonly project_id: string
  /** Seconds; `exp` is at most 120 s later. */
  readonly iat: number
  readonly exp: number
  readonly ver: 1
  /** Grows with every list: of two, the one with the higher number says what is true. */
  readonly number: number
  readonly jtis: readonly PermitId[]
  /** Of permit signing keys that are no longer trusted. */
  readonly kids: readonly string[]
  /** Paused or revoked. */
  readonly agents: readonly AgentId[]
  /** Project keys that are disabled. */
  readonly keys: readonly KeyId[]
  readonly intents: readonly IntentId[]
}

/** An accepted list. */
export interface RevocationList {
  readonly number: number
  readonly issuedAt: EpochMs
  /** Skew not included. */
  readonly expiresAt: EpochMs
  isRevoked(permit: Revocable): boolean
}

export interface ReadListOptions {
  /** Of the list's own key, never that of permits: `keyRing(jwks.keys)`. */
  readonly keys: KeyRing
  readonly issuer: string
  readonly projectId: string
  /** @default 5 */
  readonly skewSeconds?: number | undefined
  /** @default Date.now */
  readonly now?: (() => EpochMs) | undefined
}

/** `typ` of every list, so that no permit can pass for one, nor one for a permit (RFC 8725, 3.11). */
export const REVOCATIONS_TYP = 'permit-revocations+jwt'
/** A kill switch reaches every verifier within this time, plus its skew. */
export const LIST_SECONDS = 120
/** Of the whole text. */
export const MAX_LIST_LENGTH = 2_097_152
/** Permits on one list. */
export const MAX_LISTED_PERMITS = 20_000

/**
 * What the gate says now.
 *
 * @param number of this list: the instant of the store's clock before `stored` was read
 * @throws SilentAuthError `GATE_UNAVAILABLE` when more permits are revoked than a list can hold: then there is no list at
 * all, and verifiers refuse everything. Those that have expired anyway are left out first.
 */
export function revocationClaims(
  stored: StoredRevocations,
  about: { issuer: string; projectId: ProjectId; kids: readonly string[]; number: number; now: EpochMs },
): RevocationClaims {
  const { issuer, projectId, kids, number, now } = about
  const cut = stored.permits[MAX_LISTED_PERMITS]
  if (cut !== undefined && cut.expiresAt > now) {
    throw new SilentAuthError('GATE_UNAVAILABLE', `more than ${MAX_LISTED_PERMITS} live permits are revoked`)
  }
  const permits = stored.permits.slice(0, MAX_LISTED_PERMITS)
  const iat = Math.floor(now / 1000)
  return {
    iss: issuer,
    project_id: projectId,
    iat,
    exp: iat + LIST_SECONDS,
    ver: 1,
    number,
    jtis: ascending(permits.map(({ id }) => id)),
    kids: ascending(kids),
    agents: ascending(stored.agents),
    keys: ascending(stored.keys),
    intents: ascending(permits.filter(({ withdrawn }) => withdrawn).map(({ intentId }) => intentId)),
  }
}

/** @throws SilentAuthError `GATE_UNAVAILABLE` for a list that no verifier would accept, so that it is never signed */
export async function signRevocationList(claims: RevocationClaims, signer: Signer): Promise<string> {
  checkClaims({ ...claims })
  const utf8 = new TextEncoder()
  const segment = (value: unknown): string => encodeBase64url(utf8.encode(canonicalJson(value)))
  const input = `${segment({ alg: signer.alg, kid: signer.kid, typ: REVOCATIONS_TYP })}.${segment(claims)}`
  const list = `${input}.${encodeBase64url(await signer.sign(utf8.encode(input)))}`
  if (list.length > MAX_LIST_LENGTH) refuse(`it has more than ${MAX_LIST_LENGTH} characters`)
  return list
}

/**
 * Signed by a key of the ring, current, and of this gate and project.
 *
 * @throws SilentAuthError `GATE_UNAVAILABLE` for anything else, saying what was wrong: without a list nothing can be said of
 * any permit
 */
export async function readRevocationList(list: unknown, options: ReadListOptions): Promise<RevocationList> {
  const { keys, issuer, projectId, skewSeconds = 5, now = Date.now } = options
  if (!(skewSeconds >= 0 && skewSeconds <= 60)) throw new TypeError('skewSeconds is a number from 0 to 60')
  const claims = await openList(list, keys)
  checkClaims(claims)
  const { iss, project_id, iat, exp, number } = claims
  if (iss !== issuer) refuse('it is of another issuer')
  if (project_id !== projectId) refuse('it is of another project')
  const at = now()
  if (iat * 1000 > at + skewSeconds * 1000) refuse('it begins later')
  if (at >= (exp + skewSeconds) * 1000) refuse('it is over')
  return { number, issuedAt: iat * 1000, expiresAt: exp * 1000, isRevoked: lookup(claims) }
}

async function openList(list: unknown, keys: KeyRing): Promise<Record<string, unknown>> {
  if (typeof list !== 'string') return refuse('it is no text')
  if (list.length > MAX_LIST_LENGTH) refuse(`it has more than ${MAX_LIST_LENGTH} characters`)
  const segments = list.split('.', 4)
  const [header = '', payload = '', signed = ''] = segments
  if (segments.length !== 3) refuse('it has not three segments')
  const { alg, kid, typ, ...more } = readPart(header, 'header')
  if (Object.keys(more).length > 0) refuse('its header holds more than alg, kid, typ')
  if (typ !== REVOCATIONS_TYP) refuse('it is another kind of token')
  const key = typeof kid === 'string' ? indexOf(keys, 'v1').byKid.get(kid) : undefined
  if (key === undefined) return refuse('its key is not one of those that are pinned for lists')
  if (alg !== key.alg) refuse('its algorithm is not that of its key')
  const signature = decodeBase64url(signed)
  if (signature?.length !== key.signatureBytes) return refuse('its signature is not one of its key')
  if (!(await isSignedBy(key, `${header}.${payload}`, signature))) refuse('its signature is not one of its key')
  return readPart(payload, 'payload')
}

function readPart(segment: string, name: 'header' | 'payload'): Record<string, unknown> {
  try {
    return readSegment(segment, name)
  } catch (cause) {
    return refuse(`its ${name} is not the canonical JSON of an object`, cause)
  }
}

const LISTS = { jtis: 'pmt_', kids: '', agents: 'agt_', keys: 'key_', intents: 'int_' } as const
const MEMBERS = ['iss', 'project_id', 'iat', 'exp', 'ver', 'number', ...Object.keys(LISTS)]

function checkClaims(claims: Record<string, unknown>): asserts claims is Record<string, unknown> & RevocationClaims {
  for (const name of Object.keys(claims)) if (!MEMBERS.includes(name)) refuse('it has a member that is not known here')
  const { iss, project_id, iat, exp, ver, number } = claims
  if (!isText(iss) || !isText(project_id) || ver !== 1) refuse('iss, project_id or ver is not as it must be')
  if (!isSeconds(iat) || !isSeconds(exp) || exp <= iat || exp - iat > LIST_SECONDS) refuse('its times make no sense')
  if (!Number.isSafeInteger(number) || (number as number) < 1) refuse('its number is no whole number')
  for (const [name, prefix] of Object.entries(LISTS)) checkList(claims[name], name, prefix)
}

/** One spelling for one list, as for everything that is signed. */
function checkList(list: unknown, name: string, prefix: string): void {
  if (!Array.isArray(list)) refuse(`${name} is no list`)
  let last = ''
  for (const id of list) {
    if (typeof id !== 'string' || !id.startsWith(prefix) || compareText(id, last) <= 0) {
      refuse(`${name} is not a list of ids in ascending order`)
    }
    last = id
  }
}

function lookup(claims: RevocationClaims): RevocationList['isRevoked'] {
  const [jtis, kids, intents] = [new Set(claims.jtis), new Set(claims.kids), new Set(claims.intents)]
  const principals = new Set<string>([
    ...claims.agents.map((id) => `agent:${id}`),
    ...claims.keys.map((id) => `key:${id}`),
  ])
  return ({ jti, kid, sub, intentId, declaredBy }) =>
    jtis.has(jti) || kids.has(kid) || intents.has(intentId) || principals.has(sub) || principals.has(declaredBy)
}

function ascending<Id extends string>(ids: readonly Id[]): readonly Id[] {
  return [...new Set(ids)].sort(compareText)
}

function refuse(reason: string, cause?: unknown): never {
  throw new SilentAuthError('GATE_UNAVAILABLE', `the revocation list was not accepted: ${reason}`, { cause })
}
