/**
 * The contract of stores: what `localGate` relies on, whatever keeps the intents. One suite holds the memory store and the
 * databases to the same behaviour.
 *
 * @module
 */
import { describe, it } from 'vitest'
import type { Store } from '../store.js'
import { DENIAL_TESTS } from './store-denials.js'
import { INTENT_TESTS } from './store-intents.js'
import { LOG_TESTS } from './store-log.js'
import { OUTBOX_TESTS } from './store-outbox.js'
import { REGISTRY_TESTS } from './store-registry.js'
import { RESULT_TESTS } from './store-results.js'
import { RETENTION_TESTS } from './store-retention.js'
import { REVOCATION_TESTS } from './store-revocations.js'
import { TRANSACTION_TESTS } from './store-transactions.js'
import { TREE_TESTS } from './store-tree.js'

export interface DescribeStoreOptions {
  /** Name of a test → why this store cannot do it. */
  readonly skip?: Readonly<Record<string, string>> | undefined
}

const PARTS = {
  transactions: TRANSACTION_TESTS,
  intents: INTENT_TESTS,
  'the audit log': LOG_TESTS,
  'the tree over the log': TREE_TESTS,
  'the registry': REGISTRY_TESTS,
  'the outbox': OUTBOX_TESTS,
  denials: DENIAL_TESTS,
  'recorded results': RESULT_TESTS,
  retention: RETENTION_TESTS,
  revocations: REVOCATION_TESTS,
}

/** @param makeStore makes an empty store, for each test anew; the suite disposes it */
export function describeStore(
  name: string,
  makeStore: () => Promise<Store> | Store,
  { skip = {} }: DescribeStoreOptions = {},
): void {
  const names = new Set(Object.values(PARTS).flatMap((tests) => tests.map((test) => test.name)))
  const unknown = Object.keys(skip).filter((skipped) => !names.has(skipped))
  if (unknown.length > 0) throw new TypeError(`no test of the contract is called ${unknown.join(', ')}`)

  describe(name, () => {
    for (const [part, tests] of Object.entries(PARTS)) {
      describe(part, () => {
        for (const { name: title, run } of tests) {
          const reason = skip[title]
          if (reason !== undefined) it.skip(`${title} (${reason})`)
          else {
            it(title, async () => {
              await using store = await makeStore()
              await run(store)
            })
          }
        }
      })
    }
  })
}
