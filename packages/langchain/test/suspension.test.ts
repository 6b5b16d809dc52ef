import { AIMessage } from '@langchain/core/messages'
import { interrupt, MemorySaver, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph'
import { ToolNode } from '@langchain/langgraph/prebuilt'
import type { Gate, GateEvent } from '@silentauth/core'
import { approvingGate, type ScriptedGate, scriptedGate } from '@silentauth/core/testing'
import { gateTool } from '@silentauth/langchain'
import { createAgent, type ToolRuntime, tool } from 'langchain'
import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { agentThatCalls, hi, modelThatCalls, refundTool, toolMessages } from './refund-tool.ts'
import { suspendedAgent } from './suspended-agent.ts'

const call = (amount = 5, id = 'c1') => ({ name: 'refund', args: { amount }, id })
const waiting = (count = 1) => scriptedGate(Array.from({ length: count }, () => 'wait' as const))

function refundAgent(gate: Gate, options: object = {}, calls: Parameters<typeof suspendedAgent>[0] = [call()]) {
  const { refund, execute } = refundTool()
  const gated = gateTool(refund, { gate, wait: 'suspend', ...options })
  return { execute, ...suspendedAgent(calls, { gate, tools: [gated] }) }
}

/** `<status> <execution>` of every intent, in the order in which they were declared. */
async function states(gate: ScriptedGate): Promise<string[]> {
  const now = await Promise.all(gate.intents.map(({ id }) => gate.read(id)))
  return now.map(({ status, execution }) => `${status} ${execution.state}`)
}

describe('a suspended call', () => {
  it('waits in the checkpoint, says where to decide and how to go on, and shows no arguments (P26)', async () => {
    const gate = waiting()
    const { start, pending, execute } = refundAgent(gate)
    await start()
    const found = await pending()
    expect(found).toMatchObject([
      {
        type: 'silentauth.gate/v1',
        reason: 'NOT_APPROVED',
        action: 'refund',
        tool: 'refund',
        toolCallId: 'c1',
        intentId: gate.intents[0]?.id,
        approvalUrl: expect.stringContaining('/inbox/int_'),
        resume: expect.stringContaining('resolveInterrupts'),
      },
    ])
    expect(JSON.stringify(found)).not.toContain('amount')
    expect(execute).not.toHaveBeenCalled()
  })

  it('goes on once, after the decision, and not again', async () => {
    const gate = waiting()
    const agent = refundAgent(gate)
    await agent.start()
    await gate.decide('approve')
    expect(await agent.resume()).toBe(true)
    expect(await agent.resume()).toBe(false)
    await agent.resumeWith('again')
    await agent.resumeWith(null)
    expect([await agent.toolTexts(), await agent.pending(), await states(gate)]).toEqual([
      ['refunded 5'],
      [],
      ['approved succeeded'],
    ])
    expect(agent.execute).toHaveBeenCalledExactlyOnceWith(5, { amount: 5 })
  })

  it.each<[string, (agent: ReturnType<typeof refundAgent>) => Promise<unknown>]>([
    ['the id map', (agent) => agent.wakeAll()],
    ['a plain value', (agent) => agent.resumeWith('go on')],
    ['null', (agent) => agent.resumeWith(null)],
    ['the command of the resolver', (agent) => agent.resume()],
    ['a value that says that it was approved (P16)', (agent) => agent.resumeWith({ approved: true, type: 'approve' })],
    [
      'a permit of another gate (P16)',
      (agent) =>
        agent.resumeWith({ type: 'silentauth.gate/v1', intentId: 'int_1', permit: 'eyJhbGciOiJub25lIn0.e30.' }),
    ],
  ])('P15: that is resumed too early, with %s, is suspended again under the same intent', async (_, wake) => {
    const gate = waiting()
    const agent = refundAgent(gate)
    await agent.start()
    const before = await agent.pending()
    await wake(agent)
    await wake(agent)
    expect(await agent.pending()).toEqual(before)
    expect([await states(gate), agent.execute.mock.calls]).toEqual([['pending none'], []])

    await gate.decide('approve')
    await agent.resume()
    expect([await agent.toolTexts(), await states(gate)]).toEqual([['refunded 5'], ['approved succeeded']])
  })

  it.each(['a plain value', null])('goes on after the decision with %s, too', async (value) => {
    const gate = waiting()
    const agent = refundAgent(gate)
    await agent.start()
    await gate.decide('approve')
    await agent.resumeWith(value)
    expect([await agent.toolTexts(), await states(gate)]).toEqual([['refunded 5'], ['approved succeeded']])
  })

  it.each([
    [{ deny: 'too much' }, /denied.*too much/, 'denied none'],
    [{ requestChanges: 'less' }, /asked for changes.*less/, 'changes_requested none'],
    ['expire', /nobody decided/, 'expired none'],
  ] as const)('is told the model after %o', async (decision, said, state) => {
    const gate = waiting()
    const agent = refundAgent(gate)
    await agent.start()
    await gate.decide(decision)
    await agent.resume()
    expect(await agent.toolTexts()).toEqual([expect.stringMatching(said)])
    expect([await states(gate), agent.execute.mock.calls]).toEqual([[state], []])
  })

  it('runs edited arguments as they were approved, and only those', async () => {
    const gate = waiting()
    const agent = refundAgent(gate, { allowEdits: true })
    await agent.start()
    await gate.decide({ edit: { amount: 3 } })
    await agent.resume()
    expect(agent.execute).toHaveBeenCalledExactlyOnceWith(3, { amount: 3 })
    expect(await agent.toolTexts()).toEqual([
      expect.stringMatching(/^\[A reviewer changed.*"amount":3.*\nrefunded 3$/s),
    ])
  })

  it('that policy approves runs at once, as a call that nobody gates', async () => {
    const gate = scriptedGate(['approve'])
    const agent = refundAgent(gate, { when: () => false })
    await agent.start()
    expect([await agent.toolTexts(), gate.intents]).toEqual([['refunded 5'], []])
  })

  it('expires at the gate after the time that a call has', async () => {
    const gate = waiting()
    const agent = refundAgent(gate, { timeoutMs: 1500 })
    await agent.start()
    const [intent] = gate.intents
    expect(intent && intent.expiresAt - intent.createdAt).toBe(2000)
    gate.clock.advance(2000)
    await agent.resume()
    expect(await agent.toolTexts()).toEqual([expect.stringMatching(/nobody decided/)])
    await expect(gate.decide('approve')).rejects.toThrow(TypeError)
    expect(agent.execute).not.toHaveBeenCalled()
  })

  it('tells what happens to those who listen', async () => {
    const gate = waiting()
    const events: GateEvent['type'][] = []
    const agent = refundAgent(gate, { onEvent: ({ type }: GateEvent) => events.push(type) })
    await agent.start()
    await gate.decide('approve')
    await agent.resume()
    expect(events).toEqual(['pending', 'decided', 'claimed', 'finished'])
  })
})

describe('P21: without a checkpointer', () => {
  it.each<[string, (gated: unknown) => Promise<unknown>]>([
    [
      'in a graph',
      (gated) =>
        agentThatCalls([call()], { tools: [gated] })
          .invoke(hi)
          .then(toolMessages),
    ],
    ['outside of a graph', (gated) => (gated as { invoke(args: object): Promise<unknown> }).invoke({ amount: 5 })],
  ])('%s nothing is asked and nothing runs', async (_, run) => {
    const gate = approvingGate()
    const { refund, execute } = refundTool()
    const ran = await run(gateTool(refund, { gate, wait: 'suspend' })).catch((error: unknown) => error)
    expect(String(ran)).toContain('needs a graph with a checkpointer')
    expect(gate.intents).toEqual([])
    expect(execute).not.toHaveBeenCalled()
  })
})

describe('parallel calls', () => {
  it('are decided one by one; what ran does not run again', async () => {
    const { refund, execute } = refundTool()
    const free = vi.fn(async () => 'free')
    const gate = waiting(2)
    const tools = [gateTool(refund, { gate, wait: 'suspend' }), tool(free, { name: 'free', schema: z.object({}) })]
    const agent = suspendedAgent([[call(1, 'c1'), { name: 'free', args: {}, id: 'c2' }, call(2, 'c3')]], {
      gate,
      tools,
    })
    await agent.start()
    expect(await agent.pending()).toHaveLength(2)
    await gate.decide('approve')
    await agent.resume()
    expect([execute.mock.calls.length, (await agent.pending()).length]).toEqual([1, 1])
    await gate.decide({ deny: 'no' })
    await agent.resume()
    expect(await agent.toolTexts()).toEqual([
      expect.stringMatching(/^refunded 1|denied/),
      'free',
      expect.stringMatching(/^refunded 2|denied/),
    ])
    expect([execute.mock.calls.length, free.mock.calls.length, gate.intents.length]).toEqual([1, 1, 2])
  })

  it('P17: of one task run once each, over any number of resumes', async () => {
    const gate = waiting(2)
    const { refund, execute } = refundTool()
    const gated = gateTool(refund, { gate, wait: 'suspend' })
    const graph = new StateGraph(MessagesAnnotation)
      .addNode('tools', new ToolNode([gated as never]))
      .addEdge(START, 'tools')
      .compile({ checkpointer: new MemorySaver() })
    const config = { configurable: { thread_id: 't' } }
    const calls = [call(1, 'c1'), call(2, 'c2')].map((one) => ({ ...one, type: 'tool_call' as const }))
    await graph.invoke({ messages: [new AIMessage({ content: '', tool_calls: calls })] }, config)
    await vi.waitFor(() => expect(gate.intents).toHaveLength(2))
    await gate.decide('approve')
    const { resolveInterrupts } = await import('@silentauth/langchain/langgraph')
    const goOn = async () => {
      const { command } = await resolveInterrupts(graph as never, config, { gate })
      await graph.invoke((command ?? null) as never, config)
    }
    await goOn()
    await vi.waitFor(async () => expect((await states(gate)).sort()).toEqual(['approved succeeded', 'pending none']))
    await gate.decide('approve')
    await goOn()
    await goOn()
    expect(execute.mock.calls.map(([amount]) => amount).sort()).toEqual([1, 2])
    expect(await states(gate)).toEqual(['approved succeeded', 'approved succeeded'])
  })
})

describe("P17: createAgent of version 'v1'", () => {
  it('runs each call once, over any number of resumes', async () => {
    const gate = waiting(2)
    const { refund, execute } = refundTool()
    const free = vi.fn(async () => 'free')
    const tools = [gateTool(refund, { gate, wait: 'suspend' }), tool(free, { name: 'free', schema: z.object({}) })]
    const turn = [call(1, 'c1'), { name: 'free', args: {}, id: 'c2' }, call(2, 'c3')]
    const agent = suspendedAgent([turn], { gate, tools, version: 'v1' })
    await agent.start()
    await vi.waitFor(() => expect(gate.intents).toHaveLength(2))
    await gate.decide('approve')
    await agent.wakeAll()
    await gate.decide('approve')
    await agent.wakeAll()
    // What the task began goes on when it interrupts for another call.
    await vi.waitFor(async () => expect(await states(gate)).toEqual(['approved succeeded', 'approved succeeded']))
    for (let times = 0; times < 5 && (await agent.pending()).length > 0; times++) await agent.resume()
    expect(execute.mock.calls.map(([amount]) => amount).sort()).toEqual([1, 2])
    expect(await agent.toolTexts()).toHaveLength(3)
  })
})

describe('a gate that is away', () => {
  const awayFor = (gate: Gate, method: 'declare' | 'claim', times: number): Gate => {
    let left = times
    return new Proxy(gate, {
      get(target, name) {
        const found = Reflect.get(target, name) as unknown
        if (name !== method || typeof found !== 'function') return found
        return (...args: unknown[]) => (left-- > 0 ? Promise.reject(new TypeError('fetch failed')) : found(...args))
      },
    })
  }

  it('when the call is made leaves it suspended, to be asked later', async () => {
    const gate = scriptedGate(['approve'])
    const agent = refundAgent(awayFor(gate, 'declare', 1))
    await agent.start()
    expect(await agent.pending()).toMatchObject([{ reason: 'GATE_UNAVAILABLE', action: 'refund' }])
    expect(gate.intents).toEqual([])
    for (let times = 0; times < 5 && (await agent.pending()).length > 0; times++) await agent.resume()
    expect([await agent.toolTexts(), await states(gate)]).toEqual([['refunded 5'], ['approved succeeded']])
  })

  it('when the call is claimed leaves it suspended', async () => {
    const gate = waiting()
    const agent = refundAgent(awayFor(gate, 'claim', 1))
    await agent.start()
    await gate.decide('approve')
    await agent.resume()
    expect([agent.execute.mock.calls, (await agent.pending())[0]?.reason]).toEqual([[], 'GATE_UNAVAILABLE'])
    await agent.resume()
    expect([await agent.toolTexts(), await states(gate)]).toEqual([['refunded 5'], ['approved succeeded']])
  })

  it('is told the model where that was asked for', async () => {
    const agent = refundAgent(awayFor(approvingGate(), 'declare', 9), { onGateError: 'message' })
    await agent.start()
    expect(await agent.toolTexts()).toEqual([expect.stringMatching(/gate cannot be reached/)])
    expect(agent.execute).not.toHaveBeenCalled()
  })
})

describe('concurrent resumes', () => {
  it('run the tool once; whoever comes second stays suspended, and the thread has the result', async () => {
    const gate = waiting()
    let release: () => void = () => undefined
    const entered = new Promise<void>((resolve) => {
      release = resolve
    })
    const agent = refundAgent(gate)
    agent.execute.mockImplementation(((amount: number) => entered.then(() => `refunded ${amount}`)) as never)
    await agent.start()
    await gate.decide('approve')
    const gates = await agent.pending()
    const first = agent.resume()
    await vi.waitFor(() => expect(agent.execute).toHaveBeenCalled())
    const { Command } = await import('@langchain/langgraph')
    const second = agent.invoke(new Command({ resume: { [gates[0]?.interruptId ?? '']: 'me too' } }))
    const suspended = (await second) as unknown as { __interrupt__: { value: object }[] }
    expect(suspended.__interrupt__[0]?.value).toMatchObject({ reason: 'EXECUTION_RUNNING' })
    release()
    await first
    expect([await agent.toolTexts(), await states(gate), agent.execute.mock.calls.length]).toEqual([
      ['refunded 5'],
      ['approved succeeded'],
      1,
    ])
  })
})

describe('histories', () => {
  it('P23: replayed from before the call ask anew, and never run under the old approval', async () => {
    const gate = waiting(2)
    const agent = refundAgent(gate)
    await agent.start()
    await gate.decide('approve')
    await agent.resume()
    const graph = agent.agent().graph
    const states_ = []
    for await (const state of graph.getStateHistory(agent.config)) states_.push(state)
    const before = states_.find(({ next }) => next.includes('tools'))
    await graph.invoke(null, before?.config)
    expect(gate.intents.length).toBe(2)
    expect(await states(gate)).toEqual(['approved succeeded', 'pending none'])
    expect(agent.execute).toHaveBeenCalledOnce()
  })

  it('P23: forked with other arguments ask about those, and never run under the old approval', async () => {
    const gate = waiting(2)
    const agent = refundAgent(gate)
    await agent.start()
    await gate.decide('approve')
    const graph = agent.agent().graph
    const fork = await graph.updateState(
      agent.config,
      { messages: [new AIMessage({ content: '', tool_calls: [{ ...call(9999), type: 'tool_call' }] })] },
      'model_request',
    )
    await graph.invoke(null, fork)
    expect(agent.execute).not.toHaveBeenCalled()
    expect(gate.intents.map(({ params }) => params)).toEqual([{ amount: 5 }, { amount: 9999 }])
  })
})

describe('a tool that asks something itself', () => {
  function asking(gate: Gate, options: object) {
    const asked: unknown[] = []
    const ask = tool(
      async (_, runtime: ToolRuntime) => {
        asked.push('entered')
        const answer = (runtime as unknown as { interrupt(question: string): unknown }).interrupt('are you sure?')
        asked.push(answer)
        return `said ${String(answer)}`
      },
      { name: 'ask', schema: z.object({}) },
    )
    const gated = gateTool(ask, { gate, reenters: true, ...options })
    return { asked, ...suspendedAgent([{ name: 'ask', args: {}, id: 'c1' }], { gate, tools: [gated] }) }
  }

  it.each([0, 1, 2])('P18: gets its own answer, after %d resumes that came too early', async (early) => {
    const gate = waiting()
    const agent = asking(gate, { wait: 'suspend' })
    await agent.start()
    for (let times = 0; times < early; times++) {
      const [gated] = await agent.pending()
      const { Command } = await import('@langchain/langgraph')
      await agent.invoke(new Command({ resume: { [gated?.interruptId ?? '']: { type: 'silentauth.gate/v1' } } }))
    }
    await gate.decide('approve')
    await agent.resume()
    expect([agent.asked, await states(gate)]).toEqual([['entered'], ['approved suspended']])
    await agent.resumeWith('yes')
    expect([await agent.toolTexts(), await states(gate)]).toEqual([['said yes'], ['approved succeeded']])
    expect(gate.intents).toHaveLength(1)
  })

  it('P18: is entered again under its approval where the process waits, too', async () => {
    const gate = approvingGate()
    const agent = asking(gate, { wait: 'hold' })
    await agent.start()
    expect(await states(gate)).toEqual(['approved suspended'])
    await agent.resumeWith('yes')
    expect([await agent.toolTexts(), await states(gate)]).toEqual([['said yes'], ['approved succeeded']])
  })

  it('fails without the option', async () => {
    const gate = waiting()
    const agent = asking(gate, { wait: 'suspend', reenters: false })
    await agent.start()
    await gate.decide('approve')
    await agent.resume()
    expect(await agent.toolTexts()).toEqual([expect.stringContaining('needs the option reenters')])
    expect(await states(gate)).toEqual(['approved failed'])
  })
})

describe('an agent in a tool', () => {
  function outer(gate: Gate, handsOn: boolean) {
    const { refund, execute } = refundTool()
    const gatedRefund = gateTool(refund, { gate, wait: 'suspend' })
    const models: { callCount: number }[] = []
    let first = true
    const settle = tool(
      async (_, runtime: ToolRuntime) => {
        const model = first ? modelThatCalls([call()]) : modelThatCalls()
        first = false
        models.push(model)
        const sub = createAgent({ model, tools: [gatedRefund] } as never)
        const end = (await sub.invoke(hi as never, (handsOn ? runtime : undefined) as never)) as {
          messages: AIMessage[]
        }
        return `inner: ${end.messages.at(-2)?.text}`
      },
      { name: 'settle', schema: z.object({}) },
    )
    return { settle, execute, models }
  }

  it.each([true, false])('suspends with it, and goes on with it; it hands on its runtime: %s', async (handsOn) => {
    const gate = waiting()
    const { settle, execute, models } = outer(gate, handsOn)
    const agent = suspendedAgent([{ name: 'settle', args: {}, id: 'o1' }], { gate, tools: [settle] })
    await agent.start()
    expect(await agent.pending()).toHaveLength(1)
    await gate.decide('approve')
    await agent.resume()
    expect([await agent.toolTexts(), await states(gate)]).toEqual([['inner: refunded 5'], ['approved succeeded']])
    expect([execute.mock.calls.length, models.map(({ callCount }) => callCount)]).toEqual([1, [1, 1]])
  })

  it('that is gated itself is continued, under its own approval', async () => {
    const gate = waiting(2)
    const { settle, execute } = outer(gate, true)
    const gated = gateTool(settle, { gate, wait: 'suspend', reenters: true })
    const agent = suspendedAgent([{ name: 'settle', args: {}, id: 'o1' }], { gate, tools: [gated] })
    await agent.start()
    await gate.decide('approve')
    await agent.resume()
    expect(await states(gate)).toEqual(['approved suspended', 'pending none'])
    await gate.decide('approve')
    await agent.resume()
    expect([await agent.toolTexts(), await states(gate)]).toEqual([
      ['inner: refunded 5'],
      ['approved succeeded', 'approved succeeded'],
    ])
    expect(execute).toHaveBeenCalledOnce()
  })
})

it('an interrupt of the graph itself is none of ours', async () => {
  const gate = waiting(0)
  const ask = tool(async () => String(interrupt('a question')), { name: 'ask', schema: z.object({}) })
  const agent = suspendedAgent([{ name: 'ask', args: {}, id: 'c1' }], { gate, tools: [ask] })
  await agent.start()
  expect([await agent.pending(), await agent.resume()]).toEqual([[], false])
})
