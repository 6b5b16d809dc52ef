import { currentPermit, type GateToolOptions, gateTool, gateTools } from '@silentauth/ai-sdk'
import { type Gate, type GateEvent, type Intent, SilentAuthError } from '@silentauth/core'
import { approvingGate, denyingGate, scriptedGate } from '@silentauth/core/testing'
import { tool } from 'ai'
import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'

/** One test or more for each option of every adapter, by its name, and for what it is when nobody says anything. */
const inputSchema = z.object({ customer_id: z.string(), amount: z.number() })
const input = { customer_id: 'cust_4821', amount: 250 }
const call = (toolCallId = 'call_1', messages: object[] = []) => ({ toolCallId, messages }) as never

function issueRefund(options: Omit<GateToolOptions<typeof input>, 'gate'> & { gate?: Gate } = {}) {
  const gate = options.gate ?? approvingGate()
  const execute = vi.fn(async ({ amount }: typeof input) => `refunded ${amount}`)
  const gated = gateTool('issueRefund', tool({ inputSchema, execute }), { ...options, gate })
  return { execute, gated, run: (given = call()) => gated.execute?.(input, given) as Promise<unknown> }
}

/** The intent that one call of a tool with these options becomes. */
async function declared(options: Parameters<typeof issueRefund>[0]): Promise<Intent> {
  const gate = approvingGate()
  const { run, execute } = issueRefund({ ...options, gate })
  await run()
  expect(execute).toHaveBeenCalledTimes(1)
  return gate.intents[0] as Intent
}

const through = (gate: Gate, changes: Partial<Gate>): Gate => Object.assign(Object.create(gate), changes)
const down = async () => {
  throw new SilentAuthError('GATE_UNAVAILABLE', 'the gate is away')
}

