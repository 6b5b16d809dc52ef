/**
 * A LangGraph thread that waits for a person while no process runs. Run `npx silentauth dev` in this folder, then `npm start`:
 * it asks, prints a link, and ends. Decide, and run `npm start` again: the thread goes on where it was.
 */
import path from 'node:path'
import { currentPermit, gateTools } from '@silentauth/langchain'
import { pendingGates, resolveInterrupts } from '@silentauth/langchain/langgraph'
import { SilentAuth } from '@silentauth/sdk'
import { createAgent, tool } from 'langchain'
import { z } from 'zod'
import { demoModel } from '../demo/model.ts'
import { SqliteSaver } from './sqlite-saver.ts'

const issueRefund = tool(
  async ({ customer_id, amount }) => {
    const permit = currentPermit({ action: 'issue_refund' })
    return `refunded ${amount} to ${customer_id}, approved by ${permit?.approvedBy.join(', ')}`
  },
  {
    name: 'issue_refund',
    description: 'Pays money back to a customer.',
    schema: z.object({ customer_id: z.string(), amount: z.number() }),
  },
)

await using gate = new SilentAuth()
await using ready = await demoModel()
const agent = createAgent({
  model: ready.model,
  tools: gateTools([issueRefund], { gate, wait: 'suspend', rules: { 'read_*': 'pass' } }),
  checkpointer: new SqliteSaver(path.join(process.env.SILENTAUTH_DATA ?? '.silentauth', 'threads.db')),
})
const thread = { configurable: { thread_id: 'refund-of-cust_4821' } }

// Whatever has been decided since the last run; a resume proves nothing, so the call that is woken asks the gate itself.
const { command } = await resolveInterrupts(agent, thread, { gate })
if (command) {
  await agent.invoke(command, thread)
} else if (!(await agent.graph.getState(thread)).values.messages) {
  await agent.invoke(
    { messages: [{ role: 'user', content: 'Customer cust_4821 was charged twice: refund 250.' }] },
    thread,
  )
}

const waiting = await pendingGates(agent, thread)
for (const { action, approvalUrl } of waiting)
  console.log(`${action} waits: decide at ${approvalUrl}, and run this again`)
if (waiting.length === 0) {
  const { values } = await agent.graph.getState(thread)
  console.log(values.messages.at(-1)?.text)
}
