/**
 * Waiters: who wants to know when an intent changes. A wake-up is only a hint; whoever is woken reads again.
 *
 * @module
 */
import type { IntentId } from './id.js'

export interface Waiters {
  readonly size: number
  /** @returns a function that takes the listener away again */
  add(id: IntentId, listener: () => void): () => void
  wake(id: IntentId): void
  /** Everything that is waited for: what a catch-up must read. */
  ids(): readonly IntentId[]
}

export function waiters(): Waiters {
  const byId = new Map<IntentId, Set<() => void>>()
  let size = 0
  return {
    get size() {
      return size
    },
    add(id, listener) {
      const listeners = byId.get(id) ?? new Set()
      byId.set(id, listeners)
      listeners.add(listener)
      size++
      return () => {
        if (!listeners.delete(listener)) return
        size--
        if (listeners.size === 0 && byId.get(id) === listeners) byId.delete(id)
      }
    },
    wake(id) {
      for (const listener of [...(byId.get(id) ?? [])]) listener()
    },
    ids: () => [...byId.keys()],
  }
}
