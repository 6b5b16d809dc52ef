import { Agent, hostedMcpTool, RunState, type RunToolApprovalItem, run, setTracingDisabled } from '@openai/agents'
import { assistantMessage, ScriptedModel } from '@openai/agents/testing'
import { type Gate, SilentAuthError } from '@silentauth/core'
import { scriptedGate } from '@silentauth/core/testing'
import {
  gateAgent,
  gateHostedMcp,
  type HostedMcpOptions,
  isGated,
  resolveInterruptions,
  runWithGate,
  streamWithGate,
  withGateRun,
} from '@silentauth/openai/agents'
import { describe, expect, it, vi } from 'vitest'
import { drivenScene } from './driven-scene.js'
import { gateWith } from './refund-scene.js'

setTracingDisabled(true)

const request = (json = '{"amount":50}', id = 'mcpr_1', label = 'stripe') => ({
  type: 'hosted_tool_call',
  name: 'mcp_approval_request',
  status: 'completed',
  providerData: { type: 'mcp_approval_request', id, server_label: label, name: 'charge', arguments: json },
})
const server = (serverLabel = 'stripe') => hostedMcpTool({ serverLabel, serverUrl: 'https://mcp.example' })

/** A fresh agent each time, as another process would make it. */
function scene(gate: Gate, options: Partial<HostedMcpOptions> = {}, requests = [request()]) {
  const end = () => [assistantMessage('done')]
  const model = new ScriptedModel([requests as never, end(), end()])
  const agent = () =>
    new Agent({ name: 'a', model, tools: [gateHostedMcp(server(), { gate, wait: 'suspend', ...options })] })
  /** What OpenAI was told in the last request. */
  const told = () =>
    ((model.lastCall?.request.input ?? []) as { name?: string; providerData?: object }[])
      .filter(({ name }) => name === 'mcp_approval_response')
      .map(({ providerData }) => providerData as { approve: boolean; approval_request_id: string; reason?: string })
  return { agent, model, told, ...drivenScene(agent, gate) }
}

const approvals = (told: readonly { approve: boolean }[]) => told.filter(({ approve }) => approve).length

describe('a call on a hosted MCP server that is suspended', () => {
  it('waits in the envelope, and OpenAI is told to go on once', async () => {
    const gate = scriptedGate(['wait'])
    const { suspended, go, told, model } = scene(gate)
    const kept = await suspended()
    expect(kept.pending).toMatchObject([
      { tool: 'stripe_charge', callId: 'mcpr_1', agent: 'a', action: 'stripe_charge', intentId: gate.intents[0]?.id },
    ])
    expect(gate.intents).toMatchObject([{ params: { amount: 50 }, context: { server: 'stripe' } }])
    for (let time = 0; time < 2; time++) expect(await go(kept)).toMatchObject({ status: 'suspended', foreign: [] })
    expect([gate.intents.length, model.calls.length]).toEqual([1, 1])

    await gate.decide('approve')
    expect(await go(kept)).toMatchObject({ status: 'completed', result: { finalOutput: 'done' } })
    expect(told()).toMatchObject([{ approve: true, approval_request_id: 'mcpr_1' }])
    expect(await go(kept)).toMatchObject({ status: 'completed' })
    expect(told()).toMatchObject([{ approve: false, reason: expect.stringContaining('before') }])
    expect(gate.intents).toHaveLength(1)
  })

  it('is answered with the denial', async () => {
    const gate = scriptedGate(['wait'])
    const { suspended, go, told } = scene(gate)
    const kept = await suspended()
    await gate.decide({ deny: 'too much' })
    await go(kept)
    expect(told()).toMatchObject([{ approve: false, reason: expect.stringContaining('too much') }])
  })

  it('ends the run where a denial is to be thrown', async () => {
    const { go, told } = scene(scriptedGate(['deny']), { onDenied: 'throw' })
    await expect(go('hi', { onPending: 'wait' })).rejects.toMatchObject({ code: 'INTENT_DENIED' })
    expect(told()).toEqual([])
  })

  it('is not for onForeign to decide', async () => {
    const onForeign = vi.fn(() => 'approve' as const)
    const { go, told } = scene(scriptedGate(['wait']))
    expect(await go('hi', { onForeign })).toMatchObject({ status: 'suspended', foreign: [] })
    expect([onForeign.mock.calls.length, told().length]).toEqual([0, 0])
  })

  it('two identical ones are two requests, each decided by itself', async () => {
    const gate = scriptedGate(['approve', 'deny'])
    const { go, told } = scene(gate, {}, [request(), request(undefined, 'mcpr_2')])
    expect(await go('hi', { onPending: 'wait' })).toMatchObject({ status: 'completed' })
    expect(gate.intents).toHaveLength(2)
    const last = Object.fromEntries(told().map(({ approval_request_id: id, approve }) => [id, approve]))
    expect(last).toEqual({ mcpr_1: true, mcpr_2: false })
  })

  it.each([
    ['{"amount":', 'no JSON'],
    ['[1]', ''],
  ])('is refused without being asked for when its arguments are %s', async (json, reason) => {
    const gate = scriptedGate([])
    const { go, told } = scene(gate, {}, [request(json)])
    await go('hi')
    expect(gate.intents).toEqual([])
    expect(told()).toMatchObject([{ approve: false, reason: expect.stringContaining(reason) }])
  })

  it('runs without the gate where `when` says so', async () => {
    const gate = scriptedGate([])
    const { go, told } = scene(gate, { when: () => false })
    await go('hi')
    expect([gate.intents.length, approvals(told())]).toEqual([0, 1])
  })

  it('is asked for where `when` forgets to answer', async () => {
    const gate = scriptedGate(['wait'])
    const { go, told } = scene(gate, { when: (() => undefined) as never })
    await go('hi')
    expect([gate.intents.length, approvals(told())]).toEqual([1, 0])
  })

  it('is left when the user says something else', async () => {
    const gate = scriptedGate(['wait'])
    const { suspended, go, told } = scene(gate)
    const kept = await suspended()
    expect(await go(kept, { say: 'never mind' })).toMatchObject({ status: 'completed' })
    expect(await gate.read(gate.intents[0]?.id as never)).toMatchObject({ status: 'cancelled' })
    expect(approvals(told())).toBe(0)
  })

  it('streams what waits', async () => {
    const gate = scriptedGate(['wait'])
    const { agent, envelopeKeys } = scene(gate)
    const stream = streamWithGate(agent(), 'hi', { gate, envelopeKeys })
    const types: string[] = []
    for await (const { type } of stream) types.push(type)
    expect(types).toContain('gate_pending')
    expect(await stream.outcome).toMatchObject({ status: 'suspended' })
  })
})

