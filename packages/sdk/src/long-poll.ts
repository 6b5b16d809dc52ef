/**
 * The long-poll: waits for a decision through restarts of the gate and lost connections. The decision lies in the gate, so
 * that asking again can never miss it.
 *
 * @module
 */
import { type IntentId, isSettled, type SettledIntent, SilentAuthError, type WaitOptions } from '@silentauth/core'
import { sleep } from '@silentauth/verify/gate-http'
import { backOffMs } from './back-off.js'
import { intentIn } from './gate-data.js'
import { delayAfter, MAX_WAIT_SECONDS, type Transport } from './transport.js'

/** How long a wait goes on after the intent must have expired, while the gate cannot be asked. */
const GRACE_MS = 60_000
/** The same, when the gate never answered, so that nobody knows when the intent expires. */
const NEVER_SEEN_MS = 300_000
/** A gate that answers sooner than this, and without a decision, is not asked again at once. */
const TOO_SOON_MS = 1_000
/** By how much a wait may be longer than it was told to. */
const SLACK_MS = 250

/**
 * @throws SilentAuthError `WAIT_TIMEOUT`; `GATE_UNAVAILABLE` when the gate stays away beyond the expiry of the intent; what it
 * refuses for good, `NOT_FOUND` or `UNAUTHORIZED`; the signal's reason
 */
export async function waitUntilSettled(
  gate: Transport,
  id: IntentId,
  { signal, timeoutMs = Number.POSITIVE_INFINITY }: WaitOptions = {},
): Promise<SettledIntent> {
  const end = performance.now() + timeoutMs
  let giveUpAt = Date.now() + NEVER_SEEN_MS
  let failures = 0
  for (let looks = 0; ; looks++) {
    const left = end - performance.now()
    // One look at least, whatever the timeout.
    if (left <= 0 && looks > 0) throw timedOut(id)
    const waitSeconds = secondsToHold(left)
    const path = `/api/intents/${encodeURIComponent(id)}?wait=${waitSeconds}` as const
    const asked = performance.now()
    const answer = await gate.attempt(gate.prepare({ method: 'GET', path, intentId: id }), {
      signal,
      timeoutMs: longestMs(left, waitSeconds * 1000 + gate.requestTimeoutMs),
    })
    let delay: number
    if (answer.type === 'data') {
      const intent = intentIn(answer.body.data, id)
      if (isSettled(intent)) return intent
      giveUpAt = intent.expiresAt + GRACE_MS
      // A gate that is closing, or a proxy that drops the query, answers at once.
      const soon = waitSeconds > 0 && performance.now() - asked < TOO_SOON_MS
      failures = soon ? failures + 1 : 0
      delay = soon ? backOffMs(failures, gate.backOff) : 0
    } else {
      if (!answer.transient || Date.now() > giveUpAt) throw answer.error
      failures++
      delay = delayAfter(answer.error, failures, gate.backOff)
    }
    if (delay > 0)
      await sleep(Math.min(delay, Math.max(end - performance.now(), 0)), { signals: [signal, gate.closing] })
  }
}

/** The gate's own answer ends the wait, so that the connection lasts; only within the last second it is cut. */
function secondsToHold(leftMs: number): number {
  if (leftMs <= 0) return 0
  return leftMs < 1000 ? 1 : Math.min(Math.floor((leftMs + SLACK_MS) / 1000), MAX_WAIT_SECONDS)
}

function longestMs(leftMs: number, patienceMs: number): number {
  if (leftMs <= 0) return patienceMs
  return leftMs < 1000 ? leftMs : Math.min(leftMs + SLACK_MS, patienceMs)
}

function timedOut(id: IntentId): SilentAuthError {
  return new SilentAuthError('WAIT_TIMEOUT', `${id}: no decision in time`, { intentId: id })
}
