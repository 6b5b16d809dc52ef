/**
 * The stream of a gated run: the SDK's own events, and beside them what waits and where it is decided. A long wait is never
 * silent.
 *
 * @module
 */
import type { RunStreamEvent } from '@openai/agents'
import type { GateEvent } from '@silentauth/core'
import { type PendingCall, pendingOf } from './pending-call.js'

export type GatedStreamEvent =
  | RunStreamEvent
  /** The run waits for these. */
  | { readonly type: 'gate_pending'; readonly pending: readonly PendingCall[] }
  /** It still does. */
  | {
      readonly type: 'gate_waiting'
      readonly call: PendingCall
      readonly votes: number
      readonly votesRequired: number
      readonly msLeft: number
    }
  | { readonly type: 'gate_decided'; readonly call: PendingCall }

export type GateStreamEvent = Exclude<GatedStreamEvent, RunStreamEvent>

/** What a stream shows of an event. Undefined: nothing. */
export function streamEvent(
  event: GateEvent,
  call: Pick<PendingCall, 'tool' | 'callId' | 'agent'>,
): GateStreamEvent | undefined {
  switch (event.type) {
    case 'pending':
      return { type: 'gate_pending', pending: [pendingOf(call, event.intent)] }
    case 'waiting': {
      const { intent, votes, votesRequired, msLeft } = event
      return { type: 'gate_waiting', call: pendingOf(call, intent), votes, votesRequired, msLeft }
    }
    case 'decided':
      return { type: 'gate_decided', call: pendingOf(call, event.intent) }
    case 'claimed':
    case 'finished':
    case 'report_failed':
    case 'refused':
      return undefined
  }
}

/** Events that come while the SDK's stream says nothing. */
export interface Notices {
  push(event: GateStreamEvent): void
  take(): GateStreamEvent | undefined
  arrived(): Promise<void>
}

export function notices(): Notices {
  const events: GateStreamEvent[] = []
  let arrival = Promise.withResolvers<void>()
  return {
    push(event) {
      events.push(event)
      arrival.resolve()
    },
    take() {
      const event = events.shift()
      if (events.length === 0) arrival = Promise.withResolvers<void>()
      return event
    },
    arrived: () => arrival.promise,
  }
}

/** Both, each event when it comes. */
export async function* withNotices<Event>(
  stream: AsyncIterable<Event>,
  queue: Notices,
): AsyncGenerator<Event | GateStreamEvent, void> {
  const iterator = stream[Symbol.asyncIterator]()
  let ended = false
  try {
    let next = iterator.next()
    while (!ended) {
      const step = await Promise.race([next, queue.arrived()])
      for (let event = queue.take(); event; event = queue.take()) yield event
      if (!step) continue
      if (step.done) ended = true
      else {
        yield step.value
        next = iterator.next()
      }
    }
  } finally {
    if (!ended) await iterator.return?.()
  }
}
