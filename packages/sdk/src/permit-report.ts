/**
 * The permit report: what could be found out about a permit, for scripts that look at one before they use it. A backend that
 * executes does not look, it verifies: `permitVerifier` of `@silentauth/verify`.
 *
 * @module
 */
import {
  defaultAudience,
  type ErrorCode,
  type IntentId,
  isSilentAuthError,
  type PermitClaims,
  type PermitId,
  snapshot,
} from '@silentauth/core'
import { gateUnavailable } from '@silentauth/verify/gate-http'
import type { GateKeys } from './gate-keys.js'
import { type BothSpellings, bothSpellings } from './spelling.js'
import type { Transport } from './transport.js'

/** What to compare. What is not given is not compared. */
export interface ValidateOptions {
  readonly action?: string | undefined
  readonly params?: unknown
  readonly audience?: string | undefined
  /** Also asks the gate, which looks at the intent as it is now; needs `action` and `params`. @default only in an hs256 project */
  readonly online?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

interface ReportMembers {
  /** Signed, current, and equal in all that was compared. */
  readonly valid: boolean
  /** The first thing that was wrong. */
  readonly error: ErrorCode | undefined
  readonly message: string | undefined
  /** What to do next. */
  readonly hint: string | undefined
  /** This and the next four are undefined unless it is valid. */
  readonly action: string | undefined
  readonly permitId: PermitId | undefined
  readonly intentId: IntentId | undefined
  /** Labels of the approvers, joined with a comma; undefined when a policy approved. */
  readonly approvedBy: string | undefined
  /** RFC 3339. */
  readonly expiresAt: string | undefined
  /** What was compared. */
  readonly bound: { readonly action: boolean; readonly params: boolean; readonly audience: boolean }
  /** True only when the gate was asked. */
  readonly revocationChecked: boolean
  /** Looking marks no use, and knows of none. */
  readonly singleUse: 'off'
}
export type PermitReport = BothSpellings<ReportMembers>

export interface PermitLook {
  readonly transport: Transport
  readonly keys: GateKeys
  readonly projectId: string
}

/** @throws only what is no refusal: TypeError for a mistake of the caller, the signal's reason */
export async function reportOn(token: string, options: ValidateOptions, look: PermitLook): Promise<PermitReport> {
  const { action, params, audience, signal } = options
  const online = options.online ?? look.keys.onlineOnly
  if (online && (action === undefined || params === undefined)) {
    throw new TypeError('online, the gate compares action and params: pass both')
  }
  const bound = { action: action !== undefined, params: params !== undefined, audience: audience !== undefined }
  const report = { valid: false, bound, revocationChecked: false, singleUse: 'off' } as const
  try {
    const compare = {
      ...(bound.action && { action }),
      ...(bound.params && { params }),
      ...(bound.audience && { audience }),
    }
    const known = online && !look.keys.canVerify ? undefined : await look.keys.read(token, compare as object)
    const claims = online ? await askGate(token, options, known, look) : (known as PermitClaims)
    return bothSpellings({
      ...report,
      valid: true,
      error: undefined,
      message: undefined,
      hint: undefined,
      action: claims.action,
      permitId: claims.jti,
      intentId: claims.intent_id,
      approvedBy: claims.approved_by?.join(', '),
      expiresAt: new Date(claims.exp * 1000).toISOString(),
      revocationChecked: online,
    })
  } catch (error) {
    signal?.throwIfAborted()
    if (!isSilentAuthError(error)) throw error
    const { code, message, hint } = error
    return bothSpellings({
      ...report,
      error: code,
      message,
      hint,
      action: undefined,
      permitId: undefined,
      intentId: undefined,
      approvedBy: undefined,
      expiresAt: undefined,
    })
  }
}

async function askGate(
  token: string,
  { action, params, audience, signal }: ValidateOptions,
  known: PermitClaims | undefined,
  { transport, projectId }: PermitLook,
): Promise<PermitClaims> {
  const body = {
    token,
    action: action as string,
    parameters: snapshot(params).value,
    audience: audience ?? known?.aud ?? defaultAudience(projectId, action as string),
  }
  const { data } = await transport.send({ method: 'POST', path: '/api/permits/verify', body }, { signal })
  if (typeof data === 'object' && data !== null && 'claims' in data) {
    const claims = data.claims as PermitClaims
    if (typeof claims?.jti === 'string' && Number.isSafeInteger(claims.exp)) return claims
  }
  throw gateUnavailable('answered with something else than claims')
}
