/**
 * Plays the scenarios of the conformance suite on the plain client: `client.chat.completions.runTools()`.
 *
 * @module
 */
import type { AdapterDriver, AgentEnd } from '@silentauth/core/contracts'
import { scriptedOpenai } from '../../../examples/demo/scripted-openai.ts'
import { clientOf, errorSeen, model, question, runnableTools, toolResultsOf } from './scripted-client.ts'

export const plainHoldDriver: AdapterDriver = {
  async run(run) {
    await using openai = await scriptedOpenai(run.turns)
    const client = clientOf(openai)
    const { signal, streaming: stream } = run
    const streamed: unknown[] = []
    let answer: string | undefined
    let error: unknown
    let messages: unknown
    try {
      signal.throwIfAborted()
      const runner = client.chat.completions.runTools(
        { model, stream, messages: [question], tools: runnableTools(run, client) } as never,
        { signal },
      )
      if (stream) for await (const event of runner as unknown as AsyncIterable<unknown>) streamed.push(event)
      answer = (await runner.finalContent()) ?? ''
      messages = runner.messages
    } catch (thrown) {
      error = errorSeen(thrown, signal)
    }
    return {
      toolResults: toolResultsOf(openai),
      answer,
      error,
      modelKey: openai.apiKey,
      observed: { requests: openai.requests, messages },
    } satisfies AgentEnd
  },
}
