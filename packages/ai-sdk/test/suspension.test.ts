import { resolveApprovals, withGate } from '@silentauth/ai-sdk'
import { type Gate, SilentAuthError } from '@silentauth/core'
import { approvingGate, denyingGate, scriptedGate } from '@silentauth/core/testing'
import type { ModelMessage } from 'ai'
import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { scriptedOpenai } from '../../../examples/demo/scripted-openai.ts'
import { forged } from './open-requests.ts'
import { hi, refund, refundRun, script } from './refund-run.ts'
import { SDKS } from './sdk.ts'

const run = { tenant: 'acme', id: 'chat_1' }
const down = async () => {
  throw new SilentAuthError('GATE_UNAVAILABLE', 'the gate is away')
}
/** Another gate in front of this one. */
const through = (gate: Gate, changes: Partial<Gate>): Gate => Object.assign(Object.create(gate), changes)
const text = (messages: readonly ModelMessage[]) => JSON.stringify(messages)

describe.each(SDKS)('$name, suspended', (sdk) => {
  const decided = async (messages: ModelMessage[], settings: { tools: object }) => {
    await expect.poll(async () => (await resolveApprovals(messages, settings as never)).ready).toBe(true)
    return (await resolveApprovals(messages, settings as never)).messages
  }

  it('a request shows where to decide, and a resolved one nothing but what was decided', async () => {
    const gate = scriptedGate(['wait'])
    await using agent = await refundRun(sdk, { gated: { gate, run, wait: 'suspend' } })
    const messages = await agent.go([hi])
    const { pending } = await resolveApprovals(messages, agent.settings())
    expect(pending).toMatchObject([
      {
        toolName: 'issue_refund',
        descriptor: { intentId: gate.intents[0]?.id, approvalUrl: gate.intents[0]?.approvalUrl },
      },
    ])
  })

  it.runIf(sdk.version === 7)('a request says in the result what makes the run go on', async () => {
    const gate = scriptedGate(['wait'])
    await using agent = await refundRun(sdk, { gated: { gate, run, wait: 'suspend' } })
    const messages = await agent.go([hi])
    const reason = `Waits for a person's approval: it goes on once that is decided at ${gate.intents[0]?.approvalUrl}`
    expect(text(messages)).toContain(reason)
  })

  it('policy or people that deny are told to the model in the words of every adapter', async () => {
    await using agent = await refundRun(sdk, { gated: { gate: denyingGate('too much'), run, wait: 'suspend' } })
    const last = await agent.go(await decided(await agent.go([hi]), agent.settings()))
    expect(text(last)).toContain('was denied. They said: \\"too much\\".')
    expect(agent.execute).not.toHaveBeenCalled()
  })

  it('a gate that is away when the model calls leaves the call waiting; a history cannot declare it later', async () => {
    const gate = approvingGate()
    const away = await refundRun(sdk, {
      gated: { gate: through(gate, { declare: down, read: down }), run, wait: 'suspend' },
    })
    await using agent = await refundRun(sdk, { turns: () => ({ text: 'ok' }), gated: { gate, run, wait: 'suspend' } })
    const messages = await away.go([hi])
    expect(await resolveApprovals(messages, away.settings())).toMatchObject({ ready: false })
    const { ready, messages: answered } = await resolveApprovals(messages, agent.settings())
    expect([ready, answered.at(-1)?.content]).toMatchObject([true, [{ approved: false }]])
    await agent.go(answered)
    expect([agent.execute.mock.calls, gate.intents]).toEqual([[], []])
    await away[Symbol.asyncDispose]()
  })

  it.each([['the gate is away at the claim', { claim: down }, 'the approval gate cannot be reached']] as const)(
    '%s: nothing runs, and the model is told',
    async (_, changes, said) => {
      const gate = approvingGate()
      await using agent = await refundRun(sdk, { gated: { gate: through(gate, changes), run, wait: 'suspend' } })
      const last = await agent.go(await decided(await agent.go([hi]), agent.settings()))
      expect(text(last)).toContain(said)
      expect(agent.execute).not.toHaveBeenCalled()
    },
  )

  it('P33: a call that is running elsewhere is not gone on with', async () => {
    const gate = approvingGate()
    await using agent = await refundRun(sdk, {
      gated: { gate: through(gate, { report: down }), run, wait: 'suspend' },
    })
    const messages = await agent.go([hi])
    await agent.go(await decided(messages, agent.settings()))
    expect(agent.execute).toHaveBeenCalledTimes(1)
    expect(await resolveApprovals(messages, agent.settings())).toMatchObject({ ready: false, pending: [{}] })
  })

  it('a run is found by tenant and id only', async () => {
    const gate = approvingGate()
    await using agent = await refundRun(sdk, { gated: { gate, run, wait: 'suspend' } })
    const messages = await agent.go([hi])
    await decided(messages, agent.settings())
    for (const other of [{ tenant: 'other', id: 'chat_1' }, { tenant: 'acme', id: 'chat_2' }, 'chat_1']) {
      await using stranger = await refundRun(sdk, {
        turns: () => ({ text: 'ok' }),
        gated: { gate, run: other, wait: 'suspend' },
      })
      const { messages: answered } = await resolveApprovals(messages, stranger.settings())
      expect(answered.at(-1)?.content).toMatchObject([{ approved: false }])
      await stranger.go(answered)
      expect(stranger.execute).not.toHaveBeenCalled()
    }
    expect(gate.intents).toHaveLength(1)
  })

  it('an approval that was executed is refused where that was asked for', async () => {
    const gate = approvingGate()
    await using agent = await refundRun(sdk, { gated: { gate, run, wait: 'suspend', replay: 'error' } })
    const resolved = await decided(await agent.go([hi]), agent.settings())
    await agent.go(resolved)
    expect(text(await agent.go(resolved))).toContain('was executed before')
    expect(agent.execute).toHaveBeenCalledTimes(1)
  })

  it('P39: the permit and the reason of the wait are in no request of the model', async () => {
    const gate = approvingGate()
    await using agent = await refundRun(sdk, { gated: { gate, run, wait: 'suspend' } })
    await agent.go(await decided(await agent.go([hi]), agent.settings()))
    expect(JSON.stringify(agent.openai.requests)).not.toMatch(/eyJ|silentauth/)
  })
})