describe('a call on a hosted MCP server that is held', () => {
  const away = () => Promise.reject(new SilentAuthError('GATE_UNAVAILABLE', 'away'))

  it.each<[string, Partial<HostedMcpOptions>, Gate, string]>([
    ['onDenied', { onDenied: 'throw' }, scriptedGate(['deny']), 'INTENT_DENIED'],
    ['onGateError', { onGateError: 'throw' }, gateWith(scriptedGate([]), { declare: away }), 'GATE_UNAVAILABLE'],
  ])('ends the run where a refusal is to be thrown, as one that is suspended: %s', async (_, options, gate, code) => {
    const { go, told } = scene(gate, { wait: 'hold', ...options })
    await expect(go('hi')).rejects.toMatchObject({ code })
    expect(told()).toEqual([])
  })
})

it.each(['hold', 'suspend'] as const)(
  'a permit that ended before the provider could be told sends nobody on: %s',
  async (wait) => {
    const gate = scriptedGate(['approve'])
    const onEvent: HostedMcpOptions['onEvent'] = ({ type }) => {
      if (type === 'claimed') gate.clock.advance(400_000)
    }
    const { go, told } = scene(gate, { wait, onEvent })
    expect(await go('hi', { onPending: 'wait' })).toMatchObject({ status: 'completed' })
    expect(told()).toEqual([expect.objectContaining({ approve: false })])
    expect(await gate.read(gate.intents[0]?.id as never)).toMatchObject({ execution: { state: 'abandoned' } })
  },
)

describe('a gate that is away', () => {
  const away = () => Promise.reject(new SilentAuthError('GATE_UNAVAILABLE', 'away'))

  it('while it is asked leaves the call undeclared in the envelope, and it is declared later', async () => {
    const gate = scriptedGate(['approve'])
    let isAway = true
    const declare: Gate['declare'] = (...given) => (isAway ? away() : gate.declare(...given))
    const { suspended, go, told } = scene(gateWith(gate, { declare }))
    const kept = await suspended()
    expect(gate.intents).toEqual([])
    isAway = false
    expect(await go(kept, { onPending: 'wait' })).toMatchObject({ status: 'completed' })
    expect([gate.intents.length, approvals(told())]).toEqual([1, 1])
  })

  it('at the claim leaves it waiting, and OpenAI is told nothing', async () => {
    const gate = scriptedGate(['approve'])
    let isAway = true
    const claim: Gate['claim'] = (...given) => (isAway ? away() : gate.claim(...given))
    const { suspended, go, told, model } = scene(gateWith(gate, { claim }))
    const kept = await suspended()
    await vi.waitUntil(async () => (await gate.read(gate.intents[0]?.id as never)).status === 'approved')
    expect(await go(kept)).toMatchObject({ status: 'suspended' })
    expect(model.calls).toHaveLength(1)
    isAway = false
    await go(kept)
    expect([gate.intents.length, approvals(told())]).toEqual([1, 1])
  })
})

