import {
  Agent,
  applyPatchTool,
  hostedMcpTool,
  RunState,
  run,
  setTracingDisabled,
  shellTool,
  type Tool,
  tool,
} from '@openai/agents'
import { assistantMessage, functionCall, ScriptedModel } from '@openai/agents/testing'
import { type Gate, type GateEvent, SilentAuthError } from '@silentauth/core'
import { type ScriptedGate, scriptedGate } from '@silentauth/core/testing'
import {
  currentPermit,
  type GateToolOptions,
  gateAgentTool,
  gateEditor,
  gateHostedMcp,
  gateShell,
  gateTool,
  type RunWithGateOptions,
  resolveInterruptions,
  runWithGate,
  type SuspendedRun,
  withGateRun,
} from '@silentauth/openai/agents'
import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { gateWith } from './refund-scene.js'

setTracingDisabled(true)

/** What the inner agent does, and how often it was done. */
interface Acting {
  readonly action: string
  readonly call: object
  readonly params: object
  /** In JSON text, to be forged. */
  readonly from: string
  readonly to: string
  make(gate: Gate): Tool
  times(inner: ScriptedModel): number
}

const ran = vi.fn((_permitted: unknown): void => undefined)
const permitted = (action: string) => currentPermit({ action })?.params
const output = [{ stdout: 'removed', stderr: '', outcome: { type: 'exit' as const, exitCode: 0 } }]
const edited = async () => {
  ran(permitted('delete_file'))
  return { status: 'completed' as const, output: 'removed' }
}
const removes = async () => {
  ran(permitted('shell'))
  return { output }
}
const operation = { type: 'delete_file' as const, path: 'backups' }

const shell: Acting = {
  action: 'shell',
  call: { type: 'shell_call', callId: 'i1', status: 'completed', action: { commands: ['rm -r backups'] } },
  params: { commands: ['rm -r backups'] },
  from: 'rm -r backups',
  to: 'rm -r /',
  make: (gate) => gateShell(shellTool({ shell: { run: removes } }), { gate, wait: 'suspend' }),
  times: () => ran.mock.calls.length,
}
const editor: Acting = {
  action: 'delete_file',
  call: { type: 'apply_patch_call', callId: 'i1', status: 'completed', operation },
  params: operation,
  from: 'backups',
  to: 'home',
  make: (gate) =>
    gateEditor(applyPatchTool({ editor: { createFile: edited, updateFile: edited, deleteFile: edited } }), {
      gate,
      wait: 'suspend',
    }),
  times: () => ran.mock.calls.length,
}
const hosted: Acting = {
  action: 'stripe_charge',
  call: {
    type: 'hosted_tool_call',
    name: 'mcp_approval_request',
    status: 'completed',
    providerData: {
      type: 'mcp_approval_request',
      id: 'i1',
      server_label: 'stripe',
      name: 'charge',
      arguments: '{"amount":50}',
    },
  },
  params: { amount: 50 },
  from: ':50}',
  to: ':5000}',
  make: (gate) =>
    gateHostedMcp(hostedMcpTool({ serverLabel: 'stripe', serverUrl: 'https://mcp.example' }), {
      gate,
      wait: 'suspend',
    }),
  times: (inner) =>
    ((inner.calls.at(-1)?.request.input ?? []) as { providerData?: { approve?: boolean } }[]).filter(
      ({ providerData }) => providerData?.approve === true,
    ).length,
}

/** How the agent in the tool is gated itself. */
const OUTERS = {
  'an ungated agent in a tool': (tool: Tool) => tool,
  'an agent in a gated tool': (tool: Tool, gate: Gate) =>
    gateAgentTool(tool as never, { gate, wait: 'suspend' }) as Tool,
  'an agent in a tool that is held': (tool: Tool, gate: Gate) => gateAgentTool(tool as never, { gate }) as Tool,
} as const

