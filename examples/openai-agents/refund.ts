/**
 * An agent that asks before it pays. Run `npx silentauth dev` in this folder, then this, and open the link that it prints.
 */
import { Agent, run, tool } from '@openai/agents'
import { currentPermit, gateTool, terminalReporter } from '@silentauth/openai/agents'
import { SilentAuth } from '@silentauth/sdk'
import { z } from 'zod'

const issueRefund = tool({
  name: 'issue_refund',
  description: 'Pays money back to a customer.',
  parameters: z.object({ customer_id: z.string(), amount: z.number() }),
  execute: async ({ customer_id, amount }) => {
    // Send `permit.headers()` to a backend that checks permits: it then needs to trust neither this process nor its model.
    const permit = currentPermit({ action: 'issue_refund' })
    return `refunded ${amount} to ${customer_id}, approved by ${permit?.approvedBy.join(', ')}`
  },
})

await using gate = new SilentAuth()
const agent = new Agent({ name: 'refunds', tools: [gateTool(issueRefund, { gate, onEvent: terminalReporter() })] })
const result = await run(agent, 'Customer cust_4821 was charged twice: refund 250.')
console.log(result.finalOutput)
