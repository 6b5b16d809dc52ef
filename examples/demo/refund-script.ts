/**
 * What the scripted model of the examples says: it wants a refund, and then tells what became of it.
 */
import type { ChatRequest, Turn } from './scripted-openai.ts'

export function refundScript(request: ChatRequest): Turn {
  const answer = answerOf(request)
  return answer === undefined ? WANTS_REFUND : { text: answer }
}

const WANTS_REFUND = { calls: [{ name: 'issue_refund', args: { customer_id: 'cust_4821', amount: 250 } }] }

/** What a model says once its tool has answered: it has nothing but the text of the tool to go by. */
function answerOf({ messages }: ChatRequest): string | undefined {
  const last = messages.at(-1)
  if (last?.role !== 'tool') return undefined
  const said = String(last.content)
  return said.startsWith('Not executed')
    ? `I could not issue the refund. ${said}`
    : 'Done: customer cust_4821 gets 250 back.'
}
