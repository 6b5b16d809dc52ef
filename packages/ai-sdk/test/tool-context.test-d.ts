// Checked by tsc: tools with a context of their own, which AI SDK 7 has, keep its type.
import { gateTools, withGate } from '@silentauth/ai-sdk'
import { approvingGate } from '@silentauth/core/testing'
import { generateText, type LanguageModel, tool } from 'ai'
import { z } from 'zod'

declare const model: LanguageModel
const gate = approvingGate()
const greet = tool({
  inputSchema: z.object({ text: z.string() }),
  contextSchema: z.object({ user: z.string() }),
  execute: async ({ text }, { context }) => `${context.user}: ${text}`,
})
const { greet: gated } = gateTools({ greet }, { gate })
const same: typeof greet = gated
void same
await generateText({
  ...withGate({ model, tools: { greet } }, { gate }),
  toolsContext: { greet: { user: 'ada' } },
  prompt: 'hello',
})
