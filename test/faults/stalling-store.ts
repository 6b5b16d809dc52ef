/**
 * A store that does nothing for a while once it has locked an intent, as a process that is stopped, swapped out or cut off does.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Store, StoreTransaction } from '@silentauth/core'

export function stallingStore(inner: Store, stallMs: number): Store {
  return new Proxy(inner, {
    get(own, name) {
      if (name !== 'transaction') {
        const member: unknown = Reflect.get(own, name)
        return typeof member === 'function' ? member.bind(own) : member
      }
      return <Result>(work: (tx: StoreTransaction) => Promise<Result>) =>
        own.transaction((tx) =>
          work({
            ...tx,
            async lockIntent(id) {
              const state = await tx.lockIntent(id)
              await delay(stallMs)
              return state
            },
          }),
        )
    },
  })
}
