/**
 * The wait of a run that was interrupted and whose process stays: until one of its calls is decided, however long the gate is
 * away in between. Now and then it says that it still waits.
 *
 * @module
 */
import {
  type GateEvent,
  HEARTBEAT_MS,
  type Intent,
  isSilentAuthError,
  sleep,
  tellQuietly,
  waitingEvent,
} from '@silentauth/core'
import type { Found } from './resolve-interruptions.js'

/**
 * @returns false: none of them is decided yet, and each was told to its listener
 * @throws only the signal's reason
 */
export async function waitForAny(
  waiting: readonly Found[],
  signal: AbortSignal | undefined,
  tell: (call: Found, event: GateEvent) => void,
): Promise<boolean> {
  const stop = new AbortController()
  const both = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal
  const waits = waiting.flatMap((call) => {
    const intent = pendingIntent(call)
    return intent ? [call.hook.options.gate.wait(intent.id, { signal: both, timeoutMs: HEARTBEAT_MS })] : []
  })
  try {
    await (waits.length > 0 ? Promise.race(waits) : sleep(RETRY_MS, both))
    return true
  } catch (error) {
    signal?.throwIfAborted()
    // Nobody has decided yet, or the gate went away: what waits there still waits.
    if (!isSilentAuthError(error) || error.code !== 'WAIT_TIMEOUT') await sleep(RETRY_MS, signal)
    await Promise.all(waiting.map((call) => tellWaiting(call, tell)))
    return false
  } finally {
    stop.abort()
    await Promise.allSettled(waits)
  }
}

async function tellWaiting(call: Found, tell: (call: Found, event: GateEvent) => void): Promise<void> {
  const seen = pendingIntent(call)
  if (!seen) return
  const { gate, onEvent } = call.hook.options
  const intent = await gate.read(seen.id).catch(() => seen)
  if (intent.status !== 'pending') return
  const event = waitingEvent(intent)
  tellQuietly(() => onEvent?.(event))
  tell(call, event)
}

function pendingIntent({ waiting: { looked } }: Found): Intent | undefined {
  return looked?.seen.type === 'pending' ? looked.seen.intent : undefined
}

/** For a gate that is away, or a call that another process runs. */
const RETRY_MS = 1000
