import { HumanMessage, type ToolMessage } from '@langchain/core/messages'
import { MemorySaver } from '@langchain/langgraph'
import { approvingGate, denyingGate, scriptedGate } from '@silentauth/core/testing'
import { gateTool } from '@silentauth/langchain'
import { type GateMiddlewareOptions, gateMiddleware } from '@silentauth/langchain/middleware'
import { createMiddleware, tool, toolRetryMiddleware } from 'langchain'
import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { agentThatCalls, hi, refundTool, toolMessages } from './refund-tool.ts'
import { suspendedAgent } from './suspended-agent.ts'

const call = { name: 'refund', args: { amount: 5 }, id: 'c1' }

function run(tools: readonly unknown[], middleware: readonly unknown[], config?: object, calls = [call]) {
  return agentThatCalls(calls, { tools, middleware }).invoke(hi, config)
}

describe('a tool under the middleware', () => {
  it('is gated: approved it runs with its permit, denied the model is told', async () => {
    const { refund, execute } = refundTool()
    const ran = await run([refund], [gateMiddleware({ gate: approvingGate() })])
    expect(toolMessages(ran)).toEqual([['success', 'refunded 5']])
    expect(execute).toHaveBeenCalledExactlyOnceWith(5, { amount: 5 })

    const denied = await run([refund], [gateMiddleware({ gate: denyingGate('no') })])
    expect(toolMessages(denied)).toEqual([['error', expect.stringMatching(/denied.*no.*Do not retry/s)]])
    expect(execute).toHaveBeenCalledOnce()
  })

  it.each([
    ['pass', 'success', 0, 1],
    ['deny', 'error', 0, 0],
    ['gate', 'success', 1, 1],
  ] as const)('is under its rule: %s', async (rule, status, asked, times) => {
    const gate = approvingGate()
    const { refund, execute } = refundTool()
    const end = await run([refund], [gateMiddleware({ gate, rules: { 're*': rule } })])
    expect([toolMessages(end)[0]?.[0], gate.intents.length, execute.mock.calls.length]).toEqual([status, asked, times])
  })

  it('P8: that is gated already is asked about once', async () => {
    const gate = approvingGate()
    const { refund, execute } = refundTool()
    await run([gateTool(refund, { gate })], [gateMiddleware({ gate })])
    expect([gate.intents.length, execute.mock.calls.length]).toEqual([1, 1])
  })

  it('is not asked for under the action of another', async () => {
    const gate = approvingGate()
    const execute = vi.fn(async () => 'ok')
    const named = (name: string) => tool(execute, { name, schema: z.object({}) })
    const calls = ['sendMail', 'send_mail'].map((name, index) => ({ name, args: {} as never, id: `c${index}` }))
    const ran = agentThatCalls([calls[0], calls[1]] as never, {
      tools: [named('sendMail'), named('send_mail')],
      middleware: [gateMiddleware({ gate })],
    }).invoke(hi)
    await expect(ran).rejects.toThrow(/same action/)
    expect(execute.mock.calls.length).toBeLessThan(2)
  })

  it.each<[string, object]>([
    ['a rule that is none', { rules: { refund: true } }],
    ['no gate', { gate: undefined }],
    ['errors of tools that go nowhere', { toolErrors: 'ignore' }],
  ])('is not gated with %s', (_, options) => {
    expect(() => gateMiddleware({ gate: approvingGate(), ...options } as never)).toThrow(TypeError)
  })
})

describe('what stands in between', () => {
  /** A middleware that hands on another call, or another tool. */
  const changing = (change: (request: never) => object) =>
    createMiddleware({
      name: 'Changing',
      wrapToolCall: (request, handler) => handler({ ...request, ...change(request as never) } as never),
    })
  const million = changing(({ toolCall }: { toolCall: object }) => ({
    toolCall: { ...toolCall, args: { amount: 1_000_000 } },
  }))

  it.each([
    ['in', [million]],
    ['out', []],
  ])('further %s is seen by approvers with what it changed', async (where, inner) => {
    const gate = scriptedGate([{ deny: 'too much' }])
    const { refund, execute } = refundTool()
    const ours = gateMiddleware({ gate })
    await run([refund], where === 'in' ? [ours, ...inner] : [million, ours])
    expect(gate.intents.map(({ params }) => params)).toEqual([{ amount: 1_000_000 }])
    expect(execute).not.toHaveBeenCalled()
  })

  it('P10: goes around the middleware with a tool of its own, and not around a gated tool', async () => {
    const gate = denyingGate()
    const { refund, execute } = refundTool()
    const swap = changing(() => ({ tool: refund }))
    await run([refund], [gateMiddleware({ gate }), swap])
    expect(execute).toHaveBeenCalledOnce()

    const gated = gateTool(refund, { gate })
    const rename = changing(({ toolCall }: { toolCall: object }) => ({ toolCall: { ...toolCall, name: 'other' } }))
    await run([gated], [gateMiddleware({ gate }), rename])
    expect(execute).toHaveBeenCalledOnce()
  })

  it('cannot call a tool by a name that passes', async () => {
    const gate = denyingGate()
    const { refund, execute } = refundTool()
    const rename = changing(({ toolCall }: { toolCall: object }) => ({ toolCall: { ...toolCall, name: 'read_it' } }))
    await run([refund], [rename, gateMiddleware({ gate, rules: { 'read_*': 'pass' } })])
    expect(gate.intents).toHaveLength(1)
    expect(execute).not.toHaveBeenCalled()
  })
})

