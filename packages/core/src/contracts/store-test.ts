/**
 * One test of the contract of stores.
 *
 * @module
 */
import type { Store } from '../store.js'

export interface StoreTest {
  /** A sentence; what a store that cannot do it names in `skip`. */
  readonly name: string
  /** Gets an empty store of its own, which is disposed afterwards. */
  run(store: Store): Promise<void>
}

/** What a promise was rejected with. @throws Error when it was not */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  )
  if ('error' in outcome) return outcome.error
  throw new Error(`it resolved to ${JSON.stringify(outcome.value)}`)
}

/** A point that one side waits for until the other has come so far. */
export function checkpoint(): { readonly reached: Promise<void>; pass(): void } {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { reached: promise, pass: resolve }
}
