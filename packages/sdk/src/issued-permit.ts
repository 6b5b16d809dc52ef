/**
 * An issued permit, as scripts that execute by themselves get it: for the backend that they call.
 *
 * @module
 */
import type { IntentId, PermitId, SettledIntent, Via } from '@silentauth/core'
import { gateUnavailable } from '@silentauth/verify/gate-http'
import { type BothSpellings, bothSpellings } from './spelling.js'

interface PermitMembers {
  readonly permitId: PermitId
  readonly intentId: IntentId
  readonly action: string
  /** Labels of the approvers, e-mails by default, joined with a comma; undefined when a policy approved. */
  readonly approvedBy: string | undefined
  readonly approvals: readonly {
    /** RFC 3339. */
    readonly at: string
    /** `user:<id>` */
    readonly by: string
    readonly label: string
    readonly via: Via
  }[]
  /** RFC 3339. */
  readonly approvedAt: string
  /** RFC 3339. The backend must have verified it before. */
  readonly expiresAt: string
}

/** Prints and serialises without its token. */
export type IssuedPermit = BothSpellings<PermitMembers> & {
  /** Not enumerable. */
  readonly token: string
  /** For the call to the backend. */
  headers(): { 'silentauth-permit': string }
}

/** @throws SilentAuthError `GATE_UNAVAILABLE` for a token that is none */
export function issuedPermit(intent: SettledIntent, token: string): IssuedPermit {
  const { jti, exp } = claimsIn(token, intent.id)
  const { approvals, approvedBy, resolvedAt = intent.createdAt } = intent
  const members: PermitMembers = {
    permitId: jti,
    intentId: intent.id,
    action: intent.action,
    approvedBy: approvedBy && approvedBy.length > 0 ? approvedBy.join(', ') : undefined,
    approvals: approvals.map(({ at, by, label, via }) => ({ at: new Date(at).toISOString(), by, label, via })),
    approvedAt: new Date(resolvedAt).toISOString(),
    expiresAt: new Date(exp * 1000).toISOString(),
  }
  return Object.defineProperties(bothSpellings(members), {
    token: { value: token },
    headers: { value: () => ({ 'silentauth-permit': token }) },
  }) as IssuedPermit
}

/** Nothing in it is proved by reading it: that is the backend's part, and before that `GateKeys.read`'s. */
function claimsIn(token: string, intentId: IntentId): { jti: PermitId; exp: number } {
  try {
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'))
    if (typeof claims.jti === 'string' && Number.isSafeInteger(claims.exp)) return claims
  } catch {
    // Without the cause: a parser's message quotes the text.
  }
  throw gateUnavailable('answered with a permit that is none', undefined, intentId)
}
