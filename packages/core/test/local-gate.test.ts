import { describe, expect, it } from 'vitest'
import { SilentAuthError } from '../src/errors.js'
import type { Claim } from '../src/gate.js'
import { newId, randomToken } from '../src/id.js'
import type { IntentDraft } from '../src/intent.js'
import type { KeyRing } from '../src/key-ring.js'
import { localGate } from '../src/local-gate.js'
import { memoryStore } from '../src/memory-store.js'
import { readPermit } from '../src/permit.js'
import type { Attempt } from '../src/state.js'
import type { Store, StoreTransaction } from '../src/store.js'
import { fakeClock, principalOf, type TestGate, testGate } from '../src/testing.js'

const DRAFT: IntentDraft = { action: 'issue_refund', params: { customer_id: 'cust_4821', amount: 250 } }
const AUTO = { match: {}, decision: 'auto_approve', any_params: true }

function anAttempt(details: Partial<Attempt> = {}): Attempt {
  return { executionId: 'execution-1', attemptId: randomToken(), ...details }
}

async function deny({ local, approver }: TestGate, id: `int_${string}`) {
  const { intentHash } = await local.desk.read(approver, id)
  return local.desk.vote(approver, id, { verdict: 'deny', intentHash })
}

async function approve({ local, approver }: TestGate, id: `int_${string}`, by = approver) {
  const { intentHash, confirmation } = await local.desk.read(by, id)
  return local.desk.vote(by, id, { verdict: 'approve', intentHash, confirm: confirmation })
}

async function leaves({ store, project }: TestGate) {
  return store.leaves({ projectId: project.id, from: 0, limit: 1000 })
}

describe('idempotency keys', () => {
  it('I15 count within the agent of a bound key, whatever key it uses', async () => {
    await using test = await testGate()
    const agent = await test.agent()
    const [first, second] = [await test.addKey({ agents: [agent.id] }), await test.addKey({ agents: [agent.id] })]
    const draft = { ...DRAFT, idempotencyKey: 'call-1' }
    const [one, other] = [await first.gate.declare(draft), await second.gate.declare(draft)]
    expect(one.id).toBe(other.id)
  })

  it('I15 count within the lineage of an unbound key, through a rotation', async () => {
    await using test = await testGate()
    const first = await test.addKey()
    const rotated = await test.addKey({ lineage: first.key.lineage })
    const stranger = await test.addKey()
    const draft = { ...DRAFT, idempotencyKey: 'call-1' }
    const ids = [first, rotated, stranger].map(async ({ gate }) => (await gate.declare(draft)).id)
    const [one, other, third] = await Promise.all(ids)
    expect([one === other, one === third]).toEqual([true, false])
  })

  it('I15 of two agents of one key are two; a look that cannot tell them apart finds neither', async () => {
    await using test = await testGate()
    const [first, second] = [await test.agent(), await test.agent()]
    const { gate } = await test.addKey({ agents: [first.id, second.id] })
    const declared = [first, second].map(({ fingerprint: source }) =>
      gate.declare({ ...DRAFT, source, idempotencyKey: 'call-1' }),
    )
    const [one, other] = await Promise.all(declared)
    expect(one?.id).not.toBe(other?.id)
    await expect(gate.read({ idempotencyKey: 'call-1' })).rejects.toMatchObject({ code: 'IDEMPOTENCY_MISMATCH' })
  })

  it('I12 the key of an edited intent answers the original, whose superseded_by leads on', async () => {
    await using test = await testGate()
    const draft = { ...DRAFT, idempotencyKey: 'call-1', edits: { schema: {} } }
    const { id } = await test.gate.declare(draft)
    const { intentHash } = await test.local.desk.read(test.approver, id)
    await test.local.desk.vote(test.approver, id, { verdict: 'approve', intentHash, params: { amount: 10 } })
    const [declared, read] = [await test.gate.declare(draft), await test.gate.read({ idempotencyKey: 'call-1' })]
    expect([declared.id, read.id, read.status]).toEqual([id, id, 'superseded'])
    const successor = await test.gate.read(read.supersededBy as `int_${string}`)
    expect(successor).toMatchObject({ status: 'pending', params: { amount: 10 }, supersedes: id })
  })

  it('answer a repeated request with what the first one made, and refuse another body', async () => {
    await using test = await testGate()
    const request = { key: 'request-1', bodyDigest: 'sha-256:a' as const }
    const gate = test.local.gateFor(principalOf(test.key))
    const [first, second] = await Promise.all([gate.declare(DRAFT, { request }), gate.declare(DRAFT, { request })])
    expect(first.id).toBe(second.id)
    const other = { ...request, bodyDigest: 'sha-256:b' as const }
    await expect(gate.declare(DRAFT, { request: other })).rejects.toMatchObject({ code: 'IDEMPOTENCY_MISMATCH' })
  })

  it('of a request that cancelled one intent do not cancel another', async () => {
    await using test = await testGate()
    const request = { key: 'request-1', bodyDigest: 'sha-256:a' as const }
    const gate = test.local.gateFor(principalOf(test.key))
    const [first, second] = [await gate.declare(DRAFT), await gate.declare(DRAFT)]
    await gate.cancel(first.id, 'no need', { request })
    expect((await gate.cancel(first.id, 'no need', { request })).status).toBe('cancelled')
    await expect(gate.cancel(second.id, 'no need', { request })).rejects.toMatchObject({ code: 'IDEMPOTENCY_MISMATCH' })
  })
})

