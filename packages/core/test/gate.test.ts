import { describe, expect, it, vi } from 'vitest'
import { currentPermit } from '../src/current-permit.js'
import { type ErrorCode, SilentAuthError } from '../src/errors.js'
import { begin, type Claim, type Gate, type GateCall, type GateEvent, guard, hold, look } from '../src/gate.js'
import { newId, randomToken } from '../src/id.js'
import type { Intent, IntentDraft } from '../src/intent.js'
import type { JsonObject } from '../src/json.js'
import { snapshot } from '../src/params.js'
import { secretSigner } from '../src/signer.js'
import { type TestGate, testGate } from '../src/testing.js'

const PARAMS = { customer_id: 'cust_4821', amount: 250 }
const AUTO = { match: {}, decision: 'auto_approve', any_params: true }

function aCall(params: JsonObject = PARAMS, draft: Partial<GateCall['draft']> = {}): GateCall {
  return { key: `call-${randomToken()}`, snapshot: snapshot(params), draft: { action: 'issue_refund', ...draft } }
}

async function decide(test: TestGate, id: `int_${string}`, verdict: 'approve' | 'deny' | 'request_changes') {
  const { intentHash } = await test.local.desk.read(test.approver, id)
  await test.local.desk.vote(test.approver, id, { verdict, intentHash })
}

/** The gate of a test with some of its methods replaced. */
function withGate(gate: Gate, replaced: Partial<Gate>): Gate {
  return {
    declare: (draft, options) => gate.declare(draft, options),
    read: (ref, options) => gate.read(ref, options),
    wait: (id, options) => gate.wait(id, options),
    cancel: (id, reason, options) => gate.cancel(id, reason, options),
    claim: (id, attempt, options) => gate.claim(id, attempt, options),
    report: (id, attempt, outcome, options) => gate.report(id, attempt, outcome, options),
    trust: (options) => gate.trust(options),
    [Symbol.asyncDispose]: async () => {},
    ...replaced,
  }
}

async function declared(gate: Gate, call: GateCall): Promise<Intent> {
  return gate.declare({ ...call.draft, params: call.snapshot.value, idempotencyKey: call.key })
}

async function stateOf(gate: Gate, call: GateCall): Promise<string> {
  const { status, execution } = await gate.read({ idempotencyKey: call.key })
  return `${status} ${execution.state}`
}

function expectCode(work: Promise<unknown>, code: ErrorCode): Promise<void> {
  return expect(work).rejects.toMatchObject({ code })
}

