/**
 * Errors: one class, one table of codes. The code is contract and documentation; the message names ids and fields,
 * never a parameter value, a token or a key; the hint says what to do next.
 *
 * @module
 */
import type { IntentId } from './id.js'
import type { EpochMs } from './json.js'

/** Every code with its HTTP status; `null`: made on the client side, never sent by a gate. */
export const ERROR_STATUS = {
  MISSING_FIELDS: 400,
  INVALID_FIELD: 400,
  PARAMS_NOT_CANONICAL: 400,
  UNKNOWN_APPROVER: 400,
  EDITS_NOT_ACCEPTED: 400,
  UNAUTHORIZED: 401,
  PERMIT_MISSING: 401,
  FORBIDDEN: 403,
  AGENT_PAUSED: 403,
  AGENT_REVOKED: 403,
  SOURCE_MISMATCH: 403,
  SELF_APPROVAL: 403,
  NOT_AN_APPROVER: 403,
  CONFIRMATION_REQUIRED: 403,
  ASSURANCE_REQUIRED: 403,
  TIME_RESTRICTED: 403,
  NOT_FOUND: 404,
  ALREADY_RESOLVED: 409,
  ALREADY_VOTED: 409,
  ALREADY_REDEEMED: 409,
  STALE_VIEW: 409,
  NOT_APPROVED: 409,
  NOT_CLAIMABLE: 409,
  POLICY_CHANGED: 409,
  IN_FLIGHT: 409,
  INTENT_EXPIRED: 410,
  TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  IDEMPOTENCY_MISMATCH: 422,
  RATE_LIMITED: 429,
  DB_ERROR: 500,
  RESULT_UNREADABLE: 500,
  AUDIT_UNAVAILABLE: 503,
  LOG_REWRITTEN: 503,
  TOO_MANY_WAITERS: 503,
  NOT_SEQUENCED: 503,
  INTENT_DENIED: null,
  INTENT_CANCELLED: null,
  INTENT_SUPERSEDED: null,
  CHANGES_REQUESTED: null,
  WAIT_TIMEOUT: null,
  GATE_UNAVAILABLE: null,
  EXECUTION_RUNNING: null,
  EXECUTION_UNKNOWN: null,
  ALREADY_EXECUTED: null,
  KEY_REJECTED: null,
  PERMIT_MALFORMED: 403,
  PERMIT_TOO_LARGE: 403,
  PERMIT_ENCODING: 403,
  PERMIT_HEADER: 403,
  PERMIT_TYP: 403,
  PERMIT_ALG: 403,
  PERMIT_KID: 403,
  PERMIT_KID_UNKNOWN: 403,
  PERMIT_SIGNATURE: 403,
  PERMIT_NONCANONICAL: 403,
  PERMIT_CLAIMS: 403,
  PERMIT_ISSUER: 403,
  PERMIT_AUDIENCE: 403,
  PERMIT_PROJECT: 403,
  PERMIT_LIFETIME: 403,
  PERMIT_NOT_YET_VALID: 403,
  PERMIT_EXPIRED: 403,
  PERMIT_ACTION: 403,
  PERMIT_PARAMS: 403,
  PERMIT_APPROVALS: 403,
  PERMIT_POP: 403,
  PERMIT_REVOKED: 403,
  PERMIT_REPLAYED: 403,
} as const

export type ErrorCode = keyof typeof ERROR_STATUS

