import { type FunctionTool, setTracingDisabled, tool } from '@openai/agents'
import { RealtimeAgent, RealtimeSession } from '@openai/agents/realtime'
import { ScriptedRealtimeTransport } from '@openai/agents/realtime/testing'
import { scriptedGate } from '@silentauth/core/testing'
import { currentPermit, type GateToolOptions, gateAgent, gateHostedMcp, gateTool } from '@silentauth/openai/agents'
import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'

setTracingDisabled(true)

/** A session whose model speaks by `says`. */
async function aSession(tools: readonly FunctionTool<never, never, never>[]) {
  const transport = new ScriptedRealtimeTransport()
  const session = new RealtimeSession(new RealtimeAgent({ name: 'voice', tools: tools as never }), {
    transport,
    tracingDisabled: true,
  })
  const errors: unknown[] = []
  session.on('error', (error) => errors.push(error))
  await session.connect({ apiKey: 'none' })
  const outputs = () =>
    transport.calls.flatMap((call) =>
      call.method === 'sendFunctionCallOutput' ? [(call as { output?: string }).output] : [],
    )
  return {
    session,
    outputs,
    errors,
    calls(amount: number, callId = 'c1') {
      const responseId = `response of ${callId}`
      transport.emit('turn_started', { type: 'response_started', providerData: { response: { id: responseId } } })
      const made = {
        type: 'function_call' as const,
        callId,
        name: 'issue_refund',
        arguments: JSON.stringify({ amount }),
      }
      transport.emit('function_call', { ...made, responseId } as never)
    },
    answered: (count: number) => vi.waitUntil(() => outputs().length >= count),
    observed: () => JSON.stringify([transport.calls, session.history, session.context]),
    [Symbol.dispose]: () => session.close(),
  }
}

function refundTool(gate: GateToolOptions['gate'], options: Partial<GateToolOptions<never>> = {}) {
  const execute = vi.fn((amount: number, _permitted: unknown) => `refunded ${amount}`)
  const made = tool({
    name: 'issue_refund',
    description: 'd',
    parameters: z.object({ amount: z.number() }),
    execute: ({ amount }) => execute(amount, currentPermit({ action: 'issue_refund' })?.params),
  })
  return { execute, refund: gateTool(made, { gate, ...options } as never) as never }
}

describe('a realtime session', () => {
  it('waits in the call, and an approved one runs with its permit, which nobody hears', async () => {
    const gate = scriptedGate(['wait'])
    const { execute, refund } = refundTool(gate)
    using voice = await aSession([refund])
    voice.calls(250)
    await vi.waitUntil(() => gate.intents.length > 0)
    expect([voice.outputs(), execute.mock.calls]).toEqual([[], []])
    await gate.decide('approve')
    await voice.answered(1)
    expect(voice.outputs()).toEqual(['refunded 250'])
    expect(execute).toHaveBeenCalledExactlyOnceWith(250, { amount: 250 })
    expect(voice.observed()).not.toContain('eyJ')
  })

  it('is told of a denial, and nothing runs', async () => {
    const { execute, refund } = refundTool(scriptedGate([{ deny: 'too much' }]))
    using voice = await aSession([refund])
    voice.calls(250)
    await voice.answered(1)
    expect(voice.outputs()[0]).toMatch(/denied.*too much/)
    expect(execute).not.toHaveBeenCalled()
  })

  it('asks for each call, and two sessions with one id of a call are two actions', async () => {
    const gate = scriptedGate(['approve', 'deny', 'deny'])
    const { execute, refund } = refundTool(gate)
    using one = await aSession([refund])
    one.calls(250, 'c1')
    await one.answered(1)
    one.calls(250, 'c2')
    await one.answered(2)
    using other = await aSession([refund])
    other.calls(250, 'c1')
    await other.answered(1)
    expect([gate.intents.length, execute.mock.calls.length]).toEqual([3, 1])
  })

  it("an approval of the session opens a tool's own pause, and not the gate", async () => {
    const gate = scriptedGate(['deny'])
    const execute = vi.fn()
    const made = tool({
      name: 'issue_refund',
      description: 'd',
      parameters: z.object({ amount: z.number() }),
      execute,
      needsApproval: true,
    })
    using voice = await aSession([gateTool(made, { gate }) as never])
    voice.session.on('tool_approval_requested', (_, __, { approvalItem }) => {
      void voice.session.approve(approvalItem, { alwaysApprove: true })
    })
    voice.calls(250)
    await voice.answered(1)
    expect(voice.outputs()[0]).toMatch(/was denied/)
    expect(execute).not.toHaveBeenCalled()
  })

  it('has no state that could be kept: a tool that suspends does not run in it', async () => {
    const gate = scriptedGate([])
    const { execute, refund } = refundTool(gate, { wait: 'suspend' })
    using voice = await aSession([refund])
    voice.calls(250)
    await vi.waitUntil(() => voice.errors.length > 0)
    expect(JSON.stringify([gate.intents, execute.mock.calls])).toBe('[[],[]]')
  })

  it.each([
    ['approve', true],
    ['deny', false],
  ] as const)('a call on a hosted MCP server is answered by the gate: %s', async (decision, approve) => {
    const gate = scriptedGate([decision])
    const { onApproval } = gateHostedMcp({ gate })
    const transport = new ScriptedRealtimeTransport()
    const session = new RealtimeSession(new RealtimeAgent({ name: 'voice' }), { transport, tracingDisabled: true })
    session.on('tool_approval_requested', async (context, _, { approvalItem }) => {
      const { approve, reason } = await onApproval(context as never, approvalItem)
      await (approve ? session.approve(approvalItem) : session.reject(approvalItem, { message: reason } as never))
    })
    await session.connect({ apiKey: 'none' })
    transport.emit('mcp_approval_request', {
      itemId: 'mcpr_1',
      type: 'mcp_approval_request',
      serverLabel: 'stripe',
      name: 'charge',
      arguments: { amount: 50 },
      approved: null,
    } as never)
    await vi.waitUntil(() => transport.calls.some(({ method }) => method === 'sendMcpResponse'))
    expect(transport.calls.find(({ method }) => method === 'sendMcpResponse')).toMatchObject({ approved: approve })
    expect(gate.intents).toMatchObject([{ action: 'stripe_charge', params: { amount: 50 } }])
    session.close()
  })

  it('takes the tools of a gated agent', async () => {
    const gate = scriptedGate(['deny'])
    const execute = vi.fn()
    const made = tool({ name: 'issue_refund', description: 'd', parameters: z.object({ amount: z.number() }), execute })
    const agent = gateAgent(new RealtimeAgent({ name: 'voice', tools: [made] }) as never, {
      gate,
    }) as unknown as RealtimeAgent
    using voice = await aSession(agent.tools as never)
    voice.calls(250)
    await voice.answered(1)
    expect(execute).not.toHaveBeenCalled()
    expect(gate.intents).toMatchObject([{ action: 'issue_refund', context: { agent: 'voice' } }])
  })
})
