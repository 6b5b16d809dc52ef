/**
 * A delegation lets somebody else vote in a person's stead while they are away. One step only: who stands in for somebody
 * passes nothing on, and both together are one seat of a quorum.
 *
 * @module
 */
import { SilentAuthError } from './errors.js'
import { accountsOf } from './human.js'
import type { UserId } from './id.js'
import type { EpochMs } from './json.js'
import type { Delegation, Directory, Person } from './registry.js'

export interface DelegationDraft {
  readonly to: UserId
  /** @default now */
  readonly startsAt?: EpochMs | undefined
  /** Exclusive. */
  readonly endsAt: EpochMs
}

/** An absence that is forgotten ends by itself. */
export const MAX_DELEGATION_SECONDS = 90 * 86_400

/** Whoever may vote by a role of their own: a delegation hands over a seat, it makes no approver of a stranger. */
export function mayStandIn({ status, roles }: Person): boolean {
  return status === 'active' && roles.some((role) => role === 'owner' || role === 'admin' || role === 'approver')
}

/** Those who left their votes to this person, as of `now`; whether they may vote themselves is not asked here. */
export function delegatorsOf(person: Person, { people }: Directory, now: EpochMs): readonly Person[] {
  if (!mayStandIn(person)) return []
  return people.filter(
    ({ id, delegation }) => id !== person.id && delegation?.to === person.id && holds(delegation, now),
  )
}

/**
 * The delegation of `person` to `delegate`. It never begins in the past: no vote that was cast comes to count by it.
 *
 * @throws SilentAuthError `INVALID_FIELD` for a delegate who cannot stand in, or is the same human being, and for a time that is
 * over or further away than `MAX_DELEGATION_SECONDS`
 */
export function delegationOf(
  person: Person,
  delegate: Person,
  draft: DelegationDraft,
  { directory, now }: { readonly directory: Directory; readonly now: EpochMs },
): Delegation {
  const { startsAt = now, endsAt } = draft
  if (accountsOf(person.id, directory).includes(delegate.id)) {
    throw invalid('to', 'nobody stands in for themselves')
  }
  if (!mayStandIn(delegate)) throw invalid('to', `person ${delegate.id} is not active, or no approver`)
  const delegation = { to: delegate.id, startsAt: Math.max(startsAt, now), endsAt }
  if (!Number.isSafeInteger(startsAt) || !Number.isSafeInteger(endsAt) || delegation.endsAt <= delegation.startsAt) {
    throw invalid('ends_at', 'it ends before it begins')
  }
  if (endsAt > now + MAX_DELEGATION_SECONDS * 1000) throw invalid('ends_at', 'it is more than 90 days away')
  return delegation
}

/** Whether the draft asks for what is there already. */
export function isSameDelegation(held: Delegation | undefined, draft: DelegationDraft, now: EpochMs): boolean {
  return (
    held !== undefined &&
    held.to === draft.to &&
    held.endsAt === draft.endsAt &&
    Math.max(held.startsAt, now) === Math.max(draft.startsAt ?? now, now)
  )
}

function holds({ startsAt, endsAt }: Delegation, now: EpochMs): boolean {
  return startsAt <= now && now < endsAt
}

function invalid(field: string, reason: string): SilentAuthError {
  return new SilentAuthError('INVALID_FIELD', `${field}: ${reason}`, { field })
}
