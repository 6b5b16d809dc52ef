/**
 * A decision is what votes, or a policy alone, make of a pending intent (I2 to I5, I8 to I12). It settles the intent once,
 * and an approval fixes until when it can be used.
 *
 * @module
 */
import type { IntentId, PermitId, UserId } from './id.js'
import type { Approval, Resolution } from './intent.js'
import type { EpochMs, JsonPointer } from './json.js'
import type { Principal } from './registry.js'
import {
  event,
  mint,
  refused,
  requireRunningAgent,
  type Sequencing,
  type State,
  type Transition,
  unchanged,
  unminted,
  waitsForItsLeaf,
} from './state.js'
import {
  type Bench,
  type CastVote,
  canVote,
  isConfirmed,
  namedApprovals,
  needsConfirmation,
  tally,
  unseenByAll,
  type Vote,
} from './vote.js'

export interface VoteCommand {
  readonly type: 'vote'
  readonly by: Principal
  readonly vote: Vote
  readonly bench: Bench
  /** Used when the vote approves a token delivery. */
  readonly permitId: PermitId
  /** Of the store. @default 'immediate' */
  readonly sequencing?: Sequencing | undefined
  /** The shorter of what the pinned and the current policy give a permit (E8). */
  readonly ttlSeconds: number
  /** Set when the vote carries edits: the intent that the gate declares from them in the same transaction. */
  readonly successor?: IntentId
}

export interface RevealCommand {
  readonly type: 'reveal'
  readonly by: Principal
  readonly pointer: JsonPointer
  readonly bench: Bench
}

/** I2 to I5 and I8 to I12: one vote, and the decision if there is one now. */
export function castVote(state: State, command: VoteCommand, now: EpochMs): Transition {
  const { by, vote, bench } = command
  const { declaration } = state
  requirePending(state)
  const allowed = canVote(by, declaration, state.votes, bench, vote.verdict)
  if (!allowed.ok) throw refused(state, allowed.code, allowed.reason)
  const { onBehalfOf } = allowed
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
    label: labelOf(by.id, bench),
    ...(onBehalfOf && { onBehalfOf: { id: onBehalfOf.id, label: labelOf(onBehalfOf.id, bench) } }),
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
    ...(onBehalfOf && { on_behalf_of: `user:${onBehalfOf.id}` }),
  })
  const decided = edited ? supersedeByEdit(voted, command, now) : decide(voted, command, now)
  return { ...decided, events: [recorded, ...decided.events] }
}

function decide(
  state: State,
  { bench, vote, permitId, ttlSeconds, sequencing }: VoteCommand,
  now: EpochMs,
): Transition {
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
      const counted = namedApprovals(declaration, state.votes, bench)
      return approve(state, counted, person(vote.comment), { id: permitId, ttlSeconds, sequencing }, now)
    }
  }
}

/** I2: approved, the execution window fixed; a token delivery mints its one permit here (P2). */
export function approve(
  state: State,
  counted: readonly CastVote[],
  resolution: Resolution,
  token: { readonly id: PermitId; readonly ttlSeconds: number; readonly sequencing?: Sequencing | undefined },
  now: EpochMs,
): Transition {
  const { declaration } = state
  // In whole seconds, as permits say it: while the window is open, a permit that lives for a second can be minted.
  const useUntil = (Math.floor(now / 1000) + declaration.executionWindowSeconds) * 1000
  const approvals: Approval[] = counted
    .map(({ at, by, label, via }) => ({ at, by: `user:${by}`, label, via }))
    .sort((one, other) => (one.by < other.by ? -1 : 1))
  const approved: State = { ...state, status: 'approved', resolution, resolvedAt: now, useUntil, approvals }
  const decided = event(state, 'intent.approved', { by: resolution.by, approvals: approvals.map(({ by }) => by) })
  if (declaration.delivery === 'claim') return { state: approved, events: [decided], permits: [] }
  const minted = mint(token.id, token.ttlSeconds, useUntil, now)
  const permit = waitsForItsLeaf(declaration, token.sequencing) ? unminted(minted) : minted
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

/** Shows one hidden value to one person. The vote records what was not seen. */
export function reveal(state: State, command: RevealCommand, now: EpochMs): Transition {
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

/** A settled status with its event. */
export function settle(
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

function labelOf(person: UserId, { labels, directory }: Bench): string {
  return labels === 'id' ? person : (directory.people.find(({ id }) => id === person)?.email ?? person)
}

/** I8. */
export function requirePending(state: State): void {
  if (state.status !== 'pending') throw refused(state, 'ALREADY_RESOLVED', `it is ${state.status}`)
}
