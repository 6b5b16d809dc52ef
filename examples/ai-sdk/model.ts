/**
 * The model of the example: OpenAI when there is a key, else a scripted server.
 */
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { type ChatRequest, scriptedOpenai } from '../demo/scripted-openai.ts'

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
  const server = await scriptedOpenai((request) => {
    const answer = answerOf(request)
    return answer === undefined ? { calls: [WANTS_REFUND] } : { text: answer }
  })
  const { url: baseURL, apiKey } = server
  const model = createOpenAICompatible({ name: 'scripted', baseURL, apiKey })('scripted-model')
  return { model, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}

const WANTS_REFUND = { name: 'issue_refund', args: { customer_id: 'cust_4821', amount: 250 } }

/** What a model says once its tool has answered: it has nothing but the text of the tool to go by. */
function answerOf({ messages }: ChatRequest): string | undefined {
  const last = messages.at(-1)
  if (last?.role !== 'tool') return undefined
  const said = String(last.content)
  return said.startsWith('Not executed')
    ? `I could not issue the refund. ${said}`
    : 'Done: customer cust_4821 gets 250 back.'
}
