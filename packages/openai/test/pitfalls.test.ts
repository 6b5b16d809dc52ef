import {
  Agent,
  getAllMcpTools,
  handoff,
  MemorySession,
  OpenAIResponsesModel,
  Runner,
  run,
  setTraceProcessors,
  setTracingDisabled,
  tool,
} from '@openai/agents'
import { assistantMessage, functionCall, ScriptedModel } from '@openai/agents/testing'
import { approvingGate, denyingGate, scriptedGate } from '@silentauth/core/testing'
import { gateAgentTool, gateTool, gateTools, runWithGate, type SuspendedRun } from '@silentauth/openai/agents'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { aKey, call, refundScene } from './refund-scene.ts'
import { watch } from './scripted-agent.ts'
import { scriptedResponses } from './scripted-responses.ts'

beforeEach(() => setTracingDisabled(true))
afterEach(() => setTracingDisabled(true))

const MINUTE_MS = 60_000
const parameters = z.object({ amount: z.number() })
const refundOf = (execute: (amount: number) => unknown) =>
  tool({ name: 'issue_refund', description: 'd', parameters, execute: ({ amount }) => execute(amount) })

describe('P9: a resume long after the approval', () => {
  it('has a permit of its own, which has not run out', async () => {
    const gate = scriptedGate(['wait'])
    const { suspended, go, execute } = refundScene(gate, { options: { wait: 'suspend' } })
    const kept = await suspended()
    await gate.decide('approve')
    // Permits last five minutes.
    gate.clock.advance(30 * MINUTE_MS)
    expect(await go(kept)).toMatchObject({ status: 'completed' })
    expect(execute).toHaveBeenCalledExactlyOnceWith(250, { amount: 250 })
  })

  it('after the window of the approval executes nothing, and the model is told', async () => {
    const gate = scriptedGate(['wait'])
    const { suspended, go, execute, results } = refundScene(gate, { options: { wait: 'suspend' } })
    const kept = await suspended()
    await gate.decide('approve')
    gate.clock.advance(61 * MINUTE_MS)
    expect(await go(kept)).toMatchObject({ status: 'completed' })
    expect(results()[0]).toMatch(/^Not executed/)
    expect(execute).not.toHaveBeenCalled()
  })

  it('of a request that nobody decided on tells the model so', async () => {
    const gate = scriptedGate(['wait'])
    const { suspended, go, execute, results } = refundScene(gate, { options: { wait: 'suspend' } })
    const kept = await suspended()
    await gate.decide('expire')
    expect(await go(kept)).toMatchObject({ status: 'completed' })
    expect(results()[0]).toMatch(/nobody decided/)
    expect(execute).not.toHaveBeenCalled()
  })
})

it('P24: nothing is handed off before the gated call of the same response is decided', async () => {
  const gate = scriptedGate(['wait'])
  const handedOff = vi.fn()
  const billing = new Agent({ name: 'billing', model: new ScriptedModel([[assistantMessage('from billing')]]) })
  const calls = [call(), functionCall('transfer_to_billing', {}, { callId: 'c2' })]
  const agent = { handoffs: [handoff(billing, { onHandoff: handedOff })] }
  const { suspended, go, execute } = refundScene(gate, { options: { wait: 'suspend' }, calls, agent } as never)
  const kept = await suspended()
  expect(handedOff).not.toHaveBeenCalled()
  await gate.decide('approve')
  expect(await go(kept)).toMatchObject({ status: 'completed', result: { finalOutput: 'from billing' } })
  expect([execute.mock.calls.length, handedOff.mock.calls.length]).toEqual([1, 1])
})

