/**
 * An agent of the AI SDK in a process of its own, whose chat is in a file. It suspends, or holds, as its second argument says.
 *
 * @module
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { resolveApprovals, withGate } from '@silentauth/ai-sdk'
import { generateText, isStepCount, type ModelMessage, tool } from 'ai'
import { z } from 'zod'
import { scriptedOpenai } from '../../../examples/demo/scripted-openai.ts'
import { agentProcess } from '../../../test/support/agent-process.ts'
import { forged, openRequests } from './open-requests.ts'
import { sdk7 } from './sdk.ts'

await using own = await agentProcess()
const { gate, folder, commands, idempotent } = own
const wait = process.argv[3] as 'hold' | 'suspend'
const issue_refund = tool({
  inputSchema: z.object({ customer_id: z.string(), amount: z.number() }),
  execute: async (args) => own.refund(args),
})
await using openai = await scriptedOpenai(({ messages }) =>
  messages.at(-1)?.role === 'user'
    ? { calls: [{ id: 'call_1', name: 'issue_refund', args: { customer_id: 'cust_4821', amount: 250 } }] }
    : { text: 'All done.' },
)
const { tools, ...rest } = withGate(
  { model: sdk7.modelOf(openai), tools: { issue_refund } },
  { gate, run: { tenant: 'acme', id: 'chat_1' }, wait, idempotent },
)

const chat = path.join(folder, 'chat.json')
const hello: ModelMessage = { role: 'user', content: 'Refund 250 to cust_4821.' }
const load = (): ModelMessage[] => (existsSync(chat) ? JSON.parse(readFileSync(chat, 'utf8')) : [hello])

async function go(messages: ModelMessage[]): Promise<void> {
  const { responseMessages } = await generateText({ ...rest, tools, messages, stopWhen: isStepCount(5), maxRetries: 0 })
  // Of two at once, the one that comes later must not take back what the other one has kept. What holds begins at the start.
  if (wait === 'hold' || messages.length >= load().length)
    writeFileSync(chat, JSON.stringify([...messages, ...responseMessages]))
}

for (const command of commands) {
  const messages = load()
  switch (command) {
    case 'start':
      await go([hello])
      break
    case 'continue':
      // What was killed before it was kept has left nothing to continue.
      if (messages.length === 1) await go(messages)
      break
    case 'wake':
    case 'resume': {
      if (openRequests(messages).length === 0) break
      const answered = command === 'wake' ? forged(messages) : messages
      const resolved = await resolveApprovals(answered, { tools })
      if (resolved.ready) await go(resolved.messages)
    }
  }
}
const messages = load()
const isWaiting = openRequests(messages).length > 0
const { pending } = isWaiting ? await resolveApprovals(messages, { tools }) : { pending: [] }
const last = messages.at(-1)
own.end({
  waiting: pending.map(({ descriptor }) => descriptor?.intentId),
  toolTexts: resultsIn(messages),
  answer: last?.role === 'assistant' && !isWaiting ? textOf(last) : undefined,
})

function resultsIn(messages: readonly ModelMessage[]): string[] {
  const parts = messages.flatMap(({ role, content }) => (role === 'tool' ? content : []))
  return parts.flatMap((part) =>
    part.type === 'tool-result' && 'value' in part.output ? [String(part.output.value)] : [],
  )
}

function textOf({ content }: ModelMessage): string {
  if (typeof content === 'string') return content
  return content.map((part) => ('text' in part ? part.text : '')).join('')
}