/** Two agents, made anew each time as another process would; the outer one asks the inner one. */
function scene(acting: Acting, gate: Gate, outerOf: (typeof OUTERS)[keyof typeof OUTERS]) {
  ran.mockClear()
  const end = (words: string) => [assistantMessage(words)]
  const outer = new ScriptedModel([
    [functionCall('ask_inner', { input: 'clean up' }, { callId: 'o1' })],
    ...Array.from({ length: 4 }, () => end('done')),
  ])
  const inner = new ScriptedModel([[acting.call] as never, ...Array.from({ length: 4 }, () => end('inner done'))])
  const agent = () => {
    const within = new Agent({ name: 'inner', model: inner, tools: [acting.make(gate)] })
    const asTool = within.asTool({ toolName: 'ask_inner', toolDescription: 'd' }) as Tool
    return new Agent({ name: 'outer', model: outer, tools: [outerOf(asTool, gate)] })
  }
  const envelopeKeys = [crypto.getRandomValues(new Uint8Array(32))]
  const go = (input: string | SuspendedRun, more: Partial<RunWithGateOptions> = {}) =>
    runWithGate(agent(), input, { gate, envelopeKeys, ...more })
  /** Until the inner call waits. */
  const suspended = async (): Promise<SuspendedRun> => {
    let outcome = await go('hi')
    for (let step = 0; step < 3; step++) {
      if (outcome.status !== 'suspended') break
      const kept = JSON.parse(JSON.stringify(outcome.suspended)) as SuspendedRun
      if (kept.pending.some(({ action }) => action === acting.action)) return kept
      await (gate as ScriptedGate).decide('approve')
      outcome = await go(kept)
    }
    throw new TypeError('the inner call did not wait')
  }
  const times = () => acting.times(inner)
  /** What the inner model read of its call. */
  const told = () => JSON.stringify(inner.lastCall?.request.input)
  return { agent, go, suspended, times, inner, outer, told }
}

const gateFor = (outerOf: unknown) =>
  scriptedGate(outerOf === OUTERS['an agent in a tool that is held'] ? ['approve', 'wait'] : ['wait', 'wait'])
const intentOf = (gate: ScriptedGate, action: string) => gate.intents.find((intent) => intent.action === action)
const cells = Object.entries(OUTERS).flatMap(([outer, outerOf]) =>
  [shell, editor, hosted].map((acting) => [acting.action, outer, acting, outerOf] as const),
)

