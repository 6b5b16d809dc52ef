/**
 * The contract of stores, part three: the audit log has each leaf once, at its place, without gaps.
 *
 * @module
 */
import { expect } from 'vitest'
import { leafHash } from '../audit.js'
import { newId } from '../id.js'
import type { Json } from '../json.js'
import type { Store } from '../store.js'
import { rejection, type StoreTest } from './store-test.js'
import { placed } from './store-tree.js'
import { aLeaf, aProject, OTHER_PROJECT, PROJECT } from './stored.js'

export const LOG_TESTS: readonly StoreTest[] = [
  {
    name: 'gives a leaf back as it was appended, with its place',
    async run(store) {
      const intentId = newId('int')
      const leaf = aLeaf({ intentId, values: { comment: 'ja, „gut“ 👍', amount: 250 } })
      await store.transaction((tx) => tx.appendLeaf(leaf))
      const [stored] = await log(store)
      const payloads = leaf.payloads.toSorted((one, other) => (one.field < other.field ? -1 : 1))
      expect(stored).toEqual({ ...leaf, payloads, sequence: 0 })
      expect(stored?.hash).toBe(leafHash(stored?.body ?? ''))
    },
  },
  {
    name: 'keeps the value behind a commitment as it is, whatever JSON it is',
    async run(store) {
      const values: Record<string, Json> = {
        nothing: null,
        no: false,
        zero: 0,
        empty: '',
        list: [1, 'zwei', null],
        object: { b: 1, a: { 10: 'x' } },
      }
      await store.transaction((tx) => tx.appendLeaf(aLeaf({ values })))
      const payloads = (await log(store))[0]?.payloads ?? []
      expect(Object.fromEntries(payloads.map(({ field, value }) => [field, value]))).toEqual(values)
    },
  },
  {
    name: 'numbers the leaves of each project from zero, without gaps, however many append at once',
    async run(store) {
      const projects = [PROJECT, OTHER_PROJECT, PROJECT, PROJECT] as const
      await Promise.all(
        Array.from({ length: 60 }, (_, index) =>
          store.transaction(async (tx) => {
            await tx.appendLeaf(aLeaf({ projectId: projects[index % 4] as (typeof projects)[number] }))
            if (index % 7 === 0) throw new Error('undone')
          }),
        ).map((promise) => promise.catch(() => undefined)),
      )
      const kept = (wanted: string) =>
        Array.from({ length: 60 }, (_, index) => index).filter((i) => i % 7 !== 0 && projects[i % 4] === wanted).length
      expect(places(await log(store))).toEqual(Array.from({ length: kept(PROJECT) }, (_, index) => index))
      expect(places(await log(store, OTHER_PROJECT))).toEqual(
        Array.from({ length: kept(OTHER_PROJECT) }, (_, index) => index),
      )
    },
  },
  {
    name: 'keeps several leaves of one transaction in their order',
    async run(store) {
      const leaves = [aLeaf(), aLeaf({ projectId: OTHER_PROJECT }), aLeaf(), aLeaf()]
      await store.transaction(async (tx) => {
        for (const leaf of leaves) await tx.appendLeaf(leaf)
      })
      const own = leaves.filter(({ projectId }) => projectId === PROJECT).map(({ id }) => id)
      expect((await log(store)).map(({ id }) => id)).toEqual(own)
    },
  },
  {
    name: 'shows a transaction its own leaves at their places',
    async run(store) {
      await store.transaction((tx) => tx.appendLeaf(aLeaf()))
      const seen = await store.transaction(async (tx) => {
        await tx.appendLeaf(aLeaf())
        await tx.appendLeaf(aLeaf({ projectId: OTHER_PROJECT }))
        await tx.lockLog(PROJECT)
        await tx.placeLeaves(PROJECT, 10)
        return places(await tx.leaves({ projectId: PROJECT, from: 0, limit: 10 }))
      })
      expect(seen).toEqual([0, 1])
    },
  },
  {
    name: 'gives leaves from a place on, at most as many as asked for',
    async run(store) {
      await store.transaction(async (tx) => {
        for (let count = 0; count < 7; count++) await tx.appendLeaf(aLeaf({ values: { count } }))
      })
      await placed(store)
      const part = await store.leaves({ projectId: PROJECT, from: 2, limit: 3 })
      expect(places(part)).toEqual([2, 3, 4])
      expect(part.map(({ payloads }) => payloads[0]?.value)).toEqual([2, 3, 4])
      expect(places(await store.leaves({ projectId: PROJECT, from: 5, limit: 3 }))).toEqual([5, 6])
      expect(await store.leaves({ projectId: PROJECT, from: 7, limit: 3 })).toEqual([])
    },
  },
  {
    name: 'cannot append a leaf twice: AUDIT_UNAVAILABLE, and the change does not happen',
    async run(store) {
      const leaf = aLeaf()
      await store.transaction((tx) => tx.appendLeaf(leaf))
      const again = store.transaction(async (tx) => {
        await tx.putProject(aProject())
        await tx.appendLeaf(leaf)
      })
      expect(await rejection(again)).toMatchObject({ code: 'AUDIT_UNAVAILABLE' })
      expect([(await log(store)).length, await store.project(PROJECT)]).toEqual([1, undefined])
    },
  },
  {
    name: 'changes nothing for work that goes on after its leaf failed',
    async run(store) {
      const leaf = aLeaf()
      await store.transaction((tx) => tx.appendLeaf(leaf))
      const unaudited = store.transaction(async (tx) => {
        await tx.appendLeaf(leaf).catch(() => undefined)
        await tx.putProject(aProject())
      })
      expect(await rejection(unaudited)).toMatchObject({ code: 'AUDIT_UNAVAILABLE' })
      expect(await store.project(PROJECT)).toBeUndefined()
    },
  },
]

/** With all leaves at their places. */
async function log(store: Store, projectId: typeof PROJECT = PROJECT) {
  await placed(store, projectId)
  return store.leaves({ projectId, from: 0, limit: 1000 })
}

function places(leaves: readonly { readonly sequence: number }[]): number[] {
  return leaves.map(({ sequence }) => sequence)
}
