import {
  Agent,
  applyPatchTool,
  type Computer,
  computerTool,
  type Editor,
  hostedMcpTool,
  type MCPServer,
  run,
  setTracingDisabled,
  shellTool,
  type Tool,
  tool,
  webSearchTool,
} from '@openai/agents'
import { SandboxAgent } from '@openai/agents/sandbox'
import { assistantMessage, functionCall, ScriptedModel } from '@openai/agents/testing'
import { scriptedGate } from '@silentauth/core/testing'
import {
  gateAgent,
  gateComputer,
  gateEditor,
  gateHandoff,
  gateHostedMcp,
  gateShell,
  gateTool,
  runWithGate,
  type SuspendedRun,
} from '@silentauth/openai/agents'
import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'

setTracingDisabled(true)

function mcpServer(callTool: MCPServer['callTool']): MCPServer {
  const inputSchema = { type: 'object' as const, properties: { id: { type: 'string' } }, required: ['id'] }
  return {
    cacheToolsList: false,
    name: 'crm',
    connect: async () => {},
    close: async () => {},
    listTools: async () =>
      [
        { name: 'delete_customer', description: 'd', inputSchema: { ...inputSchema, additionalProperties: false } },
      ] as never,
    callTool,
    invalidateToolsCache: async () => {},
  } as unknown as MCPServer
}

describe('P26: tools of a local MCP server', () => {
  const deleted = vi.fn(async () => [{ type: 'text', text: 'deleted' }] as never)
  const turns = () => [
    [functionCall('delete_customer', { id: 'cust_4821' }, { callId: 'c1' })],
    [assistantMessage('done')],
  ]

  it.each([
    ['approve', 1],
    ['deny', 0],
  ] as const)('are asked for while a process waits: %s', async (decision, calls) => {
    deleted.mockClear()
    const gate = scriptedGate([decision])
    const agent = new Agent({ name: 'a', model: new ScriptedModel(turns()), mcpServers: [mcpServer(deleted)] })
    expect((await run(gateAgent(agent, { gate }), 'hi')).finalOutput).toBe('done')
    expect([gate.intents.length, deleted.mock.calls.length]).toEqual([1, calls])
    expect(gate.intents[0]).toMatchObject({ action: 'delete_customer', context: { agent: 'a' } })
  })

  it('suspend, and go on once', async () => {
    deleted.mockClear()
    const gate = scriptedGate(['wait'])
    const model = new ScriptedModel(turns())
    const agent = () =>
      gateAgent(new Agent({ name: 'a', model, mcpServers: [mcpServer(deleted)] }), { gate, wait: 'suspend' })
    const options = { gate, envelopeKeys: ['k'.repeat(32)] }
    const outcome = await runWithGate(agent(), 'hi', options)
    expect(outcome).toMatchObject({ status: 'suspended', suspended: { pending: [{ tool: 'delete_customer' }] } })
    await gate.decide('approve')
    const { suspended } = outcome as { suspended: SuspendedRun }
    expect(await runWithGate(agent(), suspended, options)).toMatchObject({ status: 'completed' })
    expect(deleted).toHaveBeenCalledOnce()
  })
})

it('rules hold for the tools of the agent', async () => {
  const gate = scriptedGate([])
  const execute = vi.fn(() => 'ran')
  const named = (name: string) => tool({ name, description: 'd', parameters: z.object({}), execute })
  const model = new ScriptedModel([
    [functionCall('read_it', {}, { callId: 'a' }), functionCall('drop_it', {}, { callId: 'b' })],
    [assistantMessage('done')],
  ])
  const agent = new Agent({ name: 'a', model, tools: [named('read_it'), named('drop_it')] })
  await run(gateAgent(agent, { gate, rules: { 'read_*': 'pass', 'drop_*': 'deny' } }), 'hi')
  expect([execute.mock.calls.length, gate.intents]).toEqual([1, []])
  expect(JSON.stringify(model.lastCall?.request.input)).toContain('FORBIDDEN')
})

it.each([
  ['approve', 'from billing'],
  ['deny', undefined],
] as const)('a handoff is asked for: %s', async (decision, answer) => {
  const gate = scriptedGate([decision])
  const billing = new Agent({ name: 'billing', model: new ScriptedModel([[assistantMessage('from billing')]]) })
  const model = new ScriptedModel([[functionCall('transfer_to_billing', {}, { callId: 'c1' })]])
  const agent = new Agent({ name: 'a', model, handoffs: [gateHandoff(billing, { gate })] })
  const end = await run(agent, 'hi').then(
    ({ finalOutput }) => finalOutput,
    () => undefined,
  )
  expect(end).toBe(answer)
  expect(gate.intents).toMatchObject([{ action: 'transfer_to_billing' }])
})

it.each([
  ['approve', true],
  ['deny', false],
] as const)('P29: a call on a hosted MCP server is asked for: %s', async (decision, approve) => {
  const gate = scriptedGate([decision])
  const approval = gateHostedMcp({ gate })
  hostedMcpTool({ serverLabel: 'stripe', serverUrl: 'https://mcp.example', ...approval })
  const providerData = { id: 'mcpr_1', server_label: 'stripe', name: 'charge', arguments: '{"amount":50}' }
  const item = { rawItem: { type: 'hosted_tool_call', name: 'charge', providerData } }
  expect(await approval.onApproval({} as never, item as never)).toMatchObject({ approve })
  expect(gate.intents).toMatchObject([{ action: 'stripe_charge', params: { amount: 50 } }])
})

