import { Agent, RunContext, RunState, run, setTracingDisabled, tool } from '@openai/agents'
import { assistantMessage, functionCall, ScriptedModel } from '@openai/agents/testing'
import { approvingGate, type ScriptedGate, scriptedGate } from '@silentauth/core/testing'
import {
  currentPermit,
  type GateToolOptions,
  gateAgentTool,
  gateTool,
  type RunWithGateOptions,
  resolveInterruptions,
  runWithGate,
  type SuspendedRun,
  streamWithGate,
  withGateRun,
} from '@silentauth/openai/agents'
import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'

setTracingDisabled(true)

const aKey = () => crypto.getRandomValues(new Uint8Array(32))
const call = (amount = 250, callId = 'c1') => functionCall('issue_refund', { amount }, { callId })

/** A fresh agent each time, as another process would make it. */
function scene(
  gate: ScriptedGate,
  options: Partial<GateToolOptions<never>> = {},
  calls = [call()],
  later: (typeof calls)[] = [],
) {
  const model = new ScriptedModel([calls, ...later, [assistantMessage('done')], [assistantMessage('done again')]])
  const execute = vi.fn((amount: number, _permitted: unknown) => `refunded ${amount}`)
  const agent = () => {
    const refund = tool({
      name: 'issue_refund',
      description: 'pays money back',
      parameters: z.object({ amount: z.number() }),
      execute: ({ amount }) => execute(amount, currentPermit({ action: 'issue_refund' })?.params),
    })
    return new Agent({
      name: 'refunds',
      model,
      tools: [gateTool(refund, { gate, wait: 'suspend', ...options } as never)],
    })
  }
  const keys = [aKey()]
  const go = async (input: string | SuspendedRun, more: Partial<RunWithGateOptions> = {}) => {
    const outcome = await runWithGate(agent(), input, { gate, envelopeKeys: keys, ...more })
    return outcome.status === 'suspended' ? { ...outcome, kept: JSON.stringify(outcome.suspended) } : outcome
  }
  const suspended = async (more: Partial<RunWithGateOptions> = {}): Promise<SuspendedRun> => {
    const outcome = await go('hi', more)
    if (outcome.status !== 'suspended') throw new TypeError('it did not wait')
    return JSON.parse(outcome.kept)
  }
  const results = () =>
    ((model.lastCall?.request.input ?? []) as { type: string; output?: { text: string } }[])
      .filter(({ type }) => type === 'function_call_result')
      .map(({ output }) => output?.text)
  return { agent, model, execute, go, suspended, results }
}

describe('a suspended run', () => {
  it('says what it waits for and how to go on, without arguments; and goes on once', async () => {
    const gate = scriptedGate(['wait'])
    const { suspended, go, execute, results } = scene(gate)
    const kept = await suspended()
    expect(kept.pending).toMatchObject([
      { tool: 'issue_refund', callId: 'c1', agent: 'refunds', action: 'issue_refund', intentId: gate.intents[0]?.id },
    ])
    expect(kept.pending[0]?.approvalUrl).toContain('/inbox/int_')
    expect(kept.resume).toContain('runWithGate')
    await gate.decide('approve')
    expect(await go(kept)).toMatchObject({ status: 'completed', result: { finalOutput: 'done' } })
    expect(execute).toHaveBeenCalledExactlyOnceWith(250, { amount: 250 })
    expect(results()).toEqual(['refunded 250'])
  })

  it('P6: resumed once more, tells the model that it was executed', async () => {
    const gate = scriptedGate(['wait'])
    const { suspended, go, execute, results } = scene(gate)
    const kept = await suspended()
    await gate.decide('approve')
    await go(kept)
    await go(kept)
    expect(execute).toHaveBeenCalledOnce()
    expect(results()[0]).toContain('executed before')
  })

  it('P7: resumed before the decision any number of times, asks nobody and no model', async () => {
    const gate = scriptedGate(['wait'])
    const { suspended, go, model } = scene(gate)
    const kept = await suspended()
    for (let time = 0; time < 3; time++) expect(await go(kept)).toMatchObject({ status: 'suspended' })
    expect([gate.intents.length, model.calls.length]).toEqual([1, 1])
  })

  it('P8: four parallel calls are decided one after the other', async () => {
    const gate = scriptedGate(['approve', 'wait', 'deny', 'wait'])
    const { suspended, go, execute, model } = scene(
      gate,
      {},
      [5, 50, 999, 60].map((amount, n) => call(amount, `c${n}`)),
    )
    const first = await suspended()
    await gate.decide('approve')
    const second = await go(first)
    expect(second.status).toBe('suspended')
    await gate.decide('deny')
    const third = await go(JSON.parse((second as { kept: string }).kept))
    expect(third.status).toBe('completed')
    expect([execute.mock.calls.map(([amount]) => amount).sort(), gate.intents.length]).toEqual([[5, 50], 4])
    expect(model.calls).toHaveLength(2)
  })

  it('P15: a call that is no JSON is answered by the tool, and asks nobody', async () => {
    const gate = scriptedGate([])
    const { go, execute, results } = scene(gate, {}, [functionCall('issue_refund', '{"amount":', { callId: 'c1' })])
    expect(await go('hi')).toMatchObject({ status: 'completed' })
    expect([gate.intents.length, execute.mock.calls.length]).toEqual([0, 0])
    expect(results()[0]).toMatch(/error/i)
  })
})

