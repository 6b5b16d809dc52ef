import { Agent, type FunctionTool, RunContext, run, setTracingDisabled, tool } from '@openai/agents'
import { functionCall } from '@openai/agents/testing'
import { type GateEvent, type Intent, SilentAuthError } from '@silentauth/core'
import { approvingGate, denyingGate, scriptedGate } from '@silentauth/core/testing'
import { currentPermit, type GateToolOptions, gateTool, isGated, runWithGate } from '@silentauth/openai/agents'
import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { call, gateWith, refundScene } from './refund-scene.ts'

setTracingDisabled(true)

const away = () => Promise.reject(new SilentAuthError('GATE_UNAVAILABLE', 'the gate is away'))
const MODES = ['hold', 'suspend'] as const

describe.each(MODES)('what is asked (%s)', (wait) => {
  async function asked(options: Partial<GateToolOptions<never>>): Promise<Intent | undefined> {
    const gate = approvingGate()
    await refundScene(gate, { options: { wait, ...options } }).play()
    return gate.intents[0]
  }

  it('is what the options say', async () => {
    const said = {
      action: 'pay_back',
      riskTier: 'high',
      approvers: ['approver@example.com'],
      source: 'refund-bot',
      idempotent: true,
      reenters: true,
    } as const
    expect(await asked(said)).toMatchObject(said)
  })

  it('is the tool in snake_case with its arguments, and nothing that nobody said', async () => {
    expect(await asked({})).toMatchObject({
      action: 'issue_refund',
      params: { amount: 250 },
      riskTier: 'medium',
      approvers: [],
      edits: false,
      idempotent: false,
      reenters: false,
      context: { tool: 'issue_refund', tool_call_id: 'c1' },
    })
  })

  it('may depend on the arguments and the call', async () => {
    const options = {
      action: ({ amount }: { amount: number }) => (amount > 100 ? 'refund_much' : 'refund_little'),
      riskTier: () => 'critical' as const,
      context: async (_: unknown, { toolCallId }: { toolCallId: string | undefined }) => ({ case: `${toolCallId}` }),
    }
    expect(await asked(options as never)).toMatchObject({
      action: 'refund_much',
      riskTier: 'critical',
      context: { case: 'c1', tool: 'issue_refund' },
    })
  })

  it('is a projection with params, which is what the permit is bound to, and the tool gets its arguments', async () => {
    const gate = approvingGate()
    const params = ({ amount }: { amount: number }) => ({ cents: 100 * amount })
    const { play, execute } = refundScene(gate, { options: { wait, params } as never })
    await play()
    expect(gate.intents[0]?.params).toEqual({ cents: 25_000 })
    expect(execute).toHaveBeenCalledExactlyOnceWith(250, { cents: 25_000 })
  })

  it('is nothing where when says no; and nothing runs where it throws', async () => {
    const gate = scriptedGate([])
    const when = ({ amount }: { amount: number }) => {
      if (amount > 1000) throw new RangeError('too much to say')
      return amount > 300
    }
    const small = refundScene(gate, { options: { wait, when } as never })
    await small.play()
    expect(small.execute).toHaveBeenCalledExactlyOnceWith(250, undefined)
    const large = refundScene(gate, { options: { wait, when } as never, calls: [call(2000)] })
    await large.play().catch(() => undefined)
    expect([large.execute.mock.calls, gate.intents]).toEqual([[], []])
  })
})

describe('timeoutMs', () => {
  it('held, cancels the intent then, and the model is told that nobody decided', async () => {
    const gate = scriptedGate(['wait'])
    const { play, execute, results } = refundScene(gate, { options: { timeoutMs: 1 } })
    await play()
    expect(results()[0]).toMatch(/nobody decided/)
    expect(execute).not.toHaveBeenCalled()
    expect((await gate.read(gate.intents[0]?.id as never)).status).toBe('cancelled')
  })

  it('suspended, is when the intent expires', async () => {
    const gate = scriptedGate(['wait'])
    await refundScene(gate, { options: { wait: 'suspend', timeoutMs: 4_500 } }).suspended()
    const [intent] = gate.intents
    expect((intent?.expiresAt ?? 0) - (intent?.createdAt ?? 0)).toBe(5_000)
  })
})

