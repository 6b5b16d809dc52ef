import { RunnableLambda } from '@langchain/core/runnables'
import { DynamicTool, StructuredTool, ToolInputParsingException } from '@langchain/core/tools'
import { Command, MemorySaver } from '@langchain/langgraph'
import { approvingGate, denyingGate, scriptedGate } from '@silentauth/core/testing'
import { currentPermit, gateTool, isGated } from '@silentauth/langchain'
import { createAgent, createMiddleware, type ToolMessage, type ToolRuntime, tool } from 'langchain'
import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { agentThatCalls, collected, hi, modelThatCalls, refundTool, toolCall, toolMessages } from './refund-tool.ts'

describe('what reviewers are shown is what runs', () => {
  it('P1: a tool that hands on its runtime does not hand on its call', async () => {
    const { refund, execute } = refundTool()
    const gate = approvingGate()
    const gated = gateTool(refund, { gate })
    const outer = tool(async (_, runtime: ToolRuntime) => gated.invoke({ amount: 1_000_000 }, runtime), {
      name: 'outer',
      schema: z.object({ amount: z.number() }),
    })
    await agentThatCalls([{ name: 'outer', args: { amount: 1 }, id: 'c1' }], { tools: [outer] }).invoke(hi)
    expect(gate.intents.map(({ params }) => params)).toEqual([{ amount: 1_000_000 }])
    expect(execute).toHaveBeenCalledExactlyOnceWith(1_000_000, { amount: 1_000_000 })
  })

  it.each([
    ['the arguments of its own call', (_: unknown, runtime: ToolRuntime) => runtime.toolCall?.args],
    ['its own arguments', (args: unknown) => args],
  ])('P1, P2: nor does one that hands on %s, twice', async (_, argsOf) => {
    const { refund, execute } = refundTool()
    const gate = approvingGate()
    const gated = gateTool(refund, { gate })
    const outer = tool(
      async (args: unknown, runtime: ToolRuntime) => {
        await gated.invoke(argsOf(args, runtime) as never, runtime)
        await gated.invoke(argsOf(args, runtime) as never, runtime)
        return 'ok'
      },
      // A JSON schema hands the arguments through as the object that they came in.
      { name: 'outer', schema: { type: 'object', properties: { amount: { type: 'number' } } } },
    )
    await agentThatCalls([{ name: 'outer', args: { amount: 5 }, id: 'c1' }], { tools: [outer] }).invoke(hi)
    expect(gate.intents).toHaveLength(2)
    expect(execute).toHaveBeenCalledTimes(2)
  })

  it('P2: two equal calls in one tool body are two intents', async () => {
    const { refund, execute } = refundTool()
    const gate = scriptedGate(['approve', { deny: 'once is enough' }])
    const gated = gateTool(refund, { gate })
    const outer = tool(
      async (_, runtime: ToolRuntime) => {
        await gated.invoke({ amount: 5 }, runtime)
        await gated.invoke({ amount: 5 }, runtime)
        return 'ok'
      },
      { name: 'outer', schema: z.object({}) },
    )
    await agentThatCalls([{ name: 'outer', args: {}, id: 'c1' }], { tools: [outer] }).invoke(hi)
    expect(gate.intents).toHaveLength(2)
    expect(execute).toHaveBeenCalledOnce()
  })

  it('P2: so are two calls that a class makes of one', async () => {
    const execute = vi.fn(async () => 'paid')
    class PayAll extends StructuredTool {
      name = 'pay_all'
      description = 'pays two people'
      schema = z.object({ amount: z.number() })
      _call = execute
      override async invoke(_: unknown, config: unknown): Promise<never> {
        const paid = [await this.call({ amount: 5 }, config as never), await this.call({ amount: 5 }, config as never)]
        return paid.at(-1) as never
      }
    }
    const gate = approvingGate()
    const gated = gateTool(new PayAll(), { gate })
    await agentThatCalls([{ name: 'pay_all', args: { amount: 10 }, id: 'c1' }], { tools: [gated] }).invoke(hi)
    expect(gate.intents.map(({ params }) => params)).toEqual([{ amount: 5 }, { amount: 5 }])
    expect(execute).toHaveBeenCalledTimes(2)
  })

  it('holds for a middleware that changes the arguments on the way', async () => {
    const { refund, execute } = refundTool()
    const gate = approvingGate()
    const changing = createMiddleware({
      name: 'Changing',
      wrapToolCall: (request, handler) =>
        handler({ ...request, toolCall: { ...request.toolCall, args: { amount: 1_000_000 } } }),
    })
    const call = { name: 'refund', args: { amount: 1 }, id: 'c1' }
    await agentThatCalls([call], { tools: [gateTool(refund, { gate })], middleware: [changing] }).invoke(hi)
    expect(gate.intents[0]?.params).toEqual({ amount: 1_000_000 })
    expect(execute).toHaveBeenCalledExactlyOnceWith(1_000_000, { amount: 1_000_000 })
  })

  it('holds for arguments that change while a person looks at them', async () => {
    const execute = vi.fn()
    const schema = { type: 'object', properties: { amount: { type: 'number' } } } as const
    const refund = tool(async (args: unknown) => execute(structuredClone(args)), { name: 'refund', schema })
    const args = { amount: 1 }
    const gated = gateTool(refund, {
      gate: approvingGate(),
      onEvent: ({ type }) => {
        if (type === 'pending') args.amount = 1_000_000
      },
    })
    await gated.invoke(toolCall('refund', args))
    expect(execute).toHaveBeenCalledExactlyOnceWith({ amount: 1 })
  })
})

