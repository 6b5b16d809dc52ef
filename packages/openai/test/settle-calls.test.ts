import { SilentAuthError } from '@silentauth/core'
import { approvingGate, scriptedGate } from '@silentauth/core/testing'
import { currentPermit, settleFunctionCalls, settleToolCalls } from '@silentauth/openai'
import { describe, expect, it, vi } from 'vitest'
import { scriptedResponses } from './scripted-responses.ts'

const call = (amount: number, id: string) => ({ id, name: 'issue_refund', args: { customer: 'cust_4821', amount } })
const item = (amount: unknown, id = 'a', name = 'issue_refund') => ({
  type: 'function_call',
  call_id: id,
  name,
  arguments: typeof amount === 'string' ? amount : JSON.stringify({ amount }),
})

function functions() {
  const execute = vi.fn(({ amount }: { amount: number }) => `refunded ${amount}, ${currentPermit()?.action}`)
  return { execute, record: { issue_refund: { execute } } }
}

it('P39: while one call waits none runs, and nothing is kept but what the model said', async () => {
  const turns = [{ calls: [call(50, 'a'), call(50, 'b'), call(70, 'c')] }, { text: 'done' }]
  await using openai = await scriptedResponses(turns)
  const gate = scriptedGate(['wait', 'approve', 'wait'])
  const { execute, record } = functions()
  const response = await openai.client.responses.create({ model: 'scripted-model', input: 'Refund, please.' })
  const kept = JSON.stringify({ runKey: crypto.randomUUID(), id: response.id, output: response.output })
  const settle = () => {
    const { runKey, output } = JSON.parse(kept) as { runKey: string; output: { type: string }[] }
    return settleFunctionCalls(output, record, { gate, runKey, wait: 'suspend' })
  }

  const first = await settle()
  expect(first.outputs).toEqual([])
  expect(first.pending.map(({ callId }) => callId)).toEqual(expect.arrayContaining(['a', 'c']))
  await settle()
  expect([gate.intents.length, execute.mock.calls.length]).toEqual([3, 0])

  await gate.decide('approve')
  await gate.decide({ deny: 'over the limit' })
  const { outputs, pending } = await settle()
  expect(pending).toEqual([])
  expect(outputs.map(({ output }) => output)).toEqual([
    'refunded 50, issue_refund',
    'refunded 50, issue_refund',
    expect.stringContaining('over the limit'),
  ])
  const final = await openai.client.responses.create({
    model: 'scripted-model',
    previous_response_id: response.id,
    input: outputs,
  })
  expect([final.output_text, execute.mock.calls.length, openai.requests.length]).toEqual(['done', 2, 2])
  expect(JSON.stringify(openai.requests)).not.toContain('eyJ')

  const again = await settle()
  expect(again.outputs[0]?.output).toContain('executed before')
  expect(execute).toHaveBeenCalledTimes(2)
})

it('what was kept and changed afterwards is not executed, and asks nobody', async () => {
  const gate = scriptedGate(['approve'])
  const { execute, record } = functions()
  const options = { gate, runKey: crypto.randomUUID(), wait: 'suspend' } as const
  await settleFunctionCalls([item(50)], record, options)
  const { outputs } = await settleFunctionCalls([item(5000)], record, options)
  expect(outputs[0]?.output).toContain('not the ones that were submitted')
  expect([gate.intents.length, execute.mock.calls.length]).toEqual([1, 0])
})

describe('while the gate is away, a call of a suspended loop', () => {
  const away = () => Promise.reject(new SilentAuthError('GATE_UNAVAILABLE', 'the gate is away'))
  const settled = async (onGateError?: 'message' | 'throw' | 'pending') => {
    const gate = scriptedGate(['wait'])
    const { execute, record } = functions()
    const options = { gate, runKey: 'r', wait: 'suspend', onGateError } as const
    const declare = vi.spyOn(gate, 'declare').mockImplementation(away)
    const settle = () => settleFunctionCalls([item(50)], record, options)
    const ended = await settle().catch((error: unknown) => error)
    expect(execute).not.toHaveBeenCalled()
    declare.mockRestore()
    return { ended, settle, approve: () => gate.decide('approve'), execute }
  }

  it.each([undefined, 'pending'] as const)('waits on, and goes on later (onGateError: %s)', async (onGateError) => {
    const { ended, settle, approve, execute } = await settled(onGateError)
    expect(ended).toEqual({ outputs: [], pending: [{ name: 'issue_refund', callId: 'a' }] })
    await settle()
    await approve()
    expect((await settle()).outputs[0]?.output).toBe('refunded 50, issue_refund')
    expect(execute).toHaveBeenCalledOnce()
  })

  it('is answered where the options say so', async () => {
    const { ended } = await settled('message')
    expect(ended).toMatchObject({ pending: [], outputs: [{ output: expect.stringContaining('Not executed') }] })
  })

  it('ends the loop where the options say so', async () => {
    expect((await settled('throw')).ended).toMatchObject({ code: 'GATE_UNAVAILABLE' })
  })
})