describe('a tool that comes later', () => {
  const adding = (added: unknown) =>
    createMiddleware({
      name: 'Adding',
      wrapModelCall: (request, handler) => handler({ ...request, tools: [...request.tools, added] } as never),
      wrapToolCall: (request, handler) => handler({ ...request, tool: request.tool ?? (added as never) }),
    })

  it('is gated where the middleware that adds it goes before', async () => {
    const gate = denyingGate()
    const { refund, execute } = refundTool()
    await run([], [adding(refund), gateMiddleware({ gate })])
    expect(gate.intents).toHaveLength(1)
    expect(execute).not.toHaveBeenCalled()
  })

  it('P11: does not run where it is not there yet', async () => {
    const gate = approvingGate()
    const { refund, execute } = refundTool()
    const end = await run([], [gateMiddleware({ gate }), adding(refund)])
    expect(toolMessages(end)).toEqual([['error', expect.stringContaining('FORBIDDEN')]])
    expect(gate.intents).toEqual([])
    expect(execute).not.toHaveBeenCalled()
  })

  it('runs where its name passes', async () => {
    const { refund, execute } = refundTool()
    await run([], [gateMiddleware({ gate: approvingGate(), default: 'pass' }), adding(refund)])
    expect(execute).toHaveBeenCalledOnce()
  })
})

describe('P28: an invocation', () => {
  it.each<[string, object]>([
    ['its context', { context: { interruptOn: {}, rules: { '*': 'pass' }, default: 'pass', gate: null } }],
    [
      'its configuration',
      { configurable: { rules: { '*': 'pass' }, interruptOn: {}, silentauth: { default: 'pass' } } },
    ],
    ['its metadata', { metadata: { rules: { '*': 'pass' }, approved: true } }],
  ])('cannot weaken a rule with %s', async (_, config) => {
    const gate = denyingGate()
    const { refund, execute } = refundTool()
    await run([refund], [gateMiddleware({ gate })], config)
    expect(gate.intents).toHaveLength(1)
    expect(execute).not.toHaveBeenCalled()
  })

  it('nor can what is done to the rules afterwards', async () => {
    const gate = denyingGate()
    const { refund, execute } = refundTool()
    const options: GateMiddlewareOptions = { gate, rules: { refund: 'gate' } }
    const ours = gateMiddleware(options)
    Object.assign(options, { rules: { '*': 'pass' }, default: 'pass' })
    await run([refund], [ours])
    expect(execute).not.toHaveBeenCalled()
  })
})

describe('P9: errors of tools', () => {
  const failing = () => {
    const { refund, execute } = refundTool()
    execute.mockImplementation(() => {
      throw new Error('the bank is closed')
    })
    return { refund, execute }
  }

  it('are told the model, as without a middleware', async () => {
    const { refund } = failing()
    const bare = toolMessages(await run([refund], []))
    const gated = toolMessages(await run([refund], [gateMiddleware({ gate: approvingGate() })]))
    expect(gated).toEqual(bare)
    expect(gated).toEqual([['error', expect.stringContaining('the bank is closed')]])
  })

  it('end the run where that was asked for', async () => {
    const { refund } = failing()
    const ran = run([refund], [gateMiddleware({ gate: approvingGate(), toolErrors: 'throw' })])
    await expect(ran).rejects.toThrow('the bank is closed')
  })

  it('reach a layer that tries again, further in', async () => {
    const { refund, execute } = refundTool()
    execute.mockImplementationOnce(() => {
      throw new Error('the bank is closed')
    })
    const gate = approvingGate()
    const retry = toolRetryMiddleware({ maxRetries: 2, initialDelayMs: 0, jitter: false })
    const end = await run([refund], [gateMiddleware({ gate, idempotent: true }), retry])
    expect(toolMessages(end)).toEqual([['success', 'refunded 5']])
    expect([gate.intents.length, execute.mock.calls.length]).toEqual([1, 2])
  })

  it('P12: arguments that the schema refuses ask nobody, and the model is told', async () => {
    const gate = approvingGate()
    const { refund } = refundTool()
    const wrong = [{ name: 'refund', args: { amount: 'all' } as never, id: 'c1' }]
    const end = await run([refund], [gateMiddleware({ gate })], undefined, wrong)
    expect(toolMessages(end)).toEqual([['error', expect.any(String)]])
    expect(gate.intents).toEqual([])
  })

  it('P12: an abort is the reason of whoever aborted', async () => {
    const controller = new AbortController()
    const reason = new Error('the user left')
    const gate = scriptedGate(['wait'])
    const { refund, execute } = refundTool()
    const ours = gateMiddleware({ gate, onEvent: ({ type }) => type === 'pending' && controller.abort(reason) })
    await expect(run([refund], [ours], { signal: controller.signal })).rejects.toBe(reason)
    expect(execute).not.toHaveBeenCalled()
  })

  it('a refusal ends the run where that was asked for', async () => {
    const { refund } = refundTool()
    const ran = run([refund], [gateMiddleware({ gate: denyingGate(), onDenied: 'throw' })])
    await expect(ran).rejects.toThrow()
  })
})

