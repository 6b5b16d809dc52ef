import { type IntentId, prune } from '@silentauth/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  anAttempt,
  type LivingGate,
  type LivingKeys,
  livingGate,
  livingKeys,
  OWNER,
  ownedGate,
  PROJECT,
} from './living-gate.js'
import { LOG_STORES, logStores } from './log-stores.js'

const stores = logStores()
const RESULT = { refund: 'rf_1', iban: 'DE00 1234' }
const NOT_RECORDED = { type: 'recorded', outcome: { status: 'succeeded', resultRecorded: false } }
const YEAR_SECONDS = 365 * 24 * 3600
let keys: LivingKeys
beforeAll(async () => {
  keys = await livingKeys()
})
afterAll(() => stores[Symbol.asyncDispose]())

/** Approved, run, and reported with a result. */
async function executed({ approved, agent }: LivingGate, result = RESULT): Promise<IntentId> {
  const { id } = await approved()
  const attempt = anAttempt()
  await agent.claim(id, attempt)
  await agent.report(id, attempt, { status: 'succeeded', result })
  return id
}

describe.each(LOG_STORES)('a recorded result over %s', (kind) => {
  it('E11 comes back for the same execution, and for no other', async () => {
    await using own = await ownedGate(stores, kind, keys)
    const { agent } = own.living
    const id = await executed(own.living)
    expect(await agent.claim(id, anAttempt())).toEqual({
      type: 'recorded',
      outcome: { status: 'succeeded', resultRecorded: true, result: RESULT },
    })
    expect(await agent.claim(id, { ...anAttempt(), executionId: 'execution-2' })).toEqual(NOT_RECORDED)
  })

  it('is in clear neither in its row, nor in the log, nor in the intent; the log commits to its digest', async () => {
    await using own = await ownedGate(stores, kind, keys)
    const id = await executed(own.living)
    const row = await own.store.recordedResult(PROJECT, id)
    const leaves = await own.store.leavesOf(PROJECT, id)
    expect(JSON.stringify([row, leaves, await own.store.intent(id)])).not.toMatch(/rf_1|DE00/)
    const digest = (await own.store.intent(id))?.execution.result?.digest
    const reported = leaves.find(({ body }) => body.includes('execution.reported'))
    expect(reported?.payloads.map(({ field, value }) => [field, value])).toEqual([['result_digest', digest]])
  })

  it('is refused when its row was altered, is of another intent, or an older one of the same: nothing is granted', async () => {
    await using own = await ownedGate(stores, kind, keys)
    const { agent } = own.living
    const id = await executed(own.living)
    const other = await executed(own.living, { ...RESULT, refund: 'rf_2' })
    const [mine, theirs] = [await own.store.recordedResult(PROJECT, id), await own.store.recordedResult(PROJECT, other)]
    if (!mine || !theirs) throw new Error('nothing was recorded')
    const flipped = mine.sealed.endsWith('A') ? 'B' : 'A'
    for (const sealed of [theirs.sealed, `${mine.sealed.slice(0, -30)}${flipped.repeat(30)}`, '', '"in clear"']) {
      await own.store.transaction((tx) => tx.putResult({ ...mine, sealed }))
      await expect(agent.claim(id, anAttempt())).rejects.toMatchObject({ code: 'RESULT_UNREADABLE', intentId: id })
    }
    await own.store.transaction((tx) => tx.putResult(mine))
    expect(await agent.claim(id, anAttempt())).toMatchObject({ outcome: { result: RESULT } })
  })

  it('is refused by a gate with another key', async () => {
    await using own = await ownedGate(stores, kind, keys)
    const id = await executed(own.living)
    const resultKey = crypto.getRandomValues(new Uint8Array(32))
    await using another = await livingGate(own.store, { ...keys, resultKey }, { held: own.living.held })
    await expect(another.agent.claim(id, anAttempt())).rejects.toMatchObject({ code: 'RESULT_UNREADABLE' })
  })

  it('is not replaced by a report that is repeated with something else', async () => {
    await using own = await ownedGate(stores, kind, keys)
    const { agent, approved } = own.living
    const { id } = await approved()
    const attempt = anAttempt()
    await agent.claim(id, attempt)
    await agent.report(id, attempt, { status: 'succeeded', result: RESULT })
    await agent.report(id, attempt, { status: 'succeeded', result: { refund: 'rf_9' } })
    expect(await agent.claim(id, anAttempt())).toMatchObject({ outcome: { result: RESULT } })
  })

  it('is kept for the holder alone: what another attempt reports is refused, with its result', async () => {
    await using own = await ownedGate(stores, kind, keys)
    const { agent, approved } = own.living
    const { id } = await approved()
    await agent.claim(id, anAttempt())
    const forged = agent.report(id, anAttempt(), { status: 'succeeded', result: RESULT })
    await expect(forged).rejects.toMatchObject({ code: 'FORBIDDEN' })
    expect(await own.store.recordedResult(PROJECT, id)).toBeUndefined()
  })

  it('is erased with the values of its intent: it answers as if it had not been recorded, and does not run again', async () => {
    await using own = await ownedGate(stores, kind, keys)
    const { agent, gate } = own.living
    const [id, other] = [await executed(own.living), await executed(own.living)]
    const values = (await own.store.leavesOf(PROJECT, id)).reduce((sum, { payloads }) => sum + payloads.length, 0)
    const row = (await own.store.recordedResult(PROJECT, id)) ?? expect.fail()
    expect(await gate.eraseValues(OWNER, id, 'asked for by the customer')).toBe(values + 1)
    expect(await agent.claim(id, anAttempt())).toEqual(NOT_RECORDED)
    expect(await own.store.recordedResult(PROJECT, id)).toBeUndefined()
    expect(await agent.claim(other, anAttempt())).toMatchObject({ outcome: { result: RESULT } })
    await own.store.transaction((tx) => tx.putResult(row))
    expect(await agent.claim(id, anAttempt())).toEqual(NOT_RECORDED)
    const said = (await own.store.leavesOf(PROJECT, id)).at(-1)
    expect(JSON.parse(said?.body ?? '')).toMatchObject({
      events: [{ type: 'values.erased', intent_id: id, data: { by: 'user:usr_owner', values, results: 1 } }],
    })
  })

  it('goes with its intent', async () => {
    await using own = await ownedGate(stores, kind, keys)
    const id = await executed(own.living)
    const later: typeof own.store = {
      ...own.store,
      transaction: (work) =>
        own.store.transaction((tx) => work({ ...tx, now: async () => (await tx.now()) + 2 * YEAR_SECONDS * 1000 })),
    }
    expect(await prune({ store: later, projectId: PROJECT, olderThanSeconds: YEAR_SECONDS })).toBe(1)
    expect(await own.store.recordedResult(PROJECT, id)).toBeUndefined()
  })
})
