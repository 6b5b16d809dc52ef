import { inspect } from 'node:util'
import { BaseTracer, type Run } from '@langchain/core/tracers/base'
import { LangChainTracer } from '@langchain/core/tracers/tracer_langchain'
import { MemorySaver } from '@langchain/langgraph'
import { ChatOpenAI } from '@langchain/openai'
import { type Gate, randomToken } from '@silentauth/core'
import { reachableText } from '@silentauth/core/contracts'
import { approvingGate, denyingGate } from '@silentauth/core/testing'
import { currentPermit, gateTool } from '@silentauth/langchain'
import { createAgent, type ToolRuntime, tool } from 'langchain'
import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { scriptedOpenai } from '../../../examples/demo/scripted-openai.ts'
import { agentThatCalls, collected, hi, refundTool, toolCall } from './refund-tool.ts'

/** A run of an agent whose tool calls another gated tool; what each place saw of it, and what must be in none. */
async function watchedRun(tell: 'nothing' | 'the permit' | 'the key') {
  const secretKey = `sk_test_${randomToken(32)}`
  const permits: string[] = []
  // An SDK client is such a gate: an object that holds its key.
  const gate = Object.assign(approvingGate() as Gate, { secretKey })
  const note = () => {
    const permit = currentPermit()
    permits.push(permit?.token ?? '')
    return tell === 'nothing' ? 'nothing' : tell === 'the permit' ? permit?.token : secretKey
  }
  const inner = gateTool(
    tool(async () => `inner: ${note()}`, { name: 'inner', schema: z.object({}) }),
    { gate },
  )
  const outer = gateTool(
    tool(
      async function* (_, runtime: ToolRuntime) {
        yield 'on it'
        note()
        const said: unknown = await inner.invoke({}, runtime)
        return `outer: ${reachableText(said)}`
      },
      { name: 'outer', schema: z.object({ amount: z.number() }) },
    ),
    { gate },
  )
  await using openai = await scriptedOpenai([
    { text: 'let me see', calls: [{ name: 'outer', args: { amount: 5 } }] },
    { text: 'done' },
  ])

  const runs: unknown[] = []
  const smith: unknown[] = []
  class Tracer extends BaseTracer {
    override readonly name = 'watching_tracer'
    protected override async persistRun(run: Run): Promise<void> {
      runs.push(run)
    }
  }
  const client = {
    createRun: async (run: unknown) => void smith.push(run),
    updateRun: async (...run: unknown[]) => void smith.push(run),
    getHostUrl: () => 'http://127.0.0.1',
    awaitPendingTraceBatches: async () => {},
  }
  const checkpointer = new MemorySaver()
  const agent = createAgent({
    model: new ChatOpenAI({
      model: 'scripted-model',
      apiKey: openai.apiKey,
      configuration: { baseURL: openai.url },
      maxRetries: 0,
    }),
    tools: [outer],
    checkpointer,
  })
  const config = {
    configurable: { thread_id: 't' },
    callbacks: [new Tracer(), new LangChainTracer({ client: client as never })],
  }
  const events = await collected(agent.streamEvents(hi, { ...config, version: 'v2' }))

  return {
    secrets: [secretKey, ...permits],
    places: {
      'runs of a tracer': runs,
      'runs for LangSmith': smith,
      'streamed events': events,
      checkpoints: checkpointer.storage,
      'writes of checkpoints': checkpointer.writes,
      'requests to the model': openai.requests,
      'the tool itself': [outer, JSON.stringify(outer), inspect(outer, { depth: 8 })],
    },
  }
}

