/**
 * The report queue: what came of executions, on its way to the gate. The effect has happened, so a report is worth sending
 * again for a long time; but nobody is kept waiting for it.
 *
 * @module
 */
import type { Attempt, IntentId, Outcome } from '@silentauth/core'
import { reportToWire } from '@silentauth/core/wire'
import { gateUnavailable, sleep } from '@silentauth/verify/gate-http'
import { delayAfter, type PreparedRequest, type Transport } from './transport.js'

export interface ReportQueue extends AsyncDisposable {
  /**
   * Resolves when the gate has it. Rejects when the gate refuses it, or was not reached within the transport's `retryForMs`:
   * then it stays in the queue, and the process may end meanwhile.
   */
  send(id: IntentId, attempt: Attempt, outcome: Outcome, signal?: AbortSignal): Promise<void>
}

/** After this the execution is `unknown` at the gate, and a person is asked. */
const KEEP_MS = 900_000
/** How long disposing waits for what is still in the queue. */
const FLUSH_MS = 5_000
const FLUSH_BACK_OFF = { baseMs: 100, maxMs: 500 }

export function reportQueue(gate: Transport): ReportQueue {
  const queued = new Set<Promise<void>>()
  /** Aborted when the queue is being flushed: then nothing sleeps for long. */
  const flushing = new AbortController()

  const deliver = async (request: PreparedRequest): Promise<void> => {
    const start = performance.now()
    for (let failures = 1; ; failures++) {
      const answer = await gate.attempt(request)
      if (answer.type === 'data') return
      const age = performance.now() - start
      if (!answer.transient || age > KEEP_MS) throw answer.error
      const isFlushing = flushing.signal.aborted
      const delay = delayAfter(answer.error, failures, isFlushing ? FLUSH_BACK_OFF : gate.backOff)
      const signals = isFlushing ? [gate.closing] : [gate.closing, flushing.signal]
      await sleep(delay, { signals, unref: age > gate.retryForMs }).catch(() => gate.closing.throwIfAborted())
    }
  }

  return {
    async send(id, attempt, outcome, signal) {
      const path = `/api/intents/${encodeURIComponent(id)}/report` as const
      const request = gate.prepare({ method: 'POST', path, body: reportToWire(attempt, outcome), intentId: id })
      const delivered = deliver(request).finally(() => queued.delete(delivered))
      queued.add(delivered)
      // Whoever waits hears of it; if nobody does any more, it is nobody's unhandled rejection.
      delivered.catch(() => undefined)
      const waited = new AbortController()
      const tooLong = sleep(gate.retryForMs, { signals: [signal, waited.signal] }).then(() => {
        throw gateUnavailable('was not reached; the report is sent again in the background', undefined, id)
      })
      try {
        await Promise.race([delivered, tooLong])
      } finally {
        tooLong.catch(() => undefined)
        waited.abort()
      }
    },

    async [Symbol.asyncDispose]() {
      flushing.abort()
      const waited = new AbortController()
      const enough = sleep(FLUSH_MS, { signals: [waited.signal] }).catch(() => undefined)
      await Promise.race([Promise.allSettled(queued), enough])
      waited.abort()
    },
  }
}
