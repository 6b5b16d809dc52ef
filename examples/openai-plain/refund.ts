/**
 * The plain client, whose tool asks before it pays. Run `npx silentauth dev` in this folder, then this, and open the link that
 * it prints.
 */
import { currentPermit, gateRunnableTool, terminalReporter } from '@silentauth/openai'
import { SilentAuth } from '@silentauth/sdk'
import OpenAI from 'openai'
import { zodFunction } from 'openai/helpers/zod'
import { z } from 'zod'

const issueRefund = zodFunction({
  name: 'issue_refund',
  description: 'Pays money back to a customer.',
  parameters: z.object({ customer_id: z.string(), amount: z.number() }),
  function: async ({ customer_id, amount }) => {
    const permit = currentPermit({ action: 'issue_refund' })
    return `refunded ${amount} to ${customer_id}, approved by ${permit?.approvedBy.join(', ')}`
  },
})

await using gate = new SilentAuth()
const runner = new OpenAI().chat.completions.runTools({
  model: 'gpt-5-mini',
  messages: [{ role: 'user', content: 'Customer cust_4821 was charged twice: refund 250.' }],
  tools: [gateRunnableTool(issueRefund, { gate, onEvent: terminalReporter() })],
})
console.log(await runner.finalContent())