describe('P25: agents within agents over restores', () => {
  const asked = (name: string, callId: string) => [functionCall(name, { input: 'refund' }, { callId })]
  /** Three layers; each is asked for. */
  function layers(gate: ReturnType<typeof scriptedGate>, names: readonly [string, string, string]) {
    const execute = vi.fn((amount: number) => `refunded ${amount}`)
    const models = [
      new ScriptedModel([asked('ask_middle', 'o1'), [assistantMessage('outer done')]]),
      new ScriptedModel([asked('ask_inner', 'm1'), [assistantMessage('middle done')]]),
      new ScriptedModel([[call(250, 'i1')], [assistantMessage('inner done')]]),
    ] as const
    const options = { gate, wait: 'suspend' } as const
    const agent = () => {
      const [outer, middle, inner] = names
      const last = new Agent({ name: inner, model: models[2], tools: [gateTool(refundOf(execute), options)] })
      const second = new Agent({
        name: middle,
        model: models[1],
        tools: [gateAgentTool(last.asTool({ toolName: 'ask_inner', toolDescription: 'd' }), options)],
      })
      const asTool = second.asTool({ toolName: 'ask_middle', toolDescription: 'd' })
      return new Agent({ name: outer, model: models[0], tools: [gateAgentTool(asTool, options)] })
    }
    return { agent, execute }
  }

  it.each([
    ['names of their own', ['outer', 'middle', 'inner']],
    ['equal names', ['agent', 'agent', 'agent']],
  ] as const)('each layer has an approval of its own, which is for one execution: %s', async (_, names) => {
    const gate = scriptedGate(['wait', 'wait', 'wait'])
    const { agent, execute } = layers(gate, names)
    const options = { gate, envelopeKeys: [aKey()] }
    const trail: unknown[] = []
    let outcome = await runWithGate(agent(), 'hi', options)
    for (let round = 0; round < 5 && outcome.status === 'suspended'; round++) {
      trail.push(...outcome.suspended.pending.map(({ tool }) => tool))
      await gate.decide('approve')
      outcome = await runWithGate(agent(), JSON.parse(JSON.stringify(outcome.suspended)) as SuspendedRun, options)
    }
    expect(trail).toEqual(['ask_middle', 'ask_inner', 'issue_refund'])
    expect(outcome).toMatchObject({ status: 'completed', result: { finalOutput: 'outer done' } })
    expect(execute).toHaveBeenCalledExactlyOnceWith(250)
    const ends = await Promise.all(gate.intents.map(({ id }) => gate.read(id)))
    expect(ends.map(({ execution }) => execution.state)).toEqual(['succeeded', 'succeeded', 'succeeded'])
  })

  it('P13: in a list, an agent as a tool is gated in place', () => {
    const asTool = new Agent({ name: 'inner' }).asTool({ toolName: 'ask', toolDescription: 'd' })
    expect(gateTools([asTool], { gate: approvingGate() })[0]).toBe(asTool)
  })
})

describe('P27: a tool that is gone at the resume', () => {
  it.each([
    ['is not in the list of the agent', () => []],
    ['is another one, which is not gated', () => [refundOf(() => 'paid without a permit')]],
  ])('%s: nothing runs without somebody saying so', async (_, tools) => {
    const gate = scriptedGate(['wait'])
    const { suspended, model, execute } = refundScene(gate, { options: { wait: 'suspend' } })
    const options = { gate, envelopeKeys: [aKey()] }
    const kept = await suspended(options)
    await gate.decide('approve')
    const changed = new Agent({ name: 'refunds', model, tools: tools() })
    const outcome = await runWithGate(changed, kept, options).catch((error: Error) => error)
    expect(outcome).not.toMatchObject({ status: 'completed' })
    expect(execute).not.toHaveBeenCalled()
    expect(JSON.stringify(model.lastCall?.request.input ?? [])).not.toContain('paid without a permit')
  })

  it('is disabled: nothing runs', async () => {
    const gate = scriptedGate(['wait'])
    const isEnabled = vi.fn(async () => true)
    const { suspended, go, execute } = refundScene(gate, {
      options: { wait: 'suspend' },
      fields: { isEnabled } as never,
    })
    const kept = await suspended()
    await gate.decide('approve')
    isEnabled.mockResolvedValue(false)
    await go(kept).catch(() => undefined)
    expect(execute).not.toHaveBeenCalled()
  })
})

it.each([
  ['hold', true],
  ['hold', false],
  ['suspend', true],
  ['suspend', false],
] as const)('P31: no permit is in a trace, a request or a state (%s, sensitive data: %s)', async (wait, sensitive) => {
  setTracingDisabled(false)
  const seen = watch()
  setTraceProcessors([seen.processor])
  const { play, model, agent, execute } = refundScene(approvingGate(), { options: { wait } })
  const session = new MemorySession()
  const runner = new Runner({ traceIncludeSensitiveData: sensitive })
  if (wait === 'hold') seen.seen.push((await runner.run(agent(), 'hi', { session })).state.toString())
  else await play({ runner, run: { session } })
  const observed = JSON.stringify([seen.seen, model.calls, await session.getItems()])
  expect(execute).toHaveBeenCalledOnce()
  expect(observed).toContain('issue_refund')
  expect(observed).not.toMatch(/eyJ[\w-]+\.eyJ/)
})

