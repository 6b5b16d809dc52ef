import { RunContext, setTracingDisabled } from '@openai/agents'
import { functionCall } from '@openai/agents/testing'
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