describe('suspended under the middleware', () => {
  const suspending = (gate: ReturnType<typeof scriptedGate>, options: object = {}) => {
    const { refund, execute } = refundTool()
    const ours = gateMiddleware({ gate, wait: 'suspend', ...options })
    const agent = suspendedAgent([call, { ...call, args: { amount: 7 } }], {
      gate,
      tools: [refund],
      middleware: [ours],
      saver: new MemorySaver(),
    })
    return { execute, ...agent }
  }

  it('a call goes on once', async () => {
    const gate = scriptedGate(['wait', 'wait'])
    const agent = suspending(gate)
    await agent.start()
    expect(await agent.pending()).toHaveLength(1)
    await gate.decide('approve')
    await agent.resume()
    expect(agent.execute).toHaveBeenCalledExactlyOnceWith(5, { amount: 5 })
  })

  it.each([
    ['by the middleware', (refund: object) => refund, {}],
    ['itself, where the rule passes it', gateTool, { rules: { refund: 'pass' } }],
  ] as const)('a call is not given up by a layer that tries failures again: gated %s', async (_, gateIt, options) => {
    const gate = scriptedGate(['wait'])
    const { refund, execute } = refundTool()
    const retry = toolRetryMiddleware({ maxRetries: 2, initialDelayMs: 0, jitter: false })
    const agent = suspendedAgent([call], {
      gate,
      tools: [gateIt(refund as never, { gate, wait: 'suspend' } as never)],
      middleware: [gateMiddleware({ gate, wait: 'suspend', ...options }), retry],
      saver: new MemorySaver(),
    })
    await agent.start()
    expect([(await agent.pending()).length, await agent.toolTexts()]).toEqual([1, []])
    await gate.decide('approve')
    await agent.resume()
    expect([await agent.toolTexts(), execute.mock.calls.length]).toEqual([['refunded 5'], 1])
  })

  it('P22: a new message answers the call where it stands, and cancels its intent; an id that repeats hides nothing', async () => {
    const gate = scriptedGate(['wait', 'wait'])
    const agent = suspending(gate)
    await agent.start()
    await agent.invoke({ messages: [new HumanMessage('never mind, seven')] })
    const messages = await agent.messages()
    expect(messages.map((message) => message.getType())).toEqual(['human', 'ai', 'tool', 'human', 'ai'])
    expect((messages[2] as ToolMessage).content).toMatch(/cancelled.*another message/s)
    const [first] = gate.intents
    expect(first && (await gate.read(first.id)).status).toBe('cancelled')

    // The second call has the same id, and waits on its own.
    expect(await agent.pending()).toHaveLength(1)
    await gate.decide('approve')
    await agent.resume()
    expect(agent.execute).toHaveBeenCalledExactlyOnceWith(7, { amount: 7 })
  })

  it('P22: an approval that came before the new message is given up', async () => {
    const gate = scriptedGate(['wait', 'wait'])
    const agent = suspending(gate)
    await agent.start()
    await gate.decide('approve')
    await agent.invoke({ messages: [new HumanMessage('never mind')] })
    const [first] = gate.intents
    expect(first && (await gate.read(first.id)).execution.state).toBe('abandoned')
    expect(agent.execute).not.toHaveBeenCalled()
  })

  it('leaves the intent alone where that was asked for', async () => {
    const gate = scriptedGate(['wait', 'wait'])
    const agent = suspending(gate, { cancelSuperseded: false })
    await agent.start()
    await agent.invoke({ messages: [new HumanMessage('never mind')] })
    const [first] = gate.intents
    expect(first && (await gate.read(first.id)).status).toBe('pending')
    expect((await agent.toolTexts())[0]).toContain('waits')
  })

  it('changes nothing of a history in which each call has its answer', async () => {
    const gate = approvingGate()
    const { refund } = refundTool()
    const agent = suspendedAgent([call, call], {
      gate,
      tools: [refund],
      middleware: [gateMiddleware({ gate })],
      saver: new MemorySaver(),
    })
    await agent.start()
    const ids = (await agent.messages()).map(({ id }) => id)
    await agent.invoke({ messages: [new HumanMessage('thanks')] })
    expect((await agent.messages()).map(({ id }) => id).slice(0, ids.length)).toEqual(ids)
  })
})