describe.each(SDKS)('$name, a tool that holds and asks by itself', (sdk) => {
  it.each(['withGate', 'the tools alone'])(
    'waits for its own approval, then for the gate, and runs once (%s)',
    async (way) => {
      const gate = approvingGate()
      const openai = await scriptedOpenai(script(refund()))
      const execute = vi.fn(async () => 'ran')
      const inputSchema = z.object({ customer_id: z.string(), amount: z.number() })
      const issue_refund = sdk.ai.tool({ inputSchema, execute, needsApproval: true })
      const go = async (messages: ModelMessage[]): Promise<ModelMessage[]> => {
        const model = sdk.modelOf(openai)
        const gated = withGate({ model, tools: { issue_refund } }, { gate, run })
        const settings = way === 'withGate' ? gated : { model, tools: gated.tools }
        const result = await sdk.ai.generateText({
          ...settings,
          messages,
          stopWhen: sdk.steps(4),
          maxRetries: 0,
        } as never)
        return JSON.parse(JSON.stringify([...messages, ...sdk.addedBy(result)]))
      }
      const messages = await go([hi])
      expect([execute.mock.calls, gate.intents.length]).toEqual([[], 1])
      await go(forged(messages))
      expect(execute).toHaveBeenCalledTimes(1)
      expect(gate.intents).toHaveLength(1)
      await openai[Symbol.asyncDispose]()
    },
  )
})

describe('what is refused at once', () => {
  it.each([
    ['to suspend without a run', { wait: 'suspend' }],
    ['an empty run', { run: '' }],
    ['an empty run of a tenant', { run: { tenant: 'acme', id: '' } }],
    ['to end the run', { onDenied: 'end' }],
    ['to leave a held call pending', { onGateError: 'pending' }],
    ['params that can be edited', { params: () => ({}), allowEdits: true }],
    ['a gate that is none', { gate: {} }],
  ])('%s', async (_, options) => {
    await using agent = await refundRun(SDKS[0], { gated: { gate: approvingGate(), ...options } as never })
    expect(() => agent.settings()).toThrow(TypeError)
  })
})
