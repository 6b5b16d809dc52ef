import { AIMessage } from '@langchain/core/messages'
import { MemorySaver } from '@langchain/langgraph'
import type { Gate, GateEvent, Intent } from '@silentauth/core'
import { approvingGate, denyingGate, type ScriptedGate, scriptedGate, testGate } from '@silentauth/core/testing'
import { gateTool, isGateRefusal } from '@silentauth/langchain'
import { createAgent, createMiddleware, ToolMessage, type ToolRuntime, tool, toolRetryMiddleware } from 'langchain'
import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { agentThatCalls, collected, hi, modelThatCalls, refundTool, toolCall, toolMessages } from './refund-tool.ts'

const call = { name: 'refund', args: { amount: 5 }, id: 'c1' }
const asToolCall = toolCall('refund', { amount: 5 })
const AUTO = { name: 'all', match: {}, decision: 'auto_approve', any_params: true }

/** The gate, but for what is given. */
function gateWith(gate: Gate, changed: Partial<Gate>): Gate {
  const { declare, read, wait, cancel, claim, report, trust } = gate
  const dispose = () => gate[Symbol.asyncDispose]()
  return { declare, read, wait, cancel, claim, report, trust, [Symbol.asyncDispose]: dispose, ...changed }
}

describe('a refusal', () => {
  it('is an error message without advice to try again, which says who it is for', async () => {
    const { refund } = refundTool()
    const message: ToolMessage = await gateTool(refund, { gate: denyingGate('too much') }).invoke(asToolCall)
    expect(message).toMatchObject({ status: 'error', tool_call_id: 'call_1', name: 'refund' })
    expect(message.content).toMatch(/denied.*too much.*Do not retry/s)
    expect(isGateRefusal(message.artifact)).toBe(true)
  })

  it('is for the call around it, as any result would be, when a tool handed on its runtime', async () => {
    const { refund } = refundTool()
    const gated = gateTool(refund, { gate: denyingGate() })
    const answers: unknown[] = []
    const outer = tool(
      async (_, runtime: ToolRuntime) => {
        answers.push(await gated.invoke({ amount: 5 }, runtime), await refund.invoke({ amount: 5 }, runtime))
        return 'ok'
      },
      { name: 'outer', schema: z.object({}) },
    )
    await agentThatCalls([{ name: 'outer', args: {}, id: 'c1' }], { tools: [outer] }).invoke(hi)
    expect(answers).toMatchObject([
      { status: 'error', tool_call_id: 'c1' },
      { status: 'success', tool_call_id: 'c1' },
    ])
  })

  it('P13: of a tool with artifacts is the message alone', async () => {
    const report = tool(async () => ['text', { rows: 1 }], {
      name: 'report',
      schema: z.object({}),
      responseFormat: 'content_and_artifact',
    })
    const message: unknown = await gateTool(report, { gate: denyingGate() }).invoke(toolCall('report', {}))
    expect(message).toMatchObject({ status: 'error', artifact: { code: 'INTENT_DENIED' } })
  })

  it('of a tool that would end the run goes back to the model', async () => {
    const last = tool(async () => 'the end', { name: 'last', schema: z.object({}), returnDirect: true })
    const run = (gate: Gate) =>
      agentThatCalls([{ name: 'last', args: {}, id: 'c1' }], { tools: [gateTool(last, { gate })] }).invoke(hi)
    const ends = [
      (await run(denyingGate())).messages.at(-1)?.content,
      (await run(approvingGate())).messages.at(-1)?.content,
    ]
    expect(ends).toEqual(['done', 'the end'])
  })

  it('is thrown where that was asked for', async () => {
    const { refund } = refundTool()
    const denied = gateTool(refund, { gate: denyingGate(), onDenied: 'throw' }).invoke(asToolCall)
    await expect(denied).rejects.toMatchObject({ code: 'INTENT_DENIED' })
  })

  it.each([
    ['INTENT_DENIED', 'throw', 'message', denyingGate],
    ['GATE_UNAVAILABLE', 'message', 'throw', unreachableGate],
  ] as const)('%s has an option of its own', async (code, onDenied, onGateError, makeGate) => {
    const { refund, execute } = refundTool()
    const gated = gateTool(refund, { gate: makeGate(), onDenied, onGateError })
    await expect(gated.invoke(asToolCall)).rejects.toMatchObject({ code })
    const other = gateTool(refund, { gate: makeGate(), onDenied: onGateError, onGateError: onDenied })
    await expect(other.invoke(asToolCall)).resolves.toMatchObject({ artifact: { code } })
    expect(execute).not.toHaveBeenCalled()
  })
})

