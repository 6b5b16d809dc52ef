/**
 * An agent of the Vercel AI SDK that asks before it pays. Run `npx silentauth dev` in this folder, then `npm start`, and open
 * the link that it prints. The model is scripted unless OPENAI_API_KEY is set.
 */
import { currentPermit, terminalReporter, withGate } from '@silentauth/ai-sdk'
import { SilentAuth } from '@silentauth/sdk'
import { generateText, isStepCount, tool } from 'ai'
import { z } from 'zod'
import { demoModel } from './model.ts'

const issue_refund = tool({
  description: 'Pays money back to a customer.',
  inputSchema: z.object({ customer_id: z.string(), amount: z.number() }),
  execute: async ({ customer_id, amount }) => {
    // Send `permit.headers()` to a backend that checks permits: it then needs to trust neither this process nor its model.
    const permit = currentPermit({ action: 'issue_refund' })
    return `refunded ${amount} to ${customer_id}, approved by ${permit?.approvedBy.join(', ')}`
  },
})

await using gate = new SilentAuth()
await using ready = await demoModel()
const { text } = await generateText({
  ...withGate({ model: ready.model, tools: { issue_refund } }, { gate, onEvent: terminalReporter() }),
  stopWhen: isStepCount(5),
  prompt: 'Customer cust_4821 was charged twice: refund 250.',
})
console.log(text)
