/**
 * A redemption marks an approval as used, once per intent, whichever permit of it is shown (E18, P3).
 *
 * @module
 */
import type { KeyId, PermitId } from './id.js'
import type { EpochMs } from './json.js'
import {
  event,
  type Redemption,
  refused,
  requireRunningAgent,
  type State,
  type Transition,
  unchanged,
} from './state.js'
import type { Bench } from './vote.js'

export interface RedeemCommand {
  readonly type: 'redeem'
  readonly redemptionId: string
  readonly permitId: PermitId
  readonly by: KeyId
  /** The verifier accepts an approval that was used before (E13). */
  readonly idempotent: boolean
  readonly bench: Pick<Bench, 'agent' | 'key'>
}

/** What the gate's own check of the token allows. */
const SKEW_SECONDS = 5

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
  const replayed = state.redemptions.length > 0
  const again = state.redemptions.some(({ permitId }) => permitId === command.permitId)
  if (replayed && (again || !state.declaration.idempotent || !command.idempotent)) {
    throw refused(state, 'ALREADY_REDEEMED', 'the approval was used')
  }
  const live = state.execution.state === 'started' || state.execution.state === 'delivered'
  if (permit?.exp === undefined || permit.revokedAt !== undefined || !live) {
    throw refused(state, 'PERMIT_REVOKED', 'the permit is not live')
  }
  // The token was good before the lock, for which a redemption may wait.
  if (now >= (permit.exp + SKEW_SECONDS) * 1000) throw refused(state, 'PERMIT_EXPIRED', 'the permit is over')
  const redemption: Redemption = { id: command.redemptionId, permitId: permit.id, by: command.by, at: now, replayed }
  return {
    state: { ...state, redemptions: [...state.redemptions, redemption] },
    events: [event(state, 'permit.redeemed', { permit_id: permit.id, by: command.by, replayed })],
    permits: [],
    replayed,
  }
}
