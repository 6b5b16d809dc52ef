/**
 * A created intent: what `createIntent` asked for and what became of it, with the wait for its permit.
 *
 * @module
 */
import {
  type ErrorCode,
  type Intent,
  type IntentDraft,
  type IntentId,
  type IntentStatus,
  isSettled,
  type JsonObject,
  type Resolution,
  type RiskTier,
  type SettledIntent,
  SilentAuthError,
  type SourceType,
  type Verdict,
} from '@silentauth/core'
import { type IssuedPermit, issuedPermit } from './issued-permit.js'
import { type BothSpellings, bothSpellings, type EitherSpelling, inCamelCase, type Snake } from './spelling.js'

/** What may be asked for. Each member can be spelled in snake_case too, and `params` as `parameters`. */
export interface IntentMembers {
  /** `^[a-z][a-z0-9_.:-]{0,127}$`, snake_case by convention. */
  readonly action: string
  /** Strict JSON. */
  readonly params: JsonObject
  /** Group names or e-mails; they only narrow whom policy allows. */
  readonly approvers?: readonly string[] | undefined
  /** Seconds. @default the policy's, else 3600 */
  readonly expiresIn?: number | undefined
  /** Shown to approvers as claimed by the agent. Reserved: reasoning, impact, model, run, thread. */
  readonly context?: JsonObject | undefined
  readonly metadata?: JsonObject | undefined
  /** @default 'medium' */
  readonly riskTier?: RiskTier | undefined
  /** @default that of the client */
  readonly source?: string | undefined
  /** @default that of the client, else 'ai_agent' */
  readonly sourceType?: SourceType | undefined
  readonly requestedBy?: string | undefined
  readonly idempotencyKey?: string | undefined
  readonly supersedes?: IntentId | undefined
}
export type IntentRequest =
  | EitherSpelling<IntentMembers>
  | (Omit<Snake<IntentMembers>, 'params'> & { readonly parameters: JsonObject })

interface CreatedMembers {
  readonly id: IntentId
  /** As it was when the gate answered. */
  readonly status: IntentStatus
  /** Policy's verdict; it never changes. */
  readonly decision: Verdict
  readonly action: string
  readonly params: JsonObject
  readonly riskTier: RiskTier
  readonly approvers: readonly string[]
  /** The page on which a person decides. */
  readonly approvalUrl: string
  /** RFC 3339. */
  readonly createdAt: string
  /** RFC 3339. Only while pending. */
  readonly expiresAt: string
  readonly resolution: Resolution | undefined
  /** When a policy approved it. */
  readonly permit: IssuedPermit | undefined
}

export interface ApprovalOptions {
  /** Milliseconds. @default until the intent expires */
  readonly timeout?: number | undefined
  readonly signal?: AbortSignal | undefined
}

export type CreatedIntent = BothSpellings<CreatedMembers> & {
  /** `params`, as the wire spells it. */
  readonly parameters: JsonObject
  /**
   * @throws SilentAuthError `INTENT_DENIED`, `INTENT_EXPIRED`, `INTENT_CANCELLED`, `INTENT_SUPERSEDED`, `CHANGES_REQUESTED`, each
   * with its resolution as cause; `PERMIT_EXPIRED` when the approval was found too late (declare anew); `WAIT_TIMEOUT`; every
   * `PERMIT_*` when the permit does not verify; the signal's reason
   */
  waitForApproval(options?: ApprovalOptions): Promise<IssuedPermit>
}

const NAMES = [
  'action',
  'params',
  'approvers',
  'expiresIn',
  'context',
  'metadata',
  'riskTier',
  'source',
  'sourceType',
  'requestedBy',
  'idempotencyKey',
  'supersedes',
] as const satisfies readonly (keyof IntentMembers)[]

/** The draft of a request. Its permit is delivered by token. @throws TypeError for unknown members, and for two spellings of one */
export function draftOf(request: IntentRequest): IntentDraft {
  const { expiresIn, ...members } = inCamelCase<IntentMembers>(request as EitherSpelling<IntentMembers>, NAMES, {
    parameters: 'params',
  })
  return { ...members, expiresInSeconds: expiresIn, delivery: 'token' }
}

export function createdIntent(
  intent: Intent,
  permit: IssuedPermit | undefined,
  waitForApproval: CreatedIntent['waitForApproval'],
): CreatedIntent {
  const members: CreatedMembers = {
    id: intent.id,
    status: intent.status,
    decision: intent.decision,
    action: intent.action,
    params: intent.params,
    riskTier: intent.riskTier,
    approvers: intent.approvers,
    approvalUrl: intent.approvalUrl,
    createdAt: new Date(intent.createdAt).toISOString(),
    expiresAt: new Date(intent.expiresAt).toISOString(),
    resolution: intent.resolution,
    permit,
  }
  return Object.defineProperties(bothSpellings(members), {
    parameters: { value: intent.params },
    waitForApproval: { value: waitForApproval },
    wait_for_approval: { value: waitForApproval },
  }) as CreatedIntent
}

/** The permit of an approved intent. @throws SilentAuthError as `waitForApproval` does */
export function permitOf(intent: SettledIntent): IssuedPermit {
  if (intent.status !== 'approved') throw notApproved(intent, CODES[intent.status])
  if (intent.permitToken === undefined) throw notApproved(intent, 'PERMIT_EXPIRED')
  return issuedPermit(intent, intent.permitToken)
}

/** The permit that came with a new intent. */
export function firstPermit(intent: Intent): IssuedPermit | undefined {
  return isSettled(intent) && intent.status === 'approved' && intent.permitToken !== undefined
    ? issuedPermit(intent, intent.permitToken)
    : undefined
}

const CODES = {
  denied: 'INTENT_DENIED',
  expired: 'INTENT_EXPIRED',
  cancelled: 'INTENT_CANCELLED',
  superseded: 'INTENT_SUPERSEDED',
  changes_requested: 'CHANGES_REQUESTED',
} as const satisfies Record<Exclude<SettledIntent['status'], 'approved'>, ErrorCode>

function notApproved({ id, status, resolution }: SettledIntent, code: ErrorCode): SilentAuthError {
  const reason = status === 'approved' ? 'was approved, and its permit is over, used or withheld' : `is ${status}`
  return new SilentAuthError(code, `${id}: ${reason}`, { intentId: id, cause: resolution })
}