describe('pitfall P25: neither permit nor key', { timeout: 30_000 }, () => {
  it('is found in any trace, stream, checkpoint or request', async () => {
    const { secrets, places } = await watchedRun('nothing')
    expect(secrets.filter((secret) => secret !== '')).toHaveLength(3)
    for (const [place, seen] of Object.entries(places)) {
      const text = reachableText(seen)
      expect([place, text.length > 0, secrets.filter((secret) => text.includes(secret))]).toEqual([place, true, []])
    }
  })

  it.each(['the permit', 'the key'] as const)('the control: they are found when a tool tells %s', async (told) => {
    const { secrets, places } = await watchedRun(told)
    const { 'the tool itself': _, ...rest } = places
    const found = Object.entries(rest).filter(([, seen]) =>
      secrets.some((secret) => reachableText(seen).includes(secret)),
    )
    expect(found.map(([place]) => place)).toEqual(Object.keys(rest))
  })
})

describe('pitfall P27: a permit', () => {
  it.each([
    ['JSON', (permit: object) => JSON.stringify(permit)],
    ['inspection', (permit: object) => inspect(permit, { depth: 8 })],
    ['a spread', (permit: object) => JSON.stringify(Object.entries({ ...permit }))],
  ])('does not show its token in %s', async (_, shown) => {
    const seen: { token?: string; text?: string } = {}
    const look = tool(
      async () => {
        const permit = currentPermit()
        if (permit) Object.assign(seen, { token: permit.token, text: shown(permit) })
        return 'ok'
      },
      { name: 'look', schema: z.object({}) },
    )
    await gateTool(look, { gate: approvingGate() }).invoke({})
    expect(seen.token).toMatch(/^ey/)
    expect(seen.text).toContain('pmt_')
    expect(seen.text).not.toContain(seen.token)
  })
})

describe('pitfall P28: what is given to invoke', () => {
  const everything = {
    gate: false,
    silentauth: false,
    rules: {},
    default: 'pass',
    interruptOn: {},
    when: false,
    wait: 'pass',
    approved: true,
  }

  it.each([
    ['configurable', { configurable: { ...everything, __pregel_task_id: 'mine', thread_id: 't' } }],
    ['context', { context: everything }],
    ['metadata', { metadata: everything }],
    [
      'anything else',
      { ...everything, toolCall: { id: 'other', args: { amount: 1 } }, executionInfo: { taskId: 'mine' } },
    ],
  ])('cannot weaken the gate: %s', async (_, config) => {
    const gate = denyingGate()
    const { refund, execute } = refundTool()
    const gated = gateTool(refund, { gate })
    await agentThatCalls([{ name: 'refund', args: { amount: 5 }, id: 'c1' }], { tools: [gated] }).invoke(hi, config)
    await gated.invoke(toolCall('refund', { amount: 5 }), config as never)
    expect(gate.intents.map(({ params }) => params)).toEqual([{ amount: 5 }, { amount: 5 }])
    expect(execute).not.toHaveBeenCalled()
  })

  it('cannot make two calls one: an approval for one amount is not one for another', async () => {
    const gate = approvingGate()
    const { refund, execute } = refundTool()
    const gated = gateTool(refund, { gate })
    const config = { executionInfo: { taskId: 'mine' }, configurable: { thread_id: 't' } }
    await gated.invoke(toolCall('refund', { amount: 1 }), config as never)
    await gated.invoke(toolCall('refund', { amount: 1_000_000 }), config as never)
    expect(execute.mock.calls).toEqual([[1, { amount: 1 }]])
    expect(gate.intents).toHaveLength(1)
  })
})

describe('a tool that is gated', () => {
  it('gets no permit in what it is called with', async () => {
    const execute = vi.fn(async (..._: unknown[]) => 'ok')
    const permits: string[] = []
    const look = tool(
      async (...given) => {
        permits.push(currentPermit()?.token ?? 'no permit')
        return execute(...given)
      },
      { name: 'look', schema: z.object({}) },
    )
    await gateTool(look, { gate: approvingGate() }).invoke(toolCall('look', {}))
    expect(permits[0]).toMatch(/^ey/)
    expect(reachableText(execute.mock.calls)).not.toContain(permits[0])
  })
})
