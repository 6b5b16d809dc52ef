/**
 * What was asked for in this process, and what of it was refused: what the SDK shows or runs next is the same call. A memory
 * only for words; nothing runs by it.
 *
 * @module
 */
import { type Intent, type RecentMap, type Refusal, recentMap } from '@silentauth/core'
import type { GateRun } from './tool-call.js'

/** What is asked for is shown at once, in the stream of the same step. */
const MOST_ASKS = 1000

export function askedCalls(): RecentMap<Intent> {
  return recentMap(MOST_ASKS)
}

/** Ids of calls repeat over runs. */
export function askName(run: GateRun | undefined, toolCallId: string): string {
  const { tenant, id } = typeof run === 'object' ? run : { tenant: '', id: run ?? '' }
  return JSON.stringify([tenant, id, toolCallId])
}

/** What was refused in this step of this run, by the key of the call. */
const refusals = new WeakMap<object, Map<string, Refusal>>()

export function rememberRefused(step: object, key: string, refusal: Refusal): void {
  const known = refusals.get(step) ?? new Map<string, Refusal>()
  refusals.set(step, known.set(key, refusal))
}

export function refusedBefore(step: object, key: string): Refusal | undefined {
  return refusals.get(step)?.get(key)
}
