/**
 * Settlement is what callers wait for: an intent that is no longer pending.
 *
 * @module
 */
import type { Engine } from './engine.js'
import { SilentAuthError } from './errors.js'
import type { IntentId } from './id.js'
import type { State } from './state.js'

export interface Waiting {
  readonly id: IntentId
  readonly signal: AbortSignal
  /** @default until it is settled */
  readonly timeoutMs?: number | undefined
  /** Asked whenever it is woken, and at least every minute: whether the credential still holds. */
  authorise(state: State): Promise<void>
}

/** Level-triggered: registered first, then read, so that no decision falls in between. */
export async function waitUntilSettled(
  own: Engine,
  { id, signal, timeoutMs = Number.POSITIVE_INFINITY, authorise }: Waiting,
): Promise<State> {
  const deadline = performance.now() + timeoutMs
  for (let woken = false; ; woken = true) {
    signal.throwIfAborted()
    let wake: () => void = () => {}
    const changed = new Promise<void>((resolve) => {
      wake = resolve
    })
    const remove = own.waiters.add(id, wake)
    signal.addEventListener('abort', wake, { once: true })
    let timer: ReturnType<typeof setTimeout> | undefined
    try {
      const { state, now } = await own.read(id)
      if (woken || state.status === 'pending') await authorise(state)
      if (state.status !== 'pending') return state
      const left = deadline - performance.now()
      if (left <= 0) throw new SilentAuthError('WAIT_TIMEOUT', `${id}: no decision in time`, { intentId: id })
      timer = setTimeout(wake, Math.min(left, state.declaration.expiresAt - now + 1, recheckMs()))
      await changed
    } finally {
      clearTimeout(timer)
      remove()
      signal.removeEventListener('abort', wake)
    }
  }
}

/** How long a credential that was refused meanwhile may go on waiting. */
const RECHECK_MS = 60_000

/** Those who began together must not ask again together: whoever is woken would be read after all of them. */
function recheckMs(): number {
  return RECHECK_MS * (0.25 + Math.random() * 0.75)
}

/** Wakes those whose wake-up was lost: another process decided. */
export async function catchUp(own: Engine): Promise<void> {
  const ids = own.waiters.ids()
  if (ids.length === 0) return
  for (const id of await own.store.settledAmong(ids)) own.waiters.wake(id)
}
