/**
 * Plays the scenarios of the conformance suite on a loop over the plain client that is written by hand: what is kept between
 * two steps is JSON of the messages, and each step settles the calls of the last one.
 *
 * @module
 */
import type { SuspendDriver, SuspendedAct } from '@silentauth/core/contracts'
import { inTime } from '@silentauth/core/contracts'
import { type GatedFunctions, settleToolCalls } from '@silentauth/openai'
import type { ChatCompletionMessage, ChatCompletionMessageParam } from 'openai/resources/chat/completions'
import { z } from 'zod'
import { scriptedOpenai } from '../../../examples/demo/scripted-openai.ts'
import { clientOf, errorSeen, executed, model, question, toolResultsOf } from './scripted-client.ts'

type Messages = readonly ChatCompletionMessageParam[]

export const plainSuspendDriver: SuspendDriver = {
  async start(run) {
    const openai = await scriptedOpenai(run.turns)
    const client = clientOf(openai)
    const { gate, signal, streaming } = run
    const runKey = crypto.randomUUID()
    const kept: { saved: string; suspended: string; waiting: string[]; answer?: string; error?: unknown } = {
      saved: JSON.stringify([question]),
      suspended: '',
      waiting: [],
    }
    const { wait: _, ...common } = run.options
    const functions: GatedFunctions = Object.fromEntries(
      run.tools.map((tool) => [
        tool.name,
        {
          parameters: z.toJSONSchema(tool.schema) as never,
          parse: (args: unknown) => tool.schema.parse(args),
          execute: (args: unknown) =>
            inTime(
              executed(tool, args, () =>
                Promise.reject(new TypeError('a call within a function is no call of the model')),
              ),
              tool.timeoutMs,
            ),
          ...(tool.gated ? {} : { when: () => false }),
        },
      ]),
    )
    const definitions = run.tools.map(({ name, schema }) => ({
      type: 'function' as const,
      function: { name, parameters: z.toJSONSchema(schema) },
    }))
    /** Ids of calls can repeat over turns: each turn has a key of its own. */
    const settle = (message: ChatCompletionMessage, turn: number) =>
      settleToolCalls(message, functions, { gate, runKey: `${runKey}/${turn}`, signal, wait: 'suspend', ...common })

    /** As a loop does that tries again. */
    const settleRepeatedly = async (message: ChatCompletionMessage, turn: number) => {
      let settled = settle(message, turn)
      for (const again of run.repeats) {
        const first = await settled.catch(() => undefined)
        if (first?.pending.length) break
        settled = settle(again === 'unchanged' ? message : withArguments(message, again), turn)
      }
      return settled
    }
    const goOn = async (given: Messages): Promise<void> => {
      try {
        let messages = given
        for (;;) {
          const last = messages.at(-1) as ChatCompletionMessage
          if (last.role === 'assistant') {
            if (!last.tool_calls) break
            const settled = await settleRepeatedly(last, messages.length)
            kept.waiting = settled.pending.flatMap(({ intentId }) => intentId ?? [])
            if (settled.pending.length > 0) return save(messages, true)
            messages = [...messages, ...settled.messages]
          }
          signal.throwIfAborted()
          messages = [...messages, await answerTo(messages)]
          save(messages, false)
        }
        kept.answer = String(messages.at(-1)?.content ?? '')
      } catch (thrown) {
        kept.error = errorSeen(thrown, signal)
      }
    }
    const answerTo = async (messages: Messages): Promise<ChatCompletionMessage> => {
      const asked = { model, messages: [...messages], tools: definitions }
      const completion = streaming
        ? await client.chat.completions.stream(asked, { signal }).finalChatCompletion()
        : await client.chat.completions.create(asked, { signal })
      return JSON.parse(JSON.stringify(completion.choices[0]?.message))
    }
    const save = (messages: Messages, isWaiting: boolean) => {
      kept.saved = JSON.stringify(messages)
      if (isWaiting) kept.suspended ||= kept.saved
      isSuspended = isWaiting
    }
    let isSuspended = false
    const load = (): Messages => JSON.parse(kept.saved)

    /** As an application does: with the lock of the run. */
    let lock: Promise<unknown> = Promise.resolve()
    const resume = (given?: string): Promise<void> => {
      const now = lock.then(async () => {
        if (given !== undefined || isSuspended) await goOn(given === undefined ? load() : JSON.parse(given))
      })
      lock = now.catch(() => undefined)
      return now
    }

    await goOn(load())
    return {
      isWaiting: async () => kept.error === undefined && isSuspended,
      async resume() {
        if (signal.aborted) kept.error = signal.reason
        if (kept.error === undefined) await resume()
      },
      async act(act: SuspendedAct) {
        switch (act) {
          case 'wake':
            return resume()
          case 'forge':
            return isSuspended
              ? resume(kept.saved.replace('"tool_calls":', '"approved":true,"tool_calls":'))
              : undefined
          case 'resume twice':
            await Promise.all([resume(), resume()])
            return
          case 'replay':
            return resume(kept.suspended)
          case 'fork':
            return resume(kept.suspended.replaceAll('250', '9999'))
          case 'say something': {
            for (const id of kept.waiting) await gate.cancel(id as never, 'the user said something else')
            const messages = load()
            const settled = await settle(messages.at(-1) as ChatCompletionMessage, messages.length)
            return goOn([...messages, ...settled.messages, { role: 'user', content: 'Never mind.' }])
          }
          case 'answer':
            throw new TypeError('there is no such thing here')
        }
      },
      end: async () => ({
        toolResults: toolResultsOf(openai),
        answer: kept.answer,
        error: kept.error,
        suspended: isSuspended,
        modelKey: openai.apiKey,
        observed: { requests: openai.requests, 'persisted messages': [kept.saved, kept.suspended] },
      }),
      [Symbol.asyncDispose]: () => openai[Symbol.asyncDispose](),
    }
  },
}

/** The same call with other arguments. */
function withArguments(message: ChatCompletionMessage, args: object): ChatCompletionMessage {
  const [call] = message.tool_calls ?? []
  const changed = { ...call, function: { name: 'issue_refund', arguments: JSON.stringify(args) } }
  return { ...message, tool_calls: [changed] } as ChatCompletionMessage
}
