/**
 * The kill switch of keys, and of agents at the counter, over every store: what is stopped gets nothing, whatever it has begun.
 */
import { defaultAudience, memoryStore, newId, randomToken, type Store, snapshot } from '@silentauth/core'
import { fakeClock, type TestGate, testGate } from '@silentauth/core/testing'
import { postgresStore } from '@silentauth/store/postgres'
import { sqliteStore } from '@silentauth/store/sqlite'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startPostgres, type TestPostgres } from '../../../test/support/postgres.js'

// One store of each kind, and a project of its own for each test.
const clock = fakeClock()
let postgres: TestPostgres
const stores: Store[] = []
beforeAll(async () => {
  postgres = await startPostgres()
  const { url } = await postgres.createDatabase()
  stores.push(memoryStore({ now: clock.now }), await sqliteStore({ file: ':memory:', now: clock.now }))
  stores.push(await postgresStore({ url, now: clock.now }))
}, 180_000)
afterAll(async () => {
  for (const store of stores) await store[Symbol.asyncDispose]()
  await postgres?.stop()
})

const PARAMS = { customer_id: 'cust_4821', amount: 250 }
const ACTION = 'issue_refund'
const AUTO = [{ name: 'refunds', match: { action_pattern: ACTION }, decision: 'auto_approve', any_params: true }]

describe.each([
  ['memory', 0],
  ['SQLite', 1],
  ['PostgreSQL', 2],
])('over %s', (_, which) => {
  let test: TestGate
  let store: Store
  beforeEach(async () => {
    store = stores[which] as Store
    test = await testGate({ clock, store })
  })
  afterEach(() => test[Symbol.asyncDispose]())

  const admin = () => test.person({ roles: ['admin'] })
  /** Of an agent with a key of its own. */
  async function anAgent(fingerprint: string) {
    const agent = await test.agent({ fingerprint })
    return { agent, ...(await test.addKey({ agents: [agent.id] })) }
  }
  async function redeem(token: string, kind: 'verifier' | 'agent' = 'verifier') {
    const { principal } = await test.addKey({ kind })
    return test.local.counter.redeem(principal, {
      token,
      redemptionId: randomToken(),
      action: ACTION,
      paramsDigest: snapshot(PARAMS).digest,
      audience: defaultAudience(test.project.id, ACTION),
    })
  }
  const anAttempt = () => ({ executionId: randomToken(), attemptId: randomToken() })

  it.each([
    ['paused', 'AGENT_PAUSED'],
    ['revoked', 'AGENT_REVOKED'],
  ] as const)('redeems nothing of an agent that is %s, and leaves the approval unused (P4)', async (status, code) => {
    await test.policies(AUTO)
    const { agent, gate } = await anAgent('refund-agent-v1')
    const { permitToken = '' } = await gate.declare({ action: ACTION, params: PARAMS, delivery: 'token' })
    await test.local.registrar.setAgentStatus(await admin(), agent.id, status)
    await expect(redeem(permitToken)).rejects.toMatchObject({ code })
    if (status === 'revoked') return
    await test.local.registrar.setAgentStatus(await admin(), agent.id, 'active')
    await expect(redeem(permitToken)).resolves.toEqual({ replayed: false })
  })

  it('redeems nothing of a key that is disabled (P4)', async () => {
    await test.policies(AUTO)
    const { key, gate } = await test.addKey()
    const { permitToken = '' } = await gate.declare({ action: ACTION, params: PARAMS, delivery: 'token' })
    await test.local.registrar.disableKey(await admin(), key.id)
    await expect(redeem(permitToken)).rejects.toMatchObject({ code: 'FORBIDDEN' })
  })

  it('answers a key that is disabled nowhere, also while it waits', async () => {
    const { key, gate } = await test.addKey()
    const { id } = await gate.declare({ action: ACTION, params: PARAMS, delivery: 'token' })
    const unauthorized = { code: 'UNAUTHORIZED' }
    const waiting = expect(gate.wait(id)).rejects.toMatchObject(unauthorized)
    await gate.read(id) // by then, it waits
    await test.local.registrar.disableKey(await admin(), key.id)
    const { intentHash } = await test.local.desk.read(test.approver, id)
    // The approval is refused as well, so that it takes a denial to wake who waits.
    const vote = (verdict: 'approve' | 'deny') => test.local.desk.vote(test.approver, id, { verdict, intentHash })
    await expect(vote('approve')).rejects.toThrow()
    await vote('deny')
    await waiting
    await expect(gate.declare({ action: ACTION, params: PARAMS })).rejects.toMatchObject(unauthorized)
    await expect(gate.read(id)).rejects.toMatchObject(unauthorized)
    await expect(gate.claim(id, anAttempt())).rejects.toMatchObject(unauthorized)
    await expect(gate.cancel(id, 'no need')).rejects.toMatchObject(unauthorized)
  })

  it('lets a key that is bound to one agent not speak for another, nor see what it asked for', async () => {
    const [one, other] = [await anAgent('agent-a'), await anAgent('agent-b')]
    const draft = { action: ACTION, params: PARAMS }
    await expect(one.gate.declare({ ...draft, source: 'agent-b' })).rejects.toMatchObject({ code: 'SOURCE_MISMATCH' })
    const { id } = await other.gate.declare({ ...draft, idempotencyKey: 'call-1' })
    const notFound = { code: 'NOT_FOUND' }
    await expect(one.gate.read(id)).rejects.toMatchObject(notFound)
    await expect(one.gate.read({ idempotencyKey: 'call-1' })).rejects.toMatchObject(notFound)
    await expect(one.gate.claim(id, anAttempt())).rejects.toMatchObject(notFound)
    await expect(one.gate.report(id, anAttempt(), { status: 'succeeded' })).rejects.toMatchObject(notFound)
    await expect(one.gate.cancel(id, 'mine')).rejects.toMatchObject(notFound)
  })

  it('loses no kill switch to declares that are under way', async () => {
    const { agent, gate } = await anAgent('refund-agent-v1')
    const by = await admin()
    const declares = Array.from({ length: 20 }, () => gate.declare({ action: newId('a'), params: {} }))
    const paused = test.local.registrar.setAgentStatus(by, agent.id, 'paused')
    await Promise.allSettled([...declares, paused])
    expect((await store.agent(agent.id))?.status).toBe('paused')
    await expect(gate.declare({ action: ACTION, params: PARAMS })).rejects.toMatchObject({ code: 'AGENT_PAUSED' })
  })
})