describe.each(MODES)('what becomes of a refusal (%s)', (wait) => {
  it.each([
    ['tells the model', {}, undefined],
    ['throws', { onDenied: 'throw' as const }, 'INTENT_DENIED'],
  ])('onDenied %s', async (_, options, code) => {
    const { play, execute, results } = refundScene(denyingGate('too much'), { options: { wait, ...options } })
    const end = await play().catch((error: { error?: unknown }) => error.error ?? error)
    if (code) expect(end).toMatchObject({ code })
    else expect([end, results()]).toEqual(['done', [expect.stringMatching(/denied.*too much.*Do not retry/s)]])
    expect(execute).not.toHaveBeenCalled()
  })

  it('onGateError throws, whatever onDenied says', async () => {
    const gate = gateWith(approvingGate(), { declare: away })
    const { play, execute } = refundScene(gate, { options: { wait, onGateError: 'throw', onDenied: 'message' } })
    const end = await play().catch((error: { error?: unknown }) => error.error ?? error)
    expect(end).toMatchObject({ code: 'GATE_UNAVAILABLE' })
    expect(execute).not.toHaveBeenCalled()
  })

  it('P17: an edit runs as it was approved, and the model is told', async () => {
    const gate = scriptedGate([{ edit: { amount: 20 } }])
    const { play, execute, results } = refundScene(gate, { options: { wait, allowEdits: true } })
    expect(await play()).toBe('done')
    expect(gate.intents[0]?.edits).toMatchObject({ schema: { type: 'object' } })
    expect(execute).toHaveBeenCalledExactlyOnceWith(20, { amount: 20 })
    expect(results()).toEqual(['[A reviewer changed the arguments; this ran with {"amount":20}]\nrefunded 20'])
  })

  it("P17: an edit that the tool's own schema refuses does not run", async () => {
    const gate = scriptedGate([{ edit: { amount: 20 } }])
    const fields = { parameters: z.object({ amount: z.number().refine((amount) => amount !== 20) }) }
    const { play, execute, results } = refundScene(gate, { options: { wait, allowEdits: true }, fields } as never)
    await play()
    expect(execute).not.toHaveBeenCalled()
    expect(results()[0]).toMatch(/EDITS_NOT_ACCEPTED/)
  })
})

describe('replay: a call that comes again after it ran', () => {
  const toolCall = call()
  /** Held: the same call of the model, as a layer that tries again makes it. */
  async function held(options: Partial<GateToolOptions<never>>) {
    const scene = refundScene(approvingGate(), { options })
    const runContext = new RunContext()
    const [gated] = (await scene.agent().getAllTools(runContext as never)) as [FunctionTool]
    const invoke = () => gated.invoke(runContext, toolCall.arguments, { toolCall })
    await invoke()
    return { ...scene, again: invoke }
  }
  /** Suspended: an envelope that is resumed once more. */
  async function suspended(options: Partial<GateToolOptions<never>>) {
    const gate = scriptedGate(['wait'])
    const scene = refundScene(gate, { options: { wait: 'suspend', ...options } })
    const kept = await scene.suspended()
    await gate.decide('approve')
    await scene.go(kept)
    const again = async () => {
      await scene.go(kept)
      return scene.results()[0]
    }
    return { ...scene, again }
  }
  const both = [
    ['hold', held],
    ['suspend', suspended],
  ] as const

  it.each(both)('is told that it was executed (%s)', async (_, replayed) => {
    const { execute, again } = await replayed({})
    expect(await again()).toMatch(/executed before/)
    expect(execute).toHaveBeenCalledOnce()
  })

  it.each(both)('gets what was recorded (%s)', async (_, replayed) => {
    const { execute, again } = await replayed({ recordResult: true })
    expect(await again()).toBe('refunded 250')
    expect(execute).toHaveBeenCalledOnce()
  })

  it.each(both)("throws with replay: 'error' (%s)", async (_, replayed) => {
    const { execute, again } = await replayed({ replay: 'error', recordResult: true })
    await expect(again()).rejects.toMatchObject({ code: 'ALREADY_EXECUTED' })
    expect(execute).toHaveBeenCalledOnce()
  })
})

