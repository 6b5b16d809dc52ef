import { scriptedGate } from '@silentauth/core/testing'
import { describe, expect, it } from 'vitest'
import { hi, refundRun } from './refund-run.ts'
import { SDKS } from './sdk.ts'

describe.each(SDKS)('$name, a call that is held with preliminary results', (sdk) => {
  it('shows in the stream where to decide, then its result, and tells the model of the result alone', async () => {
    const gate = scriptedGate(['approve'])
    await using agent = await refundRun(sdk, { gated: { gate, run: 'chat_1', preliminary: true } })
    const result = sdk.ai.streamText({
      ...agent.settings(),
      messages: [hi],
      stopWhen: sdk.steps(4),
      maxRetries: 0,
    } as never)
    const outputs: { preliminary?: boolean; output: unknown }[] = []
    for await (const chunk of result.toUIMessageStream()) {
      if (chunk.type === 'tool-output-available') outputs.push(chunk)
    }
    const approval = { approvalUrl: gate.intents[0]?.approvalUrl }
    expect(outputs[0]).toMatchObject({ preliminary: true, output: { status: 'pending', approval } })
    expect(outputs.at(-1)).toMatchObject({ output: 'refunded 250' })
    expect(outputs.at(-1)?.preliminary).toBeFalsy()
    expect(JSON.stringify(agent.openai.requests)).toContain('refunded 250')
    expect(JSON.stringify(agent.openai.requests)).not.toContain('silentauth')
    expect(agent.execute).toHaveBeenCalledTimes(1)
  })

  it('gives generateText the result alone', async () => {
    const gate = scriptedGate(['approve'])
    await using agent = await refundRun(sdk, { gated: { gate, run: 'chat_1', preliminary: true } })
    const messages = await agent.go([hi])
    expect(JSON.stringify(messages)).toContain('refunded 250')
    expect(JSON.stringify(messages)).not.toContain('silentauth')
  })
})
