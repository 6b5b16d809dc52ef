/**
 * Superseded calls: the user of a run that waits has said something else, so nobody waits for the call any more, and nobody
 * should approve it.
 *
 * @module
 */
import type { Gate } from './asking-side.js'
import { isSilentAuthError, SilentAuthError } from './errors.js'
import { refusalOfSettled } from './gate.js'
import type { IntentId } from './id.js'
import { type Intent, isSettled } from './intent.js'
import { type GateRefusal, gateRefusal } from './refusal.js'

const WHY = 'superseded by a new message'

/** Cancels what can be, and says what is true of it then. `cancel: false`: only says it. Never rejects. */
export async function supersede(gate: Gate, id: IntentId, options: { cancel?: boolean } = {}): Promise<GateRefusal> {
  const { cancel = true } = options
  try {
    const intent = await (cancel ? gate.cancel(id, WHY) : gate.read(id)).catch(async (error: unknown) => {
      // It was decided, or begun, in the meantime.
      if (isSilentAuthError(error) && ['IN_FLIGHT', 'ALREADY_RESOLVED'].includes(error.code)) return gate.read(id)
      throw error
    })
    return refusalNow(intent)
  } catch (error) {
    // The run goes on without the gate: the call stays unexecuted, and its intent expires.
    return gateRefusal(isSilentAuthError(error) ? error : new SilentAuthError('GATE_UNAVAILABLE', id, { cause: error }))
  }
}

function refusalNow(intent: Intent): GateRefusal {
  return gateRefusal(isSettled(intent) ? refusalOfSettled(intent) : { type: 'pending', intent })
}