describe('what is asked', () => {
  async function asked(options: object, calls = [call]): Promise<Intent | undefined> {
    const gate = approvingGate()
    const { refund } = refundTool()
    await agentThatCalls(calls, { tools: [gateTool(refund, { gate, ...options } as never)] }).invoke(hi)
    return gate.intents[0]
  }

  it('is what the options say', async () => {
    const options = {
      action: 'pay_back',
      riskTier: 'high',
      approvers: ['approver@example.com'],
      source: 'refund-bot',
      idempotent: true,
    }
    expect(await asked(options)).toMatchObject({ ...options, riskTier: 'high' })
  })

  it('may depend on the arguments and the call', async () => {
    const options = {
      action: ({ amount }: { amount: number }) => (amount > 3 ? 'refund_much' : 'refund_little'),
      riskTier: () => 'critical',
      context: async (_: unknown, { toolCallId }: { toolCallId: string }) => ({ case: `case of ${toolCallId}` }),
    }
    expect(await asked(options)).toMatchObject({
      action: 'refund_much',
      riskTier: 'critical',
      context: { case: 'case of c1' },
    })
  })

  it('comes with what the framework knows', async () => {
    const gate = approvingGate()
    const { refund } = refundTool()
    const agent = createAgent({
      model: modelThatCalls([call]),
      tools: [gateTool(refund, { gate })],
      checkpointer: new MemorySaver(),
    })
    await agent.invoke(hi, { configurable: { thread_id: 'thread-7' } })
    expect(gate.intents[0]?.context).toMatchObject({ tool: 'refund', tool_call_id: 'c1', thread: 'thread-7' })
  })

  it.each(['when', 'params', 'context', 'riskTier', 'action'])(
    'is nothing when %s throws, and nothing runs',
    async (option) => {
      const gate = approvingGate()
      const { refund, execute } = refundTool()
      const broken = () => {
        throw new Error('broken option')
      }
      const gated = gateTool(refund, { gate, [option]: broken } as never)
      await expect(gated.invoke(asToolCall)).rejects.toThrow('broken option')
      expect(gate.intents).toEqual([])
      expect(execute).not.toHaveBeenCalled()
    },
  )

  it('is nothing when `when` says that this call needs no gate', async () => {
    const gate = denyingGate()
    const { refund, execute } = refundTool()
    const gated = gateTool(refund, { gate, when: ({ amount }) => amount > 100 })
    await gated.invoke({ amount: 100 })
    await gated.invoke({ amount: 101 })
    expect(gate.intents.map(({ params }) => params)).toEqual([{ amount: 101 }])
    expect(execute).toHaveBeenCalledExactlyOnceWith(100, undefined)
  })
})

