import { localGate, privateKeySigner, type Store } from '@silentauth/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aDraft, ISSUER, type LivingKeys, livingGate, livingKeys, PROJECT, passing } from './living-gate.js'
import { LOG_STORES, logStores } from './log-stores.js'

const LIMIT = 5
const TRIES = 40
const READS = passing('read_*')

const stores = logStores()
let keys: LivingKeys
beforeAll(async () => {
  keys = await livingKeys()
})
afterAll(() => stores[Symbol.asyncDispose]())

describe.each(LOG_STORES)('the limit of pending intents per key over %s', (kind) => {
  const agentOver = async (store: Store) => {
    const signer = await privateKeySigner(keys.permit)
    const gate = localGate({
      store,
      signer,
      projectId: PROJECT,
      issuer: ISSUER,
      publicUrl: 'http://127.0.0.1:4747',
      maxPendingPerKey: LIMIT,
      sweepMs: 0,
      pollMs: 0,
    })
    return { gate, agent: gate.gateFor({ type: 'key', id: 'key_agent', projectId: PROJECT }) }
  }

  it('is not passed by any number of declares at once, at two gates; what policy approves is not held up', async () => {
    const data = await stores.make(kind)
    await using first = await data.open()
    await (await livingGate(first, keys, { policies: [READS] }))[Symbol.asyncDispose]()
    const second = await data.open()
    const [one, two] = [await agentOver(first), await agentOver(second)]
    const declared = await Promise.allSettled(
      Array.from({ length: TRIES }, (_, index) => (index % 2 === 0 ? one : two).agent.declare(aDraft())),
    )
    const codes = declared.flatMap((each) => (each.status === 'rejected' ? [each.reason.code] : []))
    expect([codes.length, new Set(codes)]).toEqual([TRIES - LIMIT, new Set(['RATE_LIMITED'])])
    expect(await first.countPending('key_agent')).toBe(LIMIT)

    const [pending] = (await first.intents({ projectId: PROJECT, status: 'pending', limit: 1 })).items
    await one.agent.cancel(pending?.declaration.id ?? 'int_none', 'room for another')
    const reads = Array.from({ length: LIMIT }, () => two.agent.declare(aDraft({ action: 'read_orders' })))
    expect((await Promise.all(reads)).map(({ status }) => status)).toEqual(Array(LIMIT).fill('approved'))
    expect((await two.agent.declare(aDraft())).status).toBe('pending')
    await one.gate[Symbol.asyncDispose]()
    await two.gate[Symbol.asyncDispose]()
    if (second !== first) await second[Symbol.asyncDispose]()
  })
})
