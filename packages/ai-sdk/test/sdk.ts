/**
 * The two generations of the AI SDK that one build of the package serves, each with its own client for OpenAI-compatible
 * servers. The tests are written against the types of the newer one.
 *
 * @module
 */
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { createOpenAICompatible as createOpenAICompatible6 } from '@ai-sdk/openai-compatible-6'
import * as ai7 from 'ai'
import * as ai6 from 'ai-6'
import type { ScriptedOpenai } from '../../../examples/demo/scripted-openai.ts'

export interface Sdk {
  readonly name: string
  readonly version: 6 | 7
  readonly ai: typeof ai7
  /** The end of a run, at this many steps. */
  steps(count: number): ReturnType<typeof ai7.isStepCount>
  modelOf(openai: Pick<ScriptedOpenai, 'url' | 'apiKey'>): ai7.LanguageModel & object
  /** What a run has added to its messages. */
  addedBy(result: object): ai7.ModelMessage[]
}

export const sdk7: Sdk = {
  name: 'AI SDK 7',
  version: 7,
  ai: ai7,
  steps: ai7.isStepCount,
  modelOf: ({ url, apiKey }) =>
    createOpenAICompatible({ name: 'scripted', baseURL: url, apiKey })('scripted-model') as ai7.LanguageModel & object,
  addedBy: (result) => (result as { responseMessages: ai7.ModelMessage[] }).responseMessages,
}

export const sdk6: Sdk = {
  name: 'AI SDK 6',
  version: 6,
  ai: ai6 as unknown as typeof ai7,
  steps: ai6.stepCountIs as unknown as typeof ai7.isStepCount,
  modelOf: ({ url, apiKey }) =>
    createOpenAICompatible6({
      name: 'scripted',
      baseURL: url,
      apiKey,
    })('scripted-model') as unknown as ai7.LanguageModel & object,
  addedBy: (result) => (result as { response: { messages: ai7.ModelMessage[] } }).response.messages,
}

export const SDKS = [sdk7, sdk6] as const
