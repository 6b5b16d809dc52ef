/**
 * Plays the scenarios of the conformance suite on the Agents SDK: `run()`, with the real OpenAI client before a scripted
 * server, a processor of traces, and streams.
 *
 * @module
 */
import { run, setTraceProcessors, setTracingDisabled } from '@openai/agents'
import type { AdapterDriver, AgentEnd } from '@silentauth/core/contracts'
import { scriptedOpenai } from '../../../examples/demo/scripted-openai.ts'
import { agentOf, type Ended, errorSeen, input, toolResultsOf, watch } from './scripted-agent.ts'

setTracingDisabled(false)

export const holdDriver: AdapterDriver = {
  async run(agentRun) {
    await using openai = await scriptedOpenai(agentRun.turns)
    const watcher = watch()
    setTraceProcessors([watcher.processor])
    const agent = agentOf(agentRun, openai)
    const { signal } = agentRun

    const streamed: unknown[] = []
    let result: Ended | undefined
    let error: unknown
    try {
      if (agentRun.streaming) {
        const stream = await run(agent, input, { signal, stream: true })
        result = stream
        for await (const event of stream) streamed.push(JSON.stringify(event))
        await stream.completed
        if (stream.cancelled) error = signal.reason
      } else {
        result = await run(agent, input, { signal })
      }
    } catch (thrown) {
      error = errorSeen(thrown, signal)
    }
    return {
      toolResults: toolResultsOf(openai),
      answer: result?.finalOutput,
      error,
      modelKey: openai.apiKey,
      observed: {
        requests: openai.requests,
        traces: watcher.seen,
        streams: agentRun.streaming ? streamed : undefined,
        'run state': [result?.state.toString(), result?.newItems],
      },
    } satisfies AgentEnd
  },
}
