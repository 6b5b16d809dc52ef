import {
  Agent,
  applyPatchTool,
  type Editor,
  RunState,
  run,
  type Shell,
  setTracingDisabled,
  shellTool,
  type Tool,
} from '@openai/agents'
import { assistantMessage, ScriptedModel } from '@openai/agents/testing'
import { type Gate, SilentAuthError } from '@silentauth/core'
import { scriptedGate } from '@silentauth/core/testing'
import {
  currentPermit,
  gateAgent,
  gateEditor,
  gateShell,
  resolveInterruptions,
  type SuspendableMethodOptions,
  streamWithGate,
  withGateRun,
} from '@silentauth/openai/agents'
import { describe, expect, it, vi } from 'vitest'
import { drivenScene } from './driven-scene.js'
import { gateWith } from './refund-scene.js'

setTracingDisabled(true)

/** One of the two tools: its call, and what its last hop did. */
interface Acting {
  readonly action: string
  readonly params: object
  readonly changed: object
  readonly call: (callId: string) => object
  readonly make: (gate: Gate, options: Partial<SuspendableMethodOptions>, own?: object) => Tool
}

const ran = vi.fn((_given: unknown, _permitted: unknown): void => undefined)
const permitted = () => currentPermit()?.params

const shell: Shell = {
  async run(action) {
    ran(action, permitted())
    return { output: [{ stdout: 'removed', stderr: '', outcome: { type: 'exit', exitCode: 0 } }] }
  },
}
const edited = async (operation: object) => {
  ran(operation, permitted())
  return { status: 'completed' as const, output: 'removed' }
}
const editor: Editor = { createFile: edited, updateFile: edited, deleteFile: edited }

const commands = { commands: ['rm -r backups'] }
const operation = { type: 'delete_file', path: 'backups' }
const shellActs: Acting = {
  action: 'shell',
  params: commands,
  changed: { commands: ['rm -r /'] },
  call: (callId) => ({ type: 'shell_call', callId, status: 'completed', action: { ...commands } }),
  make: (gate, options, own) => gateShell(shellTool({ shell, ...own }), { gate, wait: 'suspend', ...options }),
}
const editorActs: Acting = {
  action: 'delete_file',
  params: operation,
  changed: { ...operation, path: 'home' },
  call: (callId) => ({ type: 'apply_patch_call', callId, status: 'completed', operation: { ...operation } }),
  make: (gate, options, own) => gateEditor(applyPatchTool({ editor, ...own }), { gate, wait: 'suspend', ...options }),
}

interface Staged {
  readonly options?: Partial<SuspendableMethodOptions>
  readonly own?: object
  readonly callIds?: readonly string[]
}

/** A fresh agent each time, as another process would make it. */
function scene(acting: Acting, gate: Gate, { options = {}, own, callIds = ['c1'] }: Staged = {}) {
  ran.mockClear()
  const end = () => [assistantMessage('done')]
  const model = new ScriptedModel([callIds.map(acting.call) as never, end(), end(), end()])
  const agent = () => new Agent({ name: 'a', model, tools: [acting.make(gate, options, own)] })
  /** What the model read of its calls. */
  const results = () =>
    ((model.lastCall?.request.input ?? []) as { type: string; output?: unknown }[])
      .filter(({ type }) => type.endsWith('_call_output'))
      .map(({ output }) => JSON.stringify(output))
  return { agent, model, results, ...drivenScene(agent, gate) }
}