describe('what is asked for', () => {
  it.each<[string, Omit<GateToolOptions<typeof input>, 'gate'>, object]>([
    ['action: the name of the tool in snake_case', {}, { action: 'issue_refund' }],
    ['action: a text', { action: 'pay' }, { action: 'pay' }],
    [
      'action: of the arguments',
      { action: ({ amount }) => (amount > 100 ? 'pay_much' : 'pay') },
      { action: 'pay_much' },
    ],
    ['action: of the call', { action: (_, { toolCallId }) => `pay_${toolCallId}` }, { action: 'pay_call_1' }],
    ['params: the parsed input', {}, { params: input }],
    ['params: a projection', { params: ({ amount }) => ({ amount }) }, { params: { amount: 250 } }],
    ['riskTier: medium', {}, { riskTier: 'medium' }],
    ['riskTier: a claim', { riskTier: 'high' }, { riskTier: 'high', riskTierClaimed: 'high' }],
    [
      'riskTier: of the arguments',
      { riskTier: ({ amount }) => (amount > 100 ? 'high' : 'low') },
      { riskTierClaimed: 'high' },
    ],
    [
      'context: tool, call and run',
      { run: 'chat_1' },
      { context: { tool: 'issueRefund', tool_call_id: 'call_1', run: 'chat_1' } },
    ],
    [
      'context: more of it',
      { context: { ticket: 7 } },
      { context: { tool: 'issueRefund', tool_call_id: 'call_1', ticket: 7 } },
    ],
    [
      'context: of arguments and call',
      { context: async ({ amount }, { messages }) => ({ amount, before: messages.length }) },
      { context: { tool: 'issueRefund', tool_call_id: 'call_1', amount: 250, before: 0 } },
    ],
    ['approvers: whom policy allows', {}, { approvers: [] }],
    ['approvers: narrowed', { approvers: ['approver@example.com'] }, { approvers: ['approver@example.com'] }],
    ['allowEdits: false', {}, { edits: false }],
    ['idempotent: false', {}, { idempotent: false }],
    ['idempotent: true', { idempotent: true }, { idempotent: true }],
    ['source: of the gate', {}, { source: undefined }],
    ['source: of the tool', { source: 'refund-agent-v1' }, { source: 'refund-agent-v1' }],
  ])('%s', async (_, options, intent) => {
    expect(await declared(options)).toMatchObject(intent)
  })

  it('params: the tool gets its whole input, and the permit is bound to the projection', async () => {
    const permits: unknown[] = []
    const execute = vi.fn(async (_: typeof input) => permits.push(currentPermit()?.params))
    const options = { gate: approvingGate(), params: ({ amount }: typeof input) => ({ amount }) }
    await gateTool('refund', tool({ inputSchema, execute }), options).execute?.(input, call())
    expect(execute.mock.calls[0]?.[0]).toEqual(input)
    expect(permits).toEqual([{ amount: 250 }])
  })

  it('params: that come out differently when the tool is about to run stop it', async () => {
    let asked = 0
    const { execute, run } = issueRefund({ params: () => ({ nonce: ++asked }) })
    expect(await run()).toMatchObject({ code: expect.stringMatching(/^(PERMIT_PARAMS|EDITS_NOT_ACCEPTED)$/) })
    expect(execute).not.toHaveBeenCalled()
  })

  it('allowEdits: the schema of the tool is what edits must satisfy, and the tool runs with the edited arguments', async () => {
    const gate = scriptedGate([{ edit: { customer_id: 'cust_4821', amount: 50 } }])
    const { execute, run } = issueRefund({ gate, allowEdits: true })
    expect(await run()).toContain('refunded 50')
    expect(execute.mock.calls[0]?.[0]).toEqual({ customer_id: 'cust_4821', amount: 50 })
    expect(gate.intents[0]?.edits).toMatchObject({ schema: { type: 'object', required: ['customer_id', 'amount'] } })
  })

  it('a function that throws asks nobody, and nothing runs', async () => {
    const throws = () => {
      throw new Error('no such customer')
    }
    for (const option of ['action', 'params', 'riskTier', 'context', 'when'] as const) {
      const gate = approvingGate()
      const { execute, run } = issueRefund({ gate, [option]: throws })
      await expect(run(), option).rejects.toThrow('no such customer')
      expect([execute.mock.calls, gate.intents], option).toEqual([[], []])
    }
  })
})

describe('when', () => {
  it('false: this call runs without the gate, and without a permit; true: it is gated', async () => {
    const gate = approvingGate()
    const permits: unknown[] = []
    const execute = async () => permits.push(currentPermit()?.action)
    const options: GateToolOptions<typeof input> = { gate, when: async ({ amount }) => amount > 100 }
    const gated = gateTool('refund', tool({ inputSchema, execute }), options)
    await gated.execute?.({ ...input, amount: 50 }, call('call_1'))
    expect([permits, gate.intents.length]).toEqual([[undefined], 0])
    await gated.execute?.(input, call('call_2'))
    expect([permits, gate.intents.length]).toEqual([[undefined, 'refund'], 1])
  })
})

it.each(['hold', 'suspend'] as const)('when: that forgets to answer lets nothing through: %s', async (wait) => {
  const gate = denyingGate()
  const execute = vi.fn(async () => 'ran')
  const gated = gateTool('refund', tool({ inputSchema, execute }), {
    gate,
    wait,
    run: 'r',
    when: (() => undefined) as never,
  })
  await gated.execute?.(input, call('call_1'))
  expect(execute).not.toHaveBeenCalled()
})

