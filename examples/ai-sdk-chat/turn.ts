/**
 * One turn of a chat: the agent goes on as far as it may, and the chat is kept with what waits and where to decide.
 */
import { randomUUID } from 'node:crypto'
import * as gated from '@silentauth/ai-sdk'
import * as ai from 'ai'
import { z } from 'zod'
import type { KeptChats, Until } from './kept-chats.ts'

export interface RefundTurn extends Pick<gated.GateToolOptions, 'gate'> {
  model: ai.LanguageModel
  chats: KeptChats
  pay(refund: { customer_id: string; amount: number }): Promise<void>
}

/** @param text of a new message; undefined asks whether what waits was decided */
export async function turnOf(
  { gate, model, chats, pay }: RefundTurn,
  id: string,
  text: string | undefined,
  until: Until,
): Promise<Response> {
  const issue_refund = ai.tool({
    description: 'Pays money back to a customer.',
    inputSchema: z.object({ customer_id: z.string(), amount: z.number() }),
    async execute(refund) {
      const permit = gated.currentPermit({ action: 'issue_refund' })
      await pay(refund)
      return { refunded: refund.amount, approved_by: permit?.approvedBy ?? [] }
    },
  })
  const run = { tenant: 'demo', id }
  const { tools, ...settings } = gated.withGate({ model, tools: { issue_refund } }, { gate, run, wait: 'suspend' })

  const chat = await chats.load(id)
  if (text !== undefined) chat.push({ id: randomUUID(), role: 'user', parts: [{ type: 'text', text }] })
  const { ready, pending, decided, messages } = await gated.reconcileUIMessages(chat, { tools })
  const last = messages.at(-1)
  const isOpen = (part: object) => 'state' in part && part.state === 'approval-responded'
  if (ready && last?.role !== 'user' && !last?.parts.some(isOpen)) return new Response('nothing waits', { status: 409 })

  await chats.save(id, messages)
  const modelMessages = await ai.convertToModelMessages(messages, { tools })
  const stream = ai.createUIMessageStream({
    originalMessages: messages,
    generateId: randomUUID,
    execute({ writer }) {
      if (!ready) {
        for (const chunk of gated.pendingUIChunks(pending, last?.id ?? '')) writer.write(chunk)
        return
      }
      const result = ai.streamText({ ...settings, tools, messages: modelMessages, stopWhen: ai.isStepCount(5) })
      writer.merge(result.toUIMessageStream().pipeThrough(gated.withApprovalDescriptors({ tools, run, decided })))
    },
    onEnd: (ended) => chats.save(id, ended.messages),
  })
  // One for us, so that the turn comes to its end when the browser leaves.
  const [toBrowser, ours] = stream.tee()
  until(ai.consumeStream({ stream: ours }))
  return ai.createUIMessageStreamResponse({ stream: toBrowser })
}
