import { currentPermit, gateTool, gateTools, isGated } from '@silentauth/ai-sdk'
import { approvingGate, denyingGate, scriptedGate } from '@silentauth/core/testing'
import { dynamicTool, jsonSchema, tool } from 'ai'
import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'

const inputSchema = z.object({ amount: z.number() })
const options = (id = 'call_1', messages: object[] = []) => ({ toolCallId: id, messages }) as never
const outputOf = async (made: unknown): Promise<unknown[]> => {
  const steps: unknown[] = []
  for await (const step of made as AsyncIterable<unknown>) steps.push(step)
  return steps
}

describe('a gated tool', () => {
  it('runs with its permit, and outside of it there is none', async () => {
    const permits = vi.fn()
    const refund = tool({
      inputSchema,
      execute: async ({ amount }) => {
        await Promise.resolve()
        permits(currentPermit({ action: 'issue_refund' })?.params)
        return amount
      },
    })
    const gated = gateTool('issueRefund', refund, { gate: approvingGate() })
    expect(await gated.execute?.({ amount: 3 }, options())).toBe(3)
    expect(permits).toHaveBeenCalledWith({ amount: 3 })
    expect(currentPermit()).toBeUndefined()
  })

  it('is told of a refusal with a brand, and the model in words', async () => {
    const execute = vi.fn(async () => 'ran')
    const gated = gateTool('refund', tool({ inputSchema, execute }), { gate: denyingGate('no') })
    const output = (await gated.execute?.({ amount: 3 }, options())) as never
    expect(output).toMatchObject({ code: 'INTENT_DENIED' })
    const shown = { toolCallId: 'call_1', input: { amount: 3 } }
    const model = { type: 'error-text', value: expect.stringContaining('was denied') }
    expect(await gated.toModelOutput?.({ ...shown, output })).toEqual(model)
    // From a database it comes back without its brand.
    expect(await gated.toModelOutput?.({ ...shown, output: JSON.parse(JSON.stringify(output)) })).toEqual(model)
    expect(execute).not.toHaveBeenCalled()
  })

  it.each([
    ['onDenied: throw', { onDenied: 'throw' } as const, {}],
    ['an output schema, which a refusal does not match', {}, { outputSchema: z.string() }],
  ])('throws a refusal with %s', async (_, more, fields) => {
    const refund = tool({ inputSchema, execute: async () => 'ran', ...fields })
    const gated = gateTool('refund', refund, { gate: denyingGate(), ...more })
    await expect(gated.execute?.({ amount: 3 }, options())).rejects.toMatchObject({ code: 'INTENT_DENIED' })
  })

  it('tells the model that a reviewer changed its arguments', async () => {
    const gate = scriptedGate([{ edit: { amount: 2 } }, { edit: { amount: 1 } }])
    const object = tool({ inputSchema, execute: async ({ amount }) => ({ refunded: amount }) })
    const gated = gateTool('refund', object, { gate, allowEdits: true })
    const output = (await gated.execute?.({ amount: 3 }, options())) as never
    expect(output).toEqual({ refunded: 2 })
    const shown = { toolCallId: 'call_1', input: { amount: 3 }, output }
    expect(await gated.toModelOutput?.(shown)).toEqual({
      type: 'text',
      value: '[A reviewer changed the arguments; this ran with {"amount":2}]\n{"refunded":2}',
    })
    const words = gateTool('refund', tool({ inputSchema, execute: async ({ amount }) => `${amount}` }), {
      gate,
      allowEdits: true,
    })
    expect(await words.execute?.({ amount: 3 }, options('call_2'))).toBe(
      '[A reviewer changed the arguments; this ran with {"amount":1}]\n1',
    )
  })

  it('P13 P14: keeps a generator a generator, with the permit in each step, and a function a function', async () => {
    const seen: unknown[] = []
    const generator = tool({
      inputSchema,
      async *execute() {
        for (const step of ['one', 'two']) {
          seen.push(currentPermit()?.action)
          yield step
        }
        seen.push(currentPermit()?.action)
      },
    })
    const gated = gateTool('refund', generator, { gate: approvingGate() })
    expect(await outputOf(gated.execute?.({ amount: 3 }, options()))).toEqual(['one', 'two'])
    expect(seen).toEqual(['refund', 'refund', 'refund'])
    const refused = gateTool('refund', generator, { gate: denyingGate() })
    expect(await outputOf(refused.execute?.({ amount: 3 }, options()))).toMatchObject([{ code: 'INTENT_DENIED' }])
    const plain = gateTool('refund', tool({ inputSchema, execute: () => 'ran' }), { gate: approvingGate() })
    expect(plain.execute?.({ amount: 3 }, options())).toBeInstanceOf(Promise)
  })

  it('P15: gives the last value of an iterable that a plain function gives back', async () => {
    async function* steps() {
      yield 1
      yield currentPermit()?.action
    }
    const gated = gateTool('refund', tool({ inputSchema, execute: () => steps() as unknown as Promise<unknown> }), {
      gate: approvingGate(),
    })
    expect(await gated.execute?.({ amount: 3 }, options())).toBe('refund')
  })

  it('P16: is what the class of the tool makes of it: private fields, getters, methods', async () => {
    class Refund {
      readonly #bank = 'the bank'
      readonly inputSchema = inputSchema
      get description() {
        return `asks ${this.#bank}`
      }
      async execute({ amount }: { amount: number }) {
        return `${this.#bank} paid ${amount}`
      }
      toModelOutput({ output }: { output: unknown }) {
        return { type: 'text' as const, value: `${this.#bank} says ${output}` }
      }
    }
    const gated = gateTool('refund', new Refund(), { gate: approvingGate() })
    const execute = gated.execute.bind(gated) as (input: { amount: number }, given: never) => Promise<string>
    expect(await execute({ amount: 3 }, options())).toBe('the bank paid 3')
    const spread = { ...gated } as unknown as Refund
    expect([spread.description, gated instanceof Refund]).toEqual(['asks the bank', true])
    expect(await spread.toModelOutput({ output: 3 })).toEqual({
      type: 'text',
      value: 'the bank says 3',
    })
  })

  it('P21: is the same tool when it is gated again, and another one with another execute', () => {
    const gated = gateTool('refund', tool({ inputSchema, execute: async () => 'ran' }), { gate: approvingGate() })
    expect(gateTool('refund', gated, { gate: denyingGate() })).toBe(gated)
    expect(isGated({ ...gated })).toBe(true)
    expect(isGated({ ...gated, execute: async () => 'ran' })).toBe(false)
  })

  it.each([
    ['of a browser', tool({ inputSchema })],
    ['of a provider', { type: 'provider', id: 'openai.web_search', args: {}, isProviderExecuted: true, inputSchema }],
  ])('P20: cannot be made of a tool %s, which can only pass', (_, made) => {
    expect(() => gateTool('search', made as never, { gate: approvingGate() })).toThrow(TypeError)
    const passed = gateTools({ search: made } as never, { gate: approvingGate(), rules: { search: 'pass' } })
    expect(passed).toEqual({ search: made })
  })

  it('P24: shows dates as text, and gives the tool its date', async () => {
    const gate = approvingGate()
    const execute = vi.fn(async (_: { on: Date }) => 'ran')
    const due = tool({ inputSchema: z.object({ on: z.string().transform((on) => new Date(on)) }), execute })
    const on = new Date('2026-11-21T00:00:00.000Z')
    await gateTool('refund', due, { gate }).execute?.({ on }, options())
    expect(gate.intents[0]?.params).toEqual({ on: '2026-11-21T00:00:00.000Z' })
    expect(execute.mock.calls[0]?.[0]).toEqual({ on })
  })

  it('runs with what was shown where its schema cannot parse its own output', async () => {
    const gate = approvingGate()
    const execute = vi.fn(async (_: { length: number }) => 'ran')
    const odd = tool({ inputSchema: z.object({ length: z.string().transform((text) => text.length) }), execute })
    await gateTool('refund', odd, { gate }).execute?.({ length: 3 }, options())
    expect(gate.intents[0]?.params).toEqual({ length: 3 })
    expect(execute.mock.calls[0]?.[0]).toEqual({ length: 3 })
  })

  it.each([
    ['a map', { map: new Map([['a', 1]]) }],
    ['a number beyond JSON', { amount: Number.NaN }],
  ])('asks nobody about %s, which would be shown as something else', async (_, input) => {
    const gate = approvingGate()
    const execute = vi.fn(async () => 'ran')
    const gated = gateTool('refund', tool({ inputSchema: z.looseObject({}), execute }), { gate })
    expect(await gated.execute?.(input as never, options())).toMatchObject({ code: 'PARAMS_NOT_CANONICAL' })
    expect([execute.mock.calls, gate.intents]).toEqual([[], []])
  })

  it.each([
    ['a JSON schema', dynamicTool({ inputSchema: jsonSchema({ type: 'object' }), execute: async () => 'ran' })],
    [
      'a schema that is made later',
      tool({ inputSchema: (() => jsonSchema({ type: 'object' })) as never, execute: async () => 'ran' }),
    ],
  ])('takes %s', async (_, made) => {
    const gated = gateTool('refund', made as never, { gate: scriptedGate(['approve']), allowEdits: true })
    expect(await (gated as typeof made).execute?.({ amount: 3 } as never, options())).toBe('ran')
  })
})

