/**
 * The contract of stores, part four: the registry, sign-ins, and earlier requests.
 *
 * @module
 */
import { expect } from 'vitest'
import { isConflict } from '../conflict.js'
import { newId } from '../id.js'
import type { Store, StoreTransaction } from '../store.js'
import { rejection, type StoreTest } from './store-test.js'
import {
  aKey,
  anAgent,
  aPerson,
  aPolicy,
  aProject,
  aRequest,
  aSession,
  aSignInToken,
  aState,
  OTHER_PROJECT,
  PROJECT,
  THEN,
} from './stored.js'

const HOUR_MS = 3_600_000

export const REGISTRY_TESTS: readonly StoreTest[] = [
  {
    name: 'keeps projects, and replaces them',
    async run(store) {
      const other = aProject({ id: OTHER_PROJECT, requireRegisteredAgents: true, actionTiers: {} })
      await write(store, (tx) => [tx.putProject(aProject()), tx.putProject(other)])
      const changed = aProject({
        name: 'Größer',
        approverLabels: 'id',
        actionTiers: { __proto__x: 'low', '*': 'high' },
      })
      await write(store, (tx) => [tx.putProject(changed)])
      expect(await store.project(PROJECT)).toEqual(changed)
      expect(await store.projects()).toEqual([changed, other])
      expect(await store.project('prj_none')).toBeUndefined()
    },
  },
  {
    name: 'keeps keys, finds them by the hash of their secret, and replaces them',
    async run(store) {
      const [first, second] = [
        aKey({ id: 'key_a', agents: ['agt_one'], environment: 'production', createdBy: 'usr_ann' }),
        aKey({ id: 'key_b', kind: 'verifier' }),
      ]
      await write(store, (tx) => [tx.putKey(second), tx.putKey(first), tx.putKey(aKey({ projectId: OTHER_PROJECT }))])
      const disabled = aKey({ ...first, status: 'disabled' })
      await write(store, (tx) => [tx.putKey(disabled)])
      expect(await store.key('key_a')).toEqual(disabled)
      expect(await store.keyBySecretHash(first.secretHash)).toEqual(disabled)
      expect(await store.keyBySecretHash(first.secretHash.toLowerCase())).toBeUndefined()
      expect(await store.keys(PROJECT)).toEqual([disabled, second])
    },
  },
  {
    name: 'does not find a key by a secret that it had before',
    async run(store) {
      const key = aKey()
      await write(store, (tx) => [tx.putKey(key)])
      await write(store, (tx) => [tx.putKey({ ...key, secretHash: 'another' })])
      expect(await store.keyBySecretHash(key.secretHash)).toBeUndefined()
      expect((await store.keyBySecretHash('another'))?.id).toBe(key.id)
    },
  },
  {
    name: 'keeps agents, finds them by project and fingerprint, and replaces them',
    async run(store) {
      const agent = anAgent({ id: 'agt_a', fingerprint: 'Refund-Ägent', owner: 'usr_ann', enforce: true })
      const plain = anAgent({ id: 'agt_b', fingerprint: 'refund-agent' })
      const namesake = anAgent({ projectId: OTHER_PROJECT, fingerprint: 'refund-agent' })
      await write(store, (tx) => [tx.putAgent(plain), tx.putAgent(agent), tx.putAgent(namesake)])
      const seen = anAgent({ ...agent, lastSeenAt: THEN, status: 'paused', riskSensitivity: 'high' })
      await write(store, (tx) => [tx.putAgent({ ...seen, lastSeenAt: undefined }), tx.seeAgent('agt_a', THEN)])
      expect(await store.agent('agt_a')).toEqual(seen)
      expect(await store.agents(PROJECT)).toEqual([seen, plain])
      expect(await store.agentByFingerprint(PROJECT, 'Refund-Ägent')).toEqual(seen)
      expect(await store.agentByFingerprint(OTHER_PROJECT, 'refund-agent')).toEqual(namesake)
      expect(await store.agentByFingerprint(PROJECT, 'refund-ägent')).toBeUndefined()
    },
  },
  {
    name: 'moves when an agent was last seen, and nothing else of it',
    async run(store) {
      const agent = anAgent({ status: 'active' })
      await write(store, (tx) => [tx.putAgent(agent)])
      await write(store, (tx) => [tx.putAgent({ ...agent, status: 'paused' })])
      await write(store, (tx) => [tx.seeAgent(agent.id, THEN), tx.seeAgent('agt_nobody', THEN)])
      await write(store, (tx) => [tx.putAgent({ ...agent, status: 'revoked', lastSeenAt: 1 })])
      expect(await store.agents(PROJECT)).toEqual([{ ...agent, status: 'revoked', lastSeenAt: THEN }])
    },
  },
  {
    name: 'loses no change of the registry among transactions that lock it first',
    async run(store) {
      const person = aPerson({ groups: [] })
      await write(store, (tx) => [tx.putPerson(person)])
      const groups = Array.from({ length: 8 }, (_, index) => `group-${index}`)
      await Promise.all(
        groups.map((group) =>
          store.transaction(async (tx) => {
            await tx.lockRegistry(PROJECT)
            const now = await tx.person(person.id)
            if (now) await tx.putPerson({ ...now, groups: [...now.groups, group] })
          }),
        ),
      )
      expect([...((await store.person(person.id))?.groups ?? [])].sort()).toEqual(groups)
    },
  },
  {
    name: 'lets those who lock a key take turns, each of whom sees what the one before has done',
    async run(store) {
      const key = aKey()
      await write(store, (tx) => [tx.putKey(key)])
      const declare = () =>
        store.transaction(async (tx) => {
          await tx.lockKey(key.id)
          if ((await tx.countPending(key.id)) < 3) await tx.insertIntent(aState({ keyId: key.id }))
        })
      await Promise.all(Array.from({ length: 8 }, declare))
      expect(await store.countPending(key.id)).toBe(3)
      await store.transaction((tx) => tx.lockKey('key_none'))
    },
  },
  ...(
    [
      ['agent_fingerprint', (tx) => tx.putAgent(anAgent({ fingerprint: 'same' }))],
      ['key_secret', (tx) => tx.putKey(aKey({ secretHash: 'same' }))],
      ['session_cookie', (tx) => tx.putSession(aSession({ cookieHash: 'same', expiresAt: FAR }))],
      ['request', (tx) => tx.putRequest(aRequest({ key: 'same', expiresAt: FAR }))],
    ] satisfies [string, (tx: StoreTransaction) => Promise<void>][]
  ).map(
    ([unique, put]): StoreTest => ({
      name: `refuses a second row where one has it already: ${unique}`,
      async run(store) {
        await store.transaction(put)
        const error = await rejection(store.transaction(put))
        expect(isConflict(error) && error.unique).toBe(unique)
      },
    }),
  ),
  {
    name: 'gives up a fingerprint with the agent that changes it',
    async run(store) {
      const agent = anAgent({ fingerprint: 'same' })
      await write(store, (tx) => [tx.putAgent(agent)])
      await write(store, (tx) => [tx.putAgent({ ...agent, fingerprint: 'other' })])
      const successor = anAgent({ fingerprint: 'same' })
      await write(store, (tx) => [tx.putAgent(successor)])
      expect(await store.agentByFingerprint(PROJECT, 'same')).toEqual(successor)
    },
  },
  {
    name: 'has an empty directory for a project that nobody is in',
    async run(store) {
      expect(await store.directory(PROJECT)).toEqual({ people: [], groups: [] })
    },
  },
  {
    name: 'has a directory of all people of a project and all its groups, empty ones too',
    async run(store) {
      const ann = aPerson({ id: 'usr_a', groups: ['ops'], linked: ['usr_b'] })
      const bob = aPerson({ id: 'usr_b', roles: ['owner', 'admin'], status: 'disabled' })
      const stranger = aPerson({ id: 'usr_c', projectId: OTHER_PROJECT })
      await write(store, (tx) => [
        ...[bob, ann, stranger].map((person) => tx.putPerson(person)),
        ...['ops', 'nobody yet', 'ops'].map((group) => tx.putGroup(PROJECT, group)),
        tx.putGroup(OTHER_PROJECT, 'elsewhere'),
      ])
      expect(await store.directory(PROJECT)).toEqual({ people: [ann, bob], groups: ['nobody yet', 'ops'] })
    },
  },
  {
    name: 'shows the directory as it is now, after every change',
    async run(store) {
      const ann = aPerson({ id: 'usr_a' })
      await write(store, (tx) => [tx.putPerson(ann)])
      await store.directory(PROJECT)
      const disabled = aPerson({ ...ann, status: 'disabled' })
      const inside = await store.transaction(async (tx) => {
        await tx.putPerson(disabled)
        await tx.putGroup(PROJECT, 'ops')
        return tx.directory(PROJECT)
      })
      expect(inside).toEqual({ people: [disabled], groups: ['ops'] })
      expect(await store.directory(PROJECT)).toEqual(inside)
      expect(await store.person('usr_a')).toEqual(disabled)
    },
  },
  {
    name: 'shows the directory without what a failed transaction wrote',
    async run(store) {
      const ann = aPerson({ id: 'usr_a' })
      await write(store, (tx) => [tx.putPerson(ann)])
      const seen: unknown[] = []
      const fail = () =>
        rejection(
          store.transaction(async (tx) => {
            await tx.putPerson({ ...ann, status: 'disabled' })
            seen.push((await tx.directory(PROJECT)).people[0]?.status)
            throw new Error('undone')
          }),
        )
      await fail()
      seen.push((await store.directory(PROJECT)).people[0]?.status)
      await fail()
      // Whatever the failed one counted up is counted again, by another change.
      await write(store, (tx) => [tx.putPerson({ ...ann, email: 'other@example.com' })])
      seen.push((await store.directory(PROJECT)).people[0]?.status)
      seen.push((await store.transaction((tx) => tx.directory(PROJECT))).people[0]?.status)
      expect(seen).toEqual(['disabled', 'active', 'disabled', 'active', 'active'])
    },
  },
  {
    name: 'orders names by code point, whatever the letters',
    async run(store) {
      const groups = ['Zebra', '_', 'a', 'apple', 'z', 'Éclair', 'éclair', 'ﬀ', '😀', '😀a']
      await write(store, (tx) => groups.toReversed().map((group) => tx.putGroup(PROJECT, group)))
      expect((await store.directory(PROJECT)).groups).toEqual(groups)
    },
  },
  {
    name: 'has no policies at revision 0 for a project that was given none',
    async run(store) {
      expect(await store.policies(PROJECT)).toEqual({ revision: 0, policies: [] })
    },
  },
  {
    name: 'replaces all policies of a project, in their order, and moves its revision on each time',
    async run(store) {
      const policies = [aPolicy({ priority: 5 }), aPolicy({ priority: 9, enabled: false }), aPolicy({ priority: 1 })]
      await write(store, (tx) => [tx.putPolicies(PROJECT, policies)])
      const first = await store.policies(PROJECT)
      await write(store, (tx) => [tx.putPolicies(PROJECT, policies.slice(1)), tx.putPolicies(OTHER_PROJECT, [])])
      const second = await store.policies(PROJECT)
      expect([first.policies, second.policies]).toEqual([policies, policies.slice(1)])
      expect([first.revision, second.revision]).toEqual([1, 2])
      expect(await store.policies(OTHER_PROJECT)).toEqual({ revision: 1, policies: [] })
    },
  },
  {
    name: 'shows policies to the transaction that put them, and to nobody when it fails',
    async run(store) {
      const [kept, undone, next] = [aPolicy(), aPolicy(), aPolicy()]
      await write(store, (tx) => [tx.putPolicies(PROJECT, [kept])])
      const seen: unknown[] = []
      const fail = () =>
        rejection(
          store.transaction(async (tx) => {
            await tx.putPolicies(PROJECT, [undone])
            seen.push((await tx.policies(PROJECT)).policies)
            throw new Error('undone')
          }),
        )
      await fail()
      seen.push((await store.policies(PROJECT)).policies)
      await fail()
      // The revision that the failed one had is given again, to other policies.
      await write(store, (tx) => [tx.putPolicies(PROJECT, [next])])
      seen.push((await store.policies(PROJECT)).policies)
      seen.push((await store.transaction((tx) => tx.policies(PROJECT))).policies)
      expect(seen).toEqual([[undone], [kept], [undone], [next], [next]])
    },
  },
  {
    name: 'keeps sessions until they are deleted, and finds them by the hash of their cookie',
    async run(store) {
      const session = aSession({ expiresAt: (await store.now()) + HOUR_MS })
      await write(store, (tx) => [tx.putSession(session)])
      expect(await store.sessionByCookieHash(session.cookieHash)).toEqual(session)
      expect(await store.sessionByCookieHash(session.secretHash)).toBeUndefined()
      await write(store, (tx) => [tx.deleteSession(session.id), tx.deleteSession(newId('ses'))])
      expect(await store.sessionByCookieHash(session.cookieHash)).toBeUndefined()
    },
  },
  {
    name: 'gives a sign-in token to the first of twenty who take it at once, and to nobody else',
    async run(store) {
      const token = aSignInToken({ expiresAt: (await store.now()) + HOUR_MS })
      await write(store, (tx) => [tx.putSignInToken(token)])
      const taken = await Promise.all(
        Array.from({ length: 20 }, () => store.transaction((tx) => tx.takeSignInToken(token.tokenHash))),
      )
      expect(taken.filter((found) => found !== undefined)).toEqual([token])
    },
  },
  {
    name: 'has a sign-in token back when the transaction that took it failed',
    async run(store) {
      const token = aSignInToken({ expiresAt: (await store.now()) + HOUR_MS })
      await write(store, (tx) => [tx.putSignInToken(token)])
      await rejection(
        store.transaction(async (tx) => {
          await tx.takeSignInToken(token.tokenHash)
          throw new Error('undone')
        }),
      )
      expect(await store.transaction((tx) => tx.takeSignInToken(token.tokenHash))).toEqual(token)
    },
  },
  {
    name: 'takes a sign-in token once within one transaction, too',
    async run(store) {
      const token = aSignInToken({ expiresAt: (await store.now()) + HOUR_MS })
      const taken = await store.transaction(async (tx) => {
        await tx.putSignInToken(token)
        return [await tx.takeSignInToken(token.tokenHash), await tx.takeSignInToken(token.tokenHash)]
      })
      expect(taken).toEqual([token, undefined])
    },
  },
  {
    name: 'knows an earlier request of the same principal and key',
    async run(store) {
      const record = aRequest({ expiresAt: (await store.now()) + HOUR_MS })
      await write(store, (tx) => [tx.putRequest(record), tx.putRequest({ ...record, principal: 'key_two' })])
      expect(await store.request('key_one', 'retry-1')).toEqual(record)
      expect(await store.request('key_one', 'Retry-1')).toBeUndefined()
      expect(await store.request('key_three', 'retry-1')).toBeUndefined()
    },
  },
  {
    name: 'forgets a request once it has expired, and takes another under the same key',
    async run(store) {
      const now = await store.now()
      await write(store, (tx) => [tx.putRequest(aRequest({ expiresAt: now - 1 }))])
      expect(await store.request('key_one', 'retry-1')).toBeUndefined()
      const another = aRequest({ expiresAt: now + HOUR_MS, intentId: 'int_two' })
      await write(store, (tx) => [tx.putRequest(another)])
      expect(await store.request('key_one', 'retry-1')).toEqual(another)
    },
  },
  {
    name: 'keeps people and policies apart from what it was given',
    async run(store) {
      const groups = ['ops']
      const policies = [aPolicy()]
      await write(store, (tx) => [tx.putPerson(aPerson({ id: 'usr_a', groups })), tx.putPolicies(PROJECT, policies)])
      groups.push('security')
      policies.pop()
      expect((await store.person('usr_a'))?.groups).toEqual(['ops'])
      expect((await store.policies(PROJECT)).policies).toHaveLength(1)
    },
  },
]

/** Later than any clock of a test. */
const FAR = 4_000_000_000_000

async function write(store: Store, puts: (tx: StoreTransaction) => readonly Promise<void>[]): Promise<void> {
  await store.transaction(async (tx) => {
    await Promise.all(puts(tx))
  })
}
