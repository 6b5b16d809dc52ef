/**
 * A loop over the plain client in a process of its own, whose messages are in a file; or, held, `runTools`, which starts the
 * same run each time.
 *
 * @module
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { gateRunnableTool, settleToolCalls } from '@silentauth/openai'
import OpenAI from 'openai'
import { zodFunction } from 'openai/helpers/zod'
import type { ChatCompletionMessage, ChatCompletionMessageParam } from 'openai/resources/chat/completions'
import { z } from 'zod'
import { agentProcess } from '../../../test/support/agent-process.ts'
import { hello, refundModel } from './refund-agent.ts'

await using own = await agentProcess()
const { gate, folder, commands, idempotent } = own
await using openai = await refundModel()
const client = new OpenAI({ apiKey: openai.apiKey, baseURL: openai.url, maxRetries: 0 })
const parameters = z.object({ customer_id: z.string(), amount: z.number() })
const execute = (args: z.infer<typeof parameters>) => own.refund(args)
const tool = zodFunction({ name: 'issue_refund', parameters, function: execute })
const model = 'scripted-model'
// An app keeps it before the run starts, so that it is the same one after a crash.
const runKey = 'the-only-run'
const asked: ChatCompletionMessageParam[] = [{ role: 'user', content: hello }]

if (process.argv[3] === 'hold') {
  const tools = [gateRunnableTool(tool, { gate, runKey, idempotent })]
  const runner = client.chat.completions.runTools({ model, messages: asked, tools })
  const answer = (await runner.finalContent()) ?? undefined
  own.end({ waiting: [], toolTexts: textsIn(runner.messages), answer })
} else {
  const file = path.join(folder, 'messages.json')
  const load = (): ChatCompletionMessageParam[] => (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : asked)
  let waiting: (string | undefined)[] = []

  const goOn = async (messages: ChatCompletionMessageParam[]): Promise<void> => {
    let last = messages.at(-1) as ChatCompletionMessage
    while (last.role !== 'assistant' || last.tool_calls) {
      if (last.role === 'assistant') {
        const settled = await settleToolCalls(
          last,
          { issue_refund: { execute, parse: (args) => parameters.parse(args) } },
          { gate, runKey, idempotent, wait: 'suspend' },
        )
        waiting = settled.pending.map(({ intentId }) => intentId)
        if (waiting.length > 0) return
        messages = [...messages, ...settled.messages]
      }
      const { choices } = await client.chat.completions.create({ model, messages, tools: [tool] })
      last = choices[0]?.message as ChatCompletionMessage
      messages = [...messages, last]
      // Of two at once, the one that comes later must not take back what the other one has kept.
      if (messages.length > load().length) writeFileSync(file, JSON.stringify(messages))
    }
  }

  for (const command of commands) {
    // Somebody resumes what had waited, also when it has ended.
    if (command === 'wake') await goOn(load().slice(0, 2))
    else await goOn(command === 'start' ? asked : load())
  }
  if (load().length > 2) waiting = []
  const messages = load()
  own.end({
    waiting,
    toolTexts: textsIn(messages),
    answer: waiting.length > 0 ? undefined : String(messages.at(-1)?.content),
  })
}

function textsIn(messages: readonly ChatCompletionMessageParam[]): string[] {
  return messages.flatMap(({ role, content }) => (role === 'tool' ? [String(content)] : []))
}
