/**
 * A LangChain agent that asks before it pays. Run `npx silentauth dev` in this folder, then `npm start`, and open the link
 * that it prints. The model is scripted unless OPENAI_API_KEY is set.
 */
import { currentPermit, gateTool, terminalReporter } from '@silentauth/langchain'
import { SilentAuth } from '@silentauth/sdk'
import { createAgent, tool } from 'langchain'
import { z } from 'zod'
import { demoModel } from '../demo/model.ts'

const issueRefund = tool(
  async ({ customer_id, amount }) => {
    // Send `permit.headers()` to a backend that checks permits: it then needs to trust neither this process nor its model.
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
const gated = gateTool(issueRefund, { gate, onEvent: terminalReporter() })

await using ready = await demoModel()
const agent = createAgent({ model: ready.model, tools: [gated] })
const { messages } = await agent.invoke({
  messages: [{ role: 'user', content: 'Customer cust_4821 was charged twice: refund 250.' }],
})
console.log(messages.at(-1)?.text)
