/**
 * The contract of stores: recorded results, one per intent, until they are erased or the intent goes.
 *
 * @module
 */
import { expect } from 'vitest'
import type { RecordedResult } from '../recorded-result.js'
import type { Store } from '../store.js'
import type { StoreTest } from './store-test.js'
import { aState, OTHER_PROJECT, PROJECT, THEN } from './stored.js'

export const RESULT_TESTS: readonly StoreTest[] = [
  {
    name: 'keeps the result of one intent in one project, the latest',
    async run(store) {
      const result = aResult()
      await put(store, result)
      const later = aResult({ sealed: '1.key.later' })
      await put(store, later)
      const { projectId, intentId } = result
      expect(await store.recordedResult(projectId, intentId)).toEqual(later)
      expect(await store.recordedResult(OTHER_PROJECT, intentId)).toBeUndefined()
      expect(await store.recordedResult(projectId, 'int_other')).toBeUndefined()
    },
  },
  {
    name: 'erases a result once, and not at all when the transaction fails',
    async run(store) {
      const result = aResult()
      const { projectId, intentId } = result
      await put(store, result)
      const failing = store.transaction(async (tx) => {
        expect(await tx.eraseResult(projectId, intentId)).toBe(true)
        expect(await tx.recordedResult(projectId, intentId)).toBeUndefined()
        throw new Error('not today')
      })
      await expect(failing).rejects.toThrow('not today')
      expect(await store.recordedResult(projectId, intentId)).toEqual(result)
      expect(await store.transaction((tx) => tx.eraseResult(OTHER_PROJECT, intentId))).toBe(false)
      expect(await store.transaction((tx) => tx.eraseResult(projectId, intentId))).toBe(true)
      expect(await store.transaction((tx) => tx.eraseResult(projectId, intentId))).toBe(false)
      expect(await store.recordedResult(projectId, intentId)).toBeUndefined()
    },
  },
  {
    name: 'takes the result away with its intent',
    async run(store) {
      const state = aState({ createdAt: THEN }, { status: 'denied', resolvedAt: THEN })
      const { id } = state.declaration
      const other = aResult()
      await store.transaction(async (tx) => {
        await tx.insertIntent(state)
        await tx.putResult(aResult({ intentId: id }))
        await tx.putResult(other)
      })
      await store.transaction(async (tx) => {
        await tx.lockIntent(id)
        await tx.deleteIntent(id)
      })
      expect(await store.recordedResult(PROJECT, id)).toBeUndefined()
      expect(await store.recordedResult(PROJECT, other.intentId)).toEqual(other)
    },
  },
]

function aResult(changes: Partial<RecordedResult> = {}): RecordedResult {
  return { projectId: PROJECT, intentId: 'int_recorded', sealed: '1.key.sealed', ...changes }
}

function put(store: Store, result: RecordedResult): Promise<void> {
  return store.transaction((tx) => tx.putResult(result))
}
