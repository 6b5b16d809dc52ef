import { auditLeaf, type IntentId, newId, type ProjectId } from '@silentauth/core'
import { afterAll, expect, it } from 'vitest'
import { logStores } from './log-stores.js'

const PROJECT: ProjectId = 'prj_log'
const stores = logStores()
afterAll(() => stores[Symbol.asyncDispose]())

function leafOf(intentId: IntentId | undefined, type: string) {
  const events = [{ type, intentId, data: {} }]
  return auditLeaf({ projectId: PROJECT, actor: 'system:test', intentId, events, values: {} }, Date.now())
}

it('leaves of one intent get their places in the order of its commands, also where the clock of the database was set back', async () => {
  const data = await stores.make('PostgreSQL')
  await using store = await data.open()
  const intentId = newId('int')
  const leaves = ['intent.created', 'approval.recorded', 'intent.approved'].map((type) => leafOf(intentId, type))
  for (const [index, leaf] of leaves.entries()) {
    await store.transaction((tx) => tx.appendLeaf(leaf))
    // As if the clock had been an hour ahead, and was set back before the next command; as after a failover.
    if (index === 0) await data.tamper(`update audit_leaves set arrived = arrived + 3600000000 where id = '${leaf.id}'`)
  }
  const other = leafOf(undefined, 'session.opened')
  await store.transaction((tx) => tx.appendLeaf(other))
  await store.transaction(async (tx) => {
    await tx.lockLog(PROJECT)
    expect(await tx.placeLeaves(PROJECT, 10)).toBe(4)
  })
  const placed = await store.leaves({ projectId: PROJECT, from: 0, limit: 10 })
  expect(placed.map(({ id }) => id)).toEqual([other, ...leaves].map(({ id }) => id))
})
