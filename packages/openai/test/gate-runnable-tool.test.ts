import { approvingGate, type ScriptedGate, scriptedGate } from '@silentauth/core/testing'
import { currentPermit, gateRunnableTool, type PlainGateOptions } from '@silentauth/openai'
import OpenAI, { APIUserAbortError } from 'openai'
import { zodFunction } from 'openai/helpers/zod'
import { expect, it, vi } from 'vitest'
import { z } from 'zod'
import { scriptedOpenai, type TurnCall } from '../../../examples/demo/scripted-openai.ts'

const refund = (amount: unknown, id = 'call_1'): TurnCall => ({ id, name: 'issue_refund', args: { amount } })
const parameters = { type: 'object', properties: { amount: { type: 'number' } }, required: ['amount'] } as const
const schema = z.object({ amount: z.number() })

/** `execute` is told the amount, and what the permit says of it. */
function aTool(kind: 'zodFunction' | 'parse' | 'raw', execute: (amount: number, permitted: unknown) => unknown) {
  const name = 'issue_refund'
  const run = ({ amount }: { amount: number }) => execute(amount, currentPermit({ action: name })?.params)
  if (kind === 'zodFunction') return zodFunction({ name, parameters: schema, function: run })
  const parsed = { function: run, parse: (text: string) => schema.parse(JSON.parse(text)) }
  const raw = { function: (text: string) => run(JSON.parse(text)) }
  return {
    type: 'function' as const,
    function: { name, description: name, parameters, ...(kind === 'raw' ? raw : parsed) },
  }
}

async function runOf(
  gate: ScriptedGate,
  turns: Parameters<typeof scriptedOpenai>[0],
  {
    kind = 'zodFunction',
    stream = false,
    options = {},
    abort = false,
  }: {
    kind?: Parameters<typeof aTool>[0]
    stream?: boolean
    options?: Partial<PlainGateOptions>
    abort?: boolean
  } = {},
) {
  await using openai = await scriptedOpenai(turns)
  const execute = vi.fn((amount: number, _permitted: unknown): unknown => ({ refunded: amount }))
  const client = new OpenAI({ apiKey: openai.apiKey, baseURL: openai.url, maxRetries: 0 })
  const runner = client.chat.completions.runTools({
    model: 'scripted-model',
    stream,
    messages: [{ role: 'user', content: 'Refund, please.' }],
    tools: [gateRunnableTool(aTool(kind, execute), { gate, ...options })],
  } as never)
  if (abort) void vi.waitUntil(() => gate.intents.length > 0).then(() => runner.abort())
  const end = await runner.finalContent().catch((error: unknown) => error)
  const results = openai.requests
    .at(-1)
    ?.messages.filter(({ role }) => role === 'tool')
    .map(({ content }) => content)
  return { end, results, execute, observed: JSON.stringify(openai.requests) }
}

const oneCall = [{ calls: [refund(250)] }, { text: 'done' }]

it.each([
  ['zodFunction', false],
  ['zodFunction', true],
  ['parse', false],
  ['parse', true],
  ['raw', false],
  ['raw', true],
] as const)('runs an approved call with its permit, which nobody else sees (%s, stream: %s)', async (kind, stream) => {
  const { end, results, execute, observed } = await runOf(approvingGate(), oneCall, { kind, stream })
  expect([end, results]).toEqual(['done', ['{"refunded":250}']])
  expect(execute).toHaveBeenCalledExactlyOnceWith(250, { amount: 250 })
  expect(observed).not.toContain('eyJ')
})

it('P5: two equal calls of one message are two intents, each with its own id', async () => {
  const gate = scriptedGate(['approve', { deny: 'once is enough' }])
  const { results, execute } = await runOf(gate, [{ calls: [refund(250, 'a'), refund(250, 'b')] }, { text: 'done' }])
  expect(gate.intents.map(({ context }) => context?.tool_call_id)).toEqual(['a', 'b'])
  expect(execute).toHaveBeenCalledOnce()
  expect(results?.join()).toContain('once is enough')
})

it('a call id that repeats in the next turn is a new action', async () => {
  const gate = scriptedGate(['approve', 'deny'])
  const { execute } = await runOf(gate, [{ calls: [refund(250)] }, { calls: [refund(250)] }, { text: 'done' }])
  expect([gate.intents.length, execute.mock.calls.length]).toEqual([2, 1])
})

it('P38: a denial is what the model reads, and ends no run', async () => {
  const { end, results, execute } = await runOf(scriptedGate([{ deny: 'over the limit' }]), oneCall)
  expect([end, results]).toEqual(['done', [expect.stringContaining('over the limit')]])
  expect(execute).not.toHaveBeenCalled()
})

it("onDenied: 'throw' ends the run", async () => {
  const { end, execute } = await runOf(scriptedGate(['deny']), oneCall, { options: { onDenied: 'throw' } })
  // The client wraps what a tool throws.
  expect(end).toMatchObject({ cause: { code: 'INTENT_DENIED' } })
  expect(execute).not.toHaveBeenCalled()
})

it('P17: an edit is what runs', async () => {
  const gate = scriptedGate([{ edit: { amount: 20 } }, 'approve'])
  const { results, execute } = await runOf(gate, oneCall, { kind: 'raw', options: { allowEdits: true } })
  expect(execute.mock.calls).toEqual([[20, { amount: 20 }]])
  expect(results).toEqual(['{"refunded":20}'])
})

it.each(['{"amount":', { amount: 'all of it' }])('P15, P16: arguments that are wrong ask nobody (%j)', async (args) => {
  const gate = scriptedGate([])
  const turns = [{ calls: [{ id: 'call_1', name: 'issue_refund', args }] }, { text: 'done' }]
  const { end, execute } = await runOf(gate, turns, { kind: 'parse' })
  expect([end, gate.intents, execute.mock.calls]).toEqual(['done', [], []])
})

it('P19: an abort cancels the intent', async () => {
  const gate = scriptedGate(['wait'])
  const { end, execute } = await runOf(gate, oneCall, { abort: true })
  expect(end).toBeInstanceOf(APIUserAbortError)
  expect(execute).not.toHaveBeenCalled()
  const [intent] = gate.intents
  await vi.waitUntil(async () => (await gate.read(intent?.id as never)).status === 'cancelled')
})

it.each([false, true])('approvers see which model asks, and what it said for itself (stream: %s)', async (stream) => {
  const gate = approvingGate()
  await runOf(gate, [{ text: 'They were charged twice.', calls: [refund(250)] }, { text: 'done' }], { stream })
  expect(gate.intents[0]?.context).toMatchObject({ model: 'scripted-model', reasoning: 'They were charged twice.' })
})
