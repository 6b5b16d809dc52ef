/**
 * The one execution of an approved intent: claimed once, reported once, never retried in silence. These are the
 * transitions E1 to E23 that `lifecycle.ts` dispatches to; pure functions of state, command and now.
 *
 * @module
 */
import { SilentAuthError } from './errors.js'
import type { KeyId, PermitId } from './id.js'
import type { ExecutionState, Verdict } from './intent.js'
import type { EpochMs } from './json.js'
import type { Principal } from './registry.js'
import {
  type Attempt,
  type ClaimAnswer,
  type ClosedReason,
  event,
  type FinalStatus,
  mint,
  type PermitRecord,
  type Redemption,
  type ResultSummary,
  refused,
  requireRunningAgent,
  revokeAll,
  type State,
  type Transition,
  unchanged,
} from './state.js'
import { type Bench, canVote, satisfies } from './vote.js'

/** What a holder reports. The gate keeps status, digest and size of a result, never the result. */
export interface ReportedOutcome {
  readonly status: FinalStatus | 'suspended' | 'not_started'
  readonly result?: ResultSummary | undefined
}

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
  readonly sequencing: 'immediate' | 'deferred'
}
export interface SequencedCommand {
  readonly type: 'sequenced'
}
export interface ReportCommand {
  readonly type: 'report'
  readonly attempt: Attempt
  readonly outcome: ReportedOutcome
}
export interface RedeemCommand {
  readonly type: 'redeem'
  readonly redemptionId: string
  readonly permitId: PermitId
  readonly by: KeyId
  /** The verifier accepts an approval that was used before (E13). */
  readonly idempotent: boolean
  readonly bench: Pick<Bench, 'agent' | 'key'>
}
export interface LogExecutionCommand {
  readonly type: 'log_execution'
  readonly by: 'agent' | 'verifier'
  readonly status: FinalStatus
}
export interface WithdrawCommand {
  readonly type: 'withdraw'
  readonly by: Principal
  readonly reason: string
  readonly bench: Bench
}
export interface ReconcileCommand {
  readonly type: 'reconcile'
  readonly by: Principal
  readonly finding: Finding
  readonly bench: Bench
}
export interface Finding {
  readonly finding: 'happened' | 'did_not_happen'
  readonly comment?: string | undefined
}

export const MAX_CONTINUATIONS = 20
/** E17: after the last permit has expired everywhere, skew included. */
const RECONCILE_AFTER_SECONDS = 60

/** E4 and E16. */
export function executionClock(state: State, now: EpochMs): Transition {
  const { execution } = state
  const windowOver = now >= (state.useUntil ?? Number.POSITIVE_INFINITY)
  switch (execution.state) {
    case 'none':
      return windowOver ? close(state, 'window', now) : unchanged(state)
    case 'started':
      return now >= (execution.deadline ?? Number.POSITIVE_INFINITY) ? becomeUnknown(state, now) : unchanged(state)
    case 'suspended':
      return windowOver ? becomeUnknown(state, now) : unchanged(state)
    case 'succeeded':
    case 'failed':
    case 'unknown':
    case 'abandoned':
    case 'delivered':
      return unchanged(state)
  }
}

