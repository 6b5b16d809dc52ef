/**
 * The contract of stores: denials that are remembered, each for its time.
 *
 * @module
 */
import { expect } from 'vitest'
import type { Denial, DeniedAction } from '../denial.js'
import { digestOf } from '../digest.js'
import type { Store } from '../store.js'
import type { StoreTest } from './store-test.js'
import { OTHER_PROJECT, PROJECT } from './stored.js'

const MINUTE_MS = 60_000

export const DENIAL_TESTS: readonly StoreTest[] = [
  {
    name: 'remembers a denial of one principal, one action and one digest in one project',
    async run(store) {
      const denial = await aDenial(store)
      await put(store, denial)
      const { intentId, expiresAt, ...asked } = denial
      expect(await store.denial(asked)).toEqual(denial)
      const others: DeniedAction[] = [
        { ...asked, projectId: OTHER_PROJECT },
        { ...asked, owner: 'key:key_two' },
        { ...asked, action: 'issue_refund_2' },
        { ...asked, paramsDigest: digestOf('other') },
      ]
      expect(await Promise.all(others.map((other) => store.denial(other)))).toEqual([
        undefined,
        undefined,
        undefined,
        undefined,
      ])
    },
  },
  {
    name: 'forgets a denial when its time is over',
    async run(store) {
      const denial = await aDenial(store, { expiresAt: await store.now() })
      await put(store, denial)
      expect(await store.denial(denial)).toBeUndefined()
      await put(store, { ...denial, owner: 'key:key_two' })
      expect(await store.transaction((tx) => tx.takeDenial(denial))).toBeUndefined()
    },
  },
  {
    name: 'keeps the latest denial of the same thing',
    async run(store) {
      const denial = await aDenial(store)
      await put(store, denial)
      const later: Denial = { ...denial, intentId: 'int_later', expiresAt: denial.expiresAt + MINUTE_MS }
      await put(store, later)
      expect(await store.denial(denial)).toEqual(later)
    },
  },
  {
    name: 'gives a denial away once, and not at all when the transaction fails',
    async run(store) {
      const denial = await aDenial(store)
      await put(store, denial)
      const failing = store.transaction(async (tx) => {
        expect(await tx.takeDenial(denial)).toEqual(denial)
        expect(await tx.denial(denial)).toBeUndefined()
        throw new Error('not today')
      })
      await expect(failing).rejects.toThrow('not today')
      expect(await store.transaction((tx) => tx.takeDenial(denial))).toEqual(denial)
      expect(await store.transaction((tx) => tx.takeDenial(denial))).toBeUndefined()
    },
  },
]

async function aDenial(store: Store, changes: Partial<Denial> = {}): Promise<Denial> {
  return {
    projectId: PROJECT,
    owner: 'key:key_one',
    action: 'issue_refund',
    paramsDigest: digestOf('{}'),
    intentId: 'int_denied',
    expiresAt: (await store.now()) + MINUTE_MS,
    ...changes,
  }
}

function put(store: Store, denial: Denial): Promise<void> {
  return store.transaction((tx) => tx.putDenial(denial))
}
