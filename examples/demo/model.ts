/**
 * The model of the demo: the real OpenAI client, talking to OpenAI when there is a key, else to a scripted server.
 */
import { ChatOpenAI } from '@langchain/openai'
import { type ChatRequest, type ScriptedOpenai, scriptedOpenai } from './scripted-openai.ts'

export interface DemoModel extends AsyncDisposable {
  model: ChatOpenAI
  scripted: boolean
}

export async function demoModel(): Promise<DemoModel> {
  const { OPENAI_API_KEY: apiKey } = process.env
  if (apiKey) {
    const model = new ChatOpenAI({ apiKey, model: process.env.OPENAI_MODEL ?? 'gpt-5-mini' })
    return { model, scripted: false, async [Symbol.asyncDispose]() {} }
  }
  const server = await scriptedOpenai((request) =>
    answerOf(request) ? { text: answerOf(request) ?? '' } : WANTS_REFUND,
  )
  return { model: scriptedModel(server), scripted: true, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}

/** The real client, pointed at a scripted server. */
export function scriptedModel({ url: baseURL, apiKey }: Pick<ScriptedOpenai, 'url' | 'apiKey'>): ChatOpenAI {
  return new ChatOpenAI({ apiKey, model: 'scripted-model', maxRetries: 0, configuration: { baseURL } })
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