describe('the wait', () => {
  it('P19: ends with an abort: the intent is cancelled, and an approval after it runs nothing', async () => {
    const gate = scriptedGate(['wait'])
    const { refund, execute } = refundTool()
    const controller = new AbortController()
    const reason = new Error('the user left')
    const gated = gateTool(refund, {
      gate,
      onEvent: ({ type }) => {
        if (type === 'pending') controller.abort(reason)
      },
    })
    const run = agentThatCalls([call], { tools: [gated] }).invoke(hi, { signal: controller.signal })
    await expect(run).rejects.toBe(reason)
    await vi.waitFor(async () => expect(await statusOf(gate)).toBe('cancelled'))
    await expect(gate.decide('approve')).rejects.toThrow(TypeError)
    expect(execute).not.toHaveBeenCalled()
  })

  it('P20: ends with the time that a call has, for good', async () => {
    const gate = scriptedGate(['wait'])
    const { refund, execute } = refundTool()
    const message: unknown = await gateTool(refund, { gate, timeoutMs: 20 }).invoke(asToolCall)
    expect(message).toMatchObject({ status: 'error', artifact: { code: 'WAIT_TIMEOUT' } })
    await expect(gate.decide('approve')).rejects.toThrow(TypeError)
    expect(execute).not.toHaveBeenCalled()
  })

  it('P24: does not hold up other calls of the same turn, whose answers stay in their order', async () => {
    const { refund, execute } = refundTool()
    const free = tool(async () => 'free', { name: 'free', schema: z.object({}) })
    const gate = scriptedGate([{ deny: 'no' }, 'approve'])
    const calls = [
      { name: 'refund', args: { amount: 1 }, id: 'c1' },
      { name: 'free', args: {}, id: 'c2' },
      { name: 'refund', args: { amount: 2 }, id: 'c3' },
    ]
    const end = await agentThatCalls(calls, { tools: [gateTool(refund, { gate }), free] }).invoke(hi)
    expect(toolMessages(end).map(([status]) => status)).toEqual(['error', 'success', 'success'])
    expect(execute).toHaveBeenCalledOnce()
  })

  it('is shown in the custom stream, with a link and without arguments (P26)', async () => {
    const { refund } = refundTool()
    const agent = createAgent({ model: modelThatCalls([call]), tools: [gateTool(refund, { gate: approvingGate() })] })
    const events = await collected(await agent.stream(hi, { streamMode: 'custom' }))
    expect(events).toMatchObject([
      {
        type: 'silentauth.gate',
        status: 'pending',
        tool: 'refund',
        toolCallId: 'c1',
        approvalUrl: expect.stringContaining('/inbox/int_'),
      },
      { type: 'silentauth.gate', status: 'approved' },
    ])
    expect(JSON.stringify(events)).not.toContain('amount')
  })

  it('does not depend on who listens', async () => {
    const { refund, execute } = refundTool()
    const onEvent = (_: GateEvent) => {
      throw new Error('the listener fails')
    }
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    await gateTool(refund, { gate: approvingGate(), onEvent }).invoke({ amount: 5 })
    expect(execute).toHaveBeenCalledOnce()
    expect(warned).toHaveBeenCalled()
    warned.mockRestore()
  })
})

describe('one approval', () => {
  it('P17: is for one call of a task, also when a turn repeats an id in one task', async () => {
    const gate = approvingGate()
    const { refund, execute } = refundTool()
    const twice = [call, call]
    const end = await agentThatCalls(twice, { tools: [gateTool(refund, { gate })], version: 'v1' }).invoke(hi)
    expect(gate.intents).toHaveLength(1)
    expect(execute).toHaveBeenCalledOnce()
    expect(
      toolMessages(end)
        .map(([status]) => status)
        .sort(),
    ).toEqual(['error', 'success'])
  })

  it('P23: does not carry over to a replay of the thread from before it', async () => {
    const gate = scriptedGate(['approve', { deny: 'not again' }])
    const { refund, execute } = refundTool()
    const agent = createAgent({
      model: modelThatCalls([call]).respond(new AIMessage('done')),
      tools: [gateTool(refund, { gate })],
      checkpointer: new MemorySaver(),
    })
    const config = { configurable: { thread_id: 't' } }
    await agent.invoke(hi, config)
    const states = await collected(agent.graph.getStateHistory(config))
    const before = states.find(({ next }) => next.includes('tools'))
    expect(before).toBeDefined()
    await agent.graph.invoke(null, before?.config)
    expect(gate.intents).toHaveLength(2)
    expect(execute).toHaveBeenCalledOnce()
  })

  it('is not spent again by a layer that retries a tool that failed', async () => {
    const { refund, execute } = refundTool()
    execute.mockImplementation(() => {
      throw new Error('the bank is closed')
    })
    const gate = approvingGate()
    const retry = toolRetryMiddleware({ maxRetries: 2, initialDelayMs: 0, jitter: false })
    await agentThatCalls([call], { tools: [gateTool(refund, { gate })], middleware: [retry] }).invoke(hi)
    expect(gate.intents).toHaveLength(1)
    expect(execute).toHaveBeenCalledOnce()
  })

  it('lets an idempotent tool be tried again under it', async () => {
    const { refund, execute } = refundTool()
    execute.mockImplementationOnce(() => {
      throw new Error('the bank is closed')
    })
    const gate = approvingGate()
    const retry = toolRetryMiddleware({ maxRetries: 2, initialDelayMs: 0, jitter: false })
    const gated = gateTool(refund, { gate, idempotent: true })
    const end = await agentThatCalls([call], { tools: [gated], middleware: [retry] }).invoke(hi)
    expect(toolMessages(end)).toEqual([['success', 'refunded 5']])
    expect([gate.intents.length, execute.mock.calls.length]).toEqual([1, 2])
  })
})