describe.each(cells)('%s of %s', (_, __, acting, outerOf) => {
  it('waits in the envelope, runs once when it is approved, and never again', async () => {
    const gate = gateFor(outerOf)
    const { suspended, go, times } = scene(acting, gate, outerOf)
    const kept = await suspended()
    const asked = gate.intents.length
    expect(intentOf(gate, acting.action)).toMatchObject({ params: acting.params })
    expect(await go(kept)).toMatchObject({ status: 'suspended', foreign: [] })
    expect([times(), gate.intents.length]).toEqual([0, asked])

    await gate.decide('approve')
    expect(await go(kept)).toMatchObject({ status: 'completed', result: { finalOutput: 'done' } })
    expect(times()).toBe(1)
    if (acting !== hosted) expect(ran).toHaveBeenCalledExactlyOnceWith(acting.params)
    const before = ran.mock.calls.length
    await go(kept).catch(() => undefined)
    expect([ran.mock.calls.length, gate.intents.length]).toEqual([before, asked])
    if (acting === hosted) expect(times()).toBeLessThanOrEqual(1)
  })

  it('is not done when it is denied, and the inner model reads why', async () => {
    const gate = gateFor(outerOf)
    const { suspended, go, times, told } = scene(acting, gate, outerOf)
    const kept = await suspended()
    await gate.decide({ deny: 'keep them' })
    expect(await go(kept)).toMatchObject({ status: 'completed', result: { finalOutput: 'done' } })
    expect([times(), ran.mock.calls.length]).toEqual([0, 0])
    expect(told()).toContain('keep them')
  })

  it('is done in one of two processes that go on at the same moment', async () => {
    const gate = gateFor(outerOf)
    const { suspended, go, inner } = scene(acting, gate, outerOf)
    const kept = await suspended()
    await gate.decide('approve')
    await Promise.allSettled([go(kept), go(kept)])
    const approvals = inner.calls.filter(({ request }) => JSON.stringify(request.input).includes('"approve":true'))
    expect(acting === hosted ? approvals.length : ran.mock.calls.length).toBeLessThanOrEqual(1)
    if (acting !== hosted) expect(ran).toHaveBeenCalledOnce()
  })

  it('is not done from an envelope that was changed', async () => {
    const gate = gateFor(outerOf)
    const { suspended, go, times } = scene(acting, gate, outerOf)
    const kept = await suspended()
    await gate.decide('approve')
    const changed = { ...kept, body: kept.body.replaceAll(acting.from, acting.to) }
    await expect(go(changed)).rejects.toMatchObject({ code: 'FORBIDDEN' })
    expect([times(), ran.mock.calls.length]).toEqual([0, 0])
  })

  it('is not done by approve() of the SDK, as it was approved or changed since', async () => {
    const gate = gateFor(outerOf)
    const { suspended, agent, times } = scene(acting, gate, outerOf)
    const { body } = await suspended()
    const { runKey, state: kept } = JSON.parse(body) as { runKey: string; state: string }
    const asked = gate.intents.length
    for (const forged of [kept, kept.replaceAll(acting.from, acting.to)]) {
      const changed = agent()
      const state = await RunState.fromString(changed, forged)
      await resolveInterruptions({ state, interruptions: state.getInterruptions() }, { runKey })
      for (const item of state.getInterruptions()) state.approve(item, { alwaysApprove: true })
      await withGateRun({ runKey, input: state }, (input) => run(changed, input)).catch(() => undefined)
      expect([ran.mock.calls.length, gate.intents.length]).toEqual([0, asked])
    }
    // What OpenAI is told of a hosted server is all that there is to decide: the SDK's own approval is one.
    if (acting !== hosted) expect(times()).toBe(0)
  })
})

