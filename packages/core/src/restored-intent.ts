/**
 * An intent after an older backup was restored (LIFECYCLE R2): what happened to it since that backup is not known, so nothing of it
 * may begin, go on, or be done again.
 *
 * @module
 */
import { becomeUnknown, close } from './execution.js'
import type { EpochMs } from './json.js'
import { event, revokeAll, type State, type Transition, unchanged } from './state.js'

export interface RestoreCommand {
  readonly type: 'restore'
}

/** R2. Whatever permits it still has are revoked. */
export function restoreIntent(state: State, now: EpochMs): Transition {
  if (state.status === 'pending') return expire(state, now)
  if (state.status !== 'approved') return unchanged(state)
  switch (state.execution.state) {
    case 'none':
      return close(state, 'abandoned', now)
    case 'started':
    case 'suspended':
    case 'delivered':
      return becomeUnknown(state, now)
    case 'succeeded':
    case 'failed':
    case 'unknown':
    case 'abandoned':
      return revoke(state, now)
  }
}

function expire(state: State, now: EpochMs): Transition {
  const resolution = { by: 'operator', code: 'INTENT_EXPIRED', comment: undefined, earlierIntent: undefined } as const
  return {
    state: { ...state, status: 'expired', resolution, resolvedAt: now },
    events: [event(state, 'intent.expired', { by: 'operator' })],
    permits: [],
  }
}

function revoke(state: State, now: EpochMs): Transition {
  const live = state.permits.filter(({ revokedAt }) => revokedAt === undefined)
  if (live.length === 0) return unchanged(state)
  return {
    state: { ...state, permits: revokeAll(state.permits, now) },
    events: live.map(({ id }) => event(state, 'permit.revoked', { permit_id: id })),
    permits: [],
  }
}
