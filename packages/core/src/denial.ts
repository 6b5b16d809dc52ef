/**
 * A denial that is remembered: for a while, the same principal that asks for the same action with the same params is denied
 * at once, because a person has just said no. An approver can lift it.
 *
 * @module
 */
import type { Declaration } from './declaration.js'
import { SilentAuthError } from './errors.js'
import type { IntentId, ProjectId } from './id.js'
import type { Digest, EpochMs } from './json.js'
import { mayOversee, requireVoter } from './oversight.js'
import type { Principal } from './registry.js'
import { event, type State, type Transition, unchanged } from './state.js'
import type { Bench, CanVote } from './vote.js'

/** What was denied to whom. */
export interface DeniedAction {
  readonly projectId: ProjectId
  /** The bound agent, else the key's lineage: a rotated key is still the one that was told no. */
  readonly owner: string
  readonly action: string
  readonly paramsDigest: Digest
}

export interface Denial extends DeniedAction {
  /** The intent that a person denied. */
  readonly intentId: IntentId
  readonly expiresAt: EpochMs
}

export interface LiftDenialCommand {
  readonly type: 'lift_denial'
  readonly by: Principal
  readonly bench: Bench
  /** The denial that the transaction took away; undefined: it had expired, or was lifted before. */
  readonly lifted: Denial | undefined
}

export const DEFAULT_DENIAL_MEMORY_SECONDS = 600

export function deniedAction({ projectId, owner, action, paramsDigest }: Declaration): DeniedAction {
  return { projectId, owner, action, paramsDigest }
}

/** The memory that this change begins: only what a person denied, and not what that denial then answered itself. */
export function denialOf(before: State | undefined, after: State, seconds: number, now: EpochMs): Denial | undefined {
  const { status, resolution, declaration } = after
  const byPerson = resolution?.by === 'person' && resolution.earlierIntent === undefined
  if (seconds === 0 || before?.status !== 'pending' || status !== 'denied' || !byPerson) return undefined
  return { ...deniedAction(declaration), intentId: declaration.id, expiresAt: now + seconds * 1000 }
}

/** Whether this denial is the one that this intent met or made: a later one of the same thing has a page of its own. */
export function isOf({ intentId }: Denial, { declaration, resolution }: State): boolean {
  return intentId === declaration.id || intentId === resolution?.earlierIntent
}

/** Whether this person may lift the denial: whoever could approve what it answers, the one who denied it included. */
export function canLift(state: State, by: Principal, bench: Bench): CanVote {
  return mayOversee(state, by, bench, 'approve')
}

/** By whoever could approve it. Nothing is re-armed: the agent declares anew, and people decide again. */
export function liftDenial(state: State, { by, bench, lifted }: LiftDenialCommand): Transition {
  requireVoter(state, by, bench, 'approve')
  const { status, resolution, declaration } = state
  if (status !== 'denied' || resolution?.by !== 'person') {
    throw new SilentAuthError('NOT_FOUND', `${declaration.id}: no person's denial is remembered for it`, {
      intentId: declaration.id,
    })
  }
  if (!lifted) return unchanged(state)
  const data = { by: `user:${by.id}`, earlier_intent: lifted.intentId }
  return { state, events: [event(state, 'denial.lifted', data)], permits: [] }
}
