/**
 * Settlement is what callers wait for: an intent that is no longer pending.
 *
 * @module
 */
import type { Engine } from './engine.js'
import { SilentAuthError } from './errors.js'
import type { IntentId } from './id.js'
import type { State } from './state.js'

/** Level-triggered: registered first, then read, so that no decision falls in between. */
export async function waitUntilSettled(
  own: Engine,
  id: IntentId,
  signal: AbortSignal,
  timeoutMs = Number.POSITIVE_INFINITY,
): Promise<State> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    signal.throwIfAborted()
    let wake: () => void = () => {}
    const woken = new Promise<void>((resolve) => {
      wake = resolve
    })
    const remove = own.waiters.add(id, wake)
    signal.addEventListener('abort', wake, { once: true })
    let timer: ReturnType<typeof setTimeout> | undefined
    try {
      const { state, now } = await own.read(id)
      if (state.status !== 'pending') return state
      const left = deadline - performance.now()
      if (left <= 0) throw new SilentAuthError('WAIT_TIMEOUT', `${id}: no decision in time`, { intentId: id })
      timer = setTimeout(wake, Math.min(left, state.declaration.expiresAt - now + 1, MAX_TIMER_MS))
      await woken
    } finally {
      clearTimeout(timer)
      remove()
      signal.removeEventListener('abort', wake)
    }
  }
}

/** Above this, `setTimeout` fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1

/** Wakes those whose wake-up was lost: another process decided. */
export async function catchUp(own: Engine): Promise<void> {
  const ids = own.waiters.ids()
  if (ids.length === 0) return
  for (const id of await own.store.settledAmong(ids)) own.waiters.wake(id)
}
