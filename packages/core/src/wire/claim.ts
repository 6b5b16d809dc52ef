/**
 * Claims and reports on the wire.
 *
 * @module
 */
import type { Claim, FinalOutcome, Outcome } from '../gate.js'
import type { Json, JsonObject } from '../json.js'
import type { Attempt } from '../state.js'
import { epoch, instant } from './instant.js'

export interface WireAttempt {
  execution_id: string
  attempt_id: string
  continues: number
}
export type WireClaim =
  | { type: 'granted'; permit_token: string; parameters: JsonObject }
  | { type: 'running'; since: string; deadline: string }
  | { type: 'recorded'; outcome: { status: 'succeeded' | 'failed'; result_recorded: boolean; result?: unknown } }
  | { type: 'unknown' }
  | { type: 'closed'; reason: string }

export function attemptToWire({ executionId, attemptId, continues = 0 }: Attempt): WireAttempt {
  return { execution_id: executionId, attempt_id: attemptId, continues }
}

export function claimToWire(claim: Claim): WireClaim {
  switch (claim.type) {
    case 'granted':
      return { type: 'granted', permit_token: claim.permit, parameters: claim.params }
    case 'running':
      return { type: 'running', since: instant(claim.since), deadline: instant(claim.deadline) }
    case 'recorded':
      return { type: 'recorded', outcome: outcomeToWire(claim.outcome) }
    case 'unknown':
      return { type: 'unknown' }
    case 'closed':
      return { type: 'closed', reason: claim.reason }
  }
}

/** @throws TypeError for an answer of another type: only an explicit grant executes */
export function claimFromWire(wire: WireClaim): Claim {
  switch (wire.type) {
    case 'granted':
      return { type: 'granted', permit: wire.permit_token, params: wire.parameters }
    case 'running':
      return { type: 'running', since: epoch(wire.since), deadline: epoch(wire.deadline) }
    case 'recorded': {
      const { status, result_recorded: resultRecorded } = wire.outcome
      if (status === 'failed') return { type: 'recorded', outcome: { status } }
      const recorded = resultRecorded ? { result: wire.outcome.result as Json } : {}
      return { type: 'recorded', outcome: { status, resultRecorded, ...recorded } }
    }
    case 'unknown':
      return { type: 'unknown' }
    case 'closed':
      return { type: 'closed', reason: wire.reason as Extract<Claim, { type: 'closed' }>['reason'] }
  }
  throw new TypeError('the answer to the claim is of no known type')
}

function outcomeToWire(outcome: FinalOutcome): Extract<WireClaim, { type: 'recorded' }>['outcome'] {
  if (outcome.status === 'failed') return { status: outcome.status, result_recorded: false }
  const { status, resultRecorded, result } = outcome
  return { status, result_recorded: resultRecorded, ...(resultRecorded && { result }) }
}

/** Body of a report. */
export function reportToWire({ executionId, attemptId }: Attempt, outcome: Outcome): JsonObject {
  const result = outcome.status === 'succeeded' && outcome.result !== undefined ? { result: outcome.result } : {}
  return { execution_id: executionId, attempt_id: attemptId, status: outcome.status, ...result }
}