describe('wait and timeoutMs', () => {
  it('hold: the call waits, and the SDK asks nobody', () => {
    expect(issueRefund().gated.needsApproval).toBeUndefined()
  })

  it('suspend: the SDK ends the run with a request', async () => {
    const { gated } = issueRefund({ gate: scriptedGate(['wait']), wait: 'suspend', run: 'chat_1' })
    const asks = gated.needsApproval as unknown as (given: object, options: object) => Promise<boolean>
    expect(await asks(input, call())).toBe(true)
  })

  it('timeoutMs: until the intent expires', async () => {
    const gate = scriptedGate(['expire'])
    const { execute, run } = issueRefund({ gate })
    expect(await run()).toMatchObject({ code: 'INTENT_EXPIRED' })
    expect(execute).not.toHaveBeenCalled()
  })

  it('timeoutMs: a held call gives up and cancels its intent', async () => {
    const gate = scriptedGate(['wait'])
    const { execute, run } = issueRefund({ gate, timeoutMs: 20 })
    expect(await run()).toMatchObject({ code: 'WAIT_TIMEOUT' })
    expect((await gate.read(gate.intents[0]?.id as never)).status).toBe('cancelled')
    expect(execute).not.toHaveBeenCalled()
  })

  it('timeoutMs: a suspended one has the gate let it expire, after whole seconds', async () => {
    const gate = scriptedGate(['wait'])
    const { gated } = issueRefund({ gate, wait: 'suspend', run: 'chat_1', timeoutMs: 90_500 })
    await (gated.needsApproval as unknown as (given: object, options: object) => Promise<boolean>)(input, call())
    const { createdAt = 0, expiresAt = 0 } = gate.intents[0] ?? {}
    expect(expiresAt - createdAt).toBe(91_000)
  })
})

describe('what becomes of a call that does not run', () => {
  it.each<[string, Gate, Omit<GateToolOptions<typeof input>, 'gate'>, string, 'message' | 'throw']>([
    ['onDenied: message', denyingGate(), {}, 'INTENT_DENIED', 'message'],
    ['onDenied: throw', denyingGate(), { onDenied: 'throw' }, 'INTENT_DENIED', 'throw'],
    [
      'onDenied: throw, after a request for changes',
      scriptedGate([{ requestChanges: 'less' }]),
      { onDenied: 'throw' },
      'CHANGES_REQUESTED',
      'throw',
    ],
    [
      'onDenied: throw, when nobody decided',
      scriptedGate(['wait']),
      { onDenied: 'throw', timeoutMs: 20 },
      'WAIT_TIMEOUT',
      'throw',
    ],
    [
      'onDenied says nothing of a gate that is away',
      through(approvingGate(), { declare: down }),
      { onDenied: 'throw' },
      'GATE_UNAVAILABLE',
      'message',
    ],
    ['onGateError: message', through(approvingGate(), { declare: down }), {}, 'GATE_UNAVAILABLE', 'message'],
    [
      'onGateError: throw',
      through(approvingGate(), { declare: down }),
      { onGateError: 'throw' },
      'GATE_UNAVAILABLE',
      'throw',
    ],
    ['onGateError says nothing of a denial', denyingGate(), { onGateError: 'throw' }, 'INTENT_DENIED', 'message'],
  ])('%s', async (_, gate, options, code, route) => {
    const { execute, run } = issueRefund({ ...options, gate })
    if (route === 'throw') await expect(run()).rejects.toMatchObject({ code })
    else expect(await run()).toMatchObject({ code, text: expect.stringMatching(/^Not executed/) })
    expect(execute).not.toHaveBeenCalled()
  })

  it.each<[string, object, boolean]>([
    ['pending, in a run that suspends', {}, true],
    ['message', { onGateError: 'message' }, false],
  ])('onGateError: %s', async (_, options, asks) => {
    const gate = through(approvingGate(), { declare: down, read: down })
    const { gated } = issueRefund({ gate, wait: 'suspend', run: 'chat_1', ...options })
    const needsApproval = gated.needsApproval as unknown as (given: object, options: object) => Promise<boolean>
    expect(await needsApproval(input, call())).toBe(asks)
  })
})