/** What to do next, per code. Shown in every answer, in the CLI, and generated into docs/errors.md. */
export const ERROR_HINT: Readonly<Record<ErrorCode, string>> = {
  MISSING_FIELDS: 'Send the fields that the message names.',
  INVALID_FIELD: 'Correct the field that the message names; the HTTP page of the docs has every field.',
  PARAMS_NOT_CANONICAL:
    'Send plain JSON: no NaN, no integer beyond 2^53-1 (send it as a text), no key that needs escaping.',
  UNKNOWN_APPROVER: 'Name groups or e-mails of this project that the policy allows.',
  EDITS_NOT_ACCEPTED: 'This intent takes no edits: request changes instead, and the agent may ask again.',
  UNAUTHORIZED: 'Send a valid credential: `Authorization: Bearer sk_…` for agents, a fresh sign-in for people.',
  PERMIT_MISSING:
    'Call with a permit: `Silentauth-Permit: <token>`; inside a gated tool use `currentPermit().headers()`.',
  FORBIDDEN: 'This credential is of the wrong kind for this route, or lacks the role. Use the other kind.',
  AGENT_PAUSED: 'The agent is paused. Ask its owner to resume it; nothing was executed.',
  AGENT_REVOKED: 'The agent is revoked for good. Register a new one.',
  SOURCE_MISMATCH: 'The key is bound to another agent: send that agent as `source`, or use its own key.',
  SELF_APPROVAL:
    'Somebody else must vote: neither the requester, the owner of the agent, nor the creator of the key may.',
  NOT_AN_APPROVER: 'Ask one of the approvers that the review page lists.',
  CONFIRMATION_REQUIRED:
    'Type the action and the last four characters of the params digest, as the review page shows them.',
  ASSURANCE_REQUIRED: 'The policy asks for a stronger sign-in or channel for this vote.',
  TIME_RESTRICTED: 'The policy blocks this time of day or week. Try again when the window opens.',
  NOT_FOUND: 'Check the id, and that the credential belongs to the same project.',
  ALREADY_RESOLVED: 'The intent is settled and will not change. Declare a new one to ask again.',
  ALREADY_VOTED: 'One vote per person, and it is final.',
  ALREADY_REDEEMED: 'The approval was used. Each execution needs an approval of its own.',
  STALE_VIEW: 'What was rendered is not what the gate holds: reload the review and look again.',
  NOT_APPROVED: 'Wait for the decision; only an approved intent can be claimed.',
  NOT_CLAIMABLE: 'The approval can no longer begin an execution. Declare a new intent.',
  POLICY_CHANGED:
    'The policy became stricter after the approval. Declare a new intent; it is judged by the current policy.',
  IN_FLIGHT: 'The execution has begun and cannot be taken back. Wait for its outcome.',
  INTENT_EXPIRED: 'Nobody decided in time. Declare a new intent, perhaps with a longer `expires_in`.',
  TOO_LARGE: 'Send less: params are at most 64 KB, a request body at most 256 KB.',
  UNSUPPORTED_MEDIA_TYPE: 'Send `content-type: application/json`.',
  IDEMPOTENCY_MISMATCH:
    'The same idempotency key came with other contents. A changed call needs a new key, and a new approval.',
  RATE_LIMITED: 'Slow down and repeat after `Retry-After`.',
  DB_ERROR: 'Nothing was changed. Repeat with back-off.',
  RESULT_UNREADABLE:
    'It was executed before and does not run again; what was recorded of its result was altered, or its key is another one. Tell the operator.',
  AUDIT_UNAVAILABLE: 'The audit log cannot be written, so nothing was changed. Repeat later, and tell the operator.',
  LOG_REWRITTEN:
    'The database is not what was signed before, so nothing is claimed or handed out. After a restore of an older backup: `silentauth restore --accept`. Else find out who wrote to it.',
  TOO_MANY_WAITERS: 'Nothing was changed. Repeat after `Retry-After`, or wait with fewer connections.',
  NOT_SEQUENCED: 'The claim stands; its log entry is being sequenced. Repeat the same claim after `Retry-After`.',
  INTENT_DENIED: 'An approver or a policy said no. Do not retry unless the user asks for it.',
  INTENT_CANCELLED: 'The intent was cancelled. Declare a new one if it is still wanted.',
  INTENT_SUPERSEDED: 'Another intent took its place: follow `superseded_by`.',
  CHANGES_REQUESTED: 'Change what the approver asked for and declare a new intent that names this one in `supersedes`.',
  WAIT_TIMEOUT: 'No decision within the time that the caller was willing to wait; the tool did not run.',
  GATE_UNAVAILABLE:
    'The gate cannot be reached or its permits cannot be verified here, so nothing runs. The message says which; check its URL, and that it is up.',
  EXECUTION_RUNNING: 'Another process executes this approval now. Wait for its outcome; do not execute.',
  EXECUTION_UNKNOWN:
    'It may have run: it began and never reported. A person reconciles it on the review page; do not retry.',
  ALREADY_EXECUTED:
    'This approval was executed before, and its result was not recorded or not asked for. Do not execute it again.',
  KEY_REJECTED: 'Use RSA of 2048 bits or more, P-256 or Ed25519, public members only, with `alg` and a unique `kid`.',
  PERMIT_MALFORMED: 'Pass the permit exactly as the gate gave it: a text of three segments.',
  PERMIT_TOO_LARGE: 'Permits are at most 8 KB; this is something else.',
  PERMIT_ENCODING: 'Pass the permit unchanged: no prefix, whitespace or padding.',
  PERMIT_HEADER: 'The header holds more or less than alg, kid, typ: not a permit of a gate.',
  PERMIT_TYP: 'This is another kind of token; a permit has `typ: permit+jwt`.',
  PERMIT_ALG: 'The algorithm is not the one pinned for this key.',
  PERMIT_KID: 'The header names no key.',
  PERMIT_KID_UNKNOWN: 'The key is not in the ring: check the issuer, or refresh the pinned keys after a rotation.',
  PERMIT_SIGNATURE: 'The permit was altered or signed by somebody else. Do not execute.',
  PERMIT_NONCANONICAL: 'The bytes are not canonical JSON: the permit was altered or made by something else.',
  PERMIT_CLAIMS: 'A claim is missing, of the wrong shape, or unknown to this version of the verifier.',
  PERMIT_ISSUER: 'The permit is of another gate than the one this verifier pins.',
  PERMIT_AUDIENCE: 'The permit is for another backend. Set the audience in the policy, or the one expected here.',
  PERMIT_PROJECT: 'The permit is of another project.',
  PERMIT_LIFETIME: 'The times in the permit make no sense, or it lives longer than allowed.',
  PERMIT_NOT_YET_VALID: 'The permit begins later. Check the clocks.',
  PERMIT_EXPIRED: 'The permit is over. Claim or declare again; check the clocks.',
  PERMIT_ACTION: 'The permit is for another action.',
  PERMIT_PARAMS:
    'The arguments are not the approved ones. Execute exactly what was approved, or ask for a new approval.',
  PERMIT_APPROVALS: 'The approvals in the permit do not satisfy what this backend demands.',
  PERMIT_POP: 'The permit is bound to a key: send a proof of possession.',
  PERMIT_REVOKED: 'The permit was revoked: reported, withdrawn, or its agent or key was stopped.',
  PERMIT_REPLAYED: 'This approval was used here before. Each execution needs an approval of its own.',
}

