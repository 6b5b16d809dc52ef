/**
 * Whether the SDK is to ask people about a call. It only signals: whatever is answered, `execute` asks the gate.
 *
 * @module
 */
import { isSilentAuthError, type Look } from '@silentauth/core'
import type { Gatekeeper } from './gated-call.js'
import type { ExecuteOptions } from './tool-call.js'

/** False for what `execute` can answer at once: approved by policy, denied, cannot be asked for. */
export async function asksPeople(keep: Gatekeeper, input: unknown, given: ExecuteOptions): Promise<boolean> {
  try {
    const seen = await keep.look(input, given)
    return seen !== undefined && isPending(keep, seen)
  } catch (error) {
    if (isSilentAuthError(error)) return false
    throw error
  }
}

/** Nobody has decided, or the gate is away: a call is never denied because of that. */
export function isPending(keep: Gatekeeper, seen: Look): boolean {
  if (seen.type === 'pending') return true
  return seen.type === 'refused' && keep.wait === 'suspend' && keep.routeOf(seen) === 'pending'
}
