/**
 * The lifecycle: every transition of an intent, its votes, its execution and its permits as one pure function
 * `(state, command, now) → state, events, permits`. Nothing here reads a clock, a store or a key; whoever calls holds
 * the lock on the intent, and writes what is returned in one transaction.
 *
 * Numbers such as I9 or E13 are the numbered rules of docs/lifecycle.md; each has a test that carries it.
 *
 * @module
 */
import type { ApprovalRule } from './approval-rule.js'
import { type ClaimCommand, claimExecution, type SequencedCommand, sequencedExecution } from './claim.js'
import type { Declaration } from './declaration.js'
import { SilentAuthError } from './errors.js'
import { cancelExecution, executionClock } from './execution.js'
import type { IntentId, PermitId } from './id.js'
import type { Approval, Resolution } from './intent.js'
import type { EpochMs, JsonPointer } from './json.js'
import { type ReconcileCommand, reconcileExecution, type WithdrawCommand, withdrawApproval } from './oversight.js'
import { type RedeemCommand, redeemApproval } from './redemption.js'
import type { Principal } from './registry.js'
import { type LogExecutionCommand, logExecution, type ReportCommand, reportExecution } from './report.js'
import { event, mint, refused, requireRunningAgent, type State, type Transition, unchanged } from './state.js'
import {
  type Bench,
  type CastVote,
  canVote,
  countedApprovals,
  isConfirmed,
  needsConfirmation,
  tally,
  unseenByAll,
  type Vote,
} from './vote.js'

export type Command =
  | {
      readonly type: 'declare'
      readonly declaration: Declaration
      readonly resolution?: Resolution
      readonly permitId: PermitId
    }
  | VoteCommand
  | { readonly type: 'reveal'; readonly by: Principal; readonly pointer: JsonPointer; readonly bench: Bench }
  | { readonly type: 'cancel'; readonly reason: string }
  | { readonly type: 'supersede'; readonly successor: IntentId }
  | ClaimCommand
  | SequencedCommand
  | ReportCommand
  | RedeemCommand
  | LogExecutionCommand
  | WithdrawCommand
  | ReconcileCommand
  | { readonly type: 'tick' }

export interface VoteCommand {
  readonly type: 'vote'
  readonly by: Principal
  readonly vote: Vote
  readonly bench: Bench
  /** Used when the vote approves a token delivery. */
  readonly permitId: PermitId
  /** Set when the vote carries edits: the intent that the gate declares from them in the same transaction. */
  readonly successor?: IntentId
}

/**
 * Computes one transition.
 *
 * @param state undefined only for `declare`
 * @param now read after the intent was locked
 * @throws SilentAuthError when nothing changes; the code says why
 */
export function transition(state: State | undefined, command: Command, now: EpochMs): Transition {
  if (command.type === 'declare') return declare(command, now)
  if (!state) throw new SilentAuthError('NOT_FOUND', 'no such intent')
  const settled = clock(state, now)
  const done = apply(settled.state, command, now)
  return { ...done, events: [...settled.events, ...done.events] }
}

/** What the clock alone has done to an intent by `now` (I7, E4, E16). Also computed on every read. */
export function clock(state: State, now: EpochMs): Transition {
  const { declaration } = state
  if (state.status === 'pending') {
    if (now < declaration.expiresAt) return unchanged(state)
    const resolution: Resolution = { by: 'clock', code: 'INTENT_EXPIRED', comment: undefined, earlierIntent: undefined }
    return {
      state: { ...state, status: 'expired', resolution, resolvedAt: declaration.expiresAt },
      events: [event(state, 'intent.expired', {})],
      permits: [],
    }
  }
  return state.status === 'approved' ? executionClock(state, now) : unchanged(state)
}

function apply(state: State, command: Exclude<Command, { type: 'declare' }>, now: EpochMs): Transition {
  switch (command.type) {
    case 'vote':
      return castVote(state, command, now)
    case 'reveal':
      return reveal(state, command, now)
    case 'cancel':
      return cancel(state, command, now)
    case 'supersede':
      return supersede(state, command, now)
    case 'claim':
      return claimExecution(state, command, now)
    case 'sequenced':
      return sequencedExecution(state, now)
    case 'report':
      return reportExecution(state, command, now)
    case 'redeem':
      return redeemApproval(state, command, now)
    case 'log_execution':
      return logExecution(state, command, now)
    case 'withdraw':
      return withdrawApproval(state, command, now)
    case 'reconcile':
      return reconcileExecution(state, command, now)
    case 'tick':
      return unchanged(state)
  }
}

