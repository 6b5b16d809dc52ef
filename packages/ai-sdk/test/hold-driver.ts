/**
 * Plays the scenarios of the conformance suite on the AI SDK: `generateText` and `streamText`, with the real client before a
 * scripted server, and telemetry.
 *
 * @module
 */
import type { AdapterDriver, AgentEnd } from '@silentauth/core/contracts'
import { scriptedOpenai } from '../../../examples/demo/scripted-openai.ts'
import { question, toolResultsOf, toolsOf, watch } from './scripted-run.ts'
import type { Sdk } from './sdk.ts'

export function holdDriver(sdk: Sdk): AdapterDriver {
  return {
    async run(run) {
      await using openai = await scriptedOpenai(run.turns)
      using watcher = watch(sdk)
      const { telemetry } = watcher
      const settings = {
        model: sdk.modelOf(openai),
        tools: toolsOf(sdk, run, openai, `${run.thread}/${crypto.randomUUID()}`),
        messages: [question],
        stopWhen: sdk.steps(6),
        abortSignal: run.signal,
        maxRetries: 0,
        ...telemetry,
      }
      const streamed: unknown[] = []
      const results: unknown[] = []
      const end: { answer?: string; error?: unknown } = {}
      try {
        if (run.streaming) {
          const result = sdk.ai.streamText({
            ...settings,
            onError: ({ error }) => {
              end.error = error
            },
          })
          for await (const chunk of result.toUIMessageStream()) streamed.push(chunk)
          end.answer = await result.text
          results.push(await result.steps)
        } else {
          const result = await sdk.ai.generateText(settings)
          end.answer = result.text
          results.push(result.steps, sdk.addedBy(result))
        }
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
          telemetry: watcher.seen,
          'UI streams': run.streaming ? streamed : undefined,
          results,
        },
      } satisfies AgentEnd
    },
  }
}