describe.each([
  ['commands of a shell', shellActs],
  ['an operation of an editor', editorActs],
])('%s that are suspended', (_, acting) => {
  it('wait in the envelope, and run once with a permit for exactly these', async () => {
    const gate = scriptedGate(['wait'])
    const { suspended, go, model, results } = scene(acting, gate)
    const kept = await suspended()
    expect(kept.pending).toMatchObject([{ tool: acting.action, callId: 'c1', agent: 'a', action: acting.action }])
    expect(gate.intents).toMatchObject([{ action: acting.action, params: acting.params }])
    for (let time = 0; time < 2; time++) expect(await go(kept)).toMatchObject({ status: 'suspended', foreign: [] })
    expect([gate.intents.length, model.calls.length, ran.mock.calls.length]).toEqual([1, 1, 0])

    await gate.decide('approve')
    expect(await go(kept)).toMatchObject({ status: 'completed', result: { finalOutput: 'done' } })
    expect(ran).toHaveBeenCalledExactlyOnceWith(acting.params, acting.params)
    expect(results()).toMatchObject([expect.stringContaining('removed')])
    expect(JSON.stringify(model.calls.map(({ request }) => request.input))).not.toContain('eyJ')

    await go(kept)
    expect(ran).toHaveBeenCalledOnce()
    expect(results()).toMatchObject([expect.stringContaining('executed before')])
    expect(gate.intents).toHaveLength(1)
    expect(await gate.read(gate.intents[0]?.id as never)).toMatchObject({ execution: { state: 'succeeded' } })
  })

  it('are answered with the denial', async () => {
    const gate = scriptedGate(['wait'])
    const { suspended, go, results } = scene(acting, gate)
    const kept = await suspended()
    await gate.decide({ deny: 'keep them' })
    expect(await go(kept)).toMatchObject({ status: 'completed' })
    expect(ran).not.toHaveBeenCalled()
    expect(results()).toMatchObject([expect.stringContaining('keep them')])
  })

  it('two identical ones are two requests; one approval is for one execution', async () => {
    const gate = scriptedGate(['approve', 'deny'])
    const { go } = scene(acting, gate, { callIds: ['c1', 'c2'] })
    expect(await go('hi', { onPending: 'wait' })).toMatchObject({ status: 'completed' })
    expect([gate.intents.length, ran.mock.calls.length]).toEqual([2, 1])
  })

  it('two identical ones that were both approved run twice, one after the other', async () => {
    const gate = scriptedGate(['approve', 'approve'])
    const { go } = scene(acting, gate, { callIds: ['c1', 'c2'] })
    expect(await go('hi', { onPending: 'wait' })).toMatchObject({ status: 'completed' })
    expect([gate.intents.length, ran.mock.calls.length]).toEqual([2, 2])
  })

  it.each([{}, { alwaysApprove: true }])('do not run by approve(%j) of the SDK', async (options) => {
    const gate = scriptedGate(['wait'])
    const { agent, results } = scene(acting, gate)
    const runKey = crypto.randomUUID()
    const result = await withGateRun({ runKey, input: 'hi' }, (input) => run(agent(), input))
    result.state.approve(result.interruptions[0] as never, options)
    await withGateRun({ runKey, input: result.state }, (input) => run(agent(), input))
    expect([ran.mock.calls.length, gate.intents.length]).toEqual([0, 0])
    expect(results()).toMatchObject([expect.stringMatching(/not (yet )?approved|Not executed/i)])
  })

  it('do not run by approve() of the SDK where people have approved it, but not this', async () => {
    const gate = scriptedGate(['wait'])
    const { suspended, agent } = scene(acting, gate)
    const { body } = await suspended()
    await gate.decide('approve')
    const { runKey, state: kept } = JSON.parse(body) as { runKey: string; state: string }
    const [from, to] = [acting.params, acting.changed].map((given) => JSON.stringify(given).slice(1, -1))
    const changed = kept.replaceAll(from as string, to as string)
    expect(changed).not.toBe(kept)
    const forged = agent()
    const state = await RunState.fromString(forged, changed)
    await resolveInterruptions({ state, interruptions: state.getInterruptions() }, { runKey })
    for (const item of state.getInterruptions()) state.approve(item)
    await withGateRun({ runKey, input: state }, (input) => run(forged, input)).catch(() => undefined)
    expect([ran.mock.calls.length, gate.intents.length]).toEqual([0, 1])
  })

  it('do not run from an envelope that was changed', async () => {
    const gate = scriptedGate(['wait'])
    const { suspended, go } = scene(acting, gate)
    const kept = await suspended()
    await gate.decide('approve')
    const changed = { ...kept, body: kept.body.replaceAll('backups', '/') }
    await expect(go(changed)).rejects.toMatchObject({ code: 'FORBIDDEN' })
    expect([ran.mock.calls.length, gate.intents.length]).toEqual([0, 1])
  })

  it('wait on while the gate is away, also when it goes away before the claim', async () => {
    const gate = scriptedGate(['approve'])
    let isAway = true
    const away = () => Promise.reject(new SilentAuthError('GATE_UNAVAILABLE', 'away'))
    const claim: Gate['claim'] = (...given) => (isAway ? away() : gate.claim(...given))
    const { suspended, go, model } = scene(acting, gateWith(gate, { claim }))
    const kept = await suspended()
    await vi.waitUntil(async () => (await gate.read(gate.intents[0]?.id as never)).status === 'approved')
    expect(await go(kept)).toMatchObject({ status: 'suspended' })
    expect([model.calls.length, ran.mock.calls.length]).toEqual([1, 0])
    isAway = false
    expect(await go(kept)).toMatchObject({ status: 'completed' })
    expect([gate.intents.length, ran.mock.calls.length]).toEqual([1, 1])
  })

  it('run in one of two processes that go on at the same moment', async () => {
    const gate = scriptedGate(['wait'])
    const { suspended, go } = scene(acting, gate)
    const kept = await suspended()
    await gate.decide('approve')
    await Promise.all([go(kept), go(kept)])
    expect(ran).toHaveBeenCalledOnce()
  })

  it('are known not to have run when the run breaks off before it comes to them', async () => {
    const gate = scriptedGate(['wait'])
    const stop = new AbortController()
    const onEvent = ({ type }: { type: string }) => {
      if (type === 'claimed') stop.abort()
    }
    const { suspended, go } = scene(acting, gate, { options: { onEvent } })
    const kept = await suspended()
    await gate.decide('approve')
    await expect(go(kept, { run: { signal: stop.signal } })).rejects.toThrow()
    expect(await gate.read(gate.intents[0]?.id as never)).toMatchObject({ execution: { state: 'abandoned' } })
    expect(await go(kept)).toMatchObject({ status: 'completed' })
    expect([gate.intents.length, ran.mock.calls.length]).toEqual([1, 0])
  })

  it('are known not to have run when nobody reads the stream on that tells of the decision', async () => {
    const gate = scriptedGate(['wait'])
    const { suspended, agent, envelopeKeys } = scene(acting, gate)
    const kept = await suspended()
    await gate.decide('approve')
    for await (const { type } of streamWithGate(agent(), kept, { gate, envelopeKeys }))
      if (type === 'gate_decided') break
    await vi.waitUntil(async () => (await gate.read(gate.intents[0]?.id as never)).execution.state !== 'started')
    expect(await gate.read(gate.intents[0]?.id as never)).toMatchObject({ execution: { state: 'abandoned' } })
    expect(ran).not.toHaveBeenCalled()
  })

  it('are left when the user says something else', async () => {
    const gate = scriptedGate(['wait'])
    const { suspended, go } = scene(acting, gate)
    const kept = await suspended()
    expect(await go(kept, { say: 'never mind' })).toMatchObject({ status: 'completed' })
    expect(await gate.read(gate.intents[0]?.id as never)).toMatchObject({ status: 'cancelled' })
    expect(ran).not.toHaveBeenCalled()
  })

  it('run without the gate where `when` says so', async () => {
    const gate = scriptedGate([])
    const { go } = scene(acting, gate, { options: { when: () => false } })
    await go('hi')
    expect([gate.intents.length, ran.mock.calls.length]).toEqual([0, 1])
  })

  it('are asked for where `when` forgets to answer', async () => {
    const gate = scriptedGate(['wait'])
    const { go } = scene(acting, gate, { options: { when: (() => undefined) as never } })
    await go('hi')
    expect([gate.intents.length, ran.mock.calls.length]).toEqual([1, 0])
  })

  it('report a failure, which the model reads', async () => {
    const gate = scriptedGate(['approve'])
    const { go, results } = scene(acting, gate)
    ran.mockImplementationOnce(() => {
      throw new Error('no such folder')
    })
    await go('hi', { onPending: 'wait' })
    expect(results()).toMatchObject([expect.stringContaining('no such folder')])
    expect(await gate.read(gate.intents[0]?.id as never)).toMatchObject({ execution: { state: 'failed' } })
  })

  it.each([
    ['leave', 'suspended', 0],
    [{ reject: 'not now' }, 'completed', 0],
    ['approve', 'completed', 1],
  ] as const)('ask the policy of the tool, too: %j', async (answer, status, times) => {
    const gate = scriptedGate(['wait'])
    const { suspended, go } = scene(acting, gate, { own: { needsApproval: true } })
    const kept = await suspended()
    await gate.decide('approve')
    const onForeign = () => answer
    expect(await go(kept, { onForeign })).toMatchObject({ status })
    expect(ran).toHaveBeenCalledTimes(times)
    expect(await gate.read(gate.intents[0]?.id as never)).toMatchObject({
      execution: { state: times === 1 ? 'succeeded' : 'none' },
    })
  })

  it('are taken by a gated agent', () => {
    const gate = scriptedGate([])
    const made = acting.make(gate, {})
    expect(gateAgent(new Agent({ name: 'a', tools: [made] }), { gate }).tools).toEqual([made])
    const held = acting.make(gate, { wait: 'hold' })
    expect(gateAgent(new Agent({ name: 'a', tools: [held] }), { gate }).tools).toEqual([held])
  })

  it('do not suspend where something else would decide first', () => {
    const gate = scriptedGate([])
    expect(() => acting.make(gate, {}, { onApproval: async () => ({ approve: true }) })).toThrow(TypeError)
    expect(() => acting.make(gate, { wait: 'forever' as never })).toThrow(TypeError)
  })
})

it('a shell that is gated where it acts is not gated by its tool again, and one at OpenAI not at all', () => {
  const gate = scriptedGate([])
  const held = shellTool({ shell: gateShell(shell, { gate }) })
  expect(() => gateShell(held, { gate, wait: 'suspend' })).toThrow(TypeError)
  const hosted = shellTool({ environment: { type: 'container_auto' } })
  expect(() => gateShell(hosted, { gate, wait: 'suspend' })).toThrow(TypeError)
})

it('the method of a tool that suspends does nothing by itself', async () => {
  ran.mockClear()
  const gated = gateShell(shellTool({ shell }), { gate: scriptedGate([]), wait: 'suspend' })
  expect(JSON.stringify(await gated.shell?.run(commands))).toContain('Not executed')
  expect(ran).not.toHaveBeenCalled()
})
