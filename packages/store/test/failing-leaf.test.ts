import { newId, type Store } from '@silentauth/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  ANN,
  aDraft,
  anAttempt,
  type LivingGate,
  type LivingKeys,
  livingGate,
  livingKeys,
  PROJECT,
} from './living-gate.js'
import { LOG_STORES, type LogData, logStores } from './log-stores.js'

const stores = logStores()
let keys: LivingKeys
beforeAll(async () => {
  keys = await livingKeys()
})
afterAll(() => stores[Symbol.asyncDispose]())

/** A store whose leaves cannot be written while `broken` says so: in memory by its own word, else by the database's. */
async function unwritable(kind: (typeof LOG_STORES)[number], data: LogData) {
  const store = await data.open()
  let broken = false
  const failing: Store = {
    ...store,
    transaction: (work) =>
      store.transaction((tx) =>
        work({ ...tx, appendLeaf: (leaf) => tx.appendLeaf(broken ? { ...leaf, id: 'leaf_taken' } : leaf) }),
      ),
  }
  if (kind.includes('memory')) {
    const leaf = {
      id: 'leaf_taken',
      projectId: 'prj_other',
      intentId: undefined,
      at: 0,
      body: '',
      hash: '',
      payloads: [],
    } as const
    await store.transaction((tx) => tx.appendLeaf(leaf))
    return {
      store: failing,
      async set(value: boolean) {
        broken = value
      },
    }
  }
  const [from, to] = ['audit_leaves', 'audit_leaves_away']
  return {
    store,
    set: (value: boolean) =>
      data.tamper(value ? `alter table ${from} rename to ${to}` : `alter table ${to} rename to ${from}`),
  }
}

/** What somebody does, after `prepare` made what it is done to. */
const ACTS: readonly [string, (living: LivingGate) => Promise<() => Promise<unknown>>][] = [
  [
    'a declare',
    async ({ agent }) =>
      () =>
        agent.declare(aDraft()),
  ],
  [
    'a vote',
    async ({ agent, gate }) => {
      const { id } = await agent.declare(aDraft())
      const { intentHash } = await gate.desk.read(ANN, id)
      return () => gate.desk.vote(ANN, id, { verdict: 'approve', intentHash })
    },
  ],
  [
    'a claim',
    async ({ agent, approved }) => {
      const { id } = await approved()
      return () => agent.claim(id, anAttempt())
    },
  ],
  [
    'a cancel',
    async ({ agent }) => {
      const { id } = await agent.declare(aDraft())
      return () => agent.cancel(id, 'no longer')
    },
  ],
  [
    'a withdrawal',
    async ({ gate, approved }) => {
      const { id } = await approved()
      return () => gate.desk.withdraw(ANN, id, 'no longer')
    },
  ],
  [
    'a redemption',
    async ({ agent, gate, verifier, approved }) => {
      const { id, paramsDigest, audience } = await approved()
      const claim = await agent.claim(id, anAttempt())
      const token = claim.type === 'granted' ? claim.permit : ''
      const redemptionId = newId('red')
      return () =>
        gate.counter.redeem(verifier, { token, redemptionId, action: 'issue_refund', paramsDigest, audience })
    },
  ],
  [
    'a change of the registry',
    async ({ gate }) =>
      () =>
        gate.administer('system:setup', 'group.changed', {}, (tx) => tx.putGroup(PROJECT, 'late')),
  ],
]

describe.each(LOG_STORES)('while no leaf can be written over %s', (kind) => {
  it.each(ACTS)('%s does not happen: AUDIT_UNAVAILABLE; afterwards it does', async (_, prepare) => {
    const { store, set } = await unwritable(kind, await stores.make(kind))
    const living = await livingGate(store, keys)
    const act = await prepare(living)
    const everything = async () => [
      (await store.intents({ projectId: PROJECT, limit: 100 })).items,
      await store.directory(PROJECT),
      await store.revocations({ projectId: PROJECT, now: 0, limit: 100 }),
    ]
    const before = await everything()
    await set(true)
    await expect(act()).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE' })
    expect(await everything()).toEqual(before)
    await set(false)
    await act()
    expect(await everything()).not.toEqual(before)
    await living[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
  })
})
