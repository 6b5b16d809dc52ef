/**
 * An interleaved store: while it is told to, every call of the store and of its transactions waits for its turn, and somebody else
 * says whose turn it is. So concurrent commands meet between any two of their calls.
 *
 * @module
 */
import type { Store, StoreTransaction } from '@silentauth/core'

/** Of all stores that meet each other. */
export interface Turns {
  /** Resolves when it is the turn of this call. */
  of(call: string): Promise<void>
  /** Runs `work`; until it has ended each call awaits `turn` first. */
  between<Result>(turn: (call: string) => Promise<void>, work: () => Promise<Result>): Promise<Result>
}

export function turns(): Turns {
  let turn: ((call: string) => Promise<void>) | undefined
  return {
    async of(call) {
      await turn?.(call)
    },
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

export function interleavedStore(inner: Store, turn: Turns): Store {
  function waiting<Target extends object>(target: Target): Target {
    return new Proxy(target, {
      get(own, name) {
        const member: unknown = Reflect.get(own, name)
        if (typeof member !== 'function' || typeof name === 'symbol') return member
        return async (...args: unknown[]) => {
          await turn.of(name)
          return Reflect.apply(member, own, args)
        }
      },
    })
  }

  const calls = waiting(inner)
  const transaction: Store['transaction'] = async (work) => {
    await turn.of('transaction')
    return inner.transaction((tx: StoreTransaction) => work(waiting({ ...tx })))
  }
  return new Proxy(inner, {
    get: (own, name) =>
      name === 'transaction'
        ? transaction
        : name === Symbol.asyncDispose
          ? () => own[Symbol.asyncDispose]()
          : Reflect.get(calls, name),
  })
}
