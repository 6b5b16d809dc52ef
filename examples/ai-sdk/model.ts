/**
 * The model of the example: OpenAI when there is a key, else a scripted server.
 */
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { type ChatRequest, scriptedOpenai, type Turn } from '../demo/scripted-openai.ts'

export async function demoModel() {
  const { OPENAI_API_KEY, OPENAI_MODEL = 'gpt-5-mini' } = process.env
  if (OPENAI_API_KEY) {
    const openai = createOpenAICompatible({
      name: 'openai',
      baseURL: 'https://api.openai.com/v1',
      apiKey: OPENAI_API_KEY,
    })
    return { model: openai(OPENAI_MODEL), async [Symbol.asyncDispose]() {} }
  }
  const server = await scriptedOpenai(turnOf)
  const { url: baseURL, apiKey } = server
  const model = createOpenAICompatible({ name: 'scripted', baseURL, apiKey })('scripted-model')
  return { model, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}

/** What a model says: it has nothing but the words of the user and of its tool to go by. */
function turnOf({ messages }: ChatRequest): Turn {
  const said = textOf(messages.findLast(({ role }) => role === 'user')?.content)
  const customer_id = said.match(/cust_\w+/)?.[0]
  const amount = said.match(/(?<!\w)\d+(?:\.\d+)?/)?.[0]
  if (customer_id === undefined || amount === undefined) return { text: 'Which customer, and how much?' }
  const last = messages.at(-1)
  if (last?.role !== 'tool') return { calls: [{ name: 'issue_refund', args: { customer_id, amount: Number(amount) } }] }
  const answer = String(last.content)
  const failed = /^(Not executed|It may have run|This call)/.test(answer)
  // The first sentence says what happened; the rest is for models.
  const [why] = answer.split('. ')
  return {
    text: failed ? `I could not issue the refund. ${why}.` : `Done: customer ${customer_id} gets ${amount} back.`,
  }
}

/** A text, or the texts among its parts. */
function textOf(content: unknown): string {
  if (!Array.isArray(content)) return String(content ?? '')
  return content.map((part: { text?: unknown }) => String(part.text ?? '')).join(' ')
}