describe('which call it is', () => {
  const gated = (gate = approvingGate()) => {
    const execute = vi.fn(async () => 'ran')
    return { gate, execute, refund: gateTool('refund', tool({ inputSchema, execute }), { gate }) }
  }

  it('one id in one step is one call', async () => {
    const { refund, execute, gate } = gated()
    const same = options('call_0', [])
    await refund.execute?.({ amount: 3 }, same)
    expect(await refund.execute?.({ amount: 3 }, same)).toMatchObject({ code: 'ALREADY_EXECUTED' })
    expect(await refund.execute?.({ amount: 4 }, same)).toMatchObject({ code: 'IDEMPOTENCY_MISMATCH' })
    expect([execute.mock.calls.length, gate.intents.length]).toEqual([1, 1])
  })

  it('calls without an id are never the same', async () => {
    const { refund, execute } = gated()
    await refund.execute?.({ amount: 3 }, {} as never)
    await refund.execute?.({ amount: 3 }, {} as never)
    expect(execute).toHaveBeenCalledTimes(2)
  })

  it('P22: an id that comes again after its call is another call, in a run with a name too', async () => {
    const gate = approvingGate()
    const execute = vi.fn(async () => 'ran')
    const refund = gateTool('refund', tool({ inputSchema, execute }), { gate, run: 'chat_1' })
    const call = { type: 'tool-call', toolCallId: 'call_0', toolName: 'refund', input: { amount: 3 } }
    await refund.execute?.({ amount: 3 }, options('call_0', []))
    await refund.execute?.({ amount: 3 }, options('call_0', [{ role: 'assistant', content: [call] }]))
    expect(execute).toHaveBeenCalledTimes(2)
    expect(gate.intents).toHaveLength(2)
  })

  it('P36: an abort cancels the intent, and a late approval runs nothing', async () => {
    const gate = scriptedGate(['wait'])
    const controller = new AbortController()
    const execute = vi.fn(async () => 'ran')
    const onEvent = () => controller.abort(new Error('the user left'))
    const refund = gateTool('refund', tool({ inputSchema, execute }), { gate, onEvent })
    const call = { toolCallId: 'call_1', messages: [], abortSignal: controller.signal } as never
    await expect(refund.execute?.({ amount: 3 }, call)).rejects.toThrow('the user left')
    expect((await gate.read(gate.intents[0]?.id as never)).status).toBe('cancelled')
    expect(execute).not.toHaveBeenCalled()
  })
})

