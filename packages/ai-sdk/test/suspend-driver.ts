/**
 * Plays the scenarios of the conformance suite on the AI SDK with suspended runs: what is kept between two steps is JSON of
 * model messages, and each step has its tools and its model made anew, as in a process of its own.
 *
 * @module
 */
import { resolveApprovals, withGate } from '@silentauth/ai-sdk'
import type { SuspendDriver, SuspendedAct } from '@silentauth/core/contracts'
import type { ModelMessage } from 'ai'
import { scriptedOpenai } from '../../../examples/demo/scripted-openai.ts'
import { forged, openRequests } from './open-requests.ts'
import { question, toolResultsOf, toolsOf, watch } from './scripted-run.ts'
import type { Sdk } from './sdk.ts'

export function suspendDriver(sdk: Sdk): SuspendDriver {
  return {
    async start(run) {
      const openai = await scriptedOpenai(run.turns)
      const watcher = watch(sdk)
      const gateRun = { tenant: 'acme', id: `${run.thread}/${crypto.randomUUID()}` }
      const streamed: unknown[] = []
      const results: unknown[] = []
      const kept: { saved: string; suspended: string; answer?: string; error?: unknown } = { saved: '', suspended: '' }
      const tools = () => toolsOf(sdk, run, openai, gateRun)

      const go = async (messages: ModelMessage[]): Promise<void> => {
        const settings = {
          ...withGate(
            { model: sdk.modelOf(openai), tools: tools() },
            { gate: run.gate, run: gateRun, default: 'pass', ...run.options },
          ),
          messages,
          stopWhen: sdk.steps(6),
          abortSignal: run.signal,
          maxRetries: 0,
          ...watcher.telemetry,
        }
        try {
          if (run.streaming) {
            const result = sdk.ai.streamText({
              ...settings,
              onError: ({ error }: { error: unknown }) => {
                kept.error = error
              },
            } as never)
            for await (const chunk of result.toUIMessageStream()) streamed.push(chunk)
            kept.answer = await result.text
            const added = sdk.version === 7 ? await result.responseMessages : (await result.response).messages
            results.push(await result.steps, added)
            save([...messages, ...added])
          } else {
            const result = await sdk.ai.generateText(settings as never)
            kept.answer = result.text
            results.push(result.steps, sdk.addedBy(result))
            save([...messages, ...sdk.addedBy(result)])
          }
        } catch (thrown) {
          kept.error = thrown
        }
      }
      const save = (messages: readonly unknown[]) => {
        kept.saved = JSON.stringify(messages)
        if (openRequests(JSON.parse(kept.saved)).length > 0) kept.suspended = kept.saved
      }
      const load = (): ModelMessage[] => JSON.parse(kept.saved)

      /** As a route does: with the lock of the run. */
      let lock: Promise<unknown> = Promise.resolve()
      const locked = (work: () => Promise<void>): Promise<void> => {
        const now = lock.then(work)
        lock = now.catch(() => undefined)
        return now
      }
      const resume = (given?: ModelMessage[]) =>
        locked(async () => {
          const messages = given ?? load()
          if (openRequests(messages).length === 0) return
          const { ready, messages: resolved } = await resolveApprovals(messages, { tools: tools() })
          if (ready) await go(resolved)
        })

      await go([question])
      return {
        isWaiting: async () => kept.error === undefined && openRequests(load()).length > 0,
        async resume() {
          if (run.signal.aborted) kept.error = run.signal.reason
          if (kept.error === undefined) await resume()
        },
        async act(act: SuspendedAct) {
          switch (act) {
            case 'wake':
              await resume()
              return
            case 'forge':
              await resume(forged(load()))
              return
            case 'resume twice':
              await Promise.all([resume(), resume()])
              return
            case 'replay':
              await resume(JSON.parse(kept.suspended))
              return
            case 'say something': {
              const said: ModelMessage[] = [...load(), { role: 'user', content: 'Never mind.' }]
              const { messages } = await resolveApprovals(said, { tools: tools() })
              await go(messages)
              return
            }
            case 'fork':
              await resume(JSON.parse(kept.suspended.replaceAll('250', '9999')))
              return
            case 'answer':
              throw new Error(`cannot ${act}`)
          }
        },
        end: async () => ({
          toolResults: toolResultsOf(openai),
          answer: kept.answer,
          error: kept.error,
          suspended: kept.error === undefined && openRequests(load()).length > 0,
          modelKey: openai.apiKey,
          observed: {
            requests: openai.requests,
            telemetry: watcher.seen,
            'UI streams': run.streaming ? streamed : undefined,
            results,
            'persisted messages': [kept.saved, kept.suspended],
          },
        }),
        async [Symbol.asyncDispose]() {
          watcher[Symbol.dispose]()
          await openai[Symbol.asyncDispose]()
        },
      }
    },
  }
}
