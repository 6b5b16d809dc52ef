/**
 * Waiting steps: what a held call shows of its wait as preliminary results, which streams of the AI SDK show and no model reads.
 *
 * @module
 */
import { type GateEvent, type IntentStatus, noticeStatus } from '@silentauth/core'
import { type ApprovalDescriptor, descriptorOf } from './approval-descriptor.js'

/** The output of a part with `preliminary: true`, until the tool has one of its own. */
export interface WaitingOutput {
  readonly type: typeof WAITING
  /** `pending`, `waiting` now and then, last what was decided. */
  readonly status: IntentStatus | 'waiting'
  readonly approval: ApprovalDescriptor
}

const WAITING = 'silentauth.waiting/v1'

/** Undefined: nothing to show. */
export function waitingOutput(event: GateEvent): WaitingOutput | undefined {
  const status = noticeStatus(event)
  if (status === undefined || !event.intent) return undefined
  return { type: WAITING, status, approval: descriptorOf(event.intent) }
}

/** Also true for one that was kept, where a process ended before its tool did. */
export function isWaitingOutput(value: unknown): value is WaitingOutput {
  return typeof value === 'object' && value !== null && (value as Partial<WaitingOutput>).type === WAITING
}

/**
 * Yields what `work` shows until it has ended.
 *
 * @param work its signal is aborted when nobody reads on
 * @returns what it came to
 */
export async function* showing<Shown, Result>(
  work: (show: (shown: Shown) => void, left: AbortSignal) => Promise<Result>,
): AsyncGenerator<Shown, Result> {
  const left = new AbortController()
  const queue: Shown[] = []
  let ended = false
  let news = Promise.withResolvers<void>()
  const result = work((shown) => {
    queue.push(shown)
    news.resolve()
  }, left.signal)
  const end = () => {
    ended = true
    news.resolve()
  }
  result.then(end, end)
  try {
    while (!ended) {
      await news.promise
      news = Promise.withResolvers()
      for (let shown = queue.shift(); shown !== undefined; shown = queue.shift()) yield shown
    }
    return await result
  } finally {
    if (!ended) left.abort(new DOMException('nobody reads the result of this call any more', 'AbortError'))
  }
}
