/**
 * The agent of the demo: a LangChain agent with one tool that costs money.
 */

import type { ChatOpenAI } from '@langchain/openai'
import { currentPermit, type Gate, type GateEvent } from '@silentauth/core'
import { gateTool } from '@silentauth/langchain'
import { createAgent, tool } from 'langchain'
import { z } from 'zod'

export interface RefundAgentOptions {
  gate: Gate
  /** Of the refund backend. */
  backendUrl: string
  model: ChatOpenAI
  onEvent: (event: GateEvent) => void
  /** Called with the permit of each execution: the demo tries to use it a second time. */
  onPermit: (token: string) => void
}

export function refundAgent({ gate, backendUrl, model, onEvent, onPermit }: RefundAgentOptions) {
  const issueRefund = tool(
    async (refund) => {
      const permit = currentPermit({ action: 'issue_refund' })
      if (!permit) throw new Error('a refund needs a permit')
      onPermit(permit.token)
      const response = await fetch(`${backendUrl}/refunds`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...permit.headers() },
        body: JSON.stringify(refund),
      })
      if (!response.ok) throw new Error(`the backend refused: ${response.status}`)
      return await response.text()
    },
    {
      name: 'issue_refund',
      description: 'Pays money back to a customer.',
      schema: z.object({ customer_id: z.string(), amount: z.number() }),
    },
  )
  return createAgent({ model, tools: [gateTool(issueRefund, { gate, onEvent })] })
}
