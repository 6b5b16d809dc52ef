/**
 * The model of the demo: the real OpenAI client, talking to OpenAI when there is a key, else to a scripted server.
 */
import { ChatOpenAI } from '@langchain/openai'
import { refundScript } from './refund-script.ts'
import { type ScriptedOpenai, scriptedOpenai } from './scripted-openai.ts'

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
  const server = await scriptedOpenai(refundScript)
  return { model: scriptedModel(server), scripted: true, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}

/** The real client, pointed at a scripted server. */
export function scriptedModel({ url: baseURL, apiKey }: Pick<ScriptedOpenai, 'url' | 'apiKey'>): ChatOpenAI {
  return new ChatOpenAI({ apiKey, model: 'scripted-model', maxRetries: 0, configuration: { baseURL } })
}
