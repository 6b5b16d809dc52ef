import { approvingGate, scriptedGate } from '@silentauth/core/testing'
import { currentPermit, gateMcpApproval, gateRunnerFunction } from '@silentauth/openai'
import { ResponsesToolRunner } from 'openai/helpers/responses-tool-runner'
import { expect, it, vi } from 'vitest'
import { scriptedResponses } from './scripted-responses.ts'

const call = (amount: number, id: string) => ({ id, name: 'issue_refund', args: { amount } })
const tool = {
  type: 'function' as const,
  name: 'issue_refund',
  strict: false,
  parameters: { type: 'object', properties: { amount: { type: 'number' } }, required: ['amount'] },
}

it('each call of a runner is asked for, and runs with its permit', async () => {
  await using openai = await scriptedResponses([{ calls: [call(50, 'a'), call(50, 'b')] }, { text: 'done' }])
  const gate = scriptedGate(['approve', { deny: 'once is enough' }])
  const execute = vi.fn(async ({ amount }: Record<string, unknown>) => `refunded ${amount}, ${currentPermit()?.action}`)
  const runner = new ResponsesToolRunner({ functions: [gateRunnerFunction({ tool, execute }, { gate })] })
  await runner.run(openai.client, { model: 'scripted-model', input: 'Refund, please.' })
  expect([gate.intents.length, execute.mock.calls.length]).toEqual([2, 1])
  const answered = JSON.stringify(openai.requests.at(-1)?.input)
  expect(answered).toContain('refunded 50, issue_refund')
  expect(answered).toContain('once is enough')
  expect(answered).not.toContain('eyJ')
})

const request = { id: 'mcpr_1', name: 'create_charge', server_label: 'stripe', arguments: '{"amount":50}' }

it('a call on a remote MCP server goes on when it is approved, and once', async () => {
  const gate = approvingGate()
  const approve = gateMcpApproval({ gate })
  expect([await approve(request), await approve(request)]).toEqual([true, false])
  expect(gate.intents).toMatchObject([{ action: 'stripe_create_charge', params: { amount: 50 } }])
})

it.each([
  ['it is denied', ['deny'] as const, request],
  ['its arguments are no JSON', [] as const, { ...request, arguments: '{' }],
])('nor when %s', async (_, script, asked) => {
  expect(await gateMcpApproval({ gate: scriptedGate(script) })(asked)).toBe(false)
})

it.each([
  ['approve', 1],
  ['deny', 0],
] as const)('P40: a call that runs before its turn is over is asked for, too: %s', async (decision, ran) => {
  const decided = Promise.withResolvers<void>()
  await using openai = await scriptedResponses([{ calls: [call(50, 'a')], ends: decided.promise }, { text: 'done' }])
  const gate = scriptedGate(['wait'])
  const execute = vi.fn(async () => 'ran')
  const gated = { ...gateRunnerFunction({ tool, execute }, { gate }), independent: true }
  const played = new ResponsesToolRunner({ functions: [gated] }).run(
    openai.client,
    { model: 'scripted-model', input: 'Refund, please.' },
    { stream: true, eager: true },
  )
  // Its turn ends only after this.
  await vi.waitUntil(() => gate.intents.length > 0)
  expect(execute).not.toHaveBeenCalled()
  await gate.decide(decision)
  decided.resolve()
  await played
  expect([gate.intents.length, execute.mock.calls.length]).toEqual([1, ran])
})