describe('a call that was executed before', () => {
  const recorded = {
    type: 'recorded',
    outcome: { status: 'succeeded', resultRecorded: true, result: 'refunded 5' },
  } as const

  it('is answered with what was recorded', async () => {
    const { refund, execute } = refundTool()
    const gate = gateWith(approvingGate(), { claim: async () => recorded })
    expect(await gateTool(refund, { gate }).invoke(asToolCall)).toMatchObject({
      status: 'success',
      content: 'refunded 5',
    })
    expect(execute).not.toHaveBeenCalled()
  })

  /** As a node that is run again because what followed the tool was lost. */
  const twice = () =>
    createMiddleware({
      name: 'twice',
      async wrapToolCall(request, handler) {
        await handler(request)
        return handler(request)
      },
    })

  it.each([
    ['hold', undefined],
    ['suspend', new MemorySaver()],
  ] as const)('ran once, and is answered with its result the second time: %s', async (wait, checkpointer) => {
    const { refund, execute } = refundTool()
    await using test = await testGate({ policies: [AUTO] })
    const gated = gateTool(refund, { gate: test.gate, wait, recordResult: true, replay: 'recorded' })
    const agent = agentThatCalls([call], { tools: [gated], middleware: [twice()], checkpointer })
    const end = await agent.invoke(hi, { configurable: { thread_id: 't' } })
    expect(toolMessages(end)).toEqual([['success', 'refunded 5']])
    expect(execute).toHaveBeenCalledOnce()
  })

  it('is told that it ran, and runs no more, when nothing was recorded', async () => {
    const { refund, execute } = refundTool()
    await using test = await testGate({ policies: [AUTO] })
    const gated = gateTool(refund, { gate: test.gate })
    const end = await agentThatCalls([call], { tools: [gated], middleware: [twice()] }).invoke(hi)
    expect(toolMessages(end)).toEqual([['error', expect.stringMatching(/executed before.*not recorded/)]])
    expect(execute).toHaveBeenCalledOnce()
  })

  it.each([
    ['altered', (sealed: string) => `${sealed.slice(0, -20)}${'A'.repeat(20)}`],
    ['of another form', () => '"refunded 500"'],
  ])('runs no more, and is told nothing of a record that is %s', async (_, change) => {
    const { refund, execute } = refundTool()
    await using test = await testGate({ policies: [AUTO] })
    const gated = gateTool(refund, { gate: test.gate, recordResult: true })
    const tampering = createMiddleware({
      name: 'tampering',
      async wrapToolCall(request, handler) {
        await handler(request)
        const [state] = (await test.store.intents({ projectId: test.project.id, limit: 1 })).items
        const id = state?.declaration.id ?? expect.fail()
        const row = (await test.store.recordedResult(test.project.id, id)) ?? expect.fail()
        await test.store.transaction((tx) => tx.putResult({ ...row, sealed: change(row.sealed) }))
        return handler(request)
      },
    })
    const end = await agentThatCalls([call], { tools: [gated], middleware: [tampering] }).invoke(hi)
    expect(toolMessages(end)).toEqual([['error', expect.stringMatching(/Not executed again.*cannot be read/)]])
    expect(execute).toHaveBeenCalledOnce()
  })

  it('is an error where that was asked for', async () => {
    const { refund, execute } = refundTool()
    const gate = gateWith(approvingGate(), { claim: async () => recorded })
    const replayed = gateTool(refund, { gate, replay: 'error' }).invoke(asToolCall)
    await expect(replayed).rejects.toMatchObject({ code: 'ALREADY_EXECUTED' })
    expect(execute).not.toHaveBeenCalled()
  })
})

