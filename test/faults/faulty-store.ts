/**
 * A store that fails once, at a chosen moment: before a call of it, or after a commit whose answer is lost. What it does besides
 * is what the store inside does.
 *
 * @module
 */
import { type OutboxRow, SilentAuthError, type Store, type StoreTransaction } from '@silentauth/core'

/** `call`: the nth call of the store or of a transaction fails and does nothing. `answer`: the nth commit holds, and its answer is lost. */
export interface StoreFault {
  readonly kind: 'call' | 'answer'
  /** From 1. */
  readonly nth: number
}

export interface FaultyStore {
  readonly store: Store
  /** From now on; undefined: it fails no more. */
  arm(fault: StoreFault | undefined): void
  /** Whether the armed fault has happened. */
  fired(): boolean
  /** What was enqueued and committed, whether or not the store inside keeps it. */
  readonly outbox: readonly OutboxRow[]
}

export function faultyStore(inner: Store): FaultyStore {
  const outbox: OutboxRow[] = []
  let armed: (StoreFault & { seen: number; fired: boolean }) | undefined

  function happens(kind: StoreFault['kind']): boolean {
    if (armed?.kind !== kind || armed.fired) return false
    armed.seen++
    armed.fired = armed.seen === armed.nth
    return armed.fired
  }

  function broken(what: string): SilentAuthError {
    return new SilentAuthError('DB_ERROR', `injected: ${what}`)
  }

  /** Every method of `target`, those that are added later too. */
  function failing<Target extends object>(target: Target, failed: (error: unknown) => void): Target {
    return new Proxy(target, {
      get(own, name) {
        const member: unknown = Reflect.get(own, name)
        if (typeof member !== 'function' || typeof name === 'symbol') return member
        return async (...args: unknown[]) => {
          if (happens('call')) {
            const error = broken(name)
            failed(error)
            throw error
          }
          return Reflect.apply(member, own, args)
        }
      },
    })
  }

  async function transaction<Result>(work: (tx: StoreTransaction) => Promise<Result>): Promise<Result> {
    if (happens('call')) throw broken('transaction')
    let enqueued: OutboxRow[] = []
    const result = await inner.transaction(async (tx) => {
      enqueued = []
      let failure: unknown
      const recording: StoreTransaction = {
        ...tx,
        async enqueue(rows) {
          await tx.enqueue(rows)
          enqueued.push(...rows)
        },
      }
      const done = await work(failing(recording, (error) => (failure = error)))
      // As in every store: a write that failed fails the whole, whatever `work` made of the error.
      if (failure !== undefined) throw failure
      return done
    })
    outbox.push(...enqueued)
    if (happens('answer')) throw broken('the answer to a commit')
    return result
  }

  const reader = failing(inner, () => undefined)
  return {
    store: new Proxy(inner, {
      get: (own, name) =>
        name === 'transaction'
          ? transaction
          : name === Symbol.asyncDispose
            ? () => own[Symbol.asyncDispose]()
            : Reflect.get(reader, name),
    }),
    arm(fault) {
      armed = fault && { ...fault, seen: 0, fired: false }
    },
    fired: () => armed?.fired ?? false,
    outbox,
  }
}