/** E1 to E3, E6 to E8, E11 to E13; the state is looked at before the attempt (E20). */
export function claimExecution(state: State, command: ClaimCommand, now: EpochMs): Transition {
  if (state.status === 'expired') throw refused(state, 'INTENT_EXPIRED', 'it expired before anybody decided')
  if (state.status !== 'approved') throw refused(state, 'NOT_APPROVED', `it is ${state.status}`)
  const { execution, declaration } = state
  switch (execution.state) {
    case 'delivered':
      throw refused(state, 'NOT_CLAIMABLE', 'its permit was delivered with the approval')
    case 'succeeded':
      return answer(state, { type: 'recorded', status: execution.state })
    case 'failed':
      if (declaration.delivery === 'token') throw refused(state, 'NOT_CLAIMABLE', 'its permit was delivered')
      return mayRunAgain(state, command, now)
        ? runAgain(state, command, now)
        : answer(state, { type: 'recorded', status: execution.state })
    case 'unknown':
      return mayRunAgain(state, command, now) ? runAgain(state, command, now) : answer(state, { type: 'unknown' })
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
    declaration.delivery === 'claim' &&
    execution.withdrawnAt === undefined &&
    execution.holder?.executionId === attempt.executionId &&
    now < (useUntil ?? 0)
  )
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
  const elevated = declaration.riskTier === 'high' || declaration.riskTier === 'critical'
  const waits = command.sequencing === 'deferred' && elevated
  const minted = mint(command.permitId, command.judgement.ttlSeconds, useUntil, now)
  const permit: PermitRecord = waits ? { ...minted, iat: undefined, exp: undefined } : minted
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
      reportedBy: undefined,
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

/** P6: the leaf of the claim has its place in the log; permit and deadline begin now. */
export function sequencedExecution(state: State, now: EpochMs): Transition {
  const waiting = state.permits.at(-1)
  if (state.execution.state !== 'started' || !waiting || waiting.iat !== undefined) return unchanged(state)
  const permit: PermitRecord = {
    ...mint(waiting.id, waiting.ttlSeconds, state.useUntil ?? now, now),
    revokedAt: waiting.revokedAt,
  }
  const deadline = now + state.declaration.executionDeadlineSeconds * 1000
  return {
    state: {
      ...state,
      permits: [...state.permits.slice(0, -1), permit],
      execution: { ...state.execution, startedAt: now, deadline },
    },
    events: [],
    permits: [permit],
  }
}

/** E5, E9, E10. A repeated report, after a lost answer, changes nothing. */
export function reportExecution(state: State, { attempt, outcome }: ReportCommand, now: EpochMs): Transition {
  if (state.status !== 'approved') throw refused(state, 'NOT_APPROVED', `it is ${state.status}`)
  if (!isHolder(state, attempt)) throw refused(state, 'FORBIDDEN', 'only the attempt that was granted may report')
  switch (outcome.status) {
    case 'succeeded':
    case 'failed':
      return reportFinal(state, { status: outcome.status, result: outcome.result }, now)
    case 'suspended':
      return reportSuspended(state, now)
    case 'not_started':
      return reportNotStarted(state, now)
  }
}

function reportFinal(
  state: State,
  outcome: { readonly status: FinalStatus; readonly result?: ResultSummary | undefined },
  now: EpochMs,
): Transition {
  const { execution } = state
  const said = execution.reports?.agent
  const rerun = execution.state === 'started'
  if (!rerun && said === outcome.status) return unchanged(state)
  switch (execution.state) {
    case 'started':
    case 'unknown':
      return finish(state, 'agent', outcome, now)
    case 'succeeded':
    case 'failed':
      if (said !== undefined) throw refused(state, 'ALREADY_RESOLVED', `it was reported ${execution.state}`)
      return finish(state, 'agent', outcome, now)
    case 'none':
    case 'suspended':
    case 'abandoned':
    case 'delivered':
      throw refused(state, 'NOT_CLAIMABLE', `its execution is ${execution.state}`)
  }
}

/**
 * E9, E17, E19: keeps every report, and lets the verifier's outrank the person's, and the person's the agent's.
 * Who contradicts an earlier report makes it disputed.
 */
function finish(
  state: State,
  by: 'agent' | 'verifier' | 'person',
  outcome: { readonly status: FinalStatus; readonly result?: ResultSummary | undefined },
  now: EpochMs,
): Transition {
  const { execution } = state
  const reports = { ...(execution.state === 'started' ? {} : execution.reports), [by]: outcome.status }
  const outranks = by === 'verifier' ? 'verifier' : reports.verifier ? 'verifier' : reports.person ? 'person' : by
  const status = reports[outranks] ?? outcome.status
  const contradicts =
    new Set(Object.values(reports)).size > 1 ||
    (by === 'verifier' && ['abandoned', 'suspended'].includes(execution.state))
  const events = [event(state, 'execution.reported', { by, status: outcome.status })]
  if (contradicts && !execution.disputed) events.push(event(state, 'execution.disputed', { by }))
  return {
    state: {
      ...state,
      permits: revokeAll(state.permits, now),
      execution: {
        ...execution,
        state: status,
        reportedBy: outranks,
        reports,
        disputed: execution.disputed || contradicts,
        result: outcome.result ?? execution.result,
      },
    },
    events,
    permits: [],
  }
}

/** E5. */
function reportSuspended(state: State, now: EpochMs): Transition {
  const { execution, declaration } = state
  if (execution.state === 'suspended') return unchanged(state)
  if (!declaration.reenters) {
    throw refused(state, 'INVALID_FIELD', 'a tool that suspends is declared with reenters', 'reenters')
  }
  if (execution.state !== 'started') throw refused(state, 'NOT_CLAIMABLE', `its execution is ${execution.state}`)
  if (execution.continuations >= MAX_CONTINUATIONS) {
    throw refused(state, 'NOT_CLAIMABLE', `it was suspended ${MAX_CONTINUATIONS} times`)
  }
  return {
    state: {
      ...state,
      permits: revokeAll(state.permits, now),
      execution: {
        ...execution,
        state: 'suspended',
        continuations: execution.continuations + 1,
        deadline: undefined,
      },
    },
    events: [event(state, 'execution.suspended', { continuations: execution.continuations + 1 })],
    permits: [],
  }
}

/** E10. Where an earlier grant entered the tool, "not started" is only true of this one: a person must look. */
function reportNotStarted(state: State, now: EpochMs): Transition {
  const { execution } = state
  if (execution.state === 'abandoned') return unchanged(state)
  if (execution.state !== 'started') throw refused(state, 'NOT_CLAIMABLE', `its execution is ${execution.state}`)
  if (state.redemptions.length > 0) throw refused(state, 'ALREADY_REDEEMED', 'a backend has used the approval')
  return (execution.grants ?? 1) > 1 ? becomeUnknown(state, now) : close(state, 'abandoned', now)
}

/** E14, for an approved intent. */
export function cancelExecution(state: State, now: EpochMs): Transition {
  switch (state.execution.state) {
    case 'none':
      return close(state, 'abandoned', now)
    case 'started':
    case 'unknown':
      throw refused(state, 'IN_FLIGHT', `its execution is ${state.execution.state}`)
    case 'suspended':
      return becomeUnknown(state, now)
    case 'delivered':
      return {
        state: { ...state, permits: revokeAll(state.permits, now) },
        events: [event(state, 'permit.revoked', { permit_id: state.permits.at(-1)?.id ?? null })],
        permits: [],
      }
    case 'succeeded':
    case 'failed':
    case 'abandoned':
      throw refused(state, 'ALREADY_RESOLVED', `its execution is ${state.execution.state}`)
  }
}

/** E15. */
export function withdrawApproval(state: State, { by, reason, bench }: WithdrawCommand, now: EpochMs): Transition {
  requireOverseer(state, by, bench)
  if (state.status !== 'approved') throw refused(state, 'NOT_APPROVED', `it is ${state.status}`)
  const withdrawn = event(state, 'intent.withdrawn', { by: `user:${by.id}`, reason: reason.length > 0 })
  switch (state.execution.state) {
    case 'none': {
      const closed = close(state, 'abandoned', now)
      return { ...closed, events: [withdrawn, ...closed.events] }
    }
    case 'started':
    case 'suspended':
    case 'unknown':
    case 'delivered':
      return {
        state: {
          ...state,
          permits: revokeAll(state.permits, now),
          execution: { ...state.execution, withdrawnAt: state.execution.withdrawnAt ?? now },
        },
        events: [withdrawn],
        permits: [],
      }
    case 'succeeded':
    case 'failed':
    case 'abandoned':
      throw refused(state, 'ALREADY_RESOLVED', `its execution is ${state.execution.state}`)
  }
}

/** E17. */
export function reconcileExecution(state: State, { by, finding, bench }: ReconcileCommand, now: EpochMs): Transition {
  requireOverseer(state, by, bench)
  if (state.status !== 'approved') throw refused(state, 'NOT_APPROVED', `it is ${state.status}`)
  switch (state.execution.state) {
    case 'none':
    case 'started':
    case 'suspended':
    case 'delivered':
      throw refused(state, 'IN_FLIGHT', `its execution is ${state.execution.state}`)
    case 'succeeded':
    case 'failed':
    case 'abandoned':
      throw refused(state, 'ALREADY_RESOLVED', `its execution is ${state.execution.state}`)
    case 'unknown': {
      const exp = Math.max(0, ...state.permits.map((permit) => permit.exp ?? 0))
      if (now < (exp + RECONCILE_AFTER_SECONDS) * 1000) {
        throw refused(state, 'IN_FLIGHT', 'its permit may still be used: wait a minute after it expired')
      }
      const status: FinalStatus = finding.finding === 'happened' ? 'succeeded' : 'failed'
      const done = finish(state, 'person', { status }, now)
      const found = event(state, 'execution.reconciled', { by: `user:${by.id}`, finding: finding.finding })
      return { ...done, events: [found, ...done.events] }
    }
  }
}

/** E18: marked once per intent, whichever permit of it is shown. */
export function redeemApproval(state: State, command: RedeemCommand, now: EpochMs): Transition {
  const before = state.redemptions.find(({ id }) => id === command.redemptionId)
  if (before) {
    if (before.permitId !== command.permitId || before.by !== command.by) {
      throw refused(state, 'ALREADY_REDEEMED', 'the redemption id belongs to another redemption')
    }
    return { ...unchanged(state), replayed: before.replayed }
  }
  requireRunningAgent(state, command.bench)
  const permit = state.permits.find(({ id }) => id === command.permitId)
  const live = state.execution.state === 'started' || state.execution.state === 'delivered'
  if (!permit || permit.revokedAt !== undefined || !live)
    throw refused(state, 'PERMIT_REVOKED', 'the permit is not live')
  const replayed = state.redemptions.length > 0
  const again = state.redemptions.some(({ permitId }) => permitId === permit.id)
  if (replayed && (again || !state.declaration.idempotent || !command.idempotent)) {
    throw refused(state, 'ALREADY_REDEEMED', 'the approval was used')
  }
  const redemption: Redemption = { id: command.redemptionId, permitId: permit.id, by: command.by, at: now, replayed }
  return {
    state: { ...state, redemptions: [...state.redemptions, redemption] },
    events: [event(state, 'permit.redeemed', { permit_id: permit.id, by: command.by, replayed })],
    permits: [],
    replayed,
  }
}

/** E19, and the report of a token delivery. */
export function logExecution(state: State, { by, status }: LogExecutionCommand, now: EpochMs): Transition {
  if (state.status !== 'approved') throw refused(state, 'NOT_APPROVED', `it is ${state.status}`)
  const { execution } = state
  const said = execution.reports?.[by]
  if (said === status) return unchanged(state)
  if (said !== undefined && execution.state !== 'started') {
    throw refused(state, 'ALREADY_RESOLVED', `${by} reported ${said}`)
  }
  if (by === 'agent' && !['delivered', 'started', 'unknown', 'succeeded', 'failed'].includes(execution.state)) {
    throw refused(state, 'NOT_CLAIMABLE', `its execution is ${execution.state}`)
  }
  return finish(state, by, { status }, now)
}

/** What everybody may see of an execution. */
export function executionState({ execution }: Pick<State, 'execution'>): ExecutionState {
  return {
    state: execution.state,
    continuations: execution.continuations,
    deadline: execution.state === 'started' ? execution.deadline : undefined,
    reportedBy: execution.reportedBy,
    disputed: execution.disputed,
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
  return bench.rules.length > 0 && bench.rules.every((rule) => satisfies(declaration, votes, rule, bench))
}

/** A person who may vote on it, or an admin. */
function requireOverseer(state: State, by: Principal, bench: Bench): void {
  const person = bench.directory.people.find(({ id }) => id === by.id)
  const admin = person?.status === 'active' && person.roles.some((role) => role === 'owner' || role === 'admin')
  const allowed = canVote(by, state.declaration, [], bench, 'deny')
  if (!admin && !allowed.ok) throw refused(state, allowed.code, allowed.reason)
}

function isHolder({ execution }: State, attempt: Attempt): boolean {
  return execution.holder?.executionId === attempt.executionId && execution.holder.attemptId === attempt.attemptId
}

function close(state: State, reason: 'abandoned' | 'window', now: EpochMs): Transition {
  return {
    state: {
      ...state,
      permits: revokeAll(state.permits, now),
      execution: { ...state.execution, state: 'abandoned', closed: reason },
    },
    events: [event(state, 'execution.abandoned', { reason })],
    permits: [],
  }
}

function becomeUnknown(state: State, now: EpochMs): Transition {
  const permits = state.execution.state === 'suspended' ? revokeAll(state.permits, now) : state.permits
  return {
    state: { ...state, permits, execution: { ...state.execution, state: 'unknown' } },
    events: [event(state, 'execution.unknown', {})],
    permits: [],
  }
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
