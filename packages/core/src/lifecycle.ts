/**
 * The lifecycle: every transition of an intent, its votes, its execution and its permits as one pure function
 * `(state, command, now) → state, events, permits`. Nothing here reads a clock, a store or a key; whoever calls holds
 * the lock on the intent, and writes what is returned in one transaction.
 *
 * Numbers such as I9 or E13 are the numbered rules of docs/lifecycle.md; each has a test that carries it.
 *
 * @module
 */
import { type ClaimCommand, claimExecution, type SequencedCommand, sequencedExecution } from './claim.js'
import { approve, castVote, type RevealCommand, requirePending, reveal, settle, type VoteCommand } from './decision.js'
import type { Declaration } from './declaration.js'
import { type LiftDenialCommand, liftDenial } from './denial.js'
import { SilentAuthError } from './errors.js'
import { cancelExecution, executionClock } from './execution.js'
import type { IntentId, PermitId } from './id.js'
import type { Resolution } from './intent.js'
import type { EpochMs } from './json.js'
import { type ReconcileCommand, reconcileExecution, type WithdrawCommand, withdrawApproval } from './oversight.js'
import { type RedeemCommand, redeemApproval } from './redemption.js'
import { type LogExecutionCommand, logExecution, type ReportCommand, reportExecution } from './report.js'
import { type RestoreCommand, restoreIntent } from './restored-intent.js'
import {
  event,
  type LifecycleEvent,
  refused,
  type Sequencing,
  type State,
  type Transition,
  unchanged,
} from './state.js'

export type Command =
  | {
      readonly type: 'declare'
      readonly declaration: Declaration
      readonly resolution?: Resolution
      /** The same action was denied by a person a while ago: denied at once, whatever policy says. */
      readonly earlierDenial?: IntentId | undefined
      readonly permitId: PermitId
      /** Of the store. @default 'immediate' */
      readonly sequencing?: Sequencing | undefined
    }
  | VoteCommand
  | RevealCommand
  | { readonly type: 'cancel'; readonly reason: string }
  | { readonly type: 'supersede'; readonly successor: IntentId }
  | ClaimCommand
  | SequencedCommand
  | ReportCommand
  | RedeemCommand
  | LogExecutionCommand
  | WithdrawCommand
  | ReconcileCommand
  | LiftDenialCommand
  | RestoreCommand
  | { readonly type: 'tick' }

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
    case 'lift_denial':
      return liftDenial(state, command)
    case 'restore':
      return restoreIntent(state, now)
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
    approvals_required: declaration.approvalsRequired,
    risk_tier: declaration.riskTier,
    intent_hash: declaration.intentHash,
  })
  const byPolicy: Resolution = { by: 'policy', code: undefined, comment: undefined, earlierIntent: undefined }
  if (command.earlierDenial !== undefined && declaration.verdict !== 'auto_deny') {
    return deniedBefore(created, opened, command.earlierDenial, now)
  }
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
      const { permitId, sequencing } = command
      const permit = { id: permitId, ttlSeconds: declaration.permitTtlSeconds, sequencing }
      const done = approve(created, [], byPolicy, permit, now)
      return { ...done, events: [opened, ...done.events] }
    }
  }
}

/** A person has just said no to this; the answer names the intent that they denied. */
function deniedBefore(created: State, opened: LifecycleEvent, earlierIntent: IntentId, now: EpochMs): Transition {
  const resolution: Resolution = { by: 'person', code: 'INTENT_DENIED', comment: undefined, earlierIntent }
  const denied = event(created, 'intent.denied', { by: 'person', code: 'INTENT_DENIED', earlier_intent: earlierIntent })
  return {
    state: { ...created, status: 'denied', resolution, resolvedAt: now },
    events: [opened, denied],
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
    if (state.execution.state === 'abandoned') return unchanged(state)
    if (state.execution.state !== 'none') throw refused(state, 'IN_FLIGHT', 'its execution has begun')
    return cancelExecution(state, now)
  }
  return unchanged(state)
}
