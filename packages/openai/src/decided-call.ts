/**
 * A suspended call once somebody has decided: whether it still waits, and what begins it.
 *
 * @module
 */
import {
  type Begun,
  type BoundCall,
  begin,
  type Look,
  look,
  refusalError,
  SilentAuthError,
  waitsForLater,
} from '@silentauth/core'
import { tellLook, tellRefusal } from './call-events.js'
import type { GateToolOptions } from './gate-options.js'
import type { RunScope } from './run-scope.js'

/** Of which run it is, under which key. */
export interface CallEntry {
  readonly scope: RunScope
  readonly key: string
  readonly signal: AbortSignal | undefined
}

/** Begins what was decided. Looks once more: that the SDK lets a call through says nothing. */
export async function beginDecided(
  { asked }: BoundCall,
  { scope, key, signal }: CallEntry,
  options: GateToolOptions,
): Promise<Begun> {
  const { gate, onEvent } = options
  const refusal = scope.refusals.get(key)
  scope.refusals.delete(key)
  const seen: Look = refusal ?? (await look(gate, asked, { create: false, signal }))
  if (seen.type === 'pending') throw stillWaiting(new SilentAuthError('NOT_APPROVED', NOT_DECIDED), scope, key)
  tellLook(seen, options)
  const begun =
    seen.type === 'approved' || seen.type === 'finished' ? await begin(gate, asked, seen, { signal, onEvent }) : seen
  if (begun.type === 'begun') return begun
  if (waitsForLater(begun, options) && scope.driven?.resuming.has(key))
    throw stillWaiting(refusalError(begun), scope, key)
  if (begun.type === 'refused') tellRefusal(begun, asked.draft.action, options)
  return begun
}

const NOT_DECIDED = 'a call was let through that nobody has approved'

/** A driver hands the run back as it was; what is thrown ends this one. */
function stillWaiting(error: SilentAuthError, { driven }: RunScope, key: string): SilentAuthError {
  if (driven?.resuming.has(key)) driven.stillWaiting = true
  return error
}
