// Checked by tsc: a gated tool has the type of the tool, and options know its arguments.
import { DynamicTool, type StructuredToolInterface } from '@langchain/core/tools'
import { approvingGate } from '@silentauth/core/testing'
import { gateTool, gateTools } from '@silentauth/langchain'
import { pendingGates, resolveInterrupts } from '@silentauth/langchain/langgraph'
import { gateMiddleware } from '@silentauth/langchain/middleware'
import { createAgent, tool } from 'langchain'
import { z } from 'zod'

type Same<One, Other> = (<T>() => T extends One ? 1 : 2) extends <T>() => T extends Other ? 1 : 2 ? true : false
const isSame = <Answer extends true>(_?: Answer) => undefined

const gate = approvingGate()
const refund = tool(async ({ amount }) => ({ refunded: amount }), {
  name: 'refund',
  schema: z.object({ amount: z.number(), note: z.string().default('') }),
})
const say = new DynamicTool({ name: 'say', description: 'says', func: async (text: string) => text })
const count = tool(
  async function* ({ n }) {
    yield n
    return n
  },
  { name: 'count', schema: z.object({ n: z.number() }) },
)

const gated = gateTool(refund, { gate })
isSame<Same<typeof gated, typeof refund>>()

const list = gateTools([refund, say, count], { gate, rules: { 'c*': 'pass', say: { riskTier: 'low' } } })
isSame<Same<typeof list, [typeof refund, typeof say, typeof count]>>()

const anyTool: StructuredToolInterface = gateTool(refund as StructuredToolInterface, { gate })
createAgent({ model: 'openai:some-model', tools: [gated, anyTool, ...list] })

gateTool(refund, {
  gate,
  when: ({ amount, note }) => amount > 100 && note.length > 0,
  params: ({ amount }) => ({ amount }),
  riskTier: ({ amount }) => (amount > 1000 ? 'critical' : 'medium'),
  context: (_, { threadId, toolCallId }) => ({ thread: threadId ?? '', call: toolCallId ?? '' }),
})
gateTool(say, { gate, when: (text) => String(text).length > 3 })

// @ts-expect-error: the schema has no such argument
gateTool(refund, { gate, when: ({ total }) => total > 100 })

// @ts-expect-error: a gate is needed
gateTool(refund, {})

gateTool(refund, { gate, wait: 'suspend', onGateError: 'pending' })

// @ts-expect-error: a tool of LangChain has no way to end the run
gateTool(refund, { gate, onDenied: 'end' })

// @ts-expect-error: a tool of the provider does not run here
gateTool({ type: 'web_search_preview' }, { gate })

// @ts-expect-error: allow is no rule
gateTools([refund], { gate, default: 'allow' })

gateTools([refund], { gate, rules: { refund: { when: ({ amount }: { amount: number }) => amount > 100 } } })

// Agents and graphs are taken as they are, and the command goes where theirs goes.
const agent = createAgent({
  model: 'openai:some-model',
  tools: list,
  middleware: [gateMiddleware({ gate, rules: { 're*': 'deny' } })],
})
const thread = { configurable: { thread_id: 't' } }
const { command } = await resolveInterrupts(agent, thread, { gate })
if (command) await agent.invoke(command, thread)
const [waiting] = await pendingGates(agent.graph, thread)
const reason: string | undefined = waiting?.reason
void reason

// @ts-expect-error: errors of tools are told or thrown
gateMiddleware({ gate, toolErrors: 'ignore' })
