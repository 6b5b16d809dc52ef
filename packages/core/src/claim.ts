/**
 * A claim begins or continues the one execution of an approved intent (E1 to E3, E6 to E8, E11 to E13). It is granted to
 * one attempt at a time; everybody else is told why not.
 *
 * @module
 */
import { SilentAuthError } from './errors.js'
import { becomeUnknown, close, isHolder } from './execution.js'
import type { PermitId } from './id.js'
import type { Verdict } from './intent.js'
import type { EpochMs } from './json.js'
import {
  type Attempt,
  type ClaimAnswer,
  type ClosedReason,
  event,
  mint,
  type PermitRecord,
  refused,
  requireRunningAgent,
  revokeAll,
  type Sequencing,
  type State,
  type Transition,
  unchanged,
  unminted,
  waitingPermit,
  waitsForItsLeaf,
} from './state.js'
import { type Bench, satisfies, unseenByAll } from './vote.js'

/** E8: how policy and people stand now. */
export interface Judgement {
  readonly bench: Bench
  readonly verdict: Verdict
  /** Blocked at this time of day or week, by the pinned or the current policy. */
  readonly timeRestricted: boolean
  /** The shorter of the pinned and the current one. */
  readonly ttlSeconds: number
}

export interface ClaimCommand {
  readonly type: 'claim'
  readonly attempt: Attempt
  readonly judgement: Judgement
  readonly permitId: PermitId
  /** `deferred`: leaves are sequenced after the commit, so high and critical permits wait for that (P6). */
  readonly sequencing: Sequencing
}
export interface SequencedCommand {
  readonly type: 'sequenced'
}

/**
 * Of one intent (E13): each run leaves a revoked permit, and an agent that runs without end would fill the revocation lists of its
 * whole project, without which every verifier refuses every permit.
 */
export const MAX_RUNS_AGAIN = 20

/** E1 to E3, E6 to E8, E11 to E13; the state is looked at before the attempt (E20). */
export function claimExecution(state: State, command: ClaimCommand, now: EpochMs): Transition {
  if (state.status === 'expired') throw refused(state, 'INTENT_EXPIRED', 'it expired before anybody decided')
  if (state.status !== 'approved') throw refused(state, 'NOT_APPROVED', `it is ${state.status}`)
  const { execution, declaration } = state
  if (declaration.delivery === 'token') {
    throw refused(state, 'NOT_CLAIMABLE', 'its permit was delivered with the approval')
  }
  switch (execution.state) {
    case 'delivered':
      throw new TypeError('only a token delivery is delivered')
    case 'succeeded':
      return answer(state, { type: 'recorded', status: execution.state })
    case 'failed':
      return mayRunAgain(state, command, now)
        ? runAgain(state, command, now)
        : answer(state, { type: 'recorded', status: execution.state })
    case 'unknown':
      if (mayRunAgain(state, command, now)) return runAgain(state, command, now)
      // E7: its continuation came after the window; E12 is for the rest.
      return answer(state, execution.closed === 'window' ? { type: 'closed', reason: 'window' } : { type: 'unknown' })
    case 'abandoned':
      return answer(state, { type: 'closed', reason: execution.closed ?? 'abandoned' })
    case 'started':
      return isHolder(state, command.attempt) ? repeatGrant(state, command, now) : running(state, now)
    case 'suspended':
      return continueExecution(state, command, now)
    case 'none':
      return begin(state, command, now)
  }
}

/** E1. */
function begin(state: State, command: ClaimCommand, now: EpochMs): Transition {
  requireGrantable(state, command.judgement)
  if (!satisfiesPolicy(state, command.judgement)) {
    const closed = close(state, 'abandoned', now)
    return { ...closed, refusal: refused(state, 'POLICY_CHANGED', 'the policy no longer approves it') }
  }
  return grant(state, command, now)
}

/** E2: the same stored permit again, never a fresh one. */
function repeatGrant(state: State, { judgement }: ClaimCommand, now: EpochMs): Transition {
  const permit = state.permits.at(-1)
  if (!permit) throw new TypeError('a started execution has a permit')
  if (permit.exp === undefined && permit.revokedAt === undefined) throw notSequenced(state)
  const spent =
    permit.revokedAt !== undefined ||
    now >= (permit.exp as number) * 1000 ||
    state.redemptions.some(({ permitId }) => permitId === permit.id)
  if (spent) return answer(state, { type: 'closed', reason: 'permit_spent' })
  requireGrantable(state, judgement)
  if (!satisfiesPolicy(state, judgement)) throw refused(state, 'POLICY_CHANGED', 'the policy no longer approves it')
  return answer(state, { type: 'granted', permit })
}

/** E3. */
function running(state: State, now: EpochMs): Transition {
  const { execution, declaration } = state
  const since = execution.startedAt ?? now
  const deadline = execution.deadline ?? now + declaration.executionDeadlineSeconds * 1000
  return answer(state, { type: 'running', since, deadline })
}