/** I1. */
function declare(command: Extract<Command, { type: 'declare' }>, now: EpochMs): Transition {
  const { declaration } = command
  const created: State = {
    declaration,
    status: 'pending',
    resolution: undefined,
    resolvedAt: undefined,
    supersededBy: undefined,
    useUntil: undefined,
    votes: [],
    reveals: [],
    approvals: [],
    execution: { state: 'none', continuations: 0, disputed: false },
    permits: [],
    redemptions: [],
  }
  const opened = event(created, 'intent.created', {
    action: declaration.action,
    declared_by: declaration.declaredBy,
    decision: declaration.verdict,
    policy: declaration.policyRef ?? null,
    risk_tier: declaration.riskTier,
    intent_hash: declaration.intentHash,
  })
  const byPolicy: Resolution = { by: 'policy', code: undefined, comment: undefined, earlierIntent: undefined }
  switch (declaration.verdict) {
    case 'require_approval':
      return { state: created, events: [opened], permits: [] }
    case 'auto_deny': {
      const resolution = command.resolution ?? byPolicy
      return {
        state: { ...created, status: 'denied', resolution, resolvedAt: now },
        events: [opened, event(created, 'intent.denied', { by: resolution.by, code: resolution.code ?? null })],
        permits: [],
      }
    }
    case 'auto_approve': {
      const done = approve(created, [], byPolicy, command.permitId, now)
      return { ...done, events: [opened, ...done.events] }
    }
  }
}

/** I2 to I5 and I8 to I12: one vote, and the decision if there is one now. */
function castVote(state: State, command: VoteCommand, now: EpochMs): Transition {
  const { by, vote, bench } = command
  const { declaration } = state
  requirePending(state)
  const allowed = canVote(by, declaration, state.votes, bench, vote.verdict)
  if (!allowed.ok) throw refused(state, allowed.code, allowed.reason)
  if (vote.intentHash !== declaration.intentHash) {
    throw refused(state, 'STALE_VIEW', 'the intent_hash is not of what the gate holds')
  }
  if (vote.verdict === 'approve') requireRunningAgent(state, bench)
  const confirmed = vote.verdict === 'approve' && isConfirmed(vote, declaration)
  if (vote.verdict === 'approve' && needsConfirmation(bench) && !confirmed) {
    throw refused(state, 'CONFIRMATION_REQUIRED', 'the typed confirmation is missing or differs')
  }
  const edited = vote.params !== undefined
  if (edited) requireEditable(state, command)

  const cast: CastVote = {
    by: by.id,
    label: bench.directory.people.find(({ id }) => id === by.id)?.email ?? by.id,
    verdict: vote.verdict,
    comment: vote.comment,
    at: now,
    via: by.via,
    confirmed,
    unseen: declaration.view.redacted.filter(
      (pointer) => !state.reveals.some((seen) => seen.by === by.id && seen.pointer === pointer),
    ),
    edited,
  }
  const voted: State = { ...state, votes: [...state.votes, cast] }
  const recorded = event(state, 'approval.recorded', {
    by: `user:${by.id}`,
    verdict: vote.verdict,
    via: by.via,
    intent_hash: vote.intentHash,
    unseen: cast.unseen,
    edited,
  })
  const decided = edited ? supersedeByEdit(voted, command, now) : decide(voted, command, now)
  return { ...decided, events: [recorded, ...decided.events] }
}

function decide(state: State, { bench, vote, permitId }: VoteCommand, now: EpochMs): Transition {
  const { declaration } = state
  const person = (comment: string | undefined): Resolution => ({
    by: 'person',
    code: undefined,
    comment,
    earlierIntent: undefined,
  })
  switch (tally(declaration, state.votes, bench)) {
    case 'pending':
      return unchanged(state)
    case 'denied':
      return settle(state, 'denied', { ...person(vote.comment), code: 'INTENT_DENIED' }, now)
    case 'changes_requested':
      return settle(state, 'changes_requested', { ...person(vote.comment), code: 'CHANGES_REQUESTED' }, now)
    case 'approved': {
      const unseen = unseenByAll(declaration, state.votes, bench)
      if (unseen.length > 0) {
        throw refused(state, 'ASSURANCE_REQUIRED', `reveal these hidden values first: ${unseen.join(', ')}`)
      }
      const counted = strictest(state, bench)
      return approve(state, counted, person(vote.comment), permitId, now)
    }
  }
}

/** I9: the counted votes of the rule that asks for most; they are what the permit names. */
function strictest(state: State, bench: Bench): readonly CastVote[] {
  const counted = (rule: ApprovalRule) => countedApprovals(state.declaration, state.votes, rule, bench)
  const lists = bench.rules.map(counted)
  return lists.reduce((fewest, list) => (list.length < fewest.length ? list : fewest), lists[0] ?? [])
}