it.each([
  ['an unknown function', item(50, 'a', 'drop_database'), 'no function drop_database'],
  ['a member of every object', item(50, 'a', 'constructor'), 'no function constructor'],
  ['malformed arguments', item('{"amount":'), 'arguments of issue_refund are wrong'],
])('%s is answered, and nobody is asked', async (_, asked, said) => {
  const gate = scriptedGate([])
  const { execute, record } = functions()
  const { outputs } = await settleFunctionCalls([asked], record, { gate, runKey: 'r' })
  expect(outputs[0]?.output).toContain(said)
  expect([gate.intents.length, execute.mock.calls.length]).toEqual([0, 0])
})

it('waits for the decisions, for a message of Chat Completions', async () => {
  const { execute, record } = functions()
  const tool_calls = [{ id: 'a', type: 'function', function: { name: 'issue_refund', arguments: '{"amount":50}' } }]
  const { messages } = await settleToolCalls({ tool_calls }, record, { gate: approvingGate(), runKey: 'r' })
  expect(messages).toEqual([{ role: 'tool', tool_call_id: 'a', content: 'refunded 50, issue_refund' }])
  expect(execute).toHaveBeenCalledOnce()
})

it.each([
  ['an empty run key', { runKey: '' }, [item(50)]],
  ['two calls of one id', { runKey: 'r' }, [item(50), item(50)]],
])('P4: %s is a TypeError', async (_, { runKey }, items) => {
  const { execute, record } = functions()
  await expect(settleFunctionCalls(items, record, { gate: approvingGate(), runKey })).rejects.toThrow(TypeError)
  expect(execute).not.toHaveBeenCalled()
})

describe('approvers see what the model said for itself', () => {
  const reasoning = 'They were charged twice.\nI refund it.'
  it('in a response', async () => {
    const gate = approvingGate()
    const said = [
      { type: 'reasoning', summary: [{ type: 'summary_text', text: 'They were charged twice.' }] },
      { type: 'message', content: [{ type: 'output_text', text: 'I refund it.' }] },
    ]
    await settleFunctionCalls([...said, item(50)], functions().record, { gate, runKey: 'r' })
    expect(gate.intents[0]?.context).toEqual({ tool: 'issue_refund', tool_call_id: 'a', reasoning })
  })

  it('in a message', async () => {
    const gate = approvingGate()
    const tool_calls = [{ id: 'a', type: 'function', function: { name: 'issue_refund', arguments: '{"amount":50}' } }]
    const message = { content: reasoning, tool_calls }
    await settleToolCalls(message, functions().record, { gate, runKey: 'r' })
    expect(gate.intents[0]?.context).toEqual({ tool: 'issue_refund', tool_call_id: 'a', reasoning })
  })
})

it('a condition that forgets to answer lets nothing through', async () => {
  const { execute, record } = functions()
  const gate = scriptedGate(['deny'])
  const when = (() => undefined) as never
  await settleFunctionCalls([item(50)], record, { gate, runKey: 'r', when })
  expect([gate.intents.length, execute.mock.calls.length]).toEqual([1, 0])
})

it('a denial that is thrown lets go of the calls that still wait: none of them runs behind the back of the caller', async () => {
  const { execute, record } = functions()
  const gate = scriptedGate(['deny', 'wait'])
  const settled = settleFunctionCalls([item(50, 'a'), item(70, 'b')], record, { gate, runKey: 'r', onDenied: 'throw' })
  await expect(settled).rejects.toMatchObject({ code: 'INTENT_DENIED' })
  const left = gate.intents.find(({ params }) => params.amount === 70)
  expect(await gate.read(left?.id as never)).toMatchObject({ status: 'cancelled' })
  expect(execute).not.toHaveBeenCalled()
})

it('a denial that is thrown does not stop a call that has begun', async () => {
  const gate = scriptedGate(['approve', 'wait'])
  const begun = Promise.withResolvers<AbortSignal | undefined>()
  const denied = Promise.withResolvers<void>()
  const execute = async ({ amount }: { amount: number }, { signal }: { signal: AbortSignal | undefined }) => {
    begun.resolve(signal)
    await denied.promise
    return `refunded ${amount}, ${signal?.aborted ?? false}`
  }
  const options = { gate, runKey: 'r', onDenied: 'throw' } as const
  const settled = settleFunctionCalls([item(50, 'a'), item(70, 'b')], { issue_refund: { execute } }, options)
  await begun.promise
  await gate.decide('deny')
  denied.resolve()
  await expect(settled).rejects.toMatchObject({ code: 'INTENT_DENIED' })
  const first = gate.intents.find(({ params }) => params.amount === 50)
  expect(await gate.read(first?.id as never)).toMatchObject({ execution: { state: 'succeeded' } })
})