describe('look', () => {
  it('creates only when told to', async () => {
    await using test = await testGate()
    const call = aCall()
    expect(await look(test.gate, call, { create: false })).toMatchObject({ type: 'refused', code: 'NOT_FOUND' })
    expect((await look(test.gate, call, { create: true })).type).toBe('pending')
    expect((await look(test.gate, call, { create: false })).type).toBe('pending')
  })

  it('never claims', async () => {
    await using test = await testGate({ policies: [AUTO] })
    const call = aCall()
    for (let time = 0; time < 5; time++) expect((await look(test.gate, call, { create: true })).type).toBe('approved')
    expect(await stateOf(test.gate, call)).toBe('approved none')
  })

  it.each([
    ['other params', { snapshot: snapshot({ ...PARAMS, amount: 2500 }) }],
    ['another action', { draft: { action: 'delete_account' } }],
  ])('refuses a key that comes back with %s, though it is only read', async (_, change) => {
    await using test = await testGate({ policies: [AUTO] })
    const call = aCall()
    await declared(test.gate, call)
    const looked = await look(test.gate, { ...call, ...change }, { create: false })
    expect(looked).toMatchObject({ type: 'refused', code: 'IDEMPOTENCY_MISMATCH' })
  })

  it.each([
    ['denied', 'INTENT_DENIED', (test: TestGate, id: `int_${string}`) => decide(test, id, 'deny')],
    ['changed', 'CHANGES_REQUESTED', (test: TestGate, id: `int_${string}`) => decide(test, id, 'request_changes')],
    ['cancelled', 'INTENT_CANCELLED', (test: TestGate, id: `int_${string}`) => test.gate.cancel(id, 'no need')],
    ['expired', 'INTENT_EXPIRED', (test: TestGate) => test.clock.advance(3_600_000)],
    [
      'abandoned',
      'NOT_CLAIMABLE',
      async (test: TestGate, id: `int_${string}`) => {
        await decide(test, id, 'approve')
        await test.gate.cancel(id, 'no need')
      },
    ],
  ] as const)('refuses what is %s with %s', async (_, code, change) => {
    await using test = await testGate()
    const call = aCall()
    const { id } = await declared(test.gate, call)
    await change(test, id)
    expect(await look(test.gate, call, { create: false })).toMatchObject({ type: 'refused', code })
  })

  it('is told by the gate that it cannot be reached, and says so', async () => {
    await using test = await testGate()
    const gate = withGate(test.gate, { declare: () => Promise.reject(new TypeError('fetch failed')) })
    expect(await look(gate, aCall(), { create: true })).toMatchObject({ type: 'refused', code: 'GATE_UNAVAILABLE' })
  })

  it('takes a status that it does not know for no approval', async () => {
    await using test = await testGate({ policies: [AUTO] })
    const gate = withGate(test.gate, {
      declare: async (draft) => ({ ...(await test.gate.declare(draft)), status: 'blessed' as 'approved' }),
    })
    expect((await look(gate, aCall(), { create: true })).type).toBe('refused')
  })

  it('rejects on abort, with the reason', async () => {
    await using test = await testGate()
    const reason = new Error('gone')
    await expect(look(test.gate, aCall(), { create: true, signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })

  /** A gate whose intents supersede each other, so many times. */
  async function chainOf(
    test: TestGate,
    hops: number,
    last: Partial<Intent> = {},
  ): Promise<{ gate: Gate; call: GateCall }> {
    const call = aCall()
    const intent = await declared(test.gate, call)
    const ids = Array.from({ length: hops }, () => newId('int'))
    const at = (index: number): Intent => ({
      ...intent,
      id: ids[index - 1] ?? intent.id,
      ...(index < hops ? { status: 'superseded', supersededBy: ids[index] } : last),
    })
    return {
      call,
      gate: withGate(test.gate, {
        read: async (ref) => at(typeof ref === 'string' ? ids.indexOf(ref) + 1 : 0),
      }),
    }
  }

  it('I12 follows an edit to its successor', async () => {
    await using test = await testGate()
    const { gate, call } = await chainOf(test, 1, { status: 'approved' })
    expect(await look(gate, call, { create: false })).toMatchObject({ type: 'approved', edited: true })
  })

  it.each([
    [10, 'approved'],
    [11, 'refused'],
  ])('follows %i edits: %s', async (hops, type) => {
    await using test = await testGate()
    const { gate, call } = await chainOf(test, hops, { status: 'approved' })
    expect((await look(gate, call, { create: false })).type).toBe(type)
  })

  it('follows no edit to another action', async () => {
    await using test = await testGate()
    const { gate, call } = await chainOf(test, 1, { status: 'approved', action: 'delete_account' })
    expect(await look(gate, call, { create: false })).toMatchObject({ type: 'refused', code: 'IDEMPOTENCY_MISMATCH' })
  })

  it("I13 never follows an agent's own supersedes", async () => {
    await using test = await testGate({ policies: [AUTO] })
    const call = aCall()
    const first = await declared(test.gate, call)
    await test.gate.declare({ action: 'issue_refund', params: PARAMS, supersedes: first.id })
    expect(await look(test.gate, call, { create: false })).toMatchObject({ type: 'refused', code: 'NOT_CLAIMABLE' })
  })
})

describe('guard', () => {
  it('runs the tool once, with its own copy of the snapshot and the permit in its context', async () => {
    await using test = await testGate({ policies: [AUTO] })
    const call = aCall()
    const result = await guard(test.gate, call, (execution) => {
      execution.params.amount = 1
      return { permit: currentPermit()?.permitId, amount: call.snapshot.value.amount }
    })
    expect(result).toEqual({ permit: expect.stringMatching(/^pmt_/), amount: 250 })
    expect([await stateOf(test.gate, call), currentPermit()]).toEqual(['approved succeeded', undefined])
  })

  it('runs what an approver made of it', async () => {
    await using test = await testGate()
    const call = aCall(PARAMS, { edits: { schema: {} } })
    const guarded = guard(test.gate, call, ({ params, edited }) => ({ params, edited }))
    const { id } = await vi.waitUntil(() => test.gate.read({ idempotencyKey: call.key }).catch(() => undefined))
    const { intentHash } = await test.local.desk.read(test.approver, id)
    const vote = { verdict: 'approve', intentHash, params: { amount: 10 } } as const
    const { supersededBy } = await test.local.desk.vote(test.approver, id, vote)
    const second = await test.person()
    const successor = await test.local.desk.read(second, supersededBy as `int_${string}`)
    await test.local.desk.vote(second, supersededBy as `int_${string}`, {
      verdict: 'approve',
      intentHash: successor.intentHash,
    })
    expect(await guarded).toEqual({ params: { amount: 10 }, edited: true })
  })

  const refusing: readonly [string, ErrorCode, (test: TestGate, id: `int_${string}`) => unknown][] = [
    ['a denial', 'INTENT_DENIED', (test, id) => decide(test, id, 'deny')],
    ['a request for changes', 'CHANGES_REQUESTED', (test, id) => decide(test, id, 'request_changes')],
    ['a cancel', 'INTENT_CANCELLED', (test, id) => test.gate.cancel(id, 'no need')],
    [
      'an expiry',
      'INTENT_EXPIRED',
      async (test) => {
        test.clock.advance(3_600_000)
        await test.local.sweep()
      },
    ],
    [
      'an approval that was withdrawn',
      'NOT_CLAIMABLE',
      async (test, id) => {
        await decide(test, id, 'approve')
        await test.local.desk.withdraw(test.approver, id, 'a mistake')
      },
    ],
    [
      'a policy that became stricter',
      'POLICY_CHANGED',
      async (test, id) => {
        await decide(test, id, 'approve')
        await test.policies([{ match: {}, decision: 'auto_deny' }])
      },
    ],
    [
      'another runner',
      'EXECUTION_RUNNING',
      async (test, id) => {
        await decide(test, id, 'approve')
        await test.gate.claim(id, { executionId: 'elsewhere', attemptId: 'elsewhere' })
      },
    ],
    [
      'an execution that never reported',
      'EXECUTION_UNKNOWN',
      async (test, id) => {
        await decide(test, id, 'approve')
        await test.gate.claim(id, { executionId: 'elsewhere', attemptId: 'elsewhere' })
        test.clock.advance(900_000)
      },
    ],
    [
      'an execution that is over',
      'ALREADY_EXECUTED',
      async (test, id) => {
        const attempt = { executionId: 'elsewhere', attemptId: 'elsewhere' }
        await decide(test, id, 'approve')
        await test.gate.claim(id, attempt)
        await test.gate.report(id, attempt, { status: 'succeeded' })
      },
    ],
  ]
  it.each(refusing)('throws after %s: %s, and does not run the tool', async (_, code, change) => {
    await using test = await testGate()
    const execute = vi.fn()
    const call = aCall()
    const { id } = await declared(test.gate, call)
    await change(test, id)
    await expectCode(guard(test.gate, call, execute), code)
    expect(execute).not.toHaveBeenCalled()
  })

  it('names the deadline of another runner, at once', async () => {
    await using test = await testGate({ policies: [AUTO] })
    const call = aCall()
    const { id } = await declared(test.gate, call)
    await test.gate.claim(id, { executionId: 'elsewhere', attemptId: 'elsewhere' })
    const { execution } = await test.gate.read(id)
    await expect(guard(test.gate, call, vi.fn())).rejects.toMatchObject({ intentId: id, deadline: execution.deadline })
  })

  it('throws what the tool throws, and reports a failure', async () => {
    await using test = await testGate({ policies: [AUTO] })
    const call = aCall()
    const broken = new Error('card declined')
    await expect(guard(test.gate, call, () => Promise.reject(broken))).rejects.toBe(broken)
    expect(await stateOf(test.gate, call)).toBe('approved failed')
  })

  it("gives the tool's result when only the report fails, and says so", async () => {
    await using test = await testGate({ policies: [AUTO] })
    const away = new SilentAuthError('GATE_UNAVAILABLE', 'away')
    const gate = withGate(test.gate, { report: () => Promise.reject(away) })
    const events: GateEvent[] = []
    const result = await guard(gate, aCall(), () => 'refunded', { onEvent: (event) => events.push(event) })
    expect([result, events.at(-1)]).toMatchObject(['refunded', { type: 'report_failed', error: away }])
  })

  it('listeners that throw change nothing', async () => {
    await using test = await testGate({ policies: [AUTO] })
    const call = aCall()
    const onEvent = () => {
      throw new Error('a broken listener')
    }
    expect(await guard(test.gate, call, () => 'refunded', { onEvent })).toBe('refunded')
    expect(await stateOf(test.gate, call)).toBe('approved succeeded')
  })
})

describe('an abort', () => {
  const reason = new Error('the user left')

  it('before the call declares nothing', async () => {
    await using test = await testGate()
    const [call, execute] = [aCall(), vi.fn()]
    await expect(guard(test.gate, call, execute, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    await expectCode(test.gate.read({ idempotencyKey: call.key }), 'NOT_FOUND')
    expect(execute).not.toHaveBeenCalled()
  })

  it('while it declares cancels what arrived all the same', async () => {
    await using test = await testGate()
    const [call, execute, controller] = [aCall(), vi.fn(), new AbortController()]
    const gate = withGate(test.gate, {
      async declare(draft: IntentDraft) {
        await test.gate.declare(draft)
        controller.abort(reason)
        throw reason
      },
    })
    await expect(guard(gate, call, execute, { signal: controller.signal })).rejects.toBe(reason)
    expect([await stateOf(test.gate, call), execute.mock.calls.length]).toEqual(['cancelled none', 0])
  })

  it('while it waits cancels the intent', async () => {
    await using test = await testGate()
    const [call, execute, controller] = [aCall(), vi.fn(), new AbortController()]
    const onEvent = (event: GateEvent) => event.type === 'pending' && controller.abort(reason)
    await expect(guard(test.gate, call, execute, { signal: controller.signal, onEvent })).rejects.toBe(reason)
    expect([await stateOf(test.gate, call), execute.mock.calls.length]).toEqual(['cancelled none', 0])
  })

  it('E10 during the claim gives the grant back', async () => {
    await using test = await testGate({ policies: [AUTO] })
    const [call, execute, controller] = [aCall(), vi.fn(), new AbortController()]
    const gate = withGate(test.gate, {
      async claim(id, attempt) {
        const claim = await test.gate.claim(id, attempt)
        controller.abort(reason)
        return claim
      },
    })
    await expect(guard(gate, call, execute, { signal: controller.signal })).rejects.toBe(reason)
    expect([await stateOf(test.gate, call), execute.mock.calls.length]).toEqual(['approved abandoned', 0])
  })

  it('E10 that takes the answer to the claim along gives the grant back', async () => {
    await using test = await testGate({ policies: [AUTO] })
    const [call, execute, controller] = [aCall(), vi.fn(), new AbortController()]
    const gate = withGate(test.gate, {
      async claim(id, attempt) {
        await test.gate.claim(id, attempt)
        controller.abort(reason)
        throw reason
      },
    })
    await expect(guard(gate, call, execute, { signal: controller.signal })).rejects.toBe(reason)
    expect([await stateOf(test.gate, call), execute.mock.calls.length]).toEqual(['approved abandoned', 0])
  })

  it('in a tool that then fails is not reported, because nobody knows what it did', async () => {
    await using test = await testGate({ policies: [AUTO] })
    const [call, controller] = [aCall(), new AbortController()]
    const execute = () => {
      controller.abort(reason)
      return Promise.reject(reason)
    }
    await expect(guard(test.gate, call, execute, { signal: controller.signal })).rejects.toBe(reason)
    expect(await stateOf(test.gate, call)).toBe('approved started')
  })

  it('in the tool is the tool’s own business', async () => {
    await using test = await testGate({ policies: [AUTO] })
    const [call, controller] = [aCall(), new AbortController()]
    const result = await guard(
      test.gate,
      call,
      () => {
        controller.abort(reason)
        return 'refunded'
      },
      { signal: controller.signal },
    )
    expect([result, await stateOf(test.gate, call)]).toEqual(['refunded', 'approved succeeded'])
  })

  it('keeps nobody who leaves, though the gate does not answer', async () => {
    vi.useFakeTimers()
    try {
      const test = await testGate()
      const [execute, controller] = [vi.fn(), new AbortController()]
      const gate = withGate(test.gate, { cancel: () => new Promise(() => {}) })
      const onEvent = (event: GateEvent) => event.type === 'pending' && controller.abort(reason)
      const guarded = guard(gate, aCall(), execute, { signal: controller.signal, onEvent })
      guarded.catch(() => undefined)
      await vi.advanceTimersByTimeAsync(5000)
      await expect(guarded).rejects.toBe(reason)
    } finally {
      vi.useRealTimers()
    }
  })
})

describe('hold', () => {
  it('cancels the intent on timeout', async () => {
    await using test = await testGate()
    const [call, execute] = [aCall(), vi.fn()]
    await expectCode(guard(test.gate, call, execute, { timeoutMs: 1 }), 'WAIT_TIMEOUT')
    expect([await stateOf(test.gate, call), execute.mock.calls.length]).toEqual(['cancelled none', 0])
  })

  it('says why nothing runs where no decision says it', async () => {
    await using test = await testGate()
    const events: GateEvent[] = []
    await hold(test.gate, aCall(), { timeoutMs: 1, onEvent: (event) => events.push(event) })
    expect(events.at(-1)).toMatchObject({ type: 'refused', code: 'WAIT_TIMEOUT' })
  })

  it('is never silent: says that it waits, with the votes, and announces the successor of an edit', async () => {
    await using test = await testGate()
    const call = aCall(PARAMS, { edits: { schema: {} } })
    const events: GateEvent[] = []
    let slices = 0
    const gate = withGate(test.gate, {
      wait(id, options) {
        if (slices++ === 0) return Promise.reject(new SilentAuthError('WAIT_TIMEOUT', 'a slice'))
        return test.gate.wait(id, options)
      },
    })
    const second = await test.person()
    const held = hold(gate, call, {
      async onEvent(event) {
        events.push(event)
        if (event.type === 'waiting') {
          const { intentHash } = await test.local.desk.read(test.approver, event.intent.id)
          const vote = { verdict: 'approve', intentHash, params: { amount: 1 } } as const
          await test.local.desk.vote(test.approver, event.intent.id, vote)
        }
        if (event.type === 'pending' && event.intent.supersedes) {
          const { intentHash } = await test.local.desk.read(second, event.intent.id)
          await test.local.desk.vote(second, event.intent.id, { verdict: 'approve', intentHash })
        }
      },
    })
    expect((await held).type).toBe('begun')
    expect(events.map(({ type }) => type)).toEqual(['pending', 'waiting', 'decided', 'pending', 'decided', 'claimed'])
    expect(new Set(events.flatMap((event) => (event.type === 'pending' ? [event.approvalUrl] : []))).size).toBe(2)
  })

  it('keeps waiting while the gate is away between two looks', async () => {
    await using test = await testGate()
    const call = aCall()
    let away = 1
    const gate = withGate(test.gate, {
      read(ref) {
        if (away-- > 0) return Promise.reject(new SilentAuthError('GATE_UNAVAILABLE', 'restarting'))
        return test.gate.read(ref)
      },
    })
    const held = hold(gate, call, {
      onEvent: (event) => event.type === 'pending' && void decide(test, event.intent.id, 'approve'),
    })
    expect((await held).type).toBe('begun')
  })
})

describe('begin', () => {
  const stolen: readonly [string, ErrorCode, (claim: Extract<Claim, { type: 'granted' }>, other: string) => Claim][] = [
    ['other params', 'PERMIT_PARAMS', (claim) => ({ ...claim, params: { ...PARAMS, amount: 2500 } })],
    ['params that are none', 'PARAMS_NOT_CANONICAL', (claim) => ({ ...claim, params: [] as unknown as JsonObject })],
    ['a permit of another intent', 'PERMIT_CLAIMS', (claim, permit) => ({ ...claim, permit })],
    ['a forged permit', 'PERMIT_SIGNATURE', (claim) => ({ ...claim, permit: forged(claim.permit) })],
    ['no permit', 'PERMIT_MALFORMED', (claim) => ({ ...claim, permit: '' })],
    ['a permit that is no text', 'PERMIT_MALFORMED', (claim) => ({ ...claim, permit: undefined as unknown as string })],
  ]
  it.each(stolen)('E22 gives back a grant with %s: %s', async (_, code, change) => {
    await using test = await testGate({ policies: [AUTO] })
    const other = await declared(test.gate, aCall())
    const granted = await test.gate.claim(other.id, { executionId: 'other', attemptId: 'other' })
    const gate = withGate(test.gate, {
      async claim(id, attempt) {
        const claim = await test.gate.claim(id, attempt)
        if (claim.type !== 'granted' || granted.type !== 'granted') throw new Error('not granted')
        return change(claim, granted.permit)
      },
    })
    const [call, execute] = [aCall(), vi.fn()]
    await expectCode(guard(gate, call, execute), code)
    expect([await stateOf(test.gate, call), execute.mock.calls.length]).toEqual(['approved abandoned', 0])
  })

  it('E22 refuses a permit that has expired when it arrives', async () => {
    await using test = await testGate({ policies: [AUTO] })
    const gate = withGate(test.gate, {
      async claim(id, attempt) {
        const claim = await test.gate.claim(id, attempt)
        test.clock.advance(305_000)
        return claim
      },
    })
    const [call, execute] = [aCall(), vi.fn()]
    await expectCode(guard(gate, call, execute), 'PERMIT_EXPIRED')
    expect([await stateOf(test.gate, call), execute.mock.calls.length]).toEqual(['approved abandoned', 0])
  })

  it.each([
    ['an answer of no known type', async () => ({ type: 'blessed' }) as unknown as Claim],
    ['no answer', async () => undefined as unknown as Claim],
  ])('takes %s for no grant', async (_, claim) => {
    await using test = await testGate({ policies: [AUTO] })
    const execute = vi.fn()
    await expectCode(guard(withGate(test.gate, { claim }), aCall(), execute), 'GATE_UNAVAILABLE')
    expect(execute).not.toHaveBeenCalled()
  })

  it('P6 repeats the same attempt while the leaf is being sequenced', async () => {
    await using test = await testGate({ policies: [AUTO] })
    const attempts: string[] = []
    const gate = withGate(test.gate, {
      async claim(id, attempt) {
        attempts.push(attempt.attemptId)
        if (attempts.length < 3) {
          throw new SilentAuthError('NOT_SEQUENCED', 'being sequenced', { retryAfterSeconds: 0.001 })
        }
        return test.gate.claim(id, attempt)
      },
    })
    expect(await guard(gate, aCall(), () => 'refunded')).toBe('refunded')
    expect([attempts.length, new Set(attempts).size]).toEqual([3, 1])
  })

  it('uses the call key for the execution and fresh bits for each attempt', async () => {
    await using test = await testGate({ policies: [AUTO] })
    const seen: string[] = []
    const gate = withGate(test.gate, {
      async claim(id, attempt) {
        seen.push(attempt.executionId, attempt.attemptId)
        return test.gate.claim(id, attempt)
      },
    })
    const call = aCall()
    const looked = await look(gate, call, { create: true })
    if (looked.type !== 'approved') throw new Error(looked.type)
    await begin(gate, call, looked)
    await begin(gate, call, looked)
    expect([seen[0], seen[2], seen[1] === seen[3]]).toEqual([call.key, call.key, false])
  })

  it('E6 continues what it has seen suspended, and nothing that it has not', async () => {
    await using test = await testGate()
    const call = aCall(PARAMS, { reenters: true })
    const { id } = await declared(test.gate, call)
    await decide(test, id, 'approve')
    const first = await hold(test.gate, call)
    if (first.type !== 'begun') throw new Error(first.type)
    await first.execution.run(() => first.execution.suspend())
    expect(await hold(test.gate, call)).toMatchObject({ code: 'NOT_CLAIMABLE', closed: 'suspended_elsewhere' })
    expect((await hold(test.gate, { ...call, continues: 1 })).type).toBe('begun')
  })

  it('checks the digest and the claims of an hs256 project, which shares no secret', async () => {
    const signer = secretSigner(crypto.getRandomValues(new Uint8Array(32)))
    await using test = await testGate({ policies: [AUTO], signer })
    expect(await guard(test.gate, aCall(), () => 'refunded')).toBe('refunded')
    const other = await test.gate.claim((await declared(test.gate, aCall())).id, { executionId: 'a', attemptId: 'a' })
    const execute = vi.fn()
    const permits = [
      [other.type === 'granted' ? other.permit : '', 'PERMIT_CLAIMS'],
      ['no.permit.', 'PERMIT_MALFORMED'],
      [`a.${btoa('{}')}.b`, 'PERMIT_CLAIMS'],
    ] as const
    for (const [permit, code] of permits) {
      const gate = withGate(test.gate, {
        claim: async (id, attempt) => ({ ...((await test.gate.claim(id, attempt)) as object), permit }) as Claim,
      })
      await expectCode(guard(gate, aCall(), execute), code)
    }
    expect(execute).not.toHaveBeenCalled()
  })
})

function forged(permit: string): string {
  const [header, payload, signature = ''] = permit.split('.')
  return `${header}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`
}