describe('what was written into a run', () => {
  it('opens no envelope', async () => {
    const gate = scriptedGate(['wait'])
    const { suspended, go, told } = scene(gate)
    const kept = await suspended()
    await gate.decide('approve')
    const changed = { ...kept, body: kept.body.replaceAll(':50}', ':5000}') }
    expect(changed.body).not.toBe(kept.body)
    await expect(go(changed)).rejects.toMatchObject({ code: 'FORBIDDEN' })
    expect([gate.intents.length, told().length]).toEqual([1, 0])
  })

  it.each([
    ['other arguments', (state: string) => state.replaceAll(':50}', ':5000}')],
    ['another id', (state: string) => state.replaceAll('mcpr_1', 'mcpr_9')],
  ])('is neither declared nor approved in a state without an envelope: %s', async (_, change) => {
    const gate = scriptedGate(['wait'])
    const { suspended, agent, told } = scene(gate)
    const { body } = await suspended()
    const { runKey, state: kept } = JSON.parse(body) as { runKey: string; state: string }
    await gate.decide('approve')
    const changed = change(kept)
    expect(changed).not.toBe(kept)
    const changedAgent = agent()
    const state = await RunState.fromString(changedAgent, changed)
    const interruptions = state.getInterruptions()
    expect(await resolveInterruptions({ state, interruptions }, { runKey })).toMatchObject({ resolved: 1, foreign: [] })
    expect(gate.intents).toHaveLength(1)
    expect(await gate.read(gate.intents[0]?.id as never)).toMatchObject({
      status: 'approved',
      execution: { state: 'none' },
    })
    // And when it runs, OpenAI is told no.
    await withGateRun({ runKey, input: state }, (input) => run(changedAgent, input))
    expect(told()).toMatchObject([{ approve: false }])
  })

  it('is refused where nobody declared it: a loop of its own has no part that would', async () => {
    const gate = scriptedGate([])
    const { agent, told } = scene(gate)
    const runKey = crypto.randomUUID()
    const result = await withGateRun({ runKey, input: 'hi' }, (input) => run(agent(), input))
    await resolveInterruptions(result, { runKey })
    await withGateRun({ runKey, input: result.state }, (input) => run(agent(), input))
    expect(gate.intents).toEqual([])
    expect(told()).toMatchObject([{ approve: false }])
  })
})

describe('a gated copy of a hosted MCP server', () => {
  it('requires approval for every tool, whatever the server was made with', () => {
    const gate = scriptedGate([])
    const made = hostedMcpTool({ serverLabel: 'stripe', serverUrl: 'https://mcp.example', requireApproval: 'never' })
    const gated = gateHostedMcp(made, { gate, wait: 'suspend' })
    expect(gated.providerData).toMatchObject({ require_approval: 'always', on_approval: undefined })
    expect([isGated(gated), isGated(made), gateHostedMcp(gated, { gate })]).toEqual([true, false, gated])
    const agent = new Agent({ name: 'a', tools: [gated] })
    expect(gateAgent(agent, { gate }).tools).toEqual([gated])
  })

  it.each(['approve', 'deny'] as const)('holds the process by default: %s', async (decision) => {
    const gate = scriptedGate([decision])
    const gated = gateHostedMcp(server(), { gate })
    const item = { rawItem: request() } as unknown as RunToolApprovalItem
    const { on_approval: onApproval } = gated.providerData as { on_approval?: (...given: unknown[]) => unknown }
    expect(await onApproval?.({}, item)).toMatchObject({ approve: decision === 'approve' })
  })

  it('is not made of anything else', () => {
    const gate = scriptedGate([])
    expect(() => gateHostedMcp({ type: 'hosted_tool', name: 'web_search' } as never, { gate })).toThrow(TypeError)
    expect(() => gateHostedMcp({ gate, wait: 'suspend' } as never)).toThrow(TypeError)
    expect(() => gateHostedMcp(server(), { gate, wait: 'forever' as never })).toThrow(TypeError)
  })

  it('is known by the label that the SDK knows it by: of two the last', async () => {
    const gate = scriptedGate([])
    const { model, envelopeKeys } = scene(gate)
    const ungated = hostedMcpTool({
      serverLabel: 'stripe',
      serverUrl: 'https://mcp.example',
      requireApproval: 'always',
    } as never)
    const agent = new Agent({ name: 'a', model, tools: [gateHostedMcp(server(), { gate, wait: 'suspend' }), ungated] })
    const outcome = await runWithGate(agent, 'hi', { gate, envelopeKeys })
    expect(outcome).toMatchObject({ status: 'suspended', foreign: [{}] })
    expect(gate.intents).toEqual([])
  })
})
