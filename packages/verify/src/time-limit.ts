/**
 * A time limit on one piece of work. Its timer and its listener are gone when the work is, whatever happened.
 *
 * @module
 */

export interface TimeLimit {
  readonly ms: number
  readonly signal?: AbortSignal | undefined
}

/**
 * Runs `work` with a signal that aborts with the outer one, for the same reason, or when the time is over.
 *
 * @throws what `work` throws; the outer signal's reason; DOMException `TimeoutError`
 */
export async function within<Result>(
  { ms, signal }: TimeLimit,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  signal?.throwIfAborted()
  const limit = new AbortController()
  const stop = (): void => limit.abort(signal?.reason)
  signal?.addEventListener('abort', stop, { once: true })
  const timer =
    ms < MAX_TIMER_MS
      ? setTimeout(() => limit.abort(new DOMException(`no answer within ${ms} ms`, 'TimeoutError')), ms)
      : undefined
  try {
    return await work(limit.signal)
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', stop)
  }
}

/** @throws the signal's reason, at once */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const stop = (): void => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(
      () => {
        signal?.removeEventListener('abort', stop)
        resolve()
      },
      Math.min(ms, MAX_TIMER_MS),
    )
    signal?.addEventListener('abort', stop, { once: true })
  })
}

/** Above this, `setTimeout` fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1
