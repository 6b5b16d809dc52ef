/**
 * An interleaved store: while it is told to, every call of the store and of its transactions waits for its turn, and somebody else
 * says whose turn it is. So concurrent commands meet between any two of their calls.
 *
 * @module
 */
import type { Store, StoreTransaction } from '@silentauth/core'

export interface Interleaved {
  readonly store: Store
  /** Runs `work`; until it has ended each call awaits `turn` first. */
  between<Result>(turn: (call: string) => Promise<void>, work: () => Promise<Result>): Promise<Result>
}

export function interleavedStore(inner: Store): Interleaved {
  let turn: ((call: string) => Promise<void>) | undefined

  function waiting<Target extends object>(target: Target): Target {
    return new Proxy(target, {
      get(own, name) {
        const member: unknown = Reflect.get(own, name)
        if (typeof member !== 'function' || typeof name === 'symbol') return member
        return async (...args: unknown[]) => {
          await turn?.(name)
          return Reflect.apply(member, own, args)
        }
      },
    })
  }

  const calls = waiting(inner)
  const transaction: Store['transaction'] = async (work) => {
    await turn?.('transaction')
    return inner.transaction((tx: StoreTransaction) => work(waiting({ ...tx })))
  }
  return {
    store: new Proxy(inner, {
      get: (own, name) =>
        name === 'transaction'
          ? transaction
          : name === Symbol.asyncDispose
            ? () => own[Symbol.asyncDispose]()
            : Reflect.get(calls, name),
    }),
    async between(each, work) {
      turn = each
      try {
        return await work()
      } finally {
        turn = undefined
      }
    },
  }
}