describe('the permit is in the context of the tool', () => {
  it('P3: at every step of a generator', async () => {
    const permitted: unknown[] = []
    const count = tool(
      async function* () {
        permitted.push(currentPermit()?.action)
        yield 1
        await null
        permitted.push(currentPermit()?.action)
        return 'counted'
      },
      { name: 'count', schema: z.object({}) },
    )
    const events: unknown[] = []
    const message: ToolMessage = await gateTool(count, { gate: approvingGate() }).invoke(toolCall('count', {}), {
      callbacks: [{ handleToolEvent: (chunk: unknown) => void events.push(chunk) }],
    })
    expect([message.content, permitted, events]).toEqual(['counted', ['count', 'count'], [1]])
  })

  it('and nowhere else', async () => {
    const { refund } = refundTool()
    await gateTool(refund, { gate: approvingGate() }).invoke({ amount: 1 })
    expect(currentPermit()).toBeUndefined()
  })

  it('reports a generator when it has ended, not when it was made', async () => {
    const gate = approvingGate()
    const states: unknown[] = []
    const count = tool(
      async function* () {
        yield 1
        const [intent] = gate.intents
        states.push(intent && (await gate.read(intent.id)).execution.state)
        return 'counted'
      },
      { name: 'count', schema: z.object({}) },
    )
    await gateTool(count, { gate }).invoke({})
    const [intent] = gate.intents
    states.push(intent && (await gate.read(intent.id)).execution.state)
    expect(states).toEqual(['started', 'succeeded'])
  })
})