describe('onEvent', () => {
  it.each(MODES)('tells of every step (%s)', async (wait) => {
    const events: GateEvent[] = []
    const gate = scriptedGate(['wait'])
    const scene = refundScene(gate, { options: { wait, onEvent: (event) => events.push(event) } })
    const played = scene.play()
    await vi.waitUntil(() => events.some(({ type }) => type === 'pending'))
    await gate.decide('approve')
    await played
    expect(events.map(({ type }) => type)).toEqual(['pending', 'decided', 'claimed', 'finished'])
    expect(events[0]).toMatchObject({ approvalUrl: expect.stringContaining('/inbox/int_') })
  })

  it.each(MODES)('a listener that throws changes nothing (%s)', async (wait) => {
    const onEvent = () => {
      throw new Error('of the listener')
    }
    const { play, execute } = refundScene(approvingGate(), { options: { wait, onEvent } })
    expect(await play()).toBe('done')
    expect(execute).toHaveBeenCalledOnce()
  })
})

describe('what a tool cannot be gated with', () => {
  const refund = () => tool({ name: 'issue_refund', description: 'd', parameters: z.object({}), execute: () => 'ran' })
  const gate = approvingGate()
  it.each<[string, object]>([
    ['no gate', { gate: undefined }],
    ['another way to wait', { wait: 'forever' }],
    ['an end of the run, which the SDK has no way to make', { onDenied: 'end' }],
    ['pending, where the process waits', { onGateError: 'pending' }],
    ['another replay', { replay: 'again' }],
    ['a projection that could be edited', { params: () => ({}), allowEdits: true }],
    ['no time to wait', { timeoutMs: 0 }],
  ])('%s', (_, options) => {
    expect(() => gateTool(refund(), { gate, ...options } as never)).toThrow(TypeError)
  })

  it.each<[string, unknown]>([
    ['a tool of the provider', { type: 'hosted_tool', name: 'web_search' }],
    ['a name that makes no action', { ...refund(), name: '\u{1F4B8}' }],
    ['nothing', undefined],
  ])('%s is no tool for it', (_, made) => {
    expect(() => gateTool(made as never, { gate })).toThrow(TypeError)
  })

  it('P34: what is gated already stays as it is', () => {
    const once = gateTool(refund(), { gate })
    expect(gateTool(once, { gate: denyingGate() })).toBe(once)
    expect([isGated(once), isGated(refund())]).toEqual([true, false])
  })
})