export interface ErrorDetails {
  cause?: unknown
  intentId?: IntentId
  /** Of the other runner, with `EXECUTION_RUNNING`. */
  deadline?: EpochMs
  /** With `RATE_LIMITED`, `NOT_SEQUENCED`, `TOO_MANY_WAITERS`. */
  retryAfterSeconds?: number
  /** The field or JSON pointer that the message is about. */
  field?: string
}

/** Registered, so that two copies of this package recognise each other's errors; `instanceof` would not. */
const MARK = Symbol.for('silentauth.error')

export class SilentAuthError extends Error {
  override readonly name = 'SilentAuthError'
  readonly code: ErrorCode
  readonly hint: string
  readonly intentId: IntentId | undefined
  readonly deadline: EpochMs | undefined
  readonly retryAfterSeconds: number | undefined
  readonly field: string | undefined

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(`${code}: ${message}`, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.hint = ERROR_HINT[code]
    this.intentId = details.intentId
    this.deadline = details.deadline
    this.retryAfterSeconds = details.retryAfterSeconds
    this.field = details.field
    Object.defineProperty(this, MARK, { value: true })
  }

  /** With its message, which JSON leaves out of errors, and without its cause, which may hold params. */
  toJSON(): Readonly<Record<string, unknown>> {
    return { ...(this as object), message: this.message }
  }
}

/** True for the errors of every loaded copy of this package. */
export function isSilentAuthError(error: unknown): error is SilentAuthError {
  return typeof error === 'object' && error !== null && MARK in error
}