it('P31: what is thrown names no argument, in a trace without sensitive data', async () => {
  setTracingDisabled(false)
  const seen = watch()
  setTraceProcessors([seen.processor])
  const { agent } = refundScene(denyingGate('no'), { options: { onDenied: 'throw' }, calls: [call(987_654)] })
  await new Runner({ traceIncludeSensitiveData: false }).run(agent(), 'hi').catch(() => undefined)
  const observed = JSON.stringify(seen.seen)
  expect(observed).toContain('issue_refund')
  expect(observed).not.toContain('987654')
})

it('P32: each call and each output is in the session once, over resumes', async () => {
  const gate = scriptedGate(['wait', 'wait'])
  const { suspended, go } = refundScene(gate, { options: { wait: 'suspend' }, calls: [call(1, 'a'), call(2, 'b')] })
  const session = new MemorySession()
  const kept = await suspended({ run: { session } })
  await gate.decide('approve')
  const second = (await go(kept, { run: { session } })) as { suspended: SuspendedRun }
  await gate.decide('deny')
  expect(await go(second.suspended, { run: { session } })).toMatchObject({ status: 'completed' })
  const items = (await session.getItems()) as { type?: string; callId?: string }[]
  const ids = (type: string) => items.flatMap((item) => (item.type === type ? [item.callId] : [])).sort()
  expect([ids('function_call'), ids('function_call_result')]).toEqual([
    ['a', 'b'],
    ['a', 'b'],
  ])
})

describe('P33: a run that goes on at the provider', () => {
  const turns = () => [{ calls: [{ id: 'c1', name: 'issue_refund', args: { amount: 250 } }] }, { text: 'done' }]
  /** The real model before a scripted server. */
  async function played(chain: { previousResponseId?: string; conversationId?: string }) {
    const openai = await scriptedResponses(turns())
    const gate = scriptedGate(['wait'])
    const execute = vi.fn((amount: number) => `refunded ${amount}`)
    const agent = () =>
      new Agent({
        name: 'a',
        model: new OpenAIResponsesModel(openai.client as never, 'scripted-model'),
        tools: [gateTool(refundOf(execute), { gate, wait: 'suspend' })],
      })
    const options = { gate, envelopeKeys: [aKey()], run: chain }
    const first = (await runWithGate(agent(), 'hi', options)) as { suspended: SuspendedRun }
    await gate.decide('approve')
    const outcome = await runWithGate(agent(), JSON.parse(JSON.stringify(first.suspended)) as SuspendedRun, options)
    return { openai, execute, outcome }
  }

  it.each([
    ['previousResponseId', { previousResponseId: 'resp_before' }],
    ['conversationId', { conversationId: 'conv_1' }],
  ])('%s: the resumed run sends the output of the call, once, and not the call again', async (_, chain) => {
    const { openai, execute, outcome } = await played(chain)
    await using _server = openai
    expect(outcome).toMatchObject({ status: 'completed', result: { finalOutput: 'done' } })
    expect(execute).toHaveBeenCalledOnce()
    const sent = openai.requests.at(-1)?.input as { type?: string; call_id?: string }[]
    expect(sent.filter(({ type }) => type === 'function_call_output')).toMatchObject([{ call_id: 'c1' }])
    expect(sent.filter(({ type }) => type === 'function_call')).toEqual([])
  })
})

it('P26: tools of a local MCP server can be listed and gated by themselves', async () => {
  const callTool = vi.fn(async () => [{ type: 'text', text: 'deleted' }])
  const server = {
    cacheToolsList: false,
    name: 'crm',
    connect: async () => {},
    close: async () => {},
    invalidateToolsCache: async () => {},
    listTools: async () => [
      {
        name: 'delete_customer',
        description: 'd',
        inputSchema: { type: 'object', properties: {}, additionalProperties: false },
      },
    ],
    callTool,
  }
  const gate = denyingGate('keep them')
  const tools = gateTools(await getAllMcpTools({ mcpServers: [server as never] }), { gate })
  const model = new ScriptedModel([[functionCall('delete_customer', {}, { callId: 'c1' })], [assistantMessage('done')]])
  await run(new Agent({ name: 'a', model, tools: tools as never }), 'hi')
  expect(gate.intents).toMatchObject([{ action: 'delete_customer' }])
  expect(callTool).not.toHaveBeenCalled()
})
