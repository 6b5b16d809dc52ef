import { Agent, RunContext, run, setTracingDisabled } from '@openai/agents'
import { assistantMessage, functionCall, ScriptedModel } from '@openai/agents/testing'
import { approvingGate, denyingGate } from '@silentauth/core/testing'
import { gatedTool, isGated } from '@silentauth/openai/agents'
import { expect, it, vi } from 'vitest'
import { z } from 'zod'

setTracingDisabled(true)

const parameters = z.object({ amount: z.number() })

it('gives its function the permit of each call', async () => {
  const execute = vi.fn()
  const refund = gatedTool({ name: 'refund', description: 'd', parameters, execute }, { gate: approvingGate() })
  expect(isGated(refund)).toBe(true)
  const runContext = new RunContext()
  const toolCall = functionCall('refund', { amount: 3 }, { callId: 'c1' })
  await refund.invoke(runContext, toolCall.arguments, { toolCall })
  const permit = expect.objectContaining({ action: 'refund', params: { amount: 3 } })
  expect(execute).toHaveBeenCalledExactlyOnceWith({ amount: 3 }, { permit, runContext, signal: undefined })
})

it('does not run without one', async () => {
  const execute = vi.fn()
  const options = { gate: denyingGate(), when: () => false }
  const refund = gatedTool({ name: 'refund', description: 'd', parameters, execute }, options as never)
  expect(await refund.invoke(new RunContext(), '{"amount":3}')).toMatch(/was denied/)
  expect(execute).not.toHaveBeenCalled()
})

it.each([
  ['gives up on its backend', new DOMException('', 'TimeoutError'), 'started'],
  ['fails', new Error('no such customer'), 'failed'],
  [
    'fails with a timeout for its cause',
    new Error('not sent', { cause: new DOMException('', 'TimeoutError') }),
    'failed',
  ],
])('that %s is reported as what it is, though the SDK makes a text of its error', async (_, thrown, state) => {
  const gate = approvingGate()
  const execute = () => Promise.reject(thrown)
  const refund = gatedTool({ name: 'refund', description: 'd', parameters, execute }, { gate })
  const model = new ScriptedModel([
    [functionCall('refund', { amount: 3 }, { callId: 'c1' })],
    [assistantMessage('done')],
  ])
  await run(new Agent({ name: 'a', model, tools: [refund] }), 'hi')
  expect(JSON.stringify(model.lastCall?.request.input)).toContain('An error occurred')
  expect(await gate.read(gate.intents[0]?.id as never)).toMatchObject({ execution: { state } })
})