describe('the tool stays what it is', () => {
  class Adder extends StructuredTool {
    name = 'add'
    description = 'adds seven'
    readonly #summand = 7
    readonly #schema = z.object({ a: z.number() })
    get schema() {
      return this.#schema
    }
    async _call({ a }: { a: number }) {
      return String(a + this.#summand)
    }
  }

  it('P4: a class with #private fields, and getters that read them', async () => {
    const gated = gateTool(new Adder(), { gate: approvingGate() })
    expect(gated).toBeInstanceOf(Adder)
    expect(await gated.invoke({ a: 1 })).toBe('8')
  })

  it.each([
    ['a text', 'hey'],
    ['an object', { input: 'hey' }],
    ['a call', toolCall('say', { input: 'hey' })],
  ])('P6: a tool that takes a text, called with %s', async (_, input) => {
    const gate = approvingGate()
    const func = vi.fn(async (said: string) => said)
    const gated = gateTool(new DynamicTool({ name: 'say', description: 'says it', func }), { gate })
    await gated.invoke(input)
    expect(gate.intents[0]?.params).toEqual({ input: 'hey' })
    expect(func.mock.calls[0]?.[0]).toBe('hey')
  })

  it('P7: arguments that its schema refuses ask nobody', async () => {
    const { refund, execute } = refundTool()
    const gate = approvingGate()
    const call = gateTool(refund, { gate }).invoke(toolCall('refund', { amount: 'all' }))
    await expect(call).rejects.toBeInstanceOf(ToolInputParsingException)
    expect(gate.intents).toEqual([])
    expect(execute).not.toHaveBeenCalled()
  })

  it.each([
    ['false', () => false, [1, 0]],
    ['a condition that forgets to answer', () => undefined, [0, 1]],
    ['one that fails', () => Promise.reject(new Error('no rules today')), [0, 0]],
  ])('when: %s', async (_, when, ranAndAsked) => {
    const { refund, execute } = refundTool()
    const gate = denyingGate()
    await gateTool(refund, { gate, when: when as never })
      .invoke(toolCall('refund', { amount: 50 }))
      .catch(() => undefined)
    expect([execute.mock.calls.length, gate.intents.length]).toEqual(ranAndAsked)
  })

  it('P8: a gated tool is not gated again', () => {
    const { refund } = refundTool()
    const gated = gateTool(refund, { gate: approvingGate() })
    expect(gateTool(gated, { gate: denyingGate() })).toBe(gated)
    expect([isGated(gated), isGated(refund)]).toEqual([true, false])
  })

  it.each(['invoke', 'stream', 'batch', 'withConfig', 'withRetry', 'pipe'] as const)(
    'is gated through %s',
    async (way) => {
      const { refund, execute } = refundTool()
      const gated = gateTool(refund, { gate: denyingGate() })
      const args = { amount: 5 }
      const ways = {
        invoke: () => gated.invoke(args),
        stream: async () => collected(await gated.stream(args)),
        batch: () => gated.batch([args, args]),
        withConfig: () => gated.withConfig({ tags: ['x'] }).invoke(args),
        withRetry: () => gated.withRetry().invoke(args),
        pipe: () => gated.pipe((output: unknown) => output).invoke(args),
      }
      await ways[way]()
      expect(execute).not.toHaveBeenCalled()
    },
  )

  it('is gated when it is called around its own methods', async () => {
    const { refund, execute } = refundTool()
    const gated = gateTool(refund, { gate: denyingGate() })
    await gated.call({ amount: 5 })
    await (gated as unknown as { _call(args: unknown): Promise<unknown> })._call({ amount: 5 })
    expect(execute).not.toHaveBeenCalled()
  })
})

describe('a middleware further in', () => {
  const call = { name: 'refund', args: { amount: 5 }, id: 'c1' }

  it('P10: that renames the call meets the gate of the other tool', async () => {
    const { refund, execute } = refundTool()
    const gate = denyingGate()
    const harmless = tool(async () => 'fine', { name: 'harmless', schema: z.object({ amount: z.number() }) })
    const renaming = createMiddleware({
      name: 'Renaming',
      wrapToolCall: (request, handler) =>
        handler({ ...request, tool: undefined as never, toolCall: { ...request.toolCall, name: 'refund' } }),
    })
    await agentThatCalls([{ ...call, name: 'harmless' }], {
      tools: [harmless, gateTool(refund, { gate })],
      middleware: [renaming],
    }).invoke(hi)
    expect(gate.intents).toHaveLength(1)
    expect(execute).not.toHaveBeenCalled()
  })

  it('P10: that replaces the tool can only put in what it has: the gated one', async () => {
    const { refund, execute } = refundTool()
    const gated = gateTool(refund, { gate: denyingGate() })
    const replacing = createMiddleware({
      name: 'Replacing',
      wrapToolCall: (request, handler) => handler({ ...request, tool: request.tool && Object.create(request.tool) }),
    })
    await agentThatCalls([call], { tools: [gated], middleware: [replacing] }).invoke(hi)
    expect(execute).not.toHaveBeenCalled()
  })
})

describe('a runnable as a tool', () => {
  const doubler = () => {
    const execute = vi.fn(({ n }: { n: number }) => 2 * n)
    const schema = z.object({ n: z.coerce.number() })
    return { execute, tool: RunnableLambda.from(execute).asTool({ name: 'double', schema: schema as never }) }
  }

  it('runs with what was shown', async () => {
    const gate = approvingGate()
    const { execute, tool: double } = doubler()
    expect(await gateTool(double, { gate }).invoke(toolCall('double', { n: '21' }) as never)).toBe(42)
    expect(gate.intents[0]?.params).toEqual({ n: 21 })
    expect(execute.mock.calls[0]?.[0]).toEqual({ n: 21 })
  })

  it.each(['invoke', 'stream', 'batch', 'streamEvents', 'withConfig', 'withRetry'] as const)(
    'is gated through %s',
    async (way) => {
      const { execute, tool: double } = doubler()
      const gated = gateTool(double, { gate: denyingGate() })
      const args = { n: 1 } as never
      const ways = {
        invoke: () => gated.invoke(args),
        stream: async () => collected(await gated.stream(args)),
        batch: () => gated.batch([args]),
        streamEvents: () => collected(gated.streamEvents(args, { version: 'v2' })),
        withConfig: () => gated.withConfig({ tags: ['x'] }).invoke(args),
        withRetry: () => gated.withRetry().invoke(args),
      }
      await ways[way]()
      expect(execute).not.toHaveBeenCalled()
    },
  )

  it('is denied with a message in an agent', async () => {
    const { tool: double } = doubler()
    const agent = createAgent({
      model: modelThatCalls([{ name: 'double', args: { n: 1 }, id: 'c1' }]),
      tools: [gateTool(double, { gate: denyingGate('no maths') })],
    })
    const [message] = toolMessages((await agent.invoke(hi)) as never)
    expect(message).toEqual(['error', expect.stringContaining('no maths')])
  })

  it('asks nobody about arguments that its schema refuses', async () => {
    const gate = approvingGate()
    const { tool: double } = doubler()
    const call = gateTool(double, { gate }).invoke(toolCall('double', { n: 'many' }) as never)
    await expect(call).rejects.toBeInstanceOf(ToolInputParsingException)
    expect(gate.intents).toEqual([])
  })
})

describe('what cannot be gated', () => {
  it.each([
    ['a tool of the provider', { type: 'web_search_preview' }],
    ['a definition without a body', { name: 'refund', schema: { type: 'object' } }],
    ['nothing', null],
  ])('is refused: %s', (_, provided) => {
    expect(() => gateTool(provided as never, { gate: approvingGate() })).toThrow(TypeError)
  })

  it.each([
    ['without a gate', {}],
    ['with a wait that there is not', { gate: approvingGate(), wait: 'auto' }],
    ['with edits of a projection', { gate: approvingGate(), params: () => ({}), allowEdits: true }],
    ['with no time to wait', { gate: approvingGate(), timeoutMs: 0 }],
  ])('nor are options %s accepted', (_, options) => {
    expect(() => gateTool(refundTool().refund, options as never)).toThrow(TypeError)
  })

  it('a name that makes no action needs one', () => {
    const unnamed = tool(async () => '', { name: '删除', schema: z.object({}) })
    expect(() => gateTool(unnamed, { gate: approvingGate() })).toThrow(TypeError)
    expect(isGated(gateTool(unnamed, { gate: approvingGate(), action: 'delete_file' }))).toBe(true)
  })

  it('P18: a tool that interrupts itself fails, and is not entered again on a resume', async () => {
    const asked = vi.fn()
    const asking = tool(
      async (_, runtime: ToolRuntime) => {
        asked()
        return String((runtime as unknown as { interrupt(question: string): unknown }).interrupt('are you sure?'))
      },
      { name: 'asking', schema: z.object({}) },
    )
    const gate = approvingGate()
    const agent = createAgent({
      model: modelThatCalls([{ name: 'asking', args: {}, id: 'c1' }]),
      tools: [gateTool(asking, { gate })],
      checkpointer: new MemorySaver(),
    })
    const config = { configurable: { thread_id: 't' } }
    const [message] = toolMessages((await agent.invoke(hi, config)) as never)
    expect(message).toEqual(['error', expect.stringContaining('needs the option reenters')])
    await agent.invoke(new Command({ resume: 'yes' }), config)
    expect(asked).toHaveBeenCalledOnce()
    const [intent] = gate.intents
    expect(intent && (await gate.read(intent.id)).execution.state).toBe('failed')
  })
})