/** I2: approved, the execution window fixed; a token delivery mints its one permit here (P2). */
function approve(
  state: State,
  counted: readonly CastVote[],
  resolution: Resolution,
  permitId: PermitId,
  now: EpochMs,
): Transition {
  const { declaration } = state
  const useUntil = now + declaration.executionWindowSeconds * 1000
  const approvals: Approval[] = counted
    .map(({ at, by, label, via }) => ({ at, by: `user:${by}`, label, via }))
    .sort((one, other) => (one.by < other.by ? -1 : 1))
  const approved: State = { ...state, status: 'approved', resolution, resolvedAt: now, useUntil, approvals }
  const decided = event(state, 'intent.approved', { by: resolution.by, approvals: approvals.map(({ by }) => by) })
  if (declaration.delivery === 'claim') return { state: approved, events: [decided], permits: [] }
  const permit = mint(permitId, declaration.permitTtlSeconds, useUntil, now)
  return {
    state: { ...approved, execution: { ...approved.execution, state: 'delivered' }, permits: [permit] },
    events: [decided, event(state, 'permit.issued', { permit_id: permit.id })],
    permits: [permit],
  }
}

/** I5: the intent gives way to the successor that the gate declares from the edited params. */
function supersedeByEdit(state: State, { successor, vote }: VoteCommand, now: EpochMs): Transition {
  const resolution: Resolution = {
    by: 'person',
    code: 'INTENT_SUPERSEDED',
    comment: vote.comment,
    earlierIntent: undefined,
  }
  const done = settle(state, 'superseded', resolution, now)
  return { ...done, state: { ...done.state, supersededBy: successor } }
}

/** I12: what an edit needs, besides a voter. */
function requireEditable(state: State, { bench, vote, successor }: VoteCommand): void {
  const { declaration } = state
  if (vote.verdict !== 'approve') throw refused(state, 'INVALID_FIELD', 'parameters go with approve only', 'parameters')
  const threshold = Math.max(1, ...bench.rules.map((rule) => rule.denyThreshold))
  if (declaration.edits === false || threshold > 1) {
    throw refused(state, 'EDITS_NOT_ACCEPTED', 'the intent was declared without edits, or its policy counts denies')
  }
  if (!successor) throw new TypeError('an edit needs the id of its successor')
}

function reveal(state: State, command: Extract<Command, { type: 'reveal' }>, now: EpochMs): Transition {
  const { by, pointer, bench } = command
  const hidden = state.declaration.redactions.find((redaction) => redaction.pointer === pointer)
  if (!hidden) throw refused(state, 'INVALID_FIELD', 'nothing is hidden at this pointer', 'pointer')
  const allowed = canVote(by, state.declaration, [], bench, 'deny')
  if (!allowed.ok) throw refused(state, allowed.code, allowed.reason)
  if (state.reveals.some((seen) => seen.by === by.id && seen.pointer === pointer)) return unchanged(state)
  return {
    state: { ...state, reveals: [...state.reveals, { by: by.id, pointer, at: now }] },
    events: [event(state, 'value.revealed', { by: `user:${by.id}`, pointer, hidden_by: hidden.by })],
    permits: [],
  }
}

/** I6, E14. */
function cancel(state: State, { reason }: { reason: string }, now: EpochMs): Transition {
  if (state.status === 'approved') return cancelExecution(state, now)
  requirePending(state)
  return settle(
    state,
    'cancelled',
    { by: 'agent', code: 'INTENT_CANCELLED', comment: reason, earlierIntent: undefined },
    now,
  )
}

/** I13: the agent's own successor takes the place of a pending or unclaimed intent; a begun one is in flight. */
function supersede(state: State, { successor }: { successor: IntentId }, now: EpochMs): Transition {
  if (state.status === 'pending') return cancel(state, { reason: `superseded by ${successor}` }, now)
  if (state.status === 'approved') {
    if (state.execution.state !== 'none') throw refused(state, 'IN_FLIGHT', 'its execution has begun')
    return cancelExecution(state, now)
  }
  return unchanged(state)
}

/** A settled status with its event. */
function settle(
  state: State,
  status: 'denied' | 'cancelled' | 'changes_requested' | 'superseded',
  resolution: Resolution,
  now: EpochMs,
): Transition {
  return {
    state: { ...state, status, resolution, resolvedAt: now },
    events: [event(state, `intent.${status}`, { by: resolution.by })],
    permits: [],
  }
}

/** I8. */
function requirePending(state: State): void {
  if (state.status !== 'pending') throw refused(state, 'ALREADY_RESOLVED', `it is ${state.status}`)
}
