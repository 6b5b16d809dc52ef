/**
 * The contract of stores: intents that go, and what stays of them.
 *
 * @module
 */
import { expect } from 'vitest'
import { isConflict } from '../conflict.js'
import { digestOf } from '../digest.js'
import { type IntentId, newId } from '../id.js'
import type { State } from '../state.js'
import type { EndedQuery, Store } from '../store.js'
import { rejection, type StoreTest } from './store-test.js'
import { aBegunState, aLeaf, aPermit, aRedemption, aState, aVote, OTHER_PROJECT, PROJECT, THEN } from './stored.js'

const ENDED = { status: 'denied', resolvedAt: THEN } as const

export const RETENTION_TESTS: readonly StoreTest[] = [
  {
    name: 'lists what has ended, oldest first, and neither what may still move nor what nobody knows the outcome of',
    async run(store) {
      const ended = [
        aState({ createdAt: THEN }, ENDED),
        aBegunState({ state: 'succeeded' }, { createdAt: THEN + 1 }),
        aBegunState({ state: 'delivered' }, { createdAt: THEN + 2, delivery: 'token' }),
      ]
      const others = [
        aState({ createdAt: THEN }),
        aBegunState({ state: 'none' }, { createdAt: THEN }),
        aBegunState({ state: 'unknown' }, { createdAt: THEN }),
        aBegunState({ state: 'started', deadline: THEN + 1 }, { createdAt: THEN }),
        aState({ createdAt: THEN, projectId: OTHER_PROJECT }, ENDED),
        aState({ createdAt: THEN + 3 }, ENDED),
      ]
      for (const state of [...others, ...ended.toReversed()]) await insert(store, state)
      expect(await idsOf(store, { before: THEN + 2 })).toEqual(ended.map(({ declaration }) => declaration.id))
    },
  },
  {
    name: 'lists what has ended page by page, each intent once, also those of one instant',
    async run(store) {
      const states = Array.from({ length: 5 }, () => aState({ createdAt: THEN }, ENDED))
      for (const state of states) await insert(store, state)
      const seen: IntentId[] = []
      let after: EndedQuery['after']
      for (let page = 0; page < 5; page++) {
        const places = await store.endedIntents({ projectId: PROJECT, before: THEN, limit: 2, after })
        seen.push(...places.map(({ id }) => id))
        after = places.at(-1)
        if (places.length < 2) break
      }
      expect(seen).toEqual(states.map(({ declaration }) => declaration.id).sort())
    },
  },
  {
    name: 'takes an intent away with all that is found by it',
    async run(store) {
      const state = anEndedState()
      await insert(store, state)
      const kept = aState({ createdAt: THEN }, ENDED)
      await insert(store, kept)
      await remove(store, state)
      const { id, declaredBy, action } = state.declaration
      expect([
        await store.intent(id),
        await store.intentByPermit(state.permits[0]?.id ?? 'pmt_none'),
        await idsOf(store, { before: THEN + 9 }),
        (await store.intents({ projectId: PROJECT, limit: 10 })).items.map(({ declaration }) => declaration.id),
        await store.countDeclared(declaredBy, action),
      ]).toEqual([undefined, undefined, [kept.declaration.id], [kept.declaration.id], 1])
    },
  },
  {
    name: 'keeps the idempotency key of what it took away: it names the intent, and nobody gets it again',
    async run(store) {
      const state = anEndedState()
      const { id, owner } = state.declaration
      await insert(store, state)
      await remove(store, state)
      expect(await store.intentByIdempotencyKey(owner, 'call-1')).toBe(id)
      const again = aState({ idempotency: state.declaration.idempotency })
      expect(isConflict(await rejection(insert(store, again)))).toBe(true)
      expect(await store.intent(again.declaration.id)).toBeUndefined()
    },
  },
  {
    name: 'keeps the log whole when an intent goes',
    async run(store) {
      const state = anEndedState()
      await insert(store, state)
      await store.transaction((tx) => tx.appendLeaf(aLeaf({ intentId: state.declaration.id })))
      const before = await store.leaves({ projectId: PROJECT, from: 0, limit: 10 })
      await remove(store, state)
      expect(await store.leaves({ projectId: PROJECT, from: 0, limit: 10 })).toEqual(before)
    },
  },
  {
    name: 'takes nothing away when the transaction fails, nor what it did not lock',
    async run(store) {
      const state = anEndedState()
      const { id } = state.declaration
      await insert(store, state)
      const failing = store.transaction(async (tx) => {
        await tx.lockIntent(id)
        await tx.deleteIntent(id)
        expect(await tx.intent(id)).toBeUndefined()
        throw new Error('not today')
      })
      await expect(failing).rejects.toThrow('not today')
      expect(await rejection(store.transaction((tx) => tx.deleteIntent(id)))).toBeInstanceOf(TypeError)
      expect(await store.intent(id)).toEqual(state)
    },
  },
]

function anEndedState(): State {
  const idempotency = { key: 'call-1', fingerprint: digestOf('one') }
  const permit = aPermit()
  return {
    ...aBegunState({ state: 'succeeded' }, { createdAt: THEN, idempotency }),
    votes: [aVote()],
    permits: [permit],
    redemptions: [aRedemption({ permitId: permit.id, id: newId('redemption') })],
  }
}

async function idsOf(store: Store, query: Partial<EndedQuery>): Promise<readonly IntentId[]> {
  const places = await store.endedIntents({ projectId: PROJECT, before: THEN, limit: 100, ...query })
  return places.map(({ id }) => id)
}

function insert(store: Store, state: State): Promise<void> {
  return store.transaction((tx) => tx.insertIntent(state))
}

function remove(store: Store, { declaration: { id } }: State): Promise<void> {
  return store.transaction(async (tx) => {
    await tx.lockIntent(id)
    await tx.deleteIntent(id)
  })
}
