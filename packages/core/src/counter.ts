/**
 * The counter is the backend's side: a verifier's credential asks here whether a permit holds, marks an approval as
 * used, and reports what came of it.
 *
 * @module
 */
import type { IntentId, PermitId } from './id.js'
import type { ExecutionState } from './intent.js'
import type { Digest, Json, JsonObject } from './json.js'
import type { PermitClaims } from './permit-claims.js'
import type { KeyPrincipal } from './registry.js'
import type { FinalStatus } from './state.js'

export interface Counter {
  /** All checks of the permit and of its intent as it is now; marks nothing. @throws SilentAuthError every `PERMIT_*` */
  verify(verifier: KeyPrincipal, request: VerifyRequest): Promise<PermitClaims>
  /**
   * All checks, then marks the intent as used, once; the same `redemptionId` gets the same answer.
   *
   * @throws SilentAuthError `ALREADY_REDEEMED`, `AGENT_PAUSED`, `AGENT_REVOKED`, every `PERMIT_*`
   */
  redeem(verifier: KeyPrincipal, request: RedeemRequest): Promise<{ readonly replayed: boolean }>
  /** A verifier's report outranks the agent's; another key's is stored as the agent's, for its own intents. */
  logExecution(key: KeyPrincipal, report: ExecutionReport): Promise<ExecutionState & { readonly intentId: IntentId }>
}

export interface VerifyRequest {
  readonly token: string
  readonly action: string
  readonly params: JsonObject
  readonly audience: string
}

export interface RedeemRequest {
  readonly token: string
  /** 128 random bits per attempt, made by the verifier library. */
  readonly redemptionId: string
  readonly action: string
  readonly paramsDigest: Digest
  readonly audience: string
  /** Accepts `replayed: true` of an idempotent intent. @default false */
  readonly idempotent?: boolean | undefined
}

export interface ExecutionReport {
  readonly permitId: PermitId
  readonly status: FinalStatus
  readonly result?: Json | undefined
}
