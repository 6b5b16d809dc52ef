/**
 * Unit tests of an agent whose tools are gated: no server, no person, no network. `scriptedGate` is the real gate over memory,
 * permits included; what people decide is written down beforehand. Run them with `npm start`.
 */
import { fakeModel } from '@langchain/core/testing'
import { type ScriptedDecision, scriptedGate } from '@silentauth/core/testing'
import { expect, it, vi } from 'vitest'
import { refundAgent } from './refund-agent.ts'

/** Runs the agent once; the model wants to pay 250, hears what came of it, and says so. */
async function run(...script: ScriptedDecision[]) {
  await using gate = scriptedGate(script)
  const pay = vi.fn(async (_amount: number, _permitHeaders: Record<string, string>) => {})
  const model = fakeModel()
    .respondWithTools([{ name: 'issue_refund', args: { customer_id: 'cust_4821', amount: 250 } }])
    .respond((messages) => messages.at(-1) as never)
  const agent = refundAgent({ model: model as never, gate, pay })
  const { messages } = await agent.invoke({ messages: [{ role: 'user', content: 'I was charged twice: 250.' }] })
  return { pay, told: messages.at(-1)?.text, intents: gate.intents }
}

it('asks for exactly what it is going to do', async () => {
  const { intents } = await run('approve')
  expect(intents).toMatchObject([{ action: 'issue_refund', params: { customer_id: 'cust_4821', amount: 250 } }])
})

it('pays what was approved, once, and hands the permit on', async () => {
  const { pay, told } = await run('approve')
  expect(pay).toHaveBeenCalledExactlyOnceWith(250, { 'silentauth-permit': expect.stringMatching(/^eyJ/) })
  expect(told).toBe('refunded 250 to cust_4821')
})

it('pays what the approver made of it', async () => {
  const { pay } = await run({ edit: { customer_id: 'cust_4821', amount: 50 } })
  expect(pay).toHaveBeenCalledExactlyOnceWith(50, expect.anything())
})

it.each<[ScriptedDecision, RegExp]>([
  [{ deny: 'too much' }, /too much/],
  [{ requestChanges: 'not more than 200' }, /not more than 200/],
  ['expire', /nobody/i],
])('pays nothing after %j, and the model hears why', async (decision, why) => {
  const { pay, told } = await run(decision)
  expect(pay).not.toHaveBeenCalled()
  expect(told).toMatch(why)
})
