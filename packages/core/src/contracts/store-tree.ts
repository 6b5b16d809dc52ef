/**
 * The contract of stores: places in the log, the tree over it, checkpoints and epochs, and what can be erased.
 *
 * @module
 */
import { expect } from 'vitest'
import { isConflict } from '../conflict.js'
import { newId } from '../id.js'
import type { LogEpoch, StoredCheckpoint } from '../log-store.js'
import { growTree, isConsistent, readEdge, type TreePlace, treeRoot } from '../merkle-tree.js'
import type { Store } from '../store.js'
import { rejection, type StoreTest } from './store-test.js'
import { aLeaf, aSession, aSignInToken, OTHER_PROJECT, PROJECT, THEN } from './stored.js'

export const TREE_TESTS: readonly StoreTest[] = [
  {
    name: 'says how many leaves have their place',
    async run(store) {
      await append(store, 3)
      await append(store, 1, OTHER_PROJECT)
      await placed(store)
      await placed(store, OTHER_PROJECT)
      expect([
        await store.logSize(PROJECT),
        await store.logSize(OTHER_PROJECT),
        await store.logSize('prj_none'),
      ]).toEqual([3, 1, 0])
    },
  },
  {
    name: 'gives leaves that wait their places in the order in which they were written, and never one twice',
    async run(store) {
      const leaves = Array.from({ length: 12 }, () => aLeaf())
      for (const leaf of leaves) await store.transaction((tx) => tx.appendLeaf(leaf))
      await Promise.all(Array.from({ length: 4 }, () => place(store, PROJECT, 5)))
      const log = await store.leaves({ projectId: PROJECT, from: 0, limit: 100 })
      expect(log.map(({ id, sequence }) => [id, sequence])).toEqual(leaves.map(({ id }, index) => [id, index]))
    },
  },
  {
    name: 'keeps no place that a transaction gave before it failed',
    async run(store) {
      await append(store, 2)
      const undone = store.transaction(async (tx) => {
        await tx.lockLog(PROJECT)
        await tx.placeLeaves(PROJECT, 10)
        await tx.appendLeaf(aLeaf())
        throw new Error('undone')
      })
      await rejection(undone)
      await placed(store)
      expect(await store.logSize(PROJECT)).toBe(2)
    },
  },
  {
    name: 'finds a leaf by its id, in its own project only',
    async run(store) {
      const leaf = aLeaf({ values: { comment: 'ja' } })
      await store.transaction((tx) => tx.appendLeaf(leaf))
      const before = await store.leaf(PROJECT, leaf.id)
      await placed(store)
      expect(before).toMatchObject({ id: leaf.id, sequence: store.sequencing === 'immediate' ? 0 : undefined })
      expect(await store.leaf(PROJECT, leaf.id)).toEqual({ ...leaf, sequence: 0 })
      expect([await store.leaf(OTHER_PROJECT, leaf.id), await store.leaf(PROJECT, newId('leaf'))]).toEqual([
        undefined,
        undefined,
      ])
    },
  },
  {
    name: 'finds the leaves of one intent, in the order of the log',
    async run(store) {
      const intentId = newId('int')
      const leaves = [aLeaf({ intentId }), aLeaf({ intentId: newId('int') }), aLeaf({ intentId }), aLeaf()]
      for (const leaf of leaves) await store.transaction((tx) => tx.appendLeaf(leaf))
      await place(store, PROJECT, 1)
      const found = await store.leavesOf(PROJECT, intentId)
      expect(found.map(({ id }) => id)).toEqual([leaves[0]?.id, leaves[2]?.id])
      expect(await store.leavesOf(OTHER_PROJECT, intentId)).toEqual([])
    },
  },
  {
    name: 'keeps a tree over the leaves, from which the head at any earlier size can be read',
    async run(store) {
      await append(store, 7)
      await placed(store)
      const roots = [await grow(store, 4), await grow(store, 3)]
      await append(store, 6)
      await placed(store)
      roots.push(await grow(store, 6))
      const nodes = (places: readonly TreePlace[]) => store.treeHashes(PROJECT, places)
      const again = [4, 7, 13].map(async (size) => treeRoot(await readEdge(size, nodes)))
      expect(await Promise.all(again)).toEqual(roots)
      expect(isConsistent({ oldSize: 0, oldRoot: '', size: 1, root: '', proof: [] })).toBe(false)
    },
  },
  {
    name: 'leaves out of the hashes what is not there',
    async run(store) {
      await append(store, 1)
      await placed(store)
      const places = [
        { level: 1, index: 0 },
        { level: 0, index: 0 },
        { level: 0, index: 1 },
      ]
      expect(await store.treeHashes(PROJECT, places)).toHaveLength(1)
      expect(await store.treeHashes(OTHER_PROJECT, places)).toEqual([])
    },
  },
  {
    name: 'does not put another node at a place of the tree',
    async run(store) {
      const node = { level: 1, index: 0, hash: aLeaf().hash }
      await store.transaction((tx) => tx.putTreeNodes(PROJECT, [node]))
      const other = store.transaction((tx) => tx.putTreeNodes(PROJECT, [{ ...node, hash: aLeaf().hash }]))
      expect(isConflict(await rejection(other))).toBe(true)
    },
  },
  {
    name: 'gives the largest checkpoint of the last epoch, and signs no size of an epoch twice',
    async run(store) {
      for (const [epoch, size] of [
        [0, 2],
        [0, 9],
        [1, 4],
        [1, 5],
      ] as const) {
        await store.transaction((tx) => tx.putCheckpoint(aCheckpoint({ epoch, size })))
      }
      await store.transaction((tx) => tx.putCheckpoint(aCheckpoint({ projectId: OTHER_PROJECT, epoch: 3 })))
      expect(await store.lastCheckpoint(PROJECT)).toEqual(aCheckpoint({ epoch: 1, size: 5 }))
      expect(await store.lastCheckpoint('prj_none')).toBeUndefined()
      const again = store.transaction((tx) => tx.putCheckpoint(aCheckpoint({ epoch: 1, size: 5, note: 'another' })))
      expect(isConflict(await rejection(again))).toBe(true)
    },
  },
  {
    name: 'keeps the epochs of a log, each once',
    async run(store) {
      const [one, two] = [anEpoch({ epoch: 1, held: undefined }), anEpoch({ epoch: 2 })]
      await store.transaction((tx) => tx.putLogEpoch(one))
      await store.transaction((tx) => tx.putLogEpoch(two))
      expect(await store.logEpochs(PROJECT)).toEqual([one, two])
      expect(await store.logEpochs(OTHER_PROJECT)).toEqual([])
      const again = store.transaction((tx) => tx.putLogEpoch({ ...two, restoredSize: 1 }))
      expect(isConflict(await rejection(again))).toBe(true)
    },
  },
  {
    name: "erases the values of one intent's leaves, and leaves the leaves as they were hashed",
    async run(store) {
      const intentId = newId('int')
      const [one, two] = [
        aLeaf({ intentId, values: { comment: 'x', reason: 'y' } }),
        aLeaf({ values: { comment: 'z' } }),
      ]
      await store.transaction(async (tx) => {
        await tx.appendLeaf(one)
        await tx.appendLeaf(two)
      })
      await placed(store)
      expect(await store.transaction((tx) => tx.erasePayloads(PROJECT, intentId))).toBe(2)
      const log = await store.leaves({ projectId: PROJECT, from: 0, limit: 10 })
      expect(log.map(({ body, hash, payloads }) => [body, hash, payloads.length])).toEqual([
        [one.body, one.hash, 0],
        [two.body, two.hash, 1],
      ])
      expect(await store.transaction((tx) => tx.erasePayloads(PROJECT, intentId))).toBe(0)
    },
  },
  {
    name: 'keeps the values of the leaves that it is told to keep',
    async run(store) {
      const intentId = newId('int')
      const leaves = ['x', 'y', 'z'].map((comment) => aLeaf({ intentId, values: { comment } }))
      for (const leaf of leaves) await store.transaction((tx) => tx.appendLeaf(leaf))
      const keep = leaves.slice(0, 2).map(({ id }) => id)
      const erased = await store.transaction((tx) => tx.erasePayloads(PROJECT, intentId, keep))
      const left = (await store.leavesOf(PROJECT, intentId)).flatMap(({ payloads }) =>
        payloads.map(({ value }) => value),
      )
      expect([erased, left.sort()]).toEqual([1, ['x', 'y']])
    },
  },
  {
    name: 'erases nothing of another project',
    async run(store) {
      const intentId = newId('int')
      await store.transaction((tx) => tx.appendLeaf(aLeaf({ intentId, values: { comment: 'x' } })))
      expect(await store.transaction((tx) => tx.erasePayloads(OTHER_PROJECT, intentId))).toBe(0)
      expect((await store.leavesOf(PROJECT, intentId))[0]?.payloads).toHaveLength(1)
    },
  },
  {
    name: 'ends all sessions and sign-in links of a project, and no others',
    async run(store) {
      const expiresAt = (await store.now()) + 60_000
      const own = [aSession({ expiresAt }), aSession({ expiresAt })]
      const other = aSession({ expiresAt, projectId: OTHER_PROJECT })
      const token = aSignInToken({ expiresAt })
      await store.transaction(async (tx) => {
        for (const session of [...own, other]) await tx.putSession(session)
        await tx.putSignInToken(token)
      })
      await store.transaction((tx) => tx.deleteSessions(PROJECT))
      const left = await Promise.all([...own, other].map(({ cookieHash }) => store.sessionByCookieHash(cookieHash)))
      expect(left.map((session) => session?.id)).toEqual([undefined, undefined, other.id])
      expect(await store.transaction((tx) => tx.takeSignInToken(token.tokenHash))).toBeUndefined()
    },
  },
]

