/**
 * Refusals as a model reads them: one text per code, the same in all adapters. Inside a tool a refusal is a result and
 * not a throw, because frameworks append advice to retry to the errors of tools.
 *
 * @module
 */
import { type ErrorCode, isSilentAuthError, type SilentAuthError } from './errors.js'
import type { Begun, Look, Refusal } from './gate.js'

const MARK = Symbol.for('silentauth.refusal')

/** What a gated tool gives back instead of its own result. */
export interface GateRefusal {
  readonly code: ErrorCode
  readonly text: string
  readonly intentId: string | undefined
}

/** Anything that kept a tool from running. */
export type NotExecuted =
  | Refusal
  | SilentAuthError
  | Exclude<Begun, { type: 'begun' }>
  | Extract<Look, { type: 'pending' }>

export function gateRefusal(refusal: NotExecuted): GateRefusal {
  const code = refusalCode(refusal)
  const intentId = isSilentAuthError(refusal) ? refusal.intentId : refusal.intent?.id
  return Object.defineProperty({ code, text: refusalText(refusal), intentId }, MARK, { value: true })
}

/** Recognises the refusals of every loaded copy of this package. */
export function isGateRefusal(value: unknown): value is GateRefusal {
  return typeof value === 'object' && value !== null && MARK in value
}

/** The text for the model: what happened, who said so, whether it may have run, and not to retry. */
export function refusalText(refusal: NotExecuted): string {
  const intent = isSilentAuthError(refusal) ? undefined : refusal.intent
  const action = intent ? `\`${intent.action}\`` : 'this call'
  const comment = intent?.resolution?.comment ? ` They said: ${JSON.stringify(intent.resolution.comment)}.` : ''
  const id = intent ? ` (${intent.id})` : ''
  const failed = !isSilentAuthError(refusal) && refusal.type === 'recorded' && refusal.outcome.status === 'failed'
  const earlier = intent?.resolution?.earlierIntent
  const said = failed
    ? `Not executed again: ${action} ran before under this approval, and failed. ${DO_NOT_RETRY}`
    : earlier
      ? `Not executed: a person denied ${action} with the same arguments shortly before (${earlier}), and that still holds. An approver can lift it on the review page of this request. ${DO_NOT_RETRY}`
      : sentence(refusalCode(refusal), action, comment)
  return `${said}${id}`
}

export function refusalCode(refusal: NotExecuted): ErrorCode {
  if (isSilentAuthError(refusal)) return refusal.code
  switch (refusal.type) {
    case 'refused':
      return refusal.code
    case 'pending':
      return 'NOT_APPROVED'
    case 'running':
      return 'EXECUTION_RUNNING'
    case 'unknown':
      return 'EXECUTION_UNKNOWN'
    case 'recorded':
      return 'ALREADY_EXECUTED'
  }
}

const DO_NOT_RETRY = 'Do not retry this call unless the user explicitly asks for it.'

function sentence(code: ErrorCode, action: string, comment: string): string {
  if (code.startsWith('PERMIT_')) {
    return `Not executed: the approval of ${action} could not be verified (${code}). ${DO_NOT_RETRY}`
  }
  switch (code) {
    case 'INTENT_DENIED':
      return `Not executed: ${action} was denied.${comment} ${DO_NOT_RETRY}`
    case 'CHANGES_REQUESTED':
      return `Not executed: a reviewer asked for changes to ${action}.${comment} You may call it again with changed arguments; it will be reviewed anew.`
    case 'INTENT_EXPIRED':
    case 'WAIT_TIMEOUT':
      return `Not executed: nobody decided on ${action} in time. ${DO_NOT_RETRY}`
    case 'INTENT_CANCELLED':
    case 'INTENT_SUPERSEDED':
      return `Not executed: the request for ${action} was cancelled. ${DO_NOT_RETRY}`
    case 'NOT_APPROVED':
      return `Not executed yet: ${action} waits for a person's approval. Do not call it again; the result follows.`
    case 'EXECUTION_RUNNING':
      return `Not executed by this call: another process executes ${action} right now. ${DO_NOT_RETRY}`
    case 'EXECUTION_UNKNOWN':
      return `It may have run: ${action} began earlier and its outcome is unknown. A person must check. ${DO_NOT_RETRY}`
    case 'ALREADY_EXECUTED':
      return `Not executed again: ${action} was executed before under this approval, and its result was not recorded. ${DO_NOT_RETRY}`
    case 'RESULT_UNREADABLE':
      return `Not executed again: ${action} was executed before under this approval, and what was recorded of its result cannot be read. ${DO_NOT_RETRY}`
    case 'GATE_UNAVAILABLE':
      return `Not executed: the approval gate cannot be reached, and ${action} needs it. ${DO_NOT_RETRY}`
    case 'IDEMPOTENCY_MISMATCH':
      return `Not executed: the arguments of ${action} are not the ones that were submitted for approval. ${DO_NOT_RETRY}`
    case 'AGENT_PAUSED':
    case 'AGENT_REVOKED':
      return `Not executed: ${action} was refused, because an operator stopped this agent. ${DO_NOT_RETRY}`
    case 'TIME_RESTRICTED':
      return `Not executed: policy blocks ${action} at this time. ${DO_NOT_RETRY}`
    default:
      return `Not executed: ${action} was refused (${code}). ${DO_NOT_RETRY}`
  }
}