describe('what is no function tool', () => {
  const gate = scriptedGate([])
  const shell = { run: async () => ({ output: [] }) }
  const editor = {} as Editor
  const computer = { screenshot: async () => '' } as unknown as Computer
  const mcp = { serverLabel: 'stripe', serverUrl: 'https://mcp.example' }

  it.each<[string, () => Tool[]]>([
    ['a shell', () => [shellTool({ shell })]],
    ['an editor', () => [applyPatchTool({ editor })]],
    ['a computer', () => [computerTool({ computer })]],
    ['a hosted MCP server', () => [hostedMcpTool(mcp)]],
    ['a search at OpenAI', () => [webSearchTool()]],
  ])('%s is not left ungated in silence, but may be passed', (_, tools) => {
    const agent = () => new Agent({ name: 'a', tools: tools() })
    expect(() => gateAgent(agent(), { gate })).toThrow(TypeError)
    expect(() => gateAgent(agent(), { gate, default: 'deny' })).toThrow(TypeError)
    expect(gateAgent(agent(), { gate, default: 'pass' }).tools).toHaveLength(1)
  })

  it.each<[string, () => Tool]>([
    ['a shell', () => shellTool({ shell: gateShell(shell, { gate }) })],
    ['an editor', () => applyPatchTool({ editor: gateEditor(editor, { gate }) })],
    ['a computer', () => computerTool({ computer: gateComputer(computer, { gate }) })],
    ['a hosted MCP server', () => hostedMcpTool({ ...mcp, ...gateHostedMcp({ gate }) })],
  ])('%s that was gated where it was made stays as it is', (_, made) => {
    const tool = made()
    expect(gateAgent(new Agent({ name: 'a', tools: [tool] }), { gate }).tools).toEqual([tool])
  })

  it('is gated once', () => {
    const once = gateShell(shell, { gate })
    expect(gateShell(once, { gate })).toBe(once)
  })
})

it('a rule that denies is stricter than a gate, and takes its place', async () => {
  const execute = vi.fn(() => 'ran')
  const gate = scriptedGate([])
  const gated = gateTool(tool({ name: 'drop_it', description: 'd', parameters: z.object({}), execute }), { gate })
  const model = new ScriptedModel([[functionCall('drop_it', {}, { callId: 'c1' })], [assistantMessage('done')]])
  await run(gateAgent(new Agent({ name: 'a', model, tools: [gated] }), { gate, rules: { 'drop_*': 'deny' } }), 'hi')
  expect([gate.intents, execute.mock.calls]).toEqual([[], []])
})

describe('a copy of a gated agent', () => {
  const deleted = vi.fn(async () => [{ type: 'text', text: 'deleted' }] as never)
  const turns = () => [
    [functionCall('delete_customer', { id: 'cust_4821' }, { callId: 'c1' })],
    [assistantMessage('done')],
  ]

  it.each<[string, (agent: Agent) => Agent]>([
    ['clone()', (agent) => agent.clone({ instructions: 'be brief' })],
    ['clone() of a clone()', (agent) => agent.clone({}).clone({ name: 'b' })],
    ['gateAgent() again', (agent) => gateAgent(agent, { gate: scriptedGate(['deny']) })],
  ])('gates the tools of its MCP servers, too: %s', async (_, copyOf) => {
    deleted.mockClear()
    const gate = scriptedGate(['deny'])
    const agent = new Agent({ name: 'a', model: new ScriptedModel(turns()), mcpServers: [mcpServer(deleted)] })
    await run(copyOf(gateAgent(agent, { gate })), 'hi')
    expect(deleted).not.toHaveBeenCalled()
  })

  it('gates a tool that it is given', async () => {
    const gate = scriptedGate(['deny'])
    const execute = vi.fn(() => 'ran')
    const late = tool({ name: 'drop_it', description: 'd', parameters: z.object({}), execute })
    const model = new ScriptedModel([[functionCall('drop_it', {}, { callId: 'c1' })], [assistantMessage('done')]])
    const gated = gateAgent(new Agent({ name: 'a', model }), { gate })
    await run(gated.clone({ tools: [...gated.tools, late] }), 'hi')
    expect([execute.mock.calls.length, gate.intents.length]).toEqual([0, 1])
  })
})

it('a sandbox agent has tools that no gate sees, unless it is passed without capabilities', () => {
  const gate = scriptedGate([])
  expect(() => gateAgent(new SandboxAgent({ name: 'a' }), { gate })).toThrow(/capabilities/)
  expect(() => gateAgent(new SandboxAgent({ name: 'a', capabilities: [] }), { gate })).not.toThrow()
})

it('a polluted prototype passes no sandbox', () => {
  const prototype = Object.prototype as unknown as Record<string, unknown>
  prototype.default = 'pass'
  try {
    expect(() => gateAgent(new SandboxAgent({ name: 'a' }), { gate: scriptedGate([]) })).toThrow(/capabilities/)
  } finally {
    delete prototype.default
  }
})
