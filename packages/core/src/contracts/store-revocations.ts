/**
 * The contract of stores: what is revoked, and for how long a store says so.
 *
 * @module
 */
import { expect } from 'vitest'
import { newId } from '../id.js'
import type { EpochMs } from '../json.js'
import type { State } from '../state.js'
import type { Store } from '../store.js'
import type { StoreTest } from './store-test.js'
import { aBegunState, aKey, anAgent, aPermit, OTHER_PROJECT, PROJECT, THEN } from './stored.js'

const HOUR_MS = 3_600_000
const SKEW_MS = 60_000

export const REVOCATION_TESTS: readonly StoreTest[] = [
  {
    name: 'knows no revoked permit at first, nor one that nobody revoked',
    async run(store) {
      await insert(store, started())
      expect(await revocations(store)).toEqual({ permits: [], agents: [], keys: [] })
    },
  },
  {
    name: 'lists a permit from the commit that revokes it until use_until and skew are over (P4)',
    async run(store) {
      const state = started()
      await insert(store, state)
      const [permit] = state.permits
      await revoke(store, state)
      const listed = { id: permit?.id, intentId: state.declaration.id, withdrawn: false, expiresAt: THEN + 360_000 }
      expect((await revocations(store)).permits).toEqual([listed])
      expect((await revocations(store, THEN + HOUR_MS + SKEW_MS - 1)).permits).toEqual([listed])
      expect((await revocations(store, THEN + HOUR_MS + SKEW_MS)).permits).toEqual([])
    },
  },
  {
    name: 'lists nothing of a transaction that did not happen',
    async run(store) {
      const state = started()
      await insert(store, state)
      const failing = store.transaction(async (tx) => {
        await tx.lockIntent(state.declaration.id)
        await tx.updateIntent(revoked(state))
        expect((await tx.revocations({ projectId: PROJECT, now: THEN, limit: 10 })).permits).toHaveLength(1)
        throw new Error('not today')
      })
      await expect(failing).rejects.toThrow('not today')
      expect((await revocations(store)).permits).toEqual([])
    },
  },
  {
    name: 'says which permits were withdrawn with their intent (E15)',
    async run(store) {
      const state = started()
      await insert(store, state)
      const { execution } = state
      await update(store, { ...revoked(state), execution: { ...execution, withdrawnAt: THEN + 1000 } })
      expect((await revocations(store)).permits).toMatchObject([{ withdrawn: true }])
    },
  },
  {
    name: 'lists what is paused, revoked or disabled, for as long as it is',
    async run(store) {
      const [paused, gone, active] = [
        anAgent({ id: 'agt_a', status: 'paused' }),
        anAgent({ id: 'agt_b', status: 'revoked' }),
        anAgent({ id: 'agt_c' }),
      ]
      const keys = [aKey({ id: 'key_a', status: 'disabled' }), aKey({ id: 'key_b' })]
      await store.transaction(async (tx) => {
        for (const agent of [gone, paused, active]) await tx.putAgent(agent)
        await tx.putAgent(anAgent({ projectId: OTHER_PROJECT, status: 'paused' }))
        for (const key of keys) await tx.putKey(key)
      })
      expect(await revocations(store)).toEqual({ permits: [], agents: ['agt_a', 'agt_b'], keys: ['key_a'] })
      await store.transaction((tx) => tx.putAgent({ ...paused, status: 'active' }))
      expect((await revocations(store)).agents).toEqual(['agt_b'])
    },
  },
  {
    name: 'lists the live permits of a stopped key, of a stopped agent, and of the agent that their source names',
    async run(store) {
      const agent = anAgent({ id: 'agt_a', fingerprint: 'refund-agent', status: 'paused' })
      const byKey = started({ keyId: 'key_off' })
      const bound = started({ agentId: 'agt_a', source: 'an earlier fingerprint' })
      const named = started({ source: 'refund-agent' })
      const others = [
        started(),
        started({ agentId: 'agt_b', source: 'refund-agent' }),
        started({ source: 'refund-agent', projectId: OTHER_PROJECT }),
      ]
      await insert(store, byKey, bound, named, ...others)
      await store.transaction(async (tx) => {
        await tx.putAgent(agent)
        await tx.putKey(aKey({ id: 'key_off', status: 'disabled' }))
      })
      const expected = [byKey, bound, named].map(({ permits }) => permits[0]?.id)
      expect(idsOf(await revocations(store))).toEqual(expected.sort())
      expect(idsOf(await revocations(store, THEN + 300_000 + SKEW_MS))).toEqual([])
      await store.transaction((tx) => tx.putAgent({ ...agent, status: 'active' }))
      expect(idsOf(await revocations(store))).toEqual([byKey.permits[0]?.id])
    },
  },
  {
    name: 'lists those permits first that could be accepted for the longest time',
    async run(store) {
      const ends = [100, 300, 200]
      const states = ends.map((seconds) => started({}, seconds))
      for (const state of states) {
        await insert(store, state)
        await revoke(store, state)
      }
      const { permits } = await store.revocations({ projectId: PROJECT, now: THEN, limit: 2 })
      expect(permits.map(({ expiresAt }) => expiresAt)).toEqual([THEN + 360_000, THEN + 260_000])
    },
  },
  {
    name: 'forgets permits that nobody could accept any more, a few at a time, and no others',
    async run(store) {
      const states = [started(), started(), started()]
      await insert(store, ...states)
      await revoke(store, states[0] as State)
      const forget = (now: EpochMs, limit: number) => store.transaction((tx) => tx.forgetPermits(now, limit))
      expect(await forget(THEN + 359_999, 10)).toBe(0)
      expect([await forget(THEN + 360_000, 1), await forget(THEN + 360_000, 10)]).toEqual([1, 1])
      expect((await revocations(store, THEN + 360_000)).permits).toHaveLength(1)
      expect(await forget(THEN + HOUR_MS + SKEW_MS, 10)).toBe(1)
    },
  },
]

function started(declaration: Parameters<typeof aBegunState>[1] = {}, seconds = 300): State {
  const iat = THEN / 1000
  const state = aBegunState({ state: 'started' }, declaration)
  return { ...state, useUntil: THEN + HOUR_MS, permits: [aPermit({ id: newId('pmt'), iat, exp: iat + seconds })] }
}

function revoked(state: State): State {
  return { ...state, permits: state.permits.map((permit) => ({ ...permit, revokedAt: THEN + 1000 })) }
}

async function insert(store: Store, ...states: readonly State[]): Promise<void> {
  await store.transaction(async (tx) => {
    for (const state of states) await tx.insertIntent(state)
  })
}

async function update(store: Store, state: State): Promise<void> {
  await store.transaction(async (tx) => {
    await tx.lockIntent(state.declaration.id)
    await tx.updateIntent(state)
  })
}

function revoke(store: Store, state: State): Promise<void> {
  return update(store, revoked(state))
}

function revocations(store: Store, now: EpochMs = THEN) {
  return store.revocations({ projectId: PROJECT, now, limit: 100 })
}

function idsOf({ permits }: Awaited<ReturnType<typeof revocations>>): readonly string[] {
  return permits.map(({ id }) => id).sort()
}
