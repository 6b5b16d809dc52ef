/**
 * Gate data: what the gate's answers hold, read into core's types. What does not read is no answer of a gate.
 *
 * @module
 */
import type { Claim, ExecutionState, Intent, IntentId } from '@silentauth/core'
import { claimFromWire, executionFromWire, intentFromWire } from '@silentauth/core/wire'
import { gateUnavailable } from '@silentauth/verify/gate-http'

/** @throws SilentAuthError `GATE_UNAVAILABLE` for anything but an intent, the one that was asked for */
export function intentIn(data: unknown, id?: IntentId): Intent {
  return read('an intent', id, () => {
    const intent = intentFromWire(data as Parameters<typeof intentFromWire>[0])
    if (id !== undefined && intent.id !== id) throw new TypeError('it is another intent')
    if (!isObject(intent.params)) throw new TypeError('it has no params')
    return intent
  })
}

/** @throws SilentAuthError `GATE_UNAVAILABLE` for anything but a claim of a known type: only an explicit grant executes */
export function claimIn(data: unknown, id: IntentId): Claim {
  return read('a claim', id, () => {
    const claim = claimFromWire(data as Parameters<typeof claimFromWire>[0])
    if (claim.type === 'granted' && (typeof claim.permit !== 'string' || !isObject(claim.params))) {
      throw new TypeError('it grants nothing')
    }
    return claim
  })
}

/** @throws SilentAuthError `GATE_UNAVAILABLE` */
export function executionIn(data: unknown): ExecutionState & { readonly intentId: IntentId } {
  return read('an execution', undefined, () => {
    const { intent_id: intentId, execution } = data as { intent_id: IntentId; execution: never }
    return { intentId, ...executionFromWire(execution) }
  })
}

/** @throws SilentAuthError `GATE_UNAVAILABLE` for anything but a list */
export function listIn(data: unknown): readonly unknown[] {
  return read('a list', undefined, () => {
    if (!Array.isArray(data)) throw new TypeError('it is no list')
    return data
  })
}

function read<Result>(what: string, id: IntentId | undefined, work: () => Result): Result {
  try {
    return work()
  } catch (cause) {
    throw gateUnavailable(`answered with something else than ${what}`, cause, id)
  }
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
