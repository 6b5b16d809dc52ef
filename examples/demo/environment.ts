/**
 * The environment in which clients of OpenAI find a model by themselves: OpenAI when there is a key, else a scripted server.
 */
import { refundScript } from './refund-script.ts'
import { scriptedOpenai } from './scripted-openai.ts'

export async function demoEnvironment(): Promise<AsyncDisposable> {
  const { env } = process
  if (env.OPENAI_API_KEY) return { async [Symbol.asyncDispose]() {} }
  const server = await scriptedOpenai(refundScript)
  // Traces would be sent to OpenAI.
  Object.assign(env, { OPENAI_API_KEY: server.apiKey, OPENAI_BASE_URL: server.url, OPENAI_AGENTS_DISABLE_TRACING: '1' })
  return server
}
