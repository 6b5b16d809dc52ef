import type { Gate } from '@silentauth/core'
import { approvingGate, denyingGate, scriptedGate } from '@silentauth/core/testing'
import { gateTool } from '@silentauth/langchain'
import { describe, expect, it } from 'vitest'
import { refundTool } from './refund-tool.ts'
import { suspendedAgent } from './suspended-agent.ts'

const call = { name: 'refund', args: { amount: 5 }, id: 'c1' }

function agentWith(gate: Gate, options: object) {
  const { refund, execute } = refundTool()
  const gated = gateTool(refund, { gate, wait: 'suspend', ...options } as never)
  return { execute, ...suspendedAgent([call], { gate, tools: [gated] }) }
}

describe('what is asked of a suspended call', () => {
  it.each<[string, object, object]>([
    ['action', { action: 'pay_back' }, { action: 'pay_back' }],
    ['action, by arguments', { action: ({ amount }: { amount: number }) => `pay_${amount}` }, { action: 'pay_5' }],
    ['params', { params: ({ amount }: { amount: number }) => ({ cents: amount * 100 }) }, { params: { cents: 500 } }],
    ['riskTier', { riskTier: 'high' }, { riskTier: 'high' }],
    ['riskTier, by arguments', { riskTier: () => 'critical' }, { riskTier: 'critical' }],
    [
      'context',
      {
        context: (_: unknown, { toolCallId, threadId }: { toolCallId: string; threadId: string }) => ({
          of: toolCallId,
          on: threadId,
        }),
      },
      { context: { of: 'c1', on: 't' } },
    ],
    ['approvers', { approvers: ['approver@example.com'] }, { approvers: ['approver@example.com'] }],
    ['source', { source: 'refund-bot' }, { source: 'refund-bot' }],
    ['idempotent', { idempotent: true }, { idempotent: true }],
    ['reenters', { reenters: true }, { reenters: true }],
    ['allowEdits', { allowEdits: true }, { edits: { schema: expect.objectContaining({ required: ['amount'] }) } }],
    ['nothing', {}, { action: 'refund', params: { amount: 5 }, edits: false, idempotent: false, reenters: false }],
  ])('is what the options say: %s', async (_, options, asked) => {
    const gate = scriptedGate(['wait'])
    const agent = agentWith(gate, options)
    await agent.start()
    expect(gate.intents).toMatchObject([asked])
    await gate.decide('approve')
    await agent.resume()
    // Under the permit for exactly what was shown, with the arguments of the model.
    expect(agent.execute.mock.calls.map(([amount]) => amount)).toEqual([5])
    expect(gate.intents.length).toBe(1)
  })

  it('is nothing when `when` says that this call needs no gate', async () => {
    const gate = denyingGate()
    const agent = agentWith(gate, { when: ({ amount }: { amount: number }) => amount > 100 })
    await agent.start()
    expect([gate.intents, agent.execute.mock.calls]).toEqual([[], [[5, undefined]]])
  })

  it.each(['when', 'params', 'context', 'riskTier', 'action'])(
    'is nothing when %s throws, and nothing runs',
    async (option) => {
      const gate = approvingGate()
      const broken = () => {
        throw new Error('broken option')
      }
      const agent = agentWith(gate, { [option]: broken })
      await agent.start().catch(() => undefined)
      expect([gate.intents, agent.execute.mock.calls]).toEqual([[], []])
    },
  )
})

describe('what becomes of a suspended call that does not run', () => {
  it.each([
    ['message', 'Not executed'],
    ['throw', 'INTENT_DENIED'],
  ])('with onDenied %s', async (onDenied, told) => {
    const gate = scriptedGate(['wait'])
    const agent = agentWith(gate, { onDenied })
    await agent.start()
    await gate.decide({ deny: 'too much' })
    await agent.resume()
    // A tool node makes messages of what tools throw.
    expect(await agent.toolTexts()).toEqual([expect.stringContaining(told)])
    expect(agent.execute).not.toHaveBeenCalled()
  })

  it.each([
    ['pending', 1, []],
    ['message', 0, [expect.stringContaining('gate cannot be reached')]],
    ['throw', 0, [expect.stringContaining('GATE_UNAVAILABLE')]],
  ])('with onGateError %s', async (onGateError, waiting, told) => {
    const away = Object.create(approvingGate(), {
      declare: { value: () => Promise.reject(new TypeError('fetch failed')) },
    }) as Gate
    const agent = agentWith(away, { onGateError })
    await agent.start()
    expect([(await agent.pending()).length, await agent.toolTexts()]).toEqual([waiting, told])
    expect(agent.execute).not.toHaveBeenCalled()
  })
})