describe('replay and recordResult', () => {
  it.each<[string, object, unknown]>([
    ['replay: recorded, nothing was recorded', {}, { code: 'ALREADY_EXECUTED' }],
    ['recordResult: true gives the result', { recordResult: true }, 'refunded 250'],
    [
      'recordResult: true, of which replay: error wants nothing',
      { recordResult: true, replay: 'error' },
      'ALREADY_EXECUTED',
    ],
    ['replay: error', { replay: 'error' }, 'ALREADY_EXECUTED'],
  ])('%s', async (_, options, again) => {
    const { execute, run } = issueRefund(options)
    const same = call()
    expect(await run(same)).toBe('refunded 250')
    const outcome = await run(same).catch((error: unknown) => (error as SilentAuthError).code)
    if (typeof again === 'object') expect(outcome).toMatchObject(again as object)
    else expect(outcome).toBe(again)
    expect(execute).toHaveBeenCalledTimes(1)
  })
})

describe('idempotent', () => {
  it('a tool that failed runs again under its approval, with the same intent id', async () => {
    const keys: unknown[] = []
    const execute = async () => {
      keys.push(currentPermit()?.intentId)
      if (keys.length === 1) throw new Error('the bank is closed')
      return 'refunded'
    }
    const gated = gateTool('refund', tool({ inputSchema, execute }), { gate: approvingGate(), idempotent: true })
    const same = call()
    await expect(gated.execute?.(input, same)).rejects.toThrow('the bank is closed')
    expect(await gated.execute?.(input, same)).toBe('refunded')
    expect(keys[0]).toMatch(/^int_/)
    expect(new Set(keys).size).toBe(1)
  })
})

describe('run', () => {
  it('makes a call the same one in another process, and a step without it its own', async () => {
    const gate = approvingGate()
    for (const tools of [0, 1]) {
      const { execute, run } = issueRefund({ gate, run: 'chat_1' })
      await run(call('call_1', []))
      expect(execute).toHaveBeenCalledTimes(tools === 0 ? 1 : 0)
    }
    for (const _ of [0, 1]) {
      const { execute, run } = issueRefund({ gate })
      await run(call('call_1', []))
      expect(execute).toHaveBeenCalledTimes(1)
    }
    expect(gate.intents).toHaveLength(3)
  })

  it('can be told from the call', async () => {
    const gate = approvingGate()
    const run = ({ context }: { context: unknown }) => ({ tenant: 'acme', id: String(context) })
    for (const context of ['chat_1', 'chat_2', 'chat_1']) {
      await issueRefund({ gate, run }).run({ toolCallId: 'call_1', messages: [], context } as never)
    }
    expect(gate.intents.map(({ context }) => context?.run)).toEqual(['chat_1', 'chat_2'])
  })
})

describe('onEvent', () => {
  it('is told of every step, and no failure of it stops a call', async () => {
    const events: string[] = []
    const onEvent = ({ type }: GateEvent) => {
      events.push(type)
      throw new Error('the log is full')
    }
    expect(await issueRefund({ onEvent }).run()).toBe('refunded 250')
    expect(events).toEqual(['pending', 'decided', 'claimed', 'finished'])
  })
})

describe('rules and default', () => {
  const named = () => tool({ inputSchema: z.object({}), execute: async () => 'ran' })
  it.each<[string, object, unknown[]]>([
    ['default: gate', {}, ['ran', 1]],
    ['default: pass', { default: 'pass' }, ['ran', 0]],
    ['default: deny', { default: 'deny' }, [{ code: 'FORBIDDEN' }, 0]],
    ['rules: over the default', { default: 'deny', rules: { 'read_*': 'pass' } }, ['ran', 0]],
    ['rules: with options', { default: 'deny', rules: { read_mail: { action: 'read' } } }, ['ran', 1]],
  ])('%s', async (_, options, [output, intents]) => {
    const gate = approvingGate()
    const { read_mail } = gateTools({ read_mail: named() }, { gate, ...options })
    const given = await read_mail.execute?.({}, call())
    if (typeof output === 'object') expect(given).toMatchObject(output as object)
    else expect(given).toBe(output)
    expect(gate.intents).toHaveLength(intents as number)
  })
})
