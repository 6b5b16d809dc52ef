/**
 * Plays the scenarios of the conformance suite on LangChain: `createAgent`, with the real OpenAI client before a scripted
 * server, a checkpointer, tracers, and all kinds of streams.
 *
 * @module
 */
import { MemorySaver } from '@langchain/langgraph'
import type { AdapterDriver, AgentEnd } from '@silentauth/core/contracts'
import { scriptedOpenai } from '../../../examples/demo/scripted-openai.ts'
import { agentOf, input, toolResultsOf, watch } from './scripted-agent.ts'

export const holdDriver: AdapterDriver = {
  async run(run) {
    await using openai = await scriptedOpenai(run.turns)
    const watcher = watch()
    const checkpointer = new MemorySaver()
    const agent = agentOf(run, openai, checkpointer)
    const config = { configurable: { thread_id: run.thread }, callbacks: watcher.callbacks, signal: run.signal }

    const streamed: unknown[] = []
    const end: { answer?: string; error?: unknown } = {}
    try {
      if (run.streaming) {
        for await (const event of agent.streamEvents(input, { ...config, version: 'v2' })) streamed.push(event)
      } else {
        for await (const chunk of await agent.stream(input, {
          ...config,
          streamMode: ['values', 'updates', 'custom', 'messages', 'debug'],
        })) {
          streamed.push(chunk)
        }
      }
      const { messages } = (await agent.graph.getState(config)).values as { messages: { text: string }[] }
      const answer = messages.at(-1)?.text
      if (answer !== undefined) end.answer = answer
    } catch (error) {
      end.error = error
    }
    return {
      toolResults: toolResultsOf(openai),
      answer: end.answer,
      error: end.error,
      modelKey: openai.apiKey,
      observed: {
        requests: openai.requests,
        traces: watcher.seen,
        streams: streamed,
        checkpoints: [checkpointer.storage, checkpointer.writes],
      },
    } satisfies AgentEnd
  },
}
