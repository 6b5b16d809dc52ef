/**
 * A seeded defect: a store that commits the state of an intent first, and its leaf and its outbox rows in a transaction of their
 * own. Whoever dies in between has decided something that the log never heard of. It proves that the crash suite can fail.
 *
 * @module
 */
import type { AuditLeaf, OutboxRow, Store, StoreTransaction } from '@silentauth/core'

export function splitStore(inner: Store): Store {
  return new Proxy(inner, {
    get(own, name) {
      if (name === 'transaction') return (work: Work<unknown>) => inTwo(own, work)
      const member: unknown = Reflect.get(own, name)
      return typeof member === 'function' ? member.bind(own) : member
    },
  })
}

type Work<Result> = (tx: StoreTransaction) => Promise<Result>

async function inTwo<Result>(store: Store, work: Work<Result>): Promise<Result> {
  let leaves: AuditLeaf[] = []
  let rows: OutboxRow[] = []
  const result = await store.transaction((tx) => {
    leaves = []
    rows = []
    return work({
      ...tx,
      async appendLeaf(leaf) {
        leaves.push(leaf)
      },
      async enqueue(more) {
        rows.push(...more)
      },
    })
  })
  if (leaves.length + rows.length > 0) {
    await store.transaction(async (tx) => {
      for (const leaf of leaves) await tx.appendLeaf(leaf)
      if (rows.length > 0) await tx.enqueue(rows)
    })
  }
  return result
}