describe('keys', () => {
  it('of a verifier declare nothing and claim nothing', async () => {
    await using test = await testGate()
    const verifier = await test.addKey({ kind: 'verifier', lineage: test.key.lineage })
    const { id } = await test.gate.declare(DRAFT)
    await approve(test, id)
    await expect(verifier.gate.declare(DRAFT)).rejects.toMatchObject({ code: 'FORBIDDEN' })
    await expect(verifier.gate.claim(id, anAttempt())).rejects.toMatchObject({ code: 'FORBIDDEN' })
  })

  it('that are disabled, unknown or of another project are refused for everything', async () => {
    await using test = await testGate()
    await using other = await testGate({ store: test.store })
    const disabled = await test.addKey({ status: 'disabled' })
    const gates = [
      disabled.gate,
      test.local.gateFor({ type: 'key', id: newId('key'), projectId: test.project.id }),
      test.local.gateFor(principalOf(other.key)),
    ]
    const { id } = await test.gate.declare(DRAFT)
    for (const gate of gates) {
      for (const work of [gate.declare(DRAFT), gate.read(id), gate.wait(id), gate.claim(id, anAttempt())]) {
        await expect(work).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
      }
    }
  })

  it('of another project find nothing, also when the store is shared', async () => {
    await using test = await testGate()
    await using other = await testGate({ store: test.store })
    const { id } = await test.gate.declare(DRAFT)
    await expect(other.gate.read(id)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(other.gate.declare({ ...DRAFT, supersedes: id })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(other.local.desk.read(other.approver, id)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('E8 P4 stop what they declared once they are disabled, for another key of the agent too', async () => {
    await using test = await testGate()
    const agent = await test.agent()
    const [first, second] = [await test.addKey({ agents: [agent.id] }), await test.addKey({ agents: [agent.id] })]
    const { id } = await first.gate.declare(DRAFT)
    await approve(test, id)
    await test.addKey({ ...first.key, status: 'disabled' })
    await expect(second.gate.claim(id, anAttempt())).rejects.toMatchObject({ code: 'FORBIDDEN' })
  })

  it('declare at most as many pending intents as they may', async () => {
    await using test = await testGate({ maxPendingPerKey: 2 })
    await test.gate.declare(DRAFT)
    await test.gate.declare(DRAFT)
    await expect(test.gate.declare(DRAFT)).rejects.toMatchObject({ code: 'RATE_LIMITED', retryAfterSeconds: 30 })
  })

  it('keep an agent in its kill switch when its fingerprint changes', async () => {
    await using test = await testGate()
    const agent = await test.agent()
    const { gate } = await test.addKey({ agents: [agent.id] })
    const { id } = await gate.declare(DRAFT)
    await approve(test, id)
    await test.agent({ ...agent, fingerprint: 'renamed', status: 'paused' })
    await expect(gate.claim(id, anAttempt())).rejects.toMatchObject({ code: 'AGENT_PAUSED' })
  })

  it('name no agent that the project does not know, where it wants registered ones', async () => {
    await using test = await testGate({ project: { requireRegisteredAgents: true } })
    await expect(test.gate.declare({ ...DRAFT, source: 'stranger' })).rejects.toMatchObject({ code: 'FORBIDDEN' })
  })
})

describe('supersedes', () => {
  it('I13 may name only an own intent', async () => {
    await using test = await testGate()
    const { gate } = await test.addKey()
    const { id } = await gate.declare(DRAFT)
    await expect(test.gate.declare({ ...DRAFT, supersedes: id })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect((await gate.read(id)).status).toBe('pending')
  })

  it('I13 of one that has begun declares nothing', async () => {
    await using test = await testGate()
    const { id } = await test.gate.declare(DRAFT)
    await approve(test, id)
    await test.gate.claim(id, anAttempt())
    const declared = test.gate.declare({ ...DRAFT, supersedes: id, idempotencyKey: 'call-2' })
    await expect(declared).rejects.toMatchObject({ code: 'IN_FLIGHT' })
    await expect(test.gate.read({ idempotencyKey: 'call-2' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('I13 makes chains of ten at most', async () => {
    await using test = await testGate()
    let { id } = await test.gate.declare(DRAFT)
    for (let length = 2; length <= 10; length++) id = (await test.gate.declare({ ...DRAFT, supersedes: id })).id
    await expect(test.gate.declare({ ...DRAFT, supersedes: id })).rejects.toMatchObject({ code: 'INVALID_FIELD' })
    expect((await test.gate.read(id)).status).toBe('pending')
  })

  it('I11 passes on whom the earlier intents excluded, and who edited them', async () => {
    await using test = await testGate()
    const [named, editor] = [await test.person({ email: 'named@example.com' }), await test.person()]
    const first = await test.gate.declare({ ...DRAFT, requestedBy: 'named@example.com', edits: { schema: {} } })
    const { intentHash } = await test.local.desk.read(editor, first.id)
    await test.local.desk.vote(editor, first.id, { verdict: 'approve', intentHash, params: { amount: 1 } })
    const own = await test.gate.declare({ ...DRAFT, params: { amount: 1 }, supersedes: first.id })
    const codes = [named, editor, test.approver].map(
      async (person) => (await test.local.desk.read(person, own.id)).canVote.code,
    )
    expect(await Promise.all(codes)).toEqual(['SELF_APPROVAL', 'SELF_APPROVAL', undefined])
  })
})

describe('a token delivery', () => {
  async function tokenOf(test: TestGate, draft: Partial<IntentDraft> = {}) {
    const { id } = await test.gate.declare({ ...DRAFT, delivery: 'token', ...draft })
    await approve(test, id)
    return { id, token: (await test.gate.read(id)).permitToken }
  }

  it('P2 hands out the one permit of the approval, again and again', async () => {
    await using test = await testGate()
    const { id, token } = await tokenOf(test)
    const listed = await test.local.list(principalOf(test.key), { limit: 10 })
    const tokens = [token, (await test.gate.read(id)).permitToken, listed.items[0]?.permitToken]
    const { issuer, keys } = await test.gate.trust()
    const options = { issuer, keys: keys as KeyRing, now: test.clock.now }
    const read = await Promise.all(tokens.map((text) => readPermit(text as string, options)))
    expect(new Set(read.map(({ claims }) => `${claims.jti} ${claims.exp}`)).size).toBe(1)
  })

  it.each([
    ['it has expired', (test: TestGate) => test.clock.advance(300_000)],
    ['the agent cancelled', (test: TestGate, id: `int_${string}`) => test.gate.cancel(id, 'no need')],
    ['a person withdrew', (test: TestGate, id: `int_${string}`) => test.local.desk.withdraw(test.approver, id, 'no')],
    [
      'policy wants two people now',
      (test: TestGate) =>
        test.policies([{ match: {}, decision: 'require_approval', approval: { approvers_required: 2 } }]),
    ],
    ['policy denies now', (test: TestGate) => test.policies([{ match: {}, decision: 'auto_deny' }])],
    ['its approver was disabled', (test: TestGate) => test.change(test.approver, { status: 'disabled' })],
  ])('E8 shows no permit once %s', async (_, change) => {
    await using test = await testGate()
    const { id, token } = await tokenOf(test)
    await change(test, id)
    expect([typeof token, (await test.gate.read(id)).permitToken]).toEqual(['string', undefined])
  })

  it('E8 shows no permit while its agent is paused, and again afterwards', async () => {
    await using test = await testGate()
    const agent = await test.agent()
    const { gate } = await test.addKey({ agents: [agent.id] })
    const { id } = await gate.declare({ ...DRAFT, delivery: 'token' })
    await approve(test, id)
    await test.agent({ ...agent, status: 'paused' })
    const paused = (await gate.read(id)).permitToken
    await test.agent(agent)
    expect([paused, typeof (await gate.read(id)).permitToken]).toEqual([undefined, 'string'])
  })

  it('shows no permit after a redemption', async () => {
    await using test = await testGate()
    const { id, token } = await tokenOf(test)
    const { principal } = await test.addKey({ kind: 'verifier' })
    const { audience, paramsDigest, action } = await test.gate.read(id)
    const request = { token: token as string, action, paramsDigest, audience, redemptionId: randomToken() }
    await test.local.counter.redeem(principal, request)
    expect((await test.gate.read(id)).permitToken).toBeUndefined()
  })

  it('is in no answer to a claim delivery', async () => {
    await using test = await testGate({ policies: [AUTO] })
    const intent = await test.gate.declare(DRAFT)
    const [read, waited] = [await test.gate.read(intent.id), await test.gate.wait(intent.id)]
    expect([intent.permitToken, read.permitToken, waited.permitToken]).toEqual([undefined, undefined, undefined])
  })
})

describe('claims', () => {
  it('P1 P6 of a store that sequences later wait for the leaf, and stand', async () => {
    const clock = fakeClock()
    const memory = memoryStore({ now: clock.now })
    const store: Store = { ...memory, sequencing: 'deferred' }
    await using test = await testGate({ store, clock })
    const { id } = await test.gate.declare({ ...DRAFT, riskTier: 'high' })
    await approve(test, id)
    const attempt = anAttempt()
    await expect(test.gate.claim(id, attempt)).rejects.toMatchObject({ code: 'NOT_SEQUENCED', retryAfterSeconds: 1 })
    expect(await test.gate.read(id)).toMatchObject({ execution: { state: 'started', deadline: undefined } })
  })

  it('a permit of a high intent is signed in the last second of its window', async () => {
    await using test = await testGate()
    const { id, executionWindowSeconds } = await test.gate.declare(DRAFT)
    await approve(test, id)
    test.clock.advance(executionWindowSeconds * 1000 - 1000 - (test.clock.now() % 1000))
    const claim = await test.gate.claim(id, anAttempt())
    expect(claim.type).toBe('granted')
  })

  it.each([
    [{ executionId: '' }, 'execution_id'],
    [{ attemptId: 'a'.repeat(257) }, 'attempt_id'],
    [{ attemptId: 'a\0' }, 'attempt_id'],
    [{ continues: -1 }, 'continues'],
    [{ continues: 0.5 }, 'continues'],
  ])('of a malformed attempt are refused: %o', async (details, field) => {
    await using test = await testGate()
    const { id } = await test.gate.declare(DRAFT)
    await expect(test.gate.claim(id, anAttempt(details))).rejects.toMatchObject({ code: 'INVALID_FIELD', field })
  })

  it('E1 race: of two hundred at once one is granted', async () => {
    await using test = await testGate({ policies: [AUTO] })
    const { id } = await test.gate.declare(DRAFT)
    const claims = await Promise.all(Array.from({ length: 200 }, () => test.gate.claim(id, anAttempt())))
    expect(claims.filter((claim: Claim) => claim.type === 'granted')).toHaveLength(1)
  })
})

describe('time restrictions', () => {
  const policy = {
    match: {},
    decision: 'require_approval',
    time_restrictions: { block_hours: [12, 13] },
    intent: { execution_window: 7200 },
  }
  const at = (hour: number, minute = 0, second = 0) => fakeClock(Date.UTC(2026, 0, 5, hour, minute, second))

  it('I1 deny what is declared in a blocked hour', async () => {
    await using test = await testGate({ policies: [policy], clock: at(12) })
    expect(await test.gate.declare(DRAFT)).toMatchObject({ status: 'denied', resolution: { code: 'TIME_RESTRICTED' } })
  })

  it('E8 refuse a claim in a blocked hour, change nothing, and grant it afterwards', async () => {
    await using test = await testGate({ policies: [policy], clock: at(11, 59, 59) })
    const { id } = await test.gate.declare(DRAFT)
    await approve(test, id)
    test.clock.advance(1000)
    await expect(test.gate.claim(id, anAttempt())).rejects.toMatchObject({ code: 'TIME_RESTRICTED' })
    test.clock.advance(3_599_000)
    await expect(test.gate.claim(id, anAttempt())).rejects.toMatchObject({ code: 'TIME_RESTRICTED' })
    expect((await test.gate.read(id)).execution.state).toBe('none')
    test.clock.advance(1000)
    expect((await test.gate.claim(id, anAttempt())).type).toBe('granted')
  })
})

describe('leaves', () => {
  it('are one per command, with its events in order', async () => {
    await using test = await testGate()
    const before = (await leaves(test)).length
    const { id } = await test.gate.declare(DRAFT)
    await approve(test, id)
    const attempt = anAttempt()
    await test.gate.claim(id, attempt)
    await test.gate.report(id, attempt, { status: 'succeeded', result: { ok: true } })
    const events = (await leaves(test))
      .slice(before)
      .map(({ body }) => (JSON.parse(body) as { events: { type: string }[] }).events.map(({ type }) => type))
    expect(events).toEqual([
      ['intent.created'],
      ['approval.recorded', 'intent.approved'],
      ['execution.started', 'permit.issued'],
      ['execution.reported'],
    ])
  })

  it('hold no value in clear', async () => {
    await using test = await testGate()
    const { id } = await test.gate.declare({ ...DRAFT, params: { note: 'zebra-crossing' }, context: { why: 'okapi' } })
    await test.gate.cancel(id, 'giraffe')
    const bodies = (await leaves(test)).map(({ body }) => body).join('\n')
    expect(bodies).not.toMatch(/zebra-crossing|okapi|giraffe/)
  })

  it('are not written for what was refused or changed nothing', async () => {
    await using test = await testGate()
    const { id } = await test.gate.declare({ ...DRAFT, idempotencyKey: 'call-1' })
    const before = (await leaves(test)).length
    await test.gate.declare({ ...DRAFT, idempotencyKey: 'call-1' })
    await test.gate.claim(id, anAttempt()).catch(() => undefined)
    await test.gate.read(id)
    await test.local.sweep()
    expect((await leaves(test)).length).toBe(before)
  })

  it('E8 are written for a refusal that abandons', async () => {
    await using test = await testGate()
    const { id } = await test.gate.declare(DRAFT)
    await approve(test, id)
    await test.policies([{ match: {}, decision: 'auto_deny' }])
    await expect(test.gate.claim(id, anAttempt())).rejects.toMatchObject({ code: 'POLICY_CHANGED' })
    const last = (await leaves(test)).at(-1)
    expect(last?.body).toContain('execution.abandoned')
  })
})

describe('waiting', () => {
  it('is woken by the catch-up when another process decided', async () => {
    const clock = fakeClock()
    const store = memoryStore({ now: clock.now })
    await using here = await testGate({ store, clock })
    const { issuer, projectId } = here.local
    await using there = localGate({
      store,
      signer: here.signer,
      projectId,
      issuer,
      publicUrl: 'http://127.0.0.1',
      sweepMs: 0,
      pollMs: 5,
    })
    const { id } = await here.gate.declare(DRAFT)
    const waiting = there.gateFor(principalOf(here.key)).wait(id)
    await approve(here, id)
    expect((await waiting).status).toBe('approved')
    await store[Symbol.asyncDispose]()
  })

  it('is over for an agent that was revoked, and for a key that was disabled, once it is woken', async () => {
    await using test = await testGate()
    const agent = await test.agent()
    const { key, gate } = await test.addKey({ agents: [agent.id] })
    const [one, two] = [await gate.declare(DRAFT), await gate.declare(DRAFT)]
    const [first, second] = [one, two].map(({ id }) => gate.wait(id).catch((error: unknown) => error))
    await new Promise((resolve) => setTimeout(resolve, 5))
    await test.agent({ ...agent, status: 'revoked' })
    await deny(test, one.id)
    expect(await first).toMatchObject({ code: 'AGENT_REVOKED' })
    await expect(gate.wait(two.id)).rejects.toMatchObject({ code: 'AGENT_REVOKED' })
    await test.addKey({ ...key, status: 'disabled' })
    await deny(test, two.id)
    expect(await second).toMatchObject({ code: 'UNAUTHORIZED' })
  })

  it('ends when the gate is closed', async () => {
    const test = await testGate()
    const { id } = await test.gate.declare(DRAFT)
    const waiting = test.gate.wait(id)
    waiting.catch(() => undefined)
    await new Promise((resolve) => setImmediate(resolve))
    await test[Symbol.asyncDispose]()
    await expect(waiting).rejects.toMatchObject({ code: 'GATE_UNAVAILABLE' })
  })

  it('a listener that throws does not undo what was committed', async () => {
    await using test = await testGate()
    const stop = test.local.onChange(() => {
      throw new Error('a broken listener')
    })
    const { id } = await test.gate.declare(DRAFT)
    stop()
    expect((await test.gate.read(id)).status).toBe('pending')
  })
})

describe('sweeping', () => {
  it('I7 E4 E16 writes what the clock has done, with a leaf for each', async () => {
    await using test = await testGate()
    const pending = await test.gate.declare({ ...DRAFT, expiresInSeconds: 60 })
    const unclaimed = await test.gate.declare(DRAFT)
    const running = await test.gate.declare(DRAFT)
    await approve(test, unclaimed.id)
    await approve(test, running.id)
    await test.gate.claim(running.id, anAttempt())
    test.clock.advance(3_600_000)
    expect([await test.local.sweep(), await test.local.sweep()]).toEqual([3, 0])
    const states = [pending, unclaimed, running].map(async ({ id }) => {
      const stored = await test.store.intent(id)
      return `${stored?.status} ${stored?.execution.state}`
    })
    expect(await Promise.all(states)).toEqual(['expired none', 'approved abandoned', 'approved unknown'])
  })

  it('goes on after an intent that cannot be moved', async () => {
    const clock = fakeClock()
    const memory = memoryStore({ now: clock.now })
    let broken: string | undefined
    await using test = await testGate({
      clock,
      store: withTransaction(memory, (tx) => ({
        ...tx,
        lockIntent: (id) => (id === broken ? Promise.reject(new Error('broken row')) : tx.lockIntent(id)),
      })),
    })
    const first = await test.gate.declare({ ...DRAFT, expiresInSeconds: 1 })
    const second = await test.gate.declare({ ...DRAFT, expiresInSeconds: 2 })
    broken = first.id
    clock.advance(3000)
    await expect(test.local.sweep()).rejects.toThrow('broken row')
    expect((await test.store.intent(second.id))?.status).toBe('expired')
    await memory[Symbol.asyncDispose]()
  })
})

describe('a store that fails', () => {
  /** The whole way, each step of it in its own transaction. */
  async function wholeWay(test: TestGate, attempt: Attempt): Promise<void> {
    const { id } = await test.gate.declare({ ...DRAFT, idempotencyKey: 'call-1' })
    await approve(test, id)
    await test.gate.claim(id, attempt)
    await test.gate.report(id, attempt, { status: 'succeeded' })
  }

  it('at any one call leaves nothing half done, and the same way can be gone again', async () => {
    let calls = 0
    let failAt = 0
    const counted = await faulty(() => ++calls === failAt)
    await wholeWay(counted.test, anAttempt())
    const total = calls
    await counted.close()
    expect(total).toBeGreaterThan(20)

    for (let at = 1; at <= total; at++) {
      calls = 0
      failAt = Number.POSITIVE_INFINITY
      const { test, close } = await faulty(() => ++calls === failAt)
      const attempt = anAttempt()
      calls = 0
      failAt = at
      await wholeWay(test, attempt).catch(() => undefined)
      failAt = Number.POSITIVE_INFINITY
      await expectWhole(test, at)
      await wholeWay(test, attempt).catch((error: { code?: string }) => {
        // The vote is final, and so is the way behind it.
        if (error.code !== 'ALREADY_RESOLVED') throw error
      })
      const { id } = await test.gate.read({ idempotencyKey: 'call-1' })
      await test.gate.claim(id, attempt)
      await test.gate.report(id, attempt, { status: 'succeeded' })
      expect((await test.gate.read(id)).execution.state, `after a failure at call ${at}`).toBe('succeeded')
      await close()
    }
  })

  /** What is stored is what the leaves say: one leaf per change. */
  async function expectWhole(test: TestGate, at: number): Promise<void> {
    const { items } = await test.local.list(principalOf(test.key), { limit: 10 })
    const events = (await leaves(test)).flatMap(({ body }) =>
      (JSON.parse(body) as { events: { type: string }[] }).events.map(({ type }) => type),
    )
    const [intent] = items
    const state = `failure at call ${at}`
    expect(events.includes('intent.created'), state).toBe(intent !== undefined)
    expect(events.includes('intent.approved'), state).toBe(intent?.status === 'approved')
    expect(events.includes('execution.started'), state).toBe((intent?.execution.state ?? 'none') !== 'none')
    expect(events.includes('execution.reported'), state).toBe(intent?.execution.state === 'succeeded')
  }

  async function faulty(fails: () => boolean): Promise<{ test: TestGate; close: () => Promise<void> }> {
    const clock = fakeClock()
    const memory = memoryStore({ now: clock.now })
    let armed = false
    const wrap = <Target extends object>(target: Target): Target =>
      new Proxy(target, {
        get(object, name) {
          const member = Reflect.get(object, name) as unknown
          if (typeof member !== 'function' || typeof name === 'symbol') return member
          return (...given: unknown[]): unknown => {
            if (armed && fails()) return Promise.reject(new Error(`the store failed in ${name}`))
            if (name !== 'transaction') return (member as (...all: unknown[]) => unknown).apply(object, given)
            const work = given[0] as (tx: StoreTransaction) => Promise<unknown>
            return memory.transaction((tx) => work(wrap(tx)))
          }
        },
      })
    const store = wrap(memory)
    const test = await testGate({ store, clock })
    armed = true
    return {
      test,
      async close() {
        armed = false
        await test[Symbol.asyncDispose]()
        await memory[Symbol.asyncDispose]()
      },
    }
  }

  it('while a report is under way is asked again', async () => {
    const clock = fakeClock()
    const memory = memoryStore({ now: clock.now })
    let failures = 0
    await using test = await testGate({
      clock,
      store: withTransaction(memory, (tx) => ({
        ...tx,
        appendLeaf: async (leaf) => {
          if (failures-- > 0) throw new SilentAuthError('DB_ERROR', 'the store is away')
          return tx.appendLeaf(leaf)
        },
      })),
      policies: [AUTO],
    })
    const { id } = await test.gate.declare(DRAFT)
    const attempt = anAttempt()
    await test.gate.claim(id, attempt)
    failures = 2
    await test.gate.report(id, attempt, { status: 'succeeded' })
    expect((await test.gate.read(id)).execution.state).toBe('succeeded')
    await memory[Symbol.asyncDispose]()
  })
})

it('policies of the same revision that are others, as after a failover, are the ones that count', async () => {
  const clock = fakeClock()
  const memory = memoryStore({ now: clock.now })
  await using other = await testGate({ policies: [{ ...AUTO, decision: 'auto_deny' }] })
  const { policies } = await other.store.policies(other.project.id)
  let failedOver = false
  await using test = await testGate({
    clock,
    store: withTransaction(memory, (tx) => ({
      ...tx,
      async policies(id) {
        const stored = await tx.policies(id)
        return failedOver ? { ...stored, policies } : stored
      },
    })),
    policies: [AUTO],
  })
  expect((await test.gate.declare(DRAFT)).status).toBe('approved')
  failedOver = true
  expect((await test.gate.declare(DRAFT)).status).toBe('denied')
})

function withTransaction(store: Store, wrap: (tx: StoreTransaction) => StoreTransaction): Store {
  return { ...store, transaction: (work) => store.transaction((tx) => work(wrap(tx))) }
}

describe('what is kept for revocation lists', () => {
  it('goes once no verifier could accept the permit any more (P4)', async () => {
    const policies = [{ name: 'all', match: {}, decision: 'auto_approve', any_params: true }]
    await using test = await testGate({ policies })
    await test.gate.declare({ action: 'issue_refund', params: {}, delivery: 'token' })
    test.clock.advance(2 * 3_600_000)
    await test.local.sweep()
    expect(await test.store.transaction((tx) => tx.forgetPermits(test.clock.now(), 100))).toBe(0)
  })

  it('stays as long as one could', async () => {
    const policies = [{ name: 'all', match: {}, decision: 'auto_approve', any_params: true }]
    await using test = await testGate({ policies })
    const { id } = await test.gate.declare({ action: 'issue_refund', params: {}, delivery: 'token' })
    await test.local.desk.withdraw(await test.person({ roles: ['admin'] }), id, 'a mistake')
    test.clock.advance(3_600_000)
    await test.local.sweep()
    const { permits } = await test.store.revocations({
      projectId: test.project.id,
      now: await test.store.now(),
      limit: 10,
    })
    expect(permits.map(({ intentId }) => intentId)).toEqual([id])
  })
})