/** Gives every leaf that waits its place. */
export async function placed(store: Store, projectId: typeof PROJECT = PROJECT): Promise<void> {
  while ((await place(store, projectId, 100)) > 0);
}

async function place(store: Store, projectId: typeof PROJECT, limit: number): Promise<number> {
  return store.transaction(async (tx) => {
    await tx.lockLog(projectId)
    return tx.placeLeaves(projectId, limit)
  })
}

async function append(store: Store, count: number, projectId: typeof PROJECT = PROJECT): Promise<void> {
  for (let index = 0; index < count; index++) {
    await store.transaction((tx) => tx.appendLeaf(aLeaf({ projectId, values: { index } })))
  }
}

/** Takes the next leaves into the tree. @returns its head */
async function grow(store: Store, count: number): Promise<string> {
  return store.transaction(async (tx) => {
    const size = sizes.get(store) ?? 0
    const edge = await readEdge(size, (places) => tx.treeHashes(PROJECT, places))
    const leaves = await tx.leaves({ projectId: PROJECT, from: size, limit: count })
    const { tree, nodes } = growTree(
      edge,
      leaves.map(({ hash }) => hash),
    )
    await tx.putTreeNodes(PROJECT, nodes)
    sizes.set(store, tree.size)
    return treeRoot(tree)
  })
}
const sizes = new WeakMap<Store, number>()

function aCheckpoint(changes: Partial<StoredCheckpoint> = {}): StoredCheckpoint {
  return { projectId: PROJECT, epoch: 0, size: 1, root: 'a root', note: 'a note\nof lines', at: THEN, ...changes }
}

function anEpoch(changes: Partial<LogEpoch> = {}): LogEpoch {
  return {
    projectId: PROJECT,
    epoch: 1,
    restoredSize: 40,
    held: { epoch: 0, size: 45, root: 'a root' },
    at: THEN,
    cautiousUntil: THEN + 3_600_000,
    ...changes,
  }
}
