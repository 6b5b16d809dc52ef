// Checked by tsc, with AI SDK 7 and once more with AI SDK 6: gated tools have the types of the tools, and what is made of them
// goes where the SDK's own goes.
import {
  gateMiddleware,
  gateTool,
  gateTools,
  reconcileUIMessages,
  resolveApprovals,
  withGate,
} from '@silentauth/ai-sdk'
import { approvingGate } from '@silentauth/core/testing'
import {
  generateText,
  type LanguageModel,
  type ModelMessage,
  streamText,
  ToolLoopAgent,
  tool,
  type UIMessage,
  wrapLanguageModel,
} from 'ai'
import { z } from 'zod'

type Same<One, Other> = (<T>() => T extends One ? 1 : 2) extends <T>() => T extends Other ? 1 : 2 ? true : false
const isSame = <Answer extends true>(_?: Answer) => undefined

const gate = approvingGate()
const refund = tool({
  inputSchema: z.object({ amount: z.number(), note: z.string().default('') }),
  execute: async ({ amount }) => ({ refunded: amount }),
})
const counted = tool({
  inputSchema: z.object({ to: z.number() }),
  async *execute({ to }) {
    for (let n = 0; n < to; n++) yield { n }
  },
})

const gated = gateTool('refund', refund, { gate })
isSame<Same<typeof gated, typeof refund>>()

const tools = gateTools({ refund, counted }, { gate, rules: { 'count*': 'pass' } })
isSame<Same<typeof tools, { refund: typeof refund; counted: typeof counted }>>()
isSame<Same<ReturnType<typeof gateTool<typeof counted>>, typeof counted>>()

gateTool('refund', refund, {
  gate,
  run: 'chat_1',
  when: ({ amount, note }) => amount > 100 && note.length > 0,
  params: ({ amount }) => ({ amount }),
  riskTier: ({ amount }) => (amount > 1000 ? 'critical' : 'medium'),
  context: (_, { toolCallId }) => ({ call: toolCallId ?? '' }),
  approvers: ['ops-team'],
  wait: 'suspend',
  timeoutMs: 60_000,
  allowEdits: false,
  onDenied: 'throw',
  onGateError: 'pending',
  replay: 'error',
  recordResult: true,
  idempotent: true,
  onEvent: ({ type }) => console.log(type),
})

// @ts-expect-error: the schema has no such argument
gateTool('refund', refund, { gate, when: ({ total }) => total > 100 })

// @ts-expect-error: a gate is needed
gateTool('refund', refund, {})

// @ts-expect-error: a tool of the AI SDK has no way to end the run
gateTool('refund', refund, { gate, onDenied: 'end' })

// @ts-expect-error: allow is no rule
gateTools({ refund }, { gate, default: 'allow' })

declare const model: LanguageModel
declare const languageModel: Parameters<typeof wrapLanguageModel>[0]['model']
declare const messages: ModelMessage[]
declare const chat: UIMessage[]
const settings = withGate({ model, tools: { refund } }, { gate, run: { tenant: 't', id: 'r' }, wait: 'suspend' })
const { steps } = await generateText({ ...settings, messages })
const [result] = steps[0]?.staticToolResults ?? []
const refunded: number | undefined = result?.output.refunded
void refunded
streamText({ ...settings, messages: (await resolveApprovals(messages, settings)).messages })
new ToolLoopAgent({ ...settings })
wrapLanguageModel({ model: languageModel, middleware: gateMiddleware() })
wrapLanguageModel({ model: languageModel, middleware: gateMiddleware({ specificationVersion: 'v3' }) })
const reconciled: UIMessage[] = (await reconcileUIMessages(chat, settings)).messages
void reconciled
