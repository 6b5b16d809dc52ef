import { auditLeaf, commitment, exportAudit, verifyAudit } from '@silentauth/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  ANN,
  aDraft,
  anAttempt,
  type LivingKeys,
  type livingGate,
  livingKeys,
  OWNER,
  ownedGate,
  PROJECT,
} from './living-gate.js'
import { LOG_STORES, logStores } from './log-stores.js'

const stores = logStores()
let keys: LivingKeys
beforeAll(async () => {
  keys = await livingKeys()
})
afterAll(() => stores[Symbol.asyncDispose]())

describe.each(LOG_STORES)('erasing values over %s', (kind) => {
  it('takes the values of one intent away; what the log says of it, and its tree, stay', async () => {
    await using own = await ownedGate(stores, kind, keys)
    const { store, living } = own
    const { id } = await living.approved({ params: { iban: 'DE00 1234' } })
    const other = await living.approved()
    const attempt = anAttempt()
    await living.agent.claim(id, attempt)
    await living.agent.report(id, attempt, { status: 'succeeded' })
    await living.log.settle()
    const before = await store.leavesOf(PROJECT, id)
    const kept = await store.leavesOf(PROJECT, other.id)

    const count = await living.gate.eraseValues(OWNER, id, 'asked for by the customer')
    expect(count).toBe(before.reduce((sum, { payloads }) => sum + payloads.length, 0))
    await living.log.settle()
    const after = await store.leavesOf(PROJECT, id)
    expect(after.slice(0, -1).map(({ body, hash, payloads }) => [body, hash, payloads.length])).toEqual(
      before.map(({ body, hash }) => [body, hash, 0]),
    )
    expect(await store.leavesOf(PROJECT, other.id)).toEqual(kept)
    expect(await living.gate.eraseValues(OWNER, id, 'once more')).toBe(0)
    expect(await store.leavesOf(PROJECT, id)).toEqual(after)
    await living.log.settle()
    await expect(store.transaction((tx) => living.log.requireWhole(tx))).resolves.toBeUndefined()

    const said = after.at(-1)
    expect(JSON.parse(said?.body ?? '')).toMatchObject({
      actor: 'user:usr_owner',
      events: [{ type: 'values.erased', intent_id: id, data: { by: 'user:usr_owner', values: count } }],
      commit: { reason: commitment(said?.payloads[0] ?? expect.fail()) },
    })
  })

  it('keeps why values were erased, also when those that came later are erased for another reason', async () => {
    await using own = await ownedGate(stores, kind, keys)
    const { store, living } = own
    const { id } = await living.approved({ params: { iban: 'DE00 1234' } })
    const attempt = anAttempt()
    await living.agent.claim(id, attempt)
    await living.agent.report(id, attempt, { status: 'failed' })
    expect(await living.gate.eraseValues(OWNER, id, 'asked for by the customer')).toBeGreaterThan(0)
    // What nobody erased yet: a note beside a leaf of the same intent.
    const values = { note: 'DE00 1234 again' }
    const events = [{ type: 'execution.reported', intentId: id, data: {} }]
    await store.transaction((tx) =>
      tx.appendLeaf(auditLeaf({ projectId: PROJECT, actor: 'system:test', intentId: id, events, values }, Date.now())),
    )
    expect(await living.gate.eraseValues(OWNER, id, 'found once more')).toBe(1)
    const left = (await store.leavesOf(PROJECT, id)).flatMap(({ payloads }) => payloads.map(({ value }) => value))
    expect(left).toEqual(['asked for by the customer', 'found once more'])
    expect(await living.gate.eraseValues(OWNER, id, 'and again')).toBe(0)
  })

  it.each([
    ['pending', async (living: Awaited<ReturnType<typeof livingGate>>) => living.agent.declare(aDraft())],
    ['approved and not begun', async (living: Awaited<ReturnType<typeof livingGate>>) => living.approved()],
  ])('is refused while the intent is %s', async (_, make) => {
    await using own = await ownedGate(stores, kind, keys)
    const { id } = await make(own.living)
    await expect(own.living.gate.eraseValues(OWNER, id, 'why')).rejects.toMatchObject({ code: 'IN_FLIGHT' })
    expect((await own.store.leavesOf(PROJECT, id))[0]?.payloads.length).toBeGreaterThan(0)
  })

  it('takes the params of a successor out of the leaf of its predecessor, which is not erased while the successor is pending', async () => {
    await using own = await ownedGate(stores, kind, keys)
    const { store, living } = own
    const first = await living.agent.declare(aDraft({ params: { iban: 'DE00 1111' } }))
    const second = await living.agent.declare(aDraft({ params: { iban: 'DE00 2222' }, supersedes: first.id }))
    const shown = async () => {
      const leaves = [...(await store.leavesOf(PROJECT, first.id)), ...(await store.leavesOf(PROJECT, second.id))]
      return leaves.flatMap(({ payloads }) =>
        payloads.flatMap(({ field, value }) => (field === 'params' ? [value] : [])),
      )
    }
    await expect(living.gate.eraseValues(OWNER, first.id, 'why')).rejects.toMatchObject({ code: 'IN_FLIGHT' })
    expect(await shown()).toEqual([{ iban: 'DE00 1111' }, { iban: 'DE00 2222' }])
    await living.agent.cancel(second.id, 'no longer')
    await living.gate.eraseValues(OWNER, second.id, 'asked for by the customer')
    expect(await shown()).toEqual([])
    await living.log.settle()
    const lines: string[] = []
    const size = living.log.head()?.size ?? 0
    for await (const line of exportAudit(store, { projectId: PROJECT, size })) lines.push(line)
    const exported = { lines, checkpoint: living.log.head()?.note ?? '', vkeys: [living.log.vkey] }
    expect(await verifyAudit(exported, { trust: living.log.vkey })).toMatchObject({ exitCode: 0, findings: [] })
  })

  it('is for owners and admins, and for intents of the project', async () => {
    await using own = await ownedGate(stores, kind, keys)
    const { id } = await own.living.agent.declare(aDraft())
    await own.living.agent.cancel(id, 'no longer')
    await expect(own.living.gate.eraseValues(ANN, id, 'why')).rejects.toMatchObject({ code: 'FORBIDDEN' })
    await expect(own.living.gate.eraseValues(OWNER, 'int_none', 'why')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(await own.living.gate.eraseValues(OWNER, id, 'why')).toBeGreaterThan(0)
  })
})
