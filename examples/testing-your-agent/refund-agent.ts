/**
 * The agent that is tested: whoever makes it brings the model, the gate, and what pays.
 */
import type { BaseChatModel } from '@langchain/core/language_models/chat_models'
import type { Gate } from '@silentauth/core'
import { currentPermit, gateTools } from '@silentauth/langchain'
import { createAgent, tool } from 'langchain'
import { z } from 'zod'

export interface RefundAgentOptions {
  model: BaseChatModel
  gate: Gate
  pay(amount: number, permitHeaders: Record<string, string>): Promise<void>
}

export function refundAgent({ model, gate, pay }: RefundAgentOptions) {
  const issueRefund = tool(
    async ({ customer_id, amount }) => {
      const permit = currentPermit({ action: 'issue_refund' })
      if (!permit) throw new Error('a refund needs a permit')
      await pay(amount, permit.headers())
      return `refunded ${amount} to ${customer_id}`
    },
    {
      name: 'issue_refund',
      description: 'Pays money back to a customer.',
      schema: z.object({ customer_id: z.string(), amount: z.number().positive() }),
    },
  )
  return createAgent({ model, tools: gateTools([issueRefund], { gate, allowEdits: true }) })
}