describe('the result', () => {
  const withArtifact = () =>
    tool(async () => ['refunded 5', { account: 'secret' }], {
      name: 'refund',
      schema: z.object({}),
      responseFormat: 'content_and_artifact',
    })
  const asMessage = () =>
    tool(
      async (_, runtime: ToolRuntime) => new ToolMessage({ content: 'ok', tool_call_id: runtime.toolCallId ?? '' }),
      {
        name: 'refund',
        schema: z.object({}),
      },
    )

  it.each<[string, () => unknown, object, unknown]>([
    ['is the tool’s own affair', () => refundTool().refund, {}, undefined],
    ['is told to the gate where that was asked for', () => refundTool().refund, { recordResult: true }, 'refunded 5'],
    ['is told without the artifact beside it', withArtifact, { recordResult: true }, 'refunded 5'],
    ['is not told where it is a message of LangChain', asMessage, { recordResult: true }, undefined],
  ])('%s', async (_, make, options, told) => {
    const report = vi.fn(async () => undefined)
    const gate = gateWith(approvingGate(), { report })
    const gated = gateTool(make() as ReturnType<typeof withArtifact>, { gate, ...options })
    await gated.invoke(toolCall('refund', { amount: 5 }) as never)
    expect(report.mock.calls.map(([, , outcome]: unknown[]) => outcome)).toEqual([
      { status: 'succeeded', result: told },
    ])
  })
})

describe('a permit that was granted too late', () => {
  it('runs nothing, and says so to the gate', async () => {
    const gate = approvingGate()
    const { refund, execute } = refundTool()
    const late = gateTool(refund, {
      gate,
      onEvent: ({ type }) => {
        if (type === 'claimed') gate.clock.advance(400_000)
      },
    })
    const message: unknown = await late.invoke(asToolCall)
    expect(message).toMatchObject({ status: 'error', artifact: { code: 'PERMIT_EXPIRED' } })
    expect(execute).not.toHaveBeenCalled()
    expect(await executionOf(gate)).toBe('abandoned')
  })
})

describe('an abort', () => {
  it('that comes while the approved arguments are parsed leaves the tool alone', async () => {
    const controller = new AbortController()
    const reason = new Error('the user left')
    const execute = vi.fn(async () => 'paid')
    let parsed = 0
    const schema = z.object({ when: z.coerce.date() }).refine(async () => {
      // The second time is after the approval.
      if (++parsed === 2) controller.abort(reason)
      return true
    })
    const gate = approvingGate()
    const pay = gateTool(tool(execute, { name: 'pay', schema }), { gate })
    const paid = pay.invoke(toolCall('pay', { when: '2026-03-16' }), { signal: controller.signal })
    await expect(paid).rejects.toBe(reason)
    expect(execute).not.toHaveBeenCalled()
    expect(await executionOf(gate)).toBe('abandoned')
  })
})

describe('an edit', () => {
  const gate = () => scriptedGate([{ edit: { amount: 3 } }])

  it('is told to the model in front of the result, and its own message stays as it was', async () => {
    const { refund, execute } = refundTool()
    const { messages } = await agentThatCalls([call], {
      tools: [gateTool(refund, { gate: gate(), allowEdits: true })],
    }).invoke(hi)
    expect(execute).toHaveBeenCalledExactlyOnceWith(3, { amount: 3 })
    expect(messages[2]?.content).toMatch(
      /^\[A reviewer changed the arguments; this ran with \{"amount":3\}\]\nrefunded 3$/,
    )
    expect(messages[1]).toMatchObject({ tool_calls: [{ args: { amount: 5 } }] })
  })

  it('is not told to a program, which gets the result as it is', async () => {
    const { refund } = refundTool()
    expect(await gateTool(refund, { gate: gate(), allowEdits: true }).invoke({ amount: 5 })).toBe('refunded 3')
  })
})

/** Of the first intent, as it is now. */
async function statusOf(gate: ScriptedGate) {
  const [intent] = gate.intents
  return intent && (await gate.read(intent.id)).status
}

async function executionOf(gate: ScriptedGate) {
  const [intent] = gate.intents
  return intent && (await gate.read(intent.id)).execution.state
}

function unreachableGate(): Gate {
  const away = () => Promise.reject(new TypeError('fetch failed'))
  return gateWith(approvingGate(), { declare: away, read: away })
}
