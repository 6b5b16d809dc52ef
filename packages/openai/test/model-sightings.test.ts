import { Agent, type Model, run, setDefaultModelProvider, setTracingDisabled, tool, Usage } from '@openai/agents'
import { assistantMessage, functionCall, ScriptedModel } from '@openai/agents/testing'
import { approvingGate } from '@silentauth/core/testing'
import { gateAgent, gateTool, runWithGate, streamWithGate } from '@silentauth/openai/agents'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { sightings } from '../src/model-sightings.ts'
import { aKey } from './refund-scene.ts'

setTracingDisabled(true)

const reasoning = {
  type: 'reasoning',
  content: [{ type: 'input_text', text: 'They were charged twice.' }],
  rawContent: [{ type: 'reasoning_text', text: 'In March.' }],
}
const turns = () => [
  [reasoning, assistantMessage('I refund it.'), functionCall('issue_refund', { amount: 250 }, { callId: 'c1' })],
  [assistantMessage('done')],
]
const said = 'They were charged twice.\nIn March.\nI refund it.'
const refund = () =>
  tool({ name: 'issue_refund', description: 'd', parameters: z.object({ amount: z.number() }), execute: () => 'ran' })

it('approvers see what the model of a gated agent said for itself', async () => {
  const gate = approvingGate()
  const agent = new Agent({ name: 'refunds', model: new ScriptedModel(turns() as never), tools: [refund()] })
  expect((await run(gateAgent(agent, { gate }), 'hi')).finalOutput).toBe('done')
  expect(gate.intents[0]?.context).toMatchObject({ agent: 'refunds', reasoning: said })
})

it.each([
  ['hold', false],
  ['hold', true],
  ['suspend', false],
  ['suspend', true],
] as const)(
  'and what a model said that is asked for by name, with that name (%s, stream: %s)',
  async (wait, streams) => {
    const gate = approvingGate()
    const model = new ScriptedModel(turns() as never)
    setDefaultModelProvider({ getModel: () => model })
    const agent = new Agent({ name: 'a', model: 'some-model', tools: [gateTool(refund(), { gate, wait })] })
    const options = { gate, envelopeKeys: [aKey()], onPending: 'wait' } as const
    if (streams) for await (const _ of streamWithGate(agent, 'hi', options));
    else await runWithGate(agent, 'hi', options)
    expect(gate.intents[0]?.context).toEqual({
      tool: 'issue_refund',
      tool_call_id: 'c1',
      model: 'some-model',
      reasoning: said,
    })
  },
)

it('the model that answered is named, where it says which', async () => {
  const { of, watch } = sightings()
  const answer = { usage: new Usage(), output: turns()[0], providerData: { model: 'some-model-2026' } }
  const model = { getResponse: async () => answer } as unknown as Model
  expect(await watch(model, 'some-model').getResponse({} as never)).toBe(answer)
  expect([of('c1'), of('c2')]).toEqual([{ model: 'some-model-2026', reasoning: said }, undefined])
})

it('a model that is watched is what it was', () => {
  const model = new ScriptedModel([])
  expect(sightings().watch(model, undefined)).toBeInstanceOf(ScriptedModel)
})
