/**
 * The contract of stores, part one: transactions are whole, one after the other, and run again on a conflict.
 *
 * @module
 */
import { expect } from 'vitest'
import { isConflict } from '../conflict.js'
import { type IntentId, newId } from '../id.js'
import type { Store, StoreTransaction } from '../store.js'
import { checkpoint, rejection, type StoreTest } from './store-test.js'
import { placed } from './store-tree.js'
import { aLeaf, aPermit, aPerson, aPolicy, aProject, aRedemption, aState, aVote, PROJECT } from './stored.js'

export const TRANSACTION_TESTS: readonly StoreTest[] = [
  {
    name: 'keeps everything that one transaction wrote, and gives what its work gave',
    async run(store) {
      const state = aState()
      const leaf = aLeaf({ intentId: state.declaration.id })
      const result = await store.transaction(async (tx) => {
        await tx.putProject(aProject())
        await tx.insertIntent(state)
        await tx.appendLeaf(leaf)
        return 'done'
      })
      expect(result).toBe('done')
      await placed(store)
      expect(await everything(store, state.declaration.id)).toEqual({
        state,
        leaves: [leaf.id],
        project: aProject(),
        people: 0,
        revision: 0,
      })
    },
  },
  {
    name: 'keeps nothing of a transaction whose work throws, and throws what it threw',
    async run(store) {
      const state = aState({ idempotency: { key: 'k', fingerprint: aState().declaration.paramsDigest } })
      const thrown = new RangeError('in the middle')
      const error = await rejection(
        store.transaction(async (tx) => {
          await tx.putProject(aProject())
          await tx.putPerson(aPerson())
          await tx.putPolicies(PROJECT, [aPolicy()])
          await tx.insertIntent({ ...state, votes: [aVote()], permits: [aPermit()] })
          await tx.appendLeaf(aLeaf({ values: { comment: 'x' } }))
          throw thrown
        }),
      )
      expect(error).toBe(thrown)
      expect(await everything(store, state.declaration.id)).toEqual(NOTHING)
      expect(await store.intentByIdempotencyKey(state.declaration.owner, 'k')).toBeUndefined()
    },
  },
  {
    name: 'can insert again what a failed transaction inserted',
    async run(store) {
      const state = aState({ idempotency: { key: 'k', fingerprint: aState().declaration.paramsDigest } })
      const voted = { ...state, votes: [aVote()], permits: [aPermit()], redemptions: [aRedemption()] }
      await rejection(
        store.transaction(async (tx) => {
          await tx.insertIntent(voted)
          throw new Error('undone')
        }),
      )
      await store.transaction((tx) => tx.insertIntent(voted))
      expect(await store.intent(state.declaration.id)).toEqual(voted)
    },
  },
  {
    name: 'undoes a change, not only an insertion',
    async run(store) {
      const state = aState()
      const { id } = state.declaration
      await store.transaction((tx) => tx.insertIntent(state))
      await rejection(
        store.transaction(async (tx) => {
          await tx.lockIntent(id)
          await tx.updateIntent({ ...state, status: 'cancelled' })
          throw new Error('undone')
        }),
      )
      expect((await store.intent(id))?.status).toBe('pending')
      expect(await store.countPending('key_one')).toBe(1)
    },
  },
  {
    name: 'shows a transaction what it wrote itself',
    async run(store) {
      const state = aState()
      const permit = aPermit()
      const { id } = state.declaration
      const seen = await store.transaction(async (tx) => {
        await tx.insertIntent(state)
        await tx.updateIntent({ ...state, status: 'approved', permits: [permit] })
        await tx.putProject(aProject())
        await tx.appendLeaf(aLeaf())
        await tx.lockLog(PROJECT)
        await tx.placeLeaves(PROJECT, 10)
        return { ...(await everything(tx, id)), byPermit: await tx.intentByPermit(permit.id) }
      })
      expect(seen).toMatchObject({ state: { status: 'approved' }, leaves: [expect.any(String)], byPermit: id })
      expect(seen.project).toEqual(aProject())
    },
  },
  {
    name: 'shows nobody else what a transaction wrote before it ends',
    async run(store) {
      const state = aState()
      const wrote = checkpoint()
      const looked = checkpoint()
      const writing = rejection(
        store.transaction(async (tx) => {
          await tx.insertIntent(state)
          wrote.pass()
          await looked.reached
          throw new Error('undone')
        }),
      )
      await wrote.reached
      // A store with one connection answers only after the transaction; it must then have been undone.
      const look = store.intent(state.declaration.id)
      await Promise.race([look, new Promise((resolve) => setTimeout(resolve, 20))])
      looked.pass()
      await writing
      expect(await look).toBeUndefined()
    },
  },
  {
    name: 'locks an intent: of a hundred concurrent changes none is lost',
    async run(store) {
      const state = aState()
      const { id } = state.declaration
      await store.transaction((tx) => tx.insertIntent(state))
      await Promise.all(Array.from({ length: 100 }, () => store.transaction((tx) => countUp(tx, id))))
      expect((await store.intent(id))?.execution.continuations).toBe(100)
    },
  },
  {
    name: 'goes on after a transaction that failed between others',
    async run(store) {
      const state = aState()
      const { id } = state.declaration
      await store.transaction((tx) => tx.insertIntent(state))
      const outcomes = await Promise.allSettled(
        Array.from({ length: 30 }, (_, index) =>
          store.transaction(async (tx) => {
            await countUp(tx, id)
            if (index % 3 === 0) throw new Error('undone')
          }),
        ),
      )
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(20)
      expect((await store.intent(id))?.execution.continuations).toBe(20)
    },
  },
  {
    name: 'makes one intent of twenty concurrent declares with one idempotency key',
    async run(store) {
      const ids = await Promise.all(
        Array.from({ length: 20 }, () =>
          store.transaction(async (tx) => {
            const earlier = await tx.intentByIdempotencyKey('key_one', 'same')
            if (earlier) return earlier
            const state = aState({ idempotency: { key: 'same', fingerprint: aState().declaration.paramsDigest } })
            await tx.insertIntent(state)
            return state.declaration.id
          }),
        ),
      )
      expect(new Set(ids).size).toBe(1)
      expect((await store.intents({ projectId: PROJECT, limit: 10 })).items).toHaveLength(1)
    },
  },
  {
    name: 'runs a transaction again that found a key taken, so that it can answer with the first intent',
    async run(store) {
      const first = keyed('same')
      await store.transaction((tx) => tx.insertIntent(first))
      const leaf = aLeaf()
      let runs = 0
      const answer = await store.transaction(async (tx) => {
        // As on a database where the other one committed after this one looked.
        const earlier = ++runs === 1 ? undefined : await tx.intentByIdempotencyKey('key_one', 'same')
        if (earlier) return earlier
        await tx.appendLeaf(leaf)
        await tx.insertIntent(keyed('same'))
        return undefined
      })
      expect(answer).toBe(first.declaration.id)
      expect(await store.leaf(PROJECT, leaf.id)).toBeUndefined()
    },
  },
  {
    name: 'shows the conflict to a caller whose every run conflicts',
    async run(store) {
      await store.transaction((tx) => tx.insertIntent(keyed('same')))
      const error = await rejection(store.transaction((tx) => tx.insertIntent(keyed('same'))))
      expect(isConflict(error) && error.unique).toBe('idempotency_key')
    },
  },
  {
    name: 'counts an idempotency key within its owner, exactly as it is spelled',
    async run(store) {
      const keys = [
        keyed('same'),
        keyed('Same'),
        keyed('same '),
        keyed('s\u00e4me'),
        keyed('sa\u0308me'),
        keyed('same', 'agt_other'),
      ]
      await store.transaction(async (tx) => {
        for (const state of keys) await tx.insertIntent(state)
      })
      const found = await Promise.all(
        keys.map(({ declaration: { owner, idempotency } }) =>
          store.intentByIdempotencyKey(owner, idempotency?.key ?? ''),
        ),
      )
      expect(found).toEqual(keys.map(({ declaration }) => declaration.id))
      expect(await store.intentByIdempotencyKey('key_one', 'SAME')).toBeUndefined()
    },
  },
  {
    name: 'refuses a second intent with the same id',
    run: (store) => expectConflict(store, 'intent', (state) => [aState({ id: state.declaration.id })], []),
  },
  {
    name: 'refuses a second vote of one person',
    run: (store) =>
      expectConflict(store, 'vote', () => [], [
        { votes: [aVote()] },
        { votes: [aVote(), aVote({ verdict: 'deny', at: aVote().at + 1 })] },
      ]),
  },
  {
    name: 'refuses a vote of whoever somebody has voted in the stead of',
    run: (store) => {
      const inTheirStead = aVote({ by: 'usr_deputy', onBehalfOf: { id: aVote().by, label: 'lead@example.com' } })
      return expectConflict(store, 'vote', () => [], [{ votes: [inTheirStead] }, { votes: [inTheirStead, aVote()] }])
    },
  },
  {
    name: 'refuses a permit id that another intent has',
    async run(store) {
      const permit = aPermit()
      await expectConflict(store, 'permit', () => [aState({}, { permits: [permit] })], [{ permits: [permit] }])
    },
  },
  {
    name: 'refuses a second first use of one approval',
    run: (store) =>
      expectConflict(store, 'redemption', () => [], [
        { redemptions: [aRedemption({ id: 'one' })] },
        { redemptions: [aRedemption({ id: 'one' }), aRedemption({ id: 'two' })] },
      ]),
  },
  {
    name: 'refuses the same redemption twice',
    run: (store) =>
      expectConflict(store, 'redemption', () => [], [
        { redemptions: [aRedemption({ id: 'one' })] },
        { redemptions: [aRedemption({ id: 'one' }), aRedemption({ id: 'one', replayed: true })] },
      ]),
  },
  {
    name: 'keeps several uses of an approval that was handed on as replayed',
    async run(store) {
      const state = aState()
      const redemptions = ['one', 'two', 'three'].map((id) => aRedemption({ id, replayed: id !== 'one' }))
      await store.transaction(async (tx) => {
        await tx.insertIntent(state)
        for (const count of [1, 2, 3]) await tx.updateIntent({ ...state, redemptions: redemptions.slice(0, count) })
      })
      expect((await store.intent(state.declaration.id))?.redemptions).toEqual(redemptions)
    },
  },
  {
    name: 'fails a transaction whose failed write was caught: nothing of it is kept',
    async run(store) {
      await store.transaction((tx) => tx.insertIntent(keyed('same')))
      const error = await rejection(
        store.transaction(async (tx) => {
          await tx.putProject(aProject())
          await tx.insertIntent(keyed('same')).catch(() => undefined)
        }),
      )
      expect(isConflict(error)).toBe(true)
      expect(await store.projects()).toEqual([])
    },
  },
  {
    name: 'refuses to change an intent that the transaction did not lock',
    async run(store) {
      const state = aState()
      await store.transaction((tx) => tx.insertIntent(state))
      const change = store.transaction((tx) => tx.updateIntent({ ...state, status: 'cancelled' }))
      expect(await rejection(change)).toBeInstanceOf(TypeError)
      expect((await store.intent(state.declaration.id))?.status).toBe('pending')
    },
  },
  {
    name: 'refuses to change an intent that is not there',
    async run(store) {
      const change = store.transaction(async (tx) => {
        const state = aState()
        await tx.lockIntent(state.declaration.id)
        await tx.updateIntent(state)
      })
      expect(await rejection(change)).toBeInstanceOf(TypeError)
    },
  },
  {
    name: 'locks what is not there without a word',
    async run(store) {
      expect(await store.transaction((tx) => tx.lockIntent(newId('int')))).toBeUndefined()
    },
  },
  {
    name: 'keeps the declaration as it was inserted, whatever is updated',
    async run(store) {
      const state = aState()
      const forged = aState({ id: state.declaration.id, params: { amount: 9999 }, owner: 'key_two' })
      await store.transaction((tx) => tx.insertIntent(state))
      await store.transaction(async (tx) => {
        await tx.lockIntent(state.declaration.id)
        await tx.updateIntent({ ...forged, status: 'approved' })
      })
      expect(await store.intent(state.declaration.id)).toEqual({ ...state, status: 'approved' })
    },
  },
  {
    name: 'refuses a transaction within a transaction, which would wait for itself',
    async run(store) {
      const error = await rejection(store.transaction(() => store.transaction(async () => undefined)))
      expect(error).toBeInstanceOf(TypeError)
      expect(await store.transaction(async () => 'still works')).toBe('still works')
    },
  },
  {
    name: 'refuses to be read from within a transaction, whose tx alone sees what it wrote',
    async run(store) {
      const error = await rejection(store.transaction(() => store.project(PROJECT)))
      expect(error).toBeInstanceOf(TypeError)
      expect(await store.projects()).toEqual([])
    },
  },
  {
    name: 'refuses what comes after the end of a transaction',
    async run(store) {
      let kept: StoreTransaction | undefined
      await store.transaction(async (tx) => {
        kept = tx
      })
      expect(await rejection(kept?.insertIntent(aState()) as Promise<void>)).toBeInstanceOf(TypeError)
      expect(await rejection(kept?.projects() as Promise<unknown>)).toBeInstanceOf(TypeError)
    },
  },
  {
    name: 'lets a transaction begin from what an ended one left running',
    async run(store) {
      const later = await store.transaction(async () => ({
        done: new Promise<string>((resolve) => {
          setTimeout(() => resolve(store.transaction(async () => 'later')), 1)
        }),
      }))
      expect(await later.done).toBe('later')
    },
  },
  {
    name: 'runs questions of one transaction that are asked at the same time',
    async run(store) {
      const state = aState()
      await store.transaction(async (tx) => {
        await Promise.all([tx.putProject(aProject()), tx.insertIntent(state), tx.appendLeaf(aLeaf())])
      })
      const [project, stored] = await store.transaction((tx) =>
        Promise.all([tx.project(PROJECT), tx.lockIntent(state.declaration.id), tx.policies(PROJECT)]),
      )
      expect([project, stored]).toEqual([aProject(), state])
    },
  },
  {
    name: 'has a clock of whole milliseconds, in and out of transactions',
    async run(store) {
      const clocks = [await store.now(), await store.transaction((tx) => tx.now())]
      expect(clocks.every(Number.isSafeInteger)).toBe(true)
    },
  },
  {
    name: 'refuses everything once it is closed',
    async run(store) {
      await store.transaction((tx) => tx.putProject(aProject()))
      await store[Symbol.asyncDispose]()
      expect(await rejection(store.project(PROJECT))).toMatchObject({ code: 'DB_ERROR' })
      expect(await rejection(store.transaction(async () => undefined))).toMatchObject({ code: 'DB_ERROR' })
    },
  },
  {
    name: 'closes after the transactions that were asked for before',
    async run(store) {
      const state = aState()
      const { id } = state.declaration
      await store.transaction((tx) => tx.insertIntent(state))
      const changes = Array.from({ length: 5 }, () => store.transaction((tx) => countUp(tx, id)))
      await store[Symbol.asyncDispose]()
      await expect(Promise.all(changes)).resolves.toHaveLength(5)
    },
  },
]

