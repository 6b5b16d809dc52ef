/**
 * A time limit on one piece of work. Its timer and its listener are gone when the work is, whatever happened.
 *
 * @module
 */

export interface TimeLimit {
  /** Infinity: none. */
  readonly ms: number
  /** Any of these ends the work. */
  readonly signals?: readonly (AbortSignal | undefined)[]
}

/**
 * Runs `work` with a signal that aborts with the first of the outer ones, for the same reason, or when the time is over.
 *
 * @throws what `work` throws; an outer signal's reason; DOMException `TimeoutError`
 */
export async function within<Result>(
  { ms, signals = [] }: TimeLimit,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  for (const signal of signals) signal?.throwIfAborted()
  const limit = new AbortController()
  const listening: (() => void)[] = []
  for (const signal of signals) {
    if (signal === undefined) continue
    const stop = (): void => limit.abort(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
    listening.push(() => signal.removeEventListener('abort', stop))
  }
  const over = (): void => limit.abort(new DOMException(`no answer within ${ms} ms`, 'TimeoutError'))
  const timer = ms < MAX_TIMER_MS ? setTimeout(over, ms) : undefined
  try {
    return await work(limit.signal)
  } finally {
    clearTimeout(timer)
    for (const leave of listening) leave()
  }
}

export interface SleepOptions {
  /** Any of these ends the sleep. */
  readonly signals?: readonly (AbortSignal | undefined)[]
  /** Lets the process end meanwhile. @default false */
  readonly unref?: boolean
}

/** @throws a signal's reason, at once */
export function sleep(ms: number, { signals = [], unref = false }: SleepOptions = {}): Promise<void> {
  return new Promise((resolve, reject) => {
    const aborted = signals.find((signal) => signal?.aborted)
    if (aborted !== undefined) return reject(aborted.reason)
    const end = (settle: () => void): void => {
      clearTimeout(timer)
      for (const signal of signals) signal?.removeEventListener('abort', stop)
      settle()
    }
    const stop = (event: Event): void => end(() => reject((event.target as AbortSignal).reason))
    const timer = setTimeout(() => end(resolve), Math.min(ms, MAX_TIMER_MS))
    if (unref) timer.unref?.()
    for (const signal of signals) signal?.addEventListener('abort', stop)
  })
}

/** Above this, `setTimeout` fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1
