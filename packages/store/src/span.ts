/**
 * A span is one run of a transaction: its `tx` works as long as it lasts, its first statement that fails fails it, and nothing
 * outside of it may be asked from within.
 *
 * @module
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { StoreReader, StoreTransaction } from '@silentauth/core'

export interface Spans {
  /** @throws TypeError within a span that lasts */
  requireOutside(): void
  /** Rejects with the first failure of a statement, even when `work` caught it; else as `work` does. */
  run<Result>(tx: StoreTransaction, work: (tx: StoreTransaction) => Promise<Result>): Promise<Result>
  /** @param ready is awaited before each question */
  reader(reader: StoreReader, ready: () => void | Promise<void>): StoreReader
}

/** @param meaningOf what an error of the driver means to callers */
export function spans(meaningOf: (error: unknown) => unknown): Spans {
  const inside = new AsyncLocalStorage<Span>()
  return {
    requireOutside() {
      if (inside.getStore()?.ended === false) throw new TypeError('within a transaction there is only its tx')
    },

    async run(tx, work) {
      const span: Span = { ended: false, failure: undefined }
      const own = wrapped(tx, async (ask) => {
        if (span.ended) throw new TypeError('the transaction has ended')
        try {
          return await ask()
        } catch (error) {
          span.failure ??= meaningOf(error)
          throw span.failure
        }
      })
      try {
        const result = await inside.run(span, () => work(own))
        // A write that failed has left the rest as it was: what it was part of must not be kept.
        if (span.failure !== undefined) throw span.failure
        return result
      } catch (error) {
        throw span.failure ?? error
      } finally {
        span.ended = true
      }
    },

    reader: (reader, ready) =>
      wrapped(reader, async (ask) => {
        await ready()
        try {
          return await ask()
        } catch (error) {
          throw meaningOf(error)
        }
      }),
  }
}

interface Span {
  ended: boolean
  /** Of its first statement that failed. */
  failure: unknown
}

type Method = (...args: unknown[]) => Promise<unknown>

/** The same object, with something around every method. */
function wrapped<Methods extends object>(
  methods: Methods,
  around: (ask: () => Promise<unknown>) => Promise<unknown>,
): Methods {
  const entries = Object.entries(methods) as [string, Method][]
  return Object.fromEntries(
    entries.map(([name, method]) => [name, (...args: unknown[]) => around(() => method(...args))]),
  ) as Methods
}