describe('an envelope that was changed is not resumed', () => {
  const record = (kept: SuspendedRun, change: (body: string) => string) => ({ ...kept, body: change(kept.body) })
  it.each<[string, (kept: SuspendedRun) => SuspendedRun]>([
    ['P3: other arguments', (kept) => record(kept, (body) => body.replaceAll('250', '9999'))],
    ['another run key', (kept) => record(kept, (body) => body.replace(/"runKey":"[^"]+"/, '"runKey":"x"'))],
    [
      'a call that was not declared',
      (kept) => record(kept, (body) => body.replace('"declared":true', '"declared":false')),
    ],
    ['other calls to show', (kept) => ({ ...kept, pending: [] })],
    ['no mac', ({ mac: _, ...kept }) => kept as SuspendedRun],
    ['an empty mac', (kept) => ({ ...kept, mac: '' })],
    ['a member more', (kept) => ({ ...kept, approved: true }) as SuspendedRun],
  ])('%s', async (_, change) => {
    const gate = scriptedGate(['wait'])
    const { suspended, go, execute } = scene(gate)
    const kept = await suspended()
    await gate.decide('approve')
    await expect(go(change(kept))).rejects.toMatchObject({ code: 'FORBIDDEN' })
    expect([execute.mock.calls.length, gate.intents.length]).toEqual([0, 1])
  })

  it('nor one that another key has sealed; a previous key still opens', async () => {
    const gate = scriptedGate(['wait', 'wait'])
    const { suspended, go } = scene(gate)
    const [old, current] = [aKey(), aKey()]
    const kept = await suspended({ envelopeKeys: [old] })
    await expect(go(kept, { envelopeKeys: [current] })).rejects.toMatchObject({ code: 'FORBIDDEN' })
    expect(await go(kept, { envelopeKeys: [current, old] })).toMatchObject({ status: 'suspended' })
  })

  it('nor one of another version of the agents', async () => {
    const { suspended, go } = scene(scriptedGate(['wait']))
    const kept = await suspended({ agentVersion: '1' })
    await expect(go(kept, { agentVersion: '2' })).rejects.toThrow(TypeError)
  })

  it.each([[[]], [[new Uint8Array(16)]], [['too short']]])(
    'keys that are none are a TypeError',
    async (envelopeKeys) => {
      const { go, model } = scene(scriptedGate([]))
      await expect(go('hi', { envelopeKeys })).rejects.toThrow(TypeError)
      expect(model.calls).toEqual([])
    },
  )
})

it('P28: an encrypted envelope shows neither arguments nor context, and opens', async () => {
  const gate = scriptedGate(['wait'])
  const { suspended, go, execute } = scene(gate)
  const context = { customer: 'somebody in particular' }
  const kept = await suspended({ encrypt: true, run: { context: context as never } })
  expect(JSON.stringify(kept)).not.toMatch(/somebody|amount|runKey/)
  await gate.decide('approve')
  expect(await go(kept)).toMatchObject({ status: 'completed' })
  expect(execute).toHaveBeenCalledOnce()
})

describe('what the SDK lets through proves nothing', () => {
  it.each([{}, { alwaysApprove: true }])('P1, P2: approve(%j) without a decision', async (options) => {
    const gate = scriptedGate(['wait'])
    const { agent, execute } = scene(gate)
    const runKey = crypto.randomUUID()
    const result = await withGateRun({ runKey, input: 'hi' }, (input) => run(agent(), input))
    const [item] = result.interruptions
    result.state.approve(item as never, options)
    await expect(withGateRun({ runKey, input: result.state }, (input) => run(agent(), input))).rejects.toThrow(
      'NOT_APPROVED',
    )
    expect([execute.mock.calls.length, gate.intents.length]).toEqual([0, 1])
  })

  it('P10: a state that is run without its run key asks for nothing and executes nothing', async () => {
    const gate = scriptedGate(['wait'])
    const { agent, execute } = scene(gate)
    const result = await withGateRun({ runKey: crypto.randomUUID(), input: 'hi' }, (input) => run(agent(), input))
    await gate.decide('approve')
    const state = await RunState.fromString(agent(), result.state.toString())
    for (const item of state.getInterruptions()) state.approve(item)
    await expect(run(agent(), state as never)).rejects.toThrow('withGateRun')
    expect([execute.mock.calls.length, gate.intents.length]).toEqual([0, 1])
  })

  it('P3: a state of your own loop with other arguments is refused', async () => {
    const gate = scriptedGate(['wait'])
    const { agent, execute } = scene(gate)
    const runKey = crypto.randomUUID()
    const result = await withGateRun({ runKey, input: 'hi' }, (input) => run(agent(), input))
    await gate.decide('approve')
    const changed = await RunState.fromString(agent(), result.state.toString().replaceAll('250', '9999'))
    await resolveInterruptions({ state: changed, interruptions: changed.getInterruptions() }, { runKey })
    await withGateRun({ runKey, input: changed as never }, (input) => run(agent(), input))
    expect([execute.mock.calls.length, gate.intents.length]).toEqual([0, 1])
  })

  it.each(['c2', 'c"2', String.raw`c\2`])(
    'P3: a state of your own loop asks for no call that was never made: %s',
    async (callId) => {
      const gate = scriptedGate(['wait'])
      const { agent, execute, results } = scene(gate)
      const runKey = crypto.randomUUID()
      const result = await withGateRun({ runKey, input: 'hi' }, (input) => run(agent(), input))
      const text = result.state.toString().replaceAll('"c1"', JSON.stringify(callId))
      const changed = await RunState.fromString(agent(), text)
      expect(changed.getInterruptions()).toHaveLength(1)
      const waiting = { state: changed, interruptions: changed.getInterruptions() }
      expect(await resolveInterruptions(waiting, { runKey })).toMatchObject({ resolved: 1, pending: [] })
      const end = await withGateRun({ runKey, input: changed }, (input) => run(agent(), input))
      expect([end.finalOutput, execute.mock.calls.length, gate.intents.length]).toEqual(['done', 0, 1])
      expect(results()).toEqual([expect.stringContaining('NOT_FOUND')])
    },
  )

  it('P3: nor does one that is run before anything in it is resolved', async () => {
    const gate = scriptedGate(['wait'])
    const { agent, execute } = scene(gate)
    const runKey = crypto.randomUUID()
    const result = await withGateRun({ runKey, input: 'hi' }, (input) => run(agent(), input))
    const changed = await RunState.fromString(agent(), result.state.toString().replaceAll('"c1"', '"c2"'))
    await withGateRun({ runKey, input: changed }, (input) => run(agent(), input))
    expect([execute.mock.calls.length, gate.intents.length]).toEqual([0, 1])
  })

  it('what the model says after a restore is asked for', async () => {
    const gate = scriptedGate(['wait', 'wait'])
    const { agent, execute } = scene(gate, {}, [call()], [[call(300, 'c2')]])
    const runKey = crypto.randomUUID()
    const result = await withGateRun({ runKey, input: 'hi' }, (input) => run(agent(), input))
    await gate.decide('approve')
    const kept = await RunState.fromString(agent(), result.state.toString())
    await resolveInterruptions({ state: kept, interruptions: kept.getInterruptions() }, { runKey })
    const next = await withGateRun({ runKey, input: kept }, (input) => run(agent(), input))
    expect(next.interruptions).toMatchObject([{ rawItem: { callId: 'c2' } }])
    expect([execute.mock.calls.length, gate.intents.length]).toEqual([1, 2])
  })
})

it('P4: the same call in another run is another action', async () => {
  const gate = scriptedGate(['approve', 'wait'])
  const one = scene(gate)
  const other = scene(gate)
  expect(await one.go('hi')).toMatchObject({ status: 'completed' })
  expect(await other.go('hi')).toMatchObject({ status: 'suspended' })
  expect([gate.intents.length, one.execute.mock.calls.length, other.execute.mock.calls.length]).toEqual([2, 1, 0])
})

it('a loop of your own resolves what was decided', async () => {
  const gate = scriptedGate(['wait'])
  const { agent, execute } = scene(gate)
  const runKey = crypto.randomUUID()
  const result = await withGateRun({ runKey, input: 'hi' }, (input) => run(agent(), input))
  expect(await resolveInterruptions(result, { runKey })).toMatchObject({ resolved: 0, pending: [{ callId: 'c1' }] })
  await gate.decide('approve')
  expect(await resolveInterruptions(result, { runKey })).toMatchObject({ resolved: 1, pending: [], foreign: [] })
  const end = await withGateRun({ runKey, input: result.state }, (input) => run(agent(), input))
  expect([end.finalOutput, execute.mock.calls.length]).toEqual(['done', 1])
})

it('a stream says that it waits, and goes on in one stream', async () => {
  const gate = scriptedGate(['wait'])
  const { agent, execute } = scene(gate)
  const stream = streamWithGate(agent(), 'hi', { gate, envelopeKeys: [aKey()], onPending: 'wait' })
  const types: string[] = []
  for await (const event of stream) {
    types.push(event.type)
    if (event.type === 'gate_pending') await gate.decide('approve')
  }
  expect(await stream.outcome).toMatchObject({ status: 'completed', result: { finalOutput: 'done' } })
  expect(types.filter((type) => type.startsWith('gate_'))).toEqual(['gate_pending', 'gate_decided'])
  expect(execute).toHaveBeenCalledOnce()
})

it("a tool's own approval is asked for, too", async () => {
  const gate = approvingGate()
  const execute = vi.fn(() => 'ran')
  const model = new ScriptedModel([[call()], [assistantMessage('done')]])
  const parameters = z.object({ amount: z.number() })
  const own = tool({ name: 'issue_refund', description: 'd', parameters, execute, needsApproval: true })
  const agent = () => new Agent({ name: 'a', model, tools: [gateTool(own, { gate, wait: 'suspend' })] })
  const options = { gate, envelopeKeys: [aKey()] }
  const outcome = await runWithGate(agent(), 'hi', options)
  expect(outcome).toMatchObject({ status: 'suspended', foreign: [] })
  expect(execute).not.toHaveBeenCalled()
  const { suspended } = outcome as { suspended: SuspendedRun }
  expect(await runWithGate(agent(), suspended, { ...options, onForeign: () => 'approve' })).toMatchObject({
    status: 'completed',
  })
  expect(execute).toHaveBeenCalledOnce()
})

describe('an agent as a tool, gated in place', () => {
  function nested(gate: ScriptedGate) {
    const execute = vi.fn((amount: number) => `refunded ${amount}`)
    const outerModel = new ScriptedModel([
      [functionCall('ask_colleague', { input: 'refund' }, { callId: 'o1' })],
      [assistantMessage('outer done')],
    ])
    const innerModel = new ScriptedModel([[call(250, 'i1')], [assistantMessage('inner done')]])
    const agent = () => {
      const parameters = z.object({ amount: z.number() })
      const refund = tool({
        name: 'issue_refund',
        description: 'd',
        parameters,
        execute: ({ amount }) => execute(amount),
      })
      const options = { gate, wait: 'suspend' } as const
      const inner = new Agent({ name: 'inner', model: innerModel, tools: [gateTool(refund, options)] })
      const asTool = inner.asTool({ toolName: 'ask_colleague', toolDescription: 'asks' })
      return new Agent({ name: 'outer', model: outerModel, tools: [gateAgentTool(asTool, options)] })
    }
    return { agent, execute }
  }

  it('P11, P13: waits twice over restores, and each approval is for one execution', async () => {
    const gate = scriptedGate(['wait', 'wait'])
    const { agent, execute } = nested(gate)
    const options = { gate, envelopeKeys: [aKey()] }
    const trail: unknown[] = []
    let outcome = await runWithGate(agent(), 'hi', options)
    for (let round = 0; round < 4 && outcome.status === 'suspended'; round++) {
      trail.push(outcome.suspended.pending.map(({ agent, tool }) => `${agent}/${tool}`))
      await gate.decide('approve')
      outcome = await runWithGate(agent(), JSON.parse(JSON.stringify(outcome.suspended)) as SuspendedRun, options)
    }
    expect(trail).toEqual([['outer/ask_colleague'], ['inner/issue_refund']])
    expect(outcome).toMatchObject({ status: 'completed', result: { finalOutput: 'outer done' } })
    expect(execute).toHaveBeenCalledExactlyOnceWith(250)
    const ends = await Promise.all(gate.intents.map(({ id }) => gate.read(id)))
    expect(ends.map(({ execution }) => execution.state)).toEqual(['succeeded', 'succeeded'])
  })

  it('P12: an envelope that is resumed again executes nothing again', async () => {
    const gate = scriptedGate(['wait', 'wait'])
    const { agent, execute } = nested(gate)
    const options = { gate, envelopeKeys: [aKey()] }
    const first = (await runWithGate(agent(), 'hi', options)) as { suspended: SuspendedRun }
    await gate.decide('approve')
    const second = (await runWithGate(agent(), first.suspended, options)) as { suspended: SuspendedRun }
    await gate.decide('approve')
    await runWithGate(agent(), second.suspended, options)
    await runWithGate(agent(), second.suspended, options).catch(() => undefined)
    await runWithGate(agent(), first.suspended, options).catch(() => undefined)
    expect(execute).toHaveBeenCalledOnce()
  })

  it.each(['the outer one', 'the inner one'])(
    'two that go on at the same moment with %s execute it once',
    async (which) => {
      const gate = scriptedGate(['wait', 'wait'])
      const { agent, execute } = nested(gate)
      const options = { gate, envelopeKeys: [aKey()] }
      const both = async ({ suspended }: { suspended: SuspendedRun }) => {
        await gate.decide('approve')
        const ends = [runWithGate(agent(), suspended, options), runWithGate(agent(), suspended, options)]
        return Promise.allSettled(ends)
      }
      const first = (await runWithGate(agent(), 'hi', options)) as { suspended: SuspendedRun }
      if (which === 'the outer one') {
        await both(first)
        expect(execute).not.toHaveBeenCalled()
        expect(gate.intents.filter(({ action }) => action === 'ask_colleague')).toHaveLength(1)
        return
      }
      await gate.decide('approve')
      await both((await runWithGate(agent(), first.suspended, options)) as { suspended: SuspendedRun })
      expect([execute.mock.calls.length, gate.intents.length]).toEqual([1, 2])
    },
  )

  it('without a driver it does not suspend, and does not run', async () => {
    const gate = approvingGate()
    const { agent, execute } = nested(gate)
    await withGateRun({ runKey: 'r', input: 'hi' }, async (input) => {
      const result = await run(agent(), input, { context: new RunContext() as never })
      for (const item of result.interruptions) result.state.approve(item)
      await run(agent(), result.state as never).catch(() => undefined)
    })
    expect(execute).not.toHaveBeenCalled()
  })
})