const NOTHING = { state: undefined, leaves: [], project: undefined, people: 0, revision: 0 }

async function everything(reader: Pick<Store, keyof StoreTransaction & keyof Store>, id: IntentId) {
  return {
    state: await reader.intent(id),
    leaves: (await reader.leaves({ projectId: PROJECT, from: 0, limit: 10 })).map((leaf) => leaf.id),
    project: await reader.project(PROJECT),
    people: (await reader.directory(PROJECT)).people.length,
    revision: (await reader.policies(PROJECT)).revision,
  }
}

/** Reads, lets others come in between if they can, writes. */
async function countUp(tx: StoreTransaction, id: IntentId): Promise<void> {
  const state = await tx.lockIntent(id)
  if (!state) throw new Error('it was there')
  await new Promise((resolve) => setImmediate(resolve))
  const { execution } = state
  await tx.updateIntent({ ...state, execution: { ...execution, continuations: execution.continuations + 1 } })
}

function keyed(key: string, owner = 'key_one') {
  const { paramsDigest } = aState().declaration
  return aState({ owner, idempotency: { key, fingerprint: paramsDigest } })
}

/** Stores an intent and others, then the steps of that intent one by one; the last of all must conflict and change nothing. */
async function expectConflict(
  store: Store,
  unique: string,
  others: (state: ReturnType<typeof aState>) => readonly ReturnType<typeof aState>[],
  steps: readonly Partial<ReturnType<typeof aState>>[],
): Promise<void> {
  const state = aState()
  const { id } = state.declaration
  const writes: ((tx: StoreTransaction) => Promise<void>)[] = [
    (tx) => tx.insertIntent(state),
    ...others(state).map((other) => (tx: StoreTransaction) => tx.insertIntent(other)),
    ...steps.map((step) => async (tx: StoreTransaction) => {
      await tx.lockIntent(id)
      await tx.updateIntent({ ...state, ...step })
    }),
  ]
  const last = writes.pop() as (tx: StoreTransaction) => Promise<void>
  for (const write of writes) await store.transaction(write)
  const before = await store.intent(id)
  const error = await rejection(store.transaction(last))
  expect(isConflict(error) && error.unique).toBe(unique)
  expect(await store.intent(id)).toEqual(before)
}
