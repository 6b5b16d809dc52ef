/** An attack on the human-in-the-loop middleware of LangChain: a reviewer's edit turns a note into a payment. */
import { Command, MemorySaver } from '@langchain/langgraph'
import { ChatOpenAI } from '@langchain/openai'
import { gateTools } from '@silentauth/langchain'
import { type AgentMiddleware, createAgent, humanInTheLoopMiddleware, tool } from 'langchain'
import { z } from 'zod'
import { scriptedOpenai } from '../demo/scripted-openai.ts'
import { type AttackGate, codeIn } from './attack-gate.ts'
import type { Attack } from './attack-report.ts'

async function anAgent(gated?: AttackGate) {
  const paid: number[] = []
  const openai = await scriptedOpenai((_, index) =>
    index === 0 ? { calls: [{ name: 'write_note', args: { text: 'all is well' } }] } : { text: 'Done.' },
  )
  const tools = [
    tool(async () => 'noted', { name: 'write_note', description: 'Notes.', schema: z.object({ text: z.string() }) }),
    tool(async ({ amount }) => `sent ${paid.push(amount) && amount}`, {
      name: 'send_money',
      description: 'Pays.',
      schema: z.object({ amount: z.number() }),
    }),
  ]
  const { url: baseURL, apiKey } = openai
  // Its own types do not allow for `exactOptionalPropertyTypes`.
  const reviewed: unknown = humanInTheLoopMiddleware({
    interruptOn: { write_note: true, send_money: { allowedDecisions: ['reject'] } },
  } as never)
  const agent = createAgent({
    model: new ChatOpenAI({ model: 'scripted-model', apiKey, maxRetries: 0, configuration: { baseURL } }),
    tools: gated ? gateTools(tools, { gate: gated.gate, rules: { write_note: 'pass' } }) : tools,
    middleware: [reviewed as AgentMiddleware],
    checkpointer: new MemorySaver(),
  })
  const thread = { configurable: { thread_id: 'thread_1' } }
  const editedAction = { name: 'send_money', args: { amount: 9999 } }
  return {
    paid,
    start: () => agent.invoke({ messages: [{ role: 'user', content: 'Take a note.' }] }, thread),
    edit: () => agent.invoke(new Command({ resume: { decisions: [{ type: 'edit', editedAction }] } }), thread),
    [Symbol.asyncDispose]: () => openai[Symbol.asyncDispose](),
  }
}

export function retargetingEdit(gate: AttackGate): Attack {
  return {
    name: 'an edit that changes the tool',
    stock: 'LangChain 1.5, humanInTheLoopMiddleware',
    story: [
      'The rules: notes may be approved or edited; for `send_money` the only decision is `reject`.',
      'The model wants to write a note. Whoever may resume the thread "edits" it:',
      '  write_note {"text":"all is well"}   becomes   send_money {"amount":9999}',
      'The middleware looks at the rule of the note, and at no other.',
    ],
    wrap: 'createAgent({ model, tools: gateTools(tools, { gate }), … })',
    why: 'the payment asks for itself, with its own arguments, and a person at the gate says no',
    async run() {
      await using stock = await anAgent()
      await stock.start()
      await stock.edit()
      const before = await gate.asked()
      await using gated = await anAgent(gate)
      await gated.start()
      const [{ messages }] = await Promise.all([gated.edit(), gate.denyNext()])
      return {
        stock: stock.paid,
        gated: gated.paid,
        asked: (await gate.asked()) - before,
        refusals: { 'the edit': codeIn(messages.map(({ text }) => text).join('\n')) },
      }
    },
  }
}