describe('an agent in a gated tool, under the driver', () => {
  const parameters = z.object({ amount: z.number() })
  const refunds = (gate: Gate, execute: (amount: number) => unknown) =>
    gateTool(
      tool({ name: 'issue_refund', description: 'd', parameters, execute: async ({ amount }) => execute(amount) }),
      { gate, wait: 'suspend' },
    )

  function staged(gate: Gate, options: Partial<GateToolOptions<never>>, innerTurns?: object[]) {
    const execute = vi.fn((amount: number): unknown => `refunded ${amount}`)
    const ask = [functionCall('ask_inner', { input: 'refund' }, { callId: 'o1' })]
    const outer = new ScriptedModel([ask, ...Array.from({ length: 4 }, () => [assistantMessage('done')])])
    const turns = [
      [functionCall('issue_refund', { amount: 50 }, { callId: 'i1' })],
      ...Array.from({ length: 4 }, () => [assistantMessage('inner done')]),
    ]
    const inner = new ScriptedModel((innerTurns ?? turns) as never)
    const agent = () => {
      const within = new Agent({ name: 'inner', model: inner, tools: [refunds(gate, execute)] })
      const asTool = within.asTool({ toolName: 'ask_inner', toolDescription: 'd' })
      return new Agent({ name: 'outer', model: outer, tools: [gateAgentTool(asTool, { gate, ...options } as never)] })
    }
    const envelopeKeys = [crypto.getRandomValues(new Uint8Array(32))]
    const go = (input: string | SuspendedRun, more: Partial<RunWithGateOptions> = {}) =>
      runWithGate(agent(), input, { gate, envelopeKeys, ...more })
    const results = () => JSON.stringify(outer.lastCall?.request.input)
    return { agent, go, execute, results }
  }
  const stateOf = async (gate: ScriptedGate, action: string) =>
    (await gate.read(intentOf(gate, action)?.id as never)).execution

  it('that is held is suspended as often as it waits, and succeeds once', async () => {
    const gate = scriptedGate(['approve', 'wait'])
    const { go, execute } = staged(gate, {})
    const { suspended } = (await go('hi')) as { suspended: SuspendedRun }
    expect(await stateOf(gate, 'ask_inner')).toMatchObject({ state: 'suspended', continuations: 1 })
    await gate.decide('approve')
    expect(await go(suspended)).toMatchObject({ status: 'completed' })
    expect(execute).toHaveBeenCalledExactlyOnceWith(50)
    expect(await stateOf(gate, 'ask_inner')).toMatchObject({ state: 'succeeded' })
  })

  it('that is held waits on while the gate is away when it is entered again', async () => {
    const gate = scriptedGate(['approve', 'wait'])
    let isAway = false
    const claim: Gate['claim'] = (...given) =>
      isAway ? Promise.reject(new SilentAuthError('GATE_UNAVAILABLE', 'away')) : gate.claim(...given)
    const { go, execute } = staged(gateWith(gate, { claim }), {})
    const { suspended } = (await go('hi')) as { suspended: SuspendedRun }
    await gate.decide('approve')
    isAway = true
    expect(await go(suspended)).toMatchObject({ status: 'suspended' })
    isAway = false
    expect(await go(suspended)).toMatchObject({ status: 'completed' })
    expect(execute).toHaveBeenCalledOnce()
  })

  it('that waits without the driver says what to use, and the inner call does not run', async () => {
    const gate = scriptedGate(['approve', 'approve'])
    const { agent, execute } = staged(gate, {})
    await withGateRun({ runKey: 'r', input: 'hi' }, async (input) => {
      const result = await run(agent(), input)
      for (const item of result.interruptions) result.state.approve(item)
      const failure = run(agent(), result.state as never)
      await expect(failure).rejects.toThrow(/runWithGate/)
    })
    expect(execute).not.toHaveBeenCalled()
  })

  it.each(['hold', 'suspend'] as const)(
    'with recordResult tells the gate what it gave, once it has ended: %s',
    async (wait) => {
      const gate = scriptedGate(['approve', 'wait'])
      const outcomes: unknown[] = []
      const onEvent = (event: GateEvent) => event.type === 'finished' && outcomes.push(event.outcome)
      const { go } = staged(gate, { wait, recordResult: true, onEvent })
      const { suspended } = (await go('hi', { onPending: 'suspend' })) as { suspended: SuspendedRun }
      const kept = await untilInner(gate, go, suspended)
      await gate.decide('approve')
      await go(kept)
      expect(outcomes).toEqual([{ status: 'suspended' }, { status: 'succeeded', result: 'inner done' }])
    },
  )

  it.each(['hold', 'suspend'] as const)('that fails is reported as failed: %s', async (wait) => {
    const gate = scriptedGate(['approve'])
    const { go, results } = staged(gate, { wait }, [])
    await go('hi', { onPending: 'wait' })
    expect(results()).toContain('An error occurred')
    expect(await stateOf(gate, 'ask_inner')).toMatchObject({ state: 'failed' })
  })

  it.each(['hold', 'suspend'] as const)(
    'whose arguments an approver changed says so to the model: %s',
    async (wait) => {
      const gate = scriptedGate([{ edit: { input: 'refund less' } }, 'approve'])
      const { go, results } = staged(gate, { wait, allowEdits: true })
      await go('hi', { onPending: 'wait' })
      expect(results()).toContain('A reviewer changed the arguments')
    },
  )
})

/** An outer call that waits itself is approved first. */
async function untilInner(
  gate: ScriptedGate,
  go: (input: SuspendedRun) => Promise<unknown>,
  suspended: SuspendedRun,
): Promise<SuspendedRun> {
  if (suspended.pending.some(({ action }) => action === 'issue_refund')) return suspended
  await vi.waitUntil(async () => (await gate.read(gate.intents[0]?.id as never)).status === 'approved')
  return ((await go(suspended)) as { suspended: SuspendedRun }).suspended
}
