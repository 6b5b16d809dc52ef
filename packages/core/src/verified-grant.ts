/**
 * A verified grant is a claim that was granted and whose permit holds, locally, for exactly what is about to run (E22). A
 * grant that does not hold is given back.
 *
 * @module
 */
import type { Claim, Gate } from './asking-side.js'
import { isSilentAuthError, SilentAuthError } from './errors.js'
import type { GrantFields } from './granted-execution.js'
import type { IntentId } from './id.js'
import type { SettledIntent } from './intent.js'
import { type Snapshot, snapshot } from './params.js'
import { verifyPermit } from './permit.js'
import { MAX_LIFETIME_SECONDS, type PermitClaims } from './permit-claims.js'
import { atMost, sleep } from './sleep.js'
import type { Attempt } from './state.js'

export type VerifiedClaim =
  | { readonly type: 'granted'; readonly fields: GrantFields }
  | Exclude<Claim, { type: 'granted' }>

interface Claimed {
  readonly intent: SettledIntent
  /** What is about to run. */
  readonly params: Snapshot
  readonly attempt: Attempt
  readonly signal: AbortSignal | undefined
}

/** How long a claim waits for its leaf to be sequenced. */
const SEQUENCING_TIMEOUT_MS = 60_000
/** How long a grant that nobody uses may take to be given back; a person can look at it later. */
const GIVE_BACK_MS = 5000

/** @throws why it was not granted, or why the grant does not hold; the signal's reason */
export async function claimVerified(gate: Gate, claimed: Claimed): Promise<VerifiedClaim> {
  const { intent, attempt, signal } = claimed
  try {
    const claim = await claimWhenSequenced(gate, intent.id, attempt, signal)
    return claim.type === 'granted' ? { type: 'granted', fields: await verifyGrant(gate, claim, claimed) } : claim
  } catch (error) {
    // E10. Also when only the answer was lost: the gate refuses the report of an attempt that it did not grant.
    if (mayHaveGranted(error)) {
      await atMost(GIVE_BACK_MS, gate.report(intent.id, attempt, { status: 'not_started' }))
    }
    throw error
  }
}

/** P6: the claim stands while its leaf is being sequenced; the same attempt repeats it. */
async function claimWhenSequenced(
  gate: Gate,
  id: IntentId,
  attempt: Attempt,
  signal: AbortSignal | undefined,
): Promise<Claim> {
  const deadline = performance.now() + SEQUENCING_TIMEOUT_MS
  for (;;) {
    try {
      return await gate.claim(id, attempt, { signal })
    } catch (error) {
      const waits = isSilentAuthError(error) && error.code === 'NOT_SEQUENCED' && performance.now() < deadline
      if (!waits) throw error
      await sleep((error.retryAfterSeconds ?? 1) * 1000, signal)
    }
  }
}

/** False for the gate's own refusals: they say that nothing was granted. */
function mayHaveGranted(error: unknown): boolean {
  if (!isSilentAuthError(error)) return true
  switch (error.code) {
    case 'GATE_UNAVAILABLE':
    case 'DB_ERROR':
    case 'NOT_SEQUENCED':
    case 'PARAMS_NOT_CANONICAL':
      return true
    default:
      return error.code.startsWith('PERMIT_') || error.code === 'KEY_REJECTED'
  }
}

/** What was granted must be for exactly what is about to run. */
async function verifyGrant(
  gate: Gate,
  claim: Extract<Claim, { type: 'granted' }>,
  { intent, params, signal }: Claimed,
): Promise<GrantFields> {
  const granted = snapshot(claim.params)
  if (granted.digest !== params.digest || granted.digest !== intent.paramsDigest) {
    throw new SilentAuthError('PERMIT_PARAMS', `${intent.id}: the gate granted other params`, { intentId: intent.id })
  }
  const { issuer, projectId, keys, now = Date.now } = await gate.trust({ signal })
  signal?.throwIfAborted()
  // An hs256 project shares no secret with agents: the authenticated answer and the digest are what is checked.
  const claims =
    keys === undefined
      ? claimsOf(claim.permit, intent)
      : (
          await verifyPermit(claim.permit, {
            keys,
            issuer,
            projectId,
            action: intent.action,
            params: params.value,
            audience: intent.audience,
            maxLifetimeSeconds: MAX_LIFETIME_SECONDS,
            now,
          })
        ).claims
  if (claims.intent_id !== intent.id || claims.params_digest !== params.digest || !Number.isSafeInteger(claims.exp)) {
    throw new SilentAuthError('PERMIT_CLAIMS', `${intent.id}: the permit is of another intent`, { intentId: intent.id })
  }
  const { jti, exp, approved_by: approvedBy = [] } = claims
  return { token: claim.permit, permitId: jti, expiresAt: exp * 1000, approvedBy, now }
}

/** What a permit says, unverified. */
function claimsOf(token: string, { id }: SettledIntent): PermitClaims {
  try {
    const payload = (token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/')
    const bytes = Uint8Array.from(atob(payload), (character) => character.charCodeAt(0))
    return JSON.parse(new TextDecoder().decode(bytes)) as PermitClaims
  } catch (cause) {
    throw new SilentAuthError('PERMIT_MALFORMED', `${id}: the permit is no JWT`, { intentId: id, cause })
  }
}
