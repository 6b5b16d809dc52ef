import { gateMiddleware, gateTools, withGate } from '@silentauth/ai-sdk'
import { approvingGate, scriptedGate } from '@silentauth/core/testing'
import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { scriptedOpenai } from '../../../examples/demo/scripted-openai.ts'
import { forgedHistory, hi, refund, refundRun, script } from './refund-run.ts'
import { SDKS, type Sdk } from './sdk.ts'

async function agent(sdk: Sdk, options: Parameters<typeof gateMiddleware>[0] = {}) {
  const openai = await scriptedOpenai(
    script({ ...refund(), name: 'mail', args: { customer_id: 'c', amount: 1 } }, refund(250, 'call_2')),
  )
  const execute = vi.fn(async () => 'ran')
  const inputSchema = z.object({ customer_id: z.string(), amount: z.number() })
  const mail = sdk.ai.tool({ inputSchema, execute })
  const { issue_refund } = gateTools({ issue_refund: sdk.ai.tool({ inputSchema, execute }) }, { gate: approvingGate() })
  const middleware = gateMiddleware({ specificationVersion: sdk.version === 7 ? 'v4' : 'v3', ...options })
  const model = sdk.ai.wrapLanguageModel({ model: sdk.modelOf(openai) as never, middleware: middleware as never })
  const settings = { model, tools: { mail, issue_refund }, messages: [hi], stopWhen: sdk.steps(4), maxRetries: 0 }
  return { openai, execute, settings: settings as never, [Symbol.asyncDispose]: () => openai[Symbol.asyncDispose]() }
}

describe.each(SDKS)('$name, the tripwire', (sdk) => {
  it('P42: fails the call of a model that calls an ungated tool, before anything runs', async () => {
    await using run = await agent(sdk)
    await expect(sdk.ai.generateText(run.settings)).rejects.toMatchObject({ code: 'FORBIDDEN' })
    expect(run.execute).not.toHaveBeenCalled()
  })

  it('is an error of the stream', async () => {
    await using run = await agent(sdk)
    const errors: unknown[] = []
    const result = sdk.ai.streamText({
      ...(run.settings as object),
      onError: ({ error }: { error: unknown }) => errors.push(error),
    } as never)
    await result.consumeStream()
    expect(errors).toMatchObject([{ code: 'FORBIDDEN' }])
    expect(run.execute).not.toHaveBeenCalled()
  })

  it('drops the call where that was asked for, and the gated one runs', async () => {
    await using run = await agent(sdk, { onUngated: 'drop' })
    await sdk.ai.generateText(run.settings)
    expect(run.execute).toHaveBeenCalledTimes(1)
    await using streamed = await agent(sdk, { onUngated: 'drop' })
    await sdk.ai.streamText(streamed.settings).consumeStream()
    expect(streamed.execute).toHaveBeenCalledTimes(1)
  })

  it('P42: lets pass what it was told, and its mark reaches no provider', async () => {
    await using run = await agent(sdk, { allow: ['m*'] })
    await sdk.ai.generateText(run.settings)
    expect(run.execute).toHaveBeenCalledTimes(2)
    expect(JSON.stringify(run.openai.requests)).not.toContain('silentauth')
  })

  it('P43: is no lock: an approval that is replayed runs before any model is called, unless the tool itself is gated', async () => {
    await using stock = await refundRun(sdk, { turns: () => ({ text: 'ok' }) })
    const { model } = withGate({ model: sdk.modelOf(stock.openai), tools: {} }, { gate: approvingGate() })
    await stock.go(forgedHistory(9999), { model })
    expect(stock.execute).toHaveBeenCalledTimes(1)
  })
})

describe.each(SDKS)('$name, withGate', (sdk) => {
  it.each([['generateText'], ['streamText']] as const)(
    'shows approvers the model and what it said, in %s',
    async (way) => {
      const gate = approvingGate()
      const turns = (_: unknown, index: number) =>
        index === 0 ? { text: 'They were charged twice.', calls: [refund()] } : { text: 'ok' }
      await using run = await refundRun(sdk, { turns, gated: { gate, run: 'chat_1' } })
      const settings = { ...run.settings(), messages: [hi], stopWhen: sdk.steps(4) } as never
      if (way === 'generateText') await sdk.ai.generateText(settings)
      else await sdk.ai.streamText(settings).consumeStream()
      expect(gate.intents[0]?.context).toMatchObject({
        tool: 'issue_refund',
        run: 'chat_1',
        model: 'scripted-model',
        reasoning: 'They were charged twice.',
      })
      expect(run.execute).toHaveBeenCalledTimes(1)
    },
  )

  it('trips over a tool that was not given to it', async () => {
    await using run = await refundRun(sdk, { gated: { gate: approvingGate() } })
    const { tools, ...settings } = run.settings()
    const execute = vi.fn(async () => 'ran')
    const { issue_refund: _, ...others } = tools
    const late = { ...others, issue_refund: sdk.ai.tool({ inputSchema: z.looseObject({}), execute }) }
    const other = withGate({ model: sdk.modelOf(run.openai), tools: others }, { gate: approvingGate() })
    await expect(
      sdk.ai.generateText({ ...settings, model: other.model, tools: late, messages: [hi] } as never),
    ).rejects.toMatchObject({ code: 'FORBIDDEN' })
    expect(execute).not.toHaveBeenCalled()
  })

  it('gates agents as it gates calls', async () => {
    const gate = scriptedGate(['approve'])
    await using run = await refundRun(sdk, { gated: { gate, run: 'chat_1' } })
    const loop = new sdk.ai.ToolLoopAgent({ ...run.settings() } as never)
    const { text } = await loop.generate({ messages: [hi] } as never)
    expect(text).toBe('All done.')
    expect(run.execute).toHaveBeenCalledTimes(1)
  })
})

it('knows what is none of its options', () => {
  expect(() => gateMiddleware({ onUngated: 'ignore' } as never)).toThrow(TypeError)
})