/** E6, E7. */
function continueExecution(state: State, command: ClaimCommand, now: EpochMs): Transition {
  const { execution, declaration } = state
  const { attempt } = command
  const closed = (reason: ClosedReason) => answer(state, { type: 'closed', reason })
  if (!declaration.reenters) return closed('not_reentrant')
  if (execution.withdrawnAt !== undefined) return closed('abandoned')
  if (state.redemptions.length > 0) return closed('permit_spent')
  const seen = attempt.continues ?? 0
  const same = execution.holder?.executionId === attempt.executionId
  const fresh = execution.holder?.attemptId !== attempt.attemptId
  if (!same || !fresh || seen !== execution.continuations) return closed('suspended_elsewhere')
  requireGrantable(state, command.judgement)
  if (!satisfiesPolicy(state, command.judgement)) {
    const unknown = becomeUnknown(state, now)
    return { ...unknown, refusal: refused(state, 'POLICY_CHANGED', 'the policy no longer approves its continuation') }
  }
  return grant(state, command, now)
}

/** E13. */
function mayRunAgain(state: State, { attempt }: ClaimCommand, now: EpochMs): boolean {
  const { execution, declaration, useUntil } = state
  return (
    declaration.idempotent &&
    execution.withdrawnAt === undefined &&
    execution.holder?.executionId === attempt.executionId &&
    now < (useUntil ?? 0) &&
    runsOf(execution) <= MAX_RUNS_AGAIN
  )
}

/** Grants that were no continuation. */
function runsOf({ grants = 1, continuations }: State['execution']): number {
  return grants - continuations
}

function runAgain(state: State, command: ClaimCommand, now: EpochMs): Transition {
  requireGrantable(state, command.judgement)
  if (!satisfiesPolicy(state, command.judgement)) {
    throw refused(state, 'POLICY_CHANGED', 'the policy no longer approves another run')
  }
  return grant(state, command, now)
}

/** A new permit and a new deadline; both begin at sequencing where that is deferred (P6). */
function grant(state: State, command: ClaimCommand, now: EpochMs): Transition {
  const { declaration, execution } = state
  const useUntil = state.useUntil ?? now
  const waits = waitsForItsLeaf(declaration, command.sequencing)
  const minted = mint(command.permitId, command.judgement.ttlSeconds, useUntil, now)
  const permit: PermitRecord = waits ? unminted(minted) : minted
  const next: State = {
    ...state,
    permits: [...revokeAll(state.permits, now), permit],
    execution: {
      ...execution,
      state: 'started',
      holder: command.attempt,
      grants: (execution.grants ?? 0) + 1,
      startedAt: now,
      deadline: waits ? undefined : now + declaration.executionDeadlineSeconds * 1000,
      // Of an earlier run, which the log has: what comes now is about this one.
      reportedBy: undefined,
      reports: undefined,
      result: undefined,
    },
  }
  const granted: Transition = {
    state: next,
    events: [
      event(state, 'execution.started', { continuations: execution.continuations, grants: next.execution.grants ?? 1 }),
      event(state, 'permit.issued', { permit_id: permit.id }),
    ],
    permits: [permit],
  }
  return waits ? { ...granted, refusal: notSequenced(state) } : { ...granted, claim: { type: 'granted', permit } }
}

/** P6: the leaf that issued the permit has its place in the log; permit and deadline begin now. */
export function sequencedExecution(state: State, now: EpochMs): Transition {
  const waiting = waitingPermit(state)
  if (!waiting) return unchanged(state)
  const permit = mint(waiting.id, waiting.ttlSeconds, state.useUntil ?? now, now)
  const deadline = now + state.declaration.executionDeadlineSeconds * 1000
  const { execution } = state
  return {
    state: {
      ...state,
      permits: [...state.permits.slice(0, -1), permit],
      execution: execution.state === 'started' ? { ...execution, startedAt: now, deadline } : execution,
    },
    events: [event(state, 'permit.sequenced', { permit_id: permit.id })],
    permits: [permit],
  }
}

/** E8, the part that changes nothing: kill switch and time of day. */
function requireGrantable(state: State, judgement: Judgement): void {
  requireRunningAgent(state, judgement.bench)
  if (judgement.timeRestricted) throw refused(state, 'TIME_RESTRICTED', 'the policy blocks this time')
}

/** E8: the votes satisfy every rule that holds now, or policy alone still approves. */
export function satisfiesPolicy(state: State, { bench, verdict }: Judgement): boolean {
  const { declaration, votes } = state
  if (verdict === 'auto_deny') return false
  if (declaration.verdict === 'auto_approve' && verdict === 'auto_approve') return true
  const enough = bench.rules.length > 0 && bench.rules.every((rule) => satisfies(declaration, votes, rule, bench))
  return enough && unseenByAll(declaration, votes, bench).length === 0
}

function answer(state: State, claim: ClaimAnswer): Transition {
  return { ...unchanged(state), claim }
}

function notSequenced(state: State): SilentAuthError {
  const intentId = state.declaration.id
  return new SilentAuthError('NOT_SEQUENCED', `${intentId}: its leaf is being sequenced`, {
    intentId,
    retryAfterSeconds: 1,
  })
}