describe('what is shown while it waits', () => {
  it('a transient part with the approval link, in the stream of the user interface', async () => {
    const gate = approvingGate()
    const write = vi.fn()
    const refund = tool({ inputSchema, execute: async () => 'ran' })
    await gateTool('refund', refund, { gate, writer: { write } }).execute?.({ amount: 3 }, options())
    const [intent] = gate.intents
    expect(write.mock.calls.map(([part]) => part)).toMatchObject([
      {
        type: 'data-gate',
        transient: true,
        data: { status: 'pending', approvalUrl: intent?.approvalUrl, toolCallId: 'call_1' },
      },
      { type: 'data-gate', data: { status: 'approved', intentId: intent?.id } },
    ])
    expect(JSON.stringify(write.mock.calls)).not.toContain('amount')
  })

  it('and a stream that is closed changes nothing', async () => {
    const writer = {
      write: () => {
        throw new Error('closed')
      },
    }
    const refund = tool({ inputSchema, execute: async () => 'ran' })
    const gated = gateTool('refund', refund, { gate: approvingGate(), writer })
    expect(await gated.execute?.({ amount: 3 }, options())).toBe('ran')
  })
})

describe('a held call that shows its wait as preliminary results', () => {
  const intentOf = (gate: ReturnType<typeof scriptedGate>) => gate.intents[0]
  const waitingFor = (gate: ReturnType<typeof scriptedGate>, status: string) => ({
    type: 'silentauth.waiting/v1',
    status,
    approval: { intentId: intentOf(gate)?.id, approvalUrl: intentOf(gate)?.approvalUrl },
  })

  it.each<[string, { execute: () => unknown }, unknown[]]>([
    ['a function', { execute: async () => 'ran' }, ['ran']],
    [
      'a generator',
      {
        async *execute() {
          yield 'on it'
          yield 'ran'
        },
      },
      ['on it', 'ran'],
    ],
  ])('comes to what %s gives', async (_, made, output) => {
    const gate = scriptedGate(['approve'])
    const refund = { inputSchema, ...made }
    const { execute } = gateTool('refund', refund as never, { gate, preliminary: true } as never) as typeof refund
    const steps = await outputOf((execute as (...args: unknown[]) => unknown)({ amount: 3 }, options()))
    expect(steps).toMatchObject([waitingFor(gate, 'pending'), waitingFor(gate, 'approved'), ...output])
    expect(JSON.stringify(steps)).not.toContain('amount')
  })

  it('that nobody follows any more is cancelled, and its tool does not run', async () => {
    const gate = scriptedGate(['wait'])
    const execute = vi.fn(async () => 'ran')
    const gated = gateTool('refund', tool({ inputSchema, execute }), { gate, preliminary: true })
    const steps = gated.execute?.({ amount: 3 }, options()) as unknown as AsyncGenerator
    expect(await steps.next()).toMatchObject({ value: waitingFor(gate, 'pending') })
    await steps.return(undefined)
    await expect.poll(async () => (await gate.read(intentOf(gate)?.id as never)).status).toBe('cancelled')
    expect(execute).not.toHaveBeenCalled()
  })

  it('that is aborted fails as any other', async () => {
    const gate = scriptedGate(['wait'])
    const controller = new AbortController()
    const execute = vi.fn(async () => 'ran')
    const gated = gateTool('refund', tool({ inputSchema, execute }), { gate, preliminary: true })
    const call = { toolCallId: 'call_1', messages: [], abortSignal: controller.signal } as never
    const steps = gated.execute?.({ amount: 3 }, call) as unknown as AsyncGenerator
    await steps.next()
    controller.abort(new Error('the user left'))
    await expect(steps.next()).rejects.toThrow('the user left')
    expect(execute).not.toHaveBeenCalled()
  })

  it('is told as what may have run, where only its wait was kept', async () => {
    const gate = scriptedGate(['approve'])
    const gated = gateTool('refund', tool({ inputSchema, execute: async () => 'ran' }), { gate, preliminary: true })
    const [output] = await outputOf(gated.execute?.({ amount: 3 }, options()))
    const kept = { toolCallId: 'call_1', input: { amount: 3 }, output: JSON.parse(JSON.stringify(output)) }
    expect(await gated.toModelOutput?.(kept as never)).toEqual({
      type: 'error-text',
      value: expect.stringContaining('It may have run'),
    })
  })

  it('P38: only where that was asked for', async () => {
    const gated = gateTool('refund', tool({ inputSchema, execute: async () => 'ran' }), { gate: approvingGate() })
    expect(gated.execute?.({ amount: 3 }, options())).toBeInstanceOf(Promise)
  })
})

describe('a tool that asks by itself', () => {
  const messages: never[] = []
  it('P18 P19: is still asked, with its own this, and declared when its request is shown', async () => {
    const gate = scriptedGate(['wait'])
    const own = {
      inputSchema,
      limit: 100,
      execute: async () => 'ran',
      needsApproval(this: { limit: number }, { amount }: { amount: number }) {
        return amount > this.limit
      },
    }
    const gated = gateTool('refund', own as never, { gate, run: 'chat_1' }) as unknown as typeof own
    const asks = gated.needsApproval as never as (input: object, given: object) => Promise<boolean>
    expect(await asks({ amount: 5 }, { toolCallId: 'call_1', messages })).toBe(false)
    expect(gate.intents).toHaveLength(0)
    expect(await asks({ amount: 500 }, { toolCallId: 'call_2', messages })).toBe(true)
    expect(gate.intents).toHaveLength(1)
  })

  it('needs a run by which its resume finds the call', () => {
    const own = tool({ inputSchema, execute: async () => 'ran', needsApproval: true })
    expect(() => gateTool('refund', own, { gate: approvingGate() })).toThrow(TypeError)
  })
})