describe('a gated tool', () => {
  it('P5: two equal calls of one turn are two actions', async () => {
    const gate = scriptedGate(['approve', { deny: 'once is enough' }])
    const { play, execute, results } = refundScene(gate, { calls: [call(250, 'a'), call(250, 'b')] })
    await play()
    expect([gate.intents.length, execute.mock.calls.length]).toEqual([2, 1])
    expect(results().join()).toContain('once is enough')
  })

  it.each(MODES)('P14: has all of its own time once it runs, however long the decision took (%s)', async (wait) => {
    const gate = scriptedGate(['wait'])
    const fields = { timeoutMs: 400 }
    const scene = refundScene(gate, { options: { wait }, fields })
    const played = scene.play()
    await vi.waitUntil(() => gate.intents.length > 0)
    await new Promise((resolve) => setTimeout(resolve, 600))
    await gate.decide('approve')
    expect(await played).toBe('done')
    expect(scene.results()).toEqual(['refunded 250'])
  })

  it.each(MODES)('P14: that takes too long is told so, and a person is to look (%s)', async (wait) => {
    const gate = approvingGate()
    const { play, results } = refundScene(gate, {
      options: { wait },
      fields: { timeoutMs: 10 },
      execute: () => new Promise(() => {}),
    })
    await play()
    expect(results()[0]).toMatch(/timed out/)
    expect((await gate.read(gate.intents[0]?.id as never)).execution.state).toBe('started')
  })

  it.each(MODES)('P16: arguments that the schema refuses ask nobody (%s)', async (wait) => {
    const gate = scriptedGate([])
    const { play, execute, results } = refundScene(gate, { options: { wait }, calls: [call('all of it')] })
    expect(await play()).toBe('done')
    expect([gate.intents.length, execute.mock.calls.length]).toEqual([0, 0])
    expect(results()[0]).toMatch(/error/i)
  })

  it('P18: a gate that is away, while the process waits, is a message, and nothing runs', async () => {
    const gate = gateWith(approvingGate(), { declare: away })
    const { play, execute, results } = refundScene(gate)
    expect(await play()).toBe('done')
    expect(results()).toEqual([expect.stringContaining('the approval gate cannot be reached')])
    expect(execute).not.toHaveBeenCalled()
  })

  it('P18: a gate that was away suspends the run, and once it is back the call runs once', async () => {
    const gate = scriptedGate(['wait'])
    let isAway = true
    const shaky = gateWith(gate, { declare: (...args) => (isAway ? away() : gate.declare(...args)) })
    const { suspended, go, execute } = refundScene(shaky, { options: { wait: 'suspend' } })
    const kept = await suspended()
    expect(kept.pending).toMatchObject([{ tool: 'issue_refund' }])
    expect(kept.pending[0]?.intentId).toBeUndefined()
    isAway = false
    const asked = await go(kept)
    expect(asked).toMatchObject({ status: 'suspended', suspended: { pending: [{ intentId: gate.intents[0]?.id }] } })
    await gate.decide('approve')
    expect(await go((asked as { suspended: typeof kept }).suspended)).toMatchObject({ status: 'completed' })
    expect([gate.intents.length, execute.mock.calls.length]).toEqual([1, 1])
  })

  it.each([false, true])('P19: an abort while it is held cancels the intent (stream: %s)', async (stream) => {
    const gate = scriptedGate(['wait'])
    const { agent, execute } = refundScene(gate)
    const leaving = new AbortController()
    const ran = run(agent(), 'hi', { signal: leaving.signal, stream } as never).then(async (result: unknown) => {
      const streamed = result as { completed?: Promise<void>; cancelled?: boolean }
      await streamed.completed
      return streamed.cancelled
    })
    await vi.waitUntil(() => gate.intents.length > 0)
    leaving.abort()
    expect(await ran.catch((error: Error) => error.name)).toBe(stream ? true : 'AbortError')
    await vi.waitUntil(async () => (await gate.read(gate.intents[0]?.id as never)).status === 'cancelled')
    expect(execute).not.toHaveBeenCalled()
  })

  it('P20: a sibling that fails cancels the intent of a call that is held', async () => {
    const gate = scriptedGate(['wait'])
    const { model, execute, agent } = refundScene(gate, { calls: [call(), functionCall('fail', {}, { callId: 'c2' })] })
    const fail = tool({
      name: 'fail',
      description: 'd',
      parameters: z.object({}),
      errorFunction: null,
      execute: async () => {
        await vi.waitUntil(() => gate.intents.length > 0)
        throw new RangeError('of the sibling')
      },
    })
    const [gated] = agent().tools
    await expect(run(new Agent({ name: 'a', model, tools: [gated as never, fail] }), 'hi')).rejects.toThrow(
      'of the sibling',
    )
    await vi.waitUntil(async () => (await gate.read(gate.intents[0]?.id as never)).status === 'cancelled')
    expect(execute).not.toHaveBeenCalled()
  })

  it.each(MODES)('P21: a denial ends a run that stops on its first tool, as its output (%s)', async (wait) => {
    const agent = { toolUseBehavior: 'stop_on_first_tool' as const }
    const { play, model, execute } = refundScene(denyingGate(), { options: { wait }, agent })
    expect(await play()).toMatch(/was denied/)
    expect([model.calls.length, execute.mock.calls.length]).toEqual([1, 0])
  })

  it.each(MODES)('P22: a denial of a tool with an output schema is told, and fails no run (%s)', async (wait) => {
    const fields = { outputSchema: z.object({ refunded: z.number() }) }
    const { play, execute, results } = refundScene(denyingGate(), { options: { wait }, fields } as never)
    expect(await play()).toBe('done')
    expect(results()[0]).toMatch(/was denied/)
    expect(execute).not.toHaveBeenCalled()
  })

  it('P23: with one tool at a time a held call keeps the others waiting, and a suspended one does not', async () => {
    const other = vi.fn(() => 'looked')
    const look = tool({ name: 'look', description: 'd', parameters: z.object({}), execute: other })
    const calls = [call(), functionCall('look', {}, { callId: 'c2' })]
    const toolExecution = { maxFunctionToolConcurrency: 1 }

    const held = scriptedGate(['wait'])
    const waiting = refundScene(held, { calls })
    const [gated] = waiting.agent().tools
    const agent = new Agent({ name: 'a', model: waiting.model, tools: [gated as never, look] })
    const ran = run(agent, 'hi', { toolExecution })
    await vi.waitUntil(() => held.intents.length > 0)
    expect(other).not.toHaveBeenCalled()
    await held.decide('approve')
    await ran
    expect(other).toHaveBeenCalledOnce()

    const kept = refundScene(scriptedGate(['wait']), { options: { wait: 'suspend' }, calls })
    const [suspending] = kept.agent().tools
    const restored = new Agent({ name: 'a', model: kept.model, tools: [suspending as never, look] })
    const keys = { gate: scriptedGate([]), envelopeKeys: ['k'.repeat(32)], run: { toolExecution } }
    expect(await runWithGate(restored, 'hi', keys)).toMatchObject({ status: 'suspended' })
    expect(other).toHaveBeenCalledTimes(2)
  })

  it.each(MODES)('P35: that is an instance of a class keeps its methods and private fields (%s)', async (wait) => {
    class Refund {
      readonly #paid: number[] = []
      readonly type = 'function'
      readonly name = 'issue_refund'
      readonly description = 'd'
      readonly strict = true
      readonly parameters = {
        type: 'object' as const,
        properties: { amount: { type: 'number' } },
        required: ['amount'],
        additionalProperties: false as const,
      }
      async needsApproval() {
        return false
      }
      async isEnabled() {
        return true
      }
      async invoke(_: unknown, input: string) {
        this.#paid.push((JSON.parse(input) as { amount: number }).amount)
        return this.total()
      }
      total() {
        return `paid ${this.#paid.join()} with ${currentPermit()?.action}`
      }
    }
    const gate = approvingGate()
    const { model, results } = refundScene(gate)
    const gated = gateTool(new Refund() as never, { gate, wait }) as unknown as Refund
    expect(gated).toBeInstanceOf(Refund)
    const agent = new Agent({ name: 'a', model, tools: [gated as never] })
    if (wait === 'hold') await run(agent, 'hi')
    else await runWithGate(agent, 'hi', { gate, envelopeKeys: ['k'.repeat(32)], onPending: 'wait' })
    expect(results()).toEqual(['paid 250 with issue_refund'])
  })

  it("P36: held, leaves the tool's own needsApproval as it is", async () => {
    const gate = approvingGate()
    const needsApproval = vi.fn(async () => true)
    const { agent, execute } = refundScene(gate, { fields: { needsApproval } as never })
    const first = await run(agent(), 'hi')
    expect([first.interruptions.length, gate.intents.length, execute.mock.calls.length]).toEqual([1, 0, 0])
    first.state.approve(first.interruptions[0] as never)
    expect((await run(agent(), first.state)).finalOutput).toBe('done')
    expect([gate.intents.length, execute.mock.calls.length]).toEqual([1, 1])
  })

  it('P37: a tool within it that is not gated sees the permit of its own action only', async () => {
    const seen: unknown[] = []
    const execute = () => {
      seen.push(currentPermit({ action: 'send_mail' }), currentPermit()?.action)
      return 'ran'
    }
    await refundScene(approvingGate(), { execute }).play()
    expect(seen).toEqual([undefined, 'issue_refund'])
  })
})
