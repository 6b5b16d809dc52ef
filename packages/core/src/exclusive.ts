/**
 * Exclusive work: one piece after the other, in the order of asking. Work that asks again from within would wait for itself
 * for ever, so it is refused.
 *
 * @module
 */

export interface Exclusive {
  /** @throws TypeError when called from within work that has not ended */
  run<Result>(work: () => Promise<Result>): Promise<Result>
  /** Called from within work that has not ended. False where the runtime cannot tell. */
  isInside(): boolean
  /** Resolves once everything that was asked for before has ended. */
  idle(): Promise<void>
}

export function exclusive(): Exclusive {
  // Undefined in runtimes without it: there such work waits for ever.
  const node = globalThis.process?.getBuiltinModule?.('node:async_hooks')
  const inside = node && new node.AsyncLocalStorage<{ ended: boolean }>()
  let last: Promise<unknown> = Promise.resolve()

  const isInside = (): boolean => inside?.getStore()?.ended === false

  return {
    isInside,
    async run(work) {
      if (isInside()) throw new TypeError('a transaction within a transaction: use its tx')
      const here = { ended: false }
      const done = last.then(() => (inside ? inside.run(here, work) : work())).finally(() => (here.ended = true))
      last = done.catch(() => undefined)
      return done
    },
    async idle() {
      await last
    },
  }
}
