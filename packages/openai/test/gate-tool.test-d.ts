// Checked by tsc: gated tools have the types of the tools, and what is made of them goes where the SDK's own goes.
import {
  Agent,
  applyPatchTool,
  type Computer,
  computerTool,
  type Editor,
  hostedMcpTool,
  run,
  type Shell,
  shellTool,
  tool,
} from '@openai/agents'
import { RealtimeAgent } from '@openai/agents/realtime'
import { approvingGate } from '@silentauth/core/testing'
import { gateMcpApproval, gateRunnableTool, gateRunnerFunction, settleFunctionCalls } from '@silentauth/openai'
import {
  gateAgent,
  gateAgentTool,
  gateComputer,
  gatedTool,
  gateEditor,
  gateHandoff,
  gateHostedMcp,
  gateShell,
  gateTool,
  gateTools,
  runWithGate,
  type SuspendedRun,
  streamWithGate,
} from '@silentauth/openai/agents'
import OpenAI from 'openai'
import { ResponsesToolRunner } from 'openai/helpers/responses-tool-runner'
import { zodFunction } from 'openai/helpers/zod'
import { z } from 'zod'

type Same<One, Other> = (<T>() => T extends One ? 1 : 2) extends <T>() => T extends Other ? 1 : 2 ? true : false
const isSame = <Answer extends true>(_?: Answer) => undefined

const gate = approvingGate()
const parameters = z.object({ amount: z.number(), note: z.string().default('') })
const refund = tool({
  name: 'refund',
  description: 'd',
  parameters,
  execute: async ({ amount }) => ({ refunded: amount }),
})
const say = tool({
  name: 'say',
  description: 'd',
  parameters: z.object({ text: z.string() }),
  execute: ({ text }) => text,
})

const gated = gateTool(refund, { gate })
isSame<Same<typeof gated, typeof refund>>()

const list = gateTools([refund, say], { gate, rules: { 's*': 'pass', refund: { riskTier: 'low' } } })
isSame<Same<typeof list, [typeof refund, typeof say]>>()

gateTool(refund, {
  gate,
  wait: 'suspend',
  onGateError: 'pending',
  when: ({ amount, note }) => amount > 100 && note.length > 0,
  params: ({ amount }) => ({ amount }),
  riskTier: ({ amount }) => (amount > 1000 ? 'critical' : 'medium'),
  context: (_, { toolCallId, agentName }) => ({ call: toolCallId ?? '', by: agentName ?? '' }),
})

// @ts-expect-error: the schema has no such argument
gateTool(refund, { gate, when: ({ total }) => total > 100 })

// @ts-expect-error: a gate is needed
gateTool(refund, {})

// @ts-expect-error: a tool of this SDK has no way to end the run
gateTool(refund, { gate, onDenied: 'end' })

// @ts-expect-error: a tool of the provider does not run here
gateTool({ type: 'hosted_tool', name: 'web_search' }, { gate })

// @ts-expect-error: allow is no rule
gateTools([refund], { gate, default: 'allow' })

const defined = gatedTool(
  {
    name: 'refund',
    description: 'd',
    parameters,
    execute: ({ amount, note }, { permit }) => `${amount} ${note} ${permit.intentId}`,
  },
  { gate, riskTier: ({ amount }) => (amount > 1000 ? 'critical' : 'medium') },
)
// @ts-expect-error: a call without a permit is none of such a tool
gatedTool({ name: 'r', description: 'd', parameters, execute: () => 'ran' }, { gate, when: () => false })

declare const shell: Shell
declare const editor: Editor
declare const computer: Computer
const colleague = new Agent({ name: 'colleague', tools: [gated, defined] })
const agent = new Agent({
  name: 'agent',
  tools: [
    ...list,
    gateAgentTool(colleague.asTool({ toolName: 'ask', toolDescription: 'd' }), { gate }),
    shellTool({ shell: gateShell(shell, { gate }) }),
    applyPatchTool({ editor: gateEditor(editor, { gate }) }),
    gateShell(shellTool({ shell }), { gate, wait: 'suspend' }),
    gateEditor(applyPatchTool({ editor }), { gate, wait: 'suspend' }),
    computerTool({ computer: gateComputer(computer, { gate }) }),
    hostedMcpTool({ serverLabel: 's', serverUrl: 'https://mcp.example', ...gateHostedMcp({ gate }) }),
    gateHostedMcp(hostedMcpTool({ serverLabel: 't', serverUrl: 'https://mcp.example' }), { gate, wait: 'suspend' }),
  ],
  handoffs: [gateHandoff(colleague, { gate })],
})
const whole = gateAgent(agent, { gate })
isSame<Same<typeof whole, typeof agent>>()
new RealtimeAgent({ name: 'voice', tools: [gated] })

// @ts-expect-error: a shell has no state that could be kept
gateShell(shell, { gate, wait: 'suspend' })

const text: string | undefined = (await run(whole, 'hi')).finalOutput
void text
const outcome = await runWithGate(whole, 'hi', { gate })
if (outcome.status === 'completed') {
  const output: string | undefined = outcome.result.finalOutput
  void output
} else {
  const kept: SuspendedRun = outcome.suspended
  for await (const event of streamWithGate(whole, kept, { gate })) {
    const url: string | undefined = event.type === 'gate_pending' ? event.pending[0]?.approvalUrl : undefined
    void url
  }
}

const client = new OpenAI()
const runnable = zodFunction({ name: 'refund', parameters, function: async ({ amount }) => `${amount}` })
const gatedRunnable = gateRunnableTool(runnable, { gate })
isSame<Same<typeof gatedRunnable, typeof runnable>>()
client.chat.completions.runTools({ model: 'm', messages: [], tools: [gatedRunnable] })

// @ts-expect-error: such a run has no state that could be kept
gateRunnableTool(runnable, { gate, wait: 'suspend' })

const fn = {
  tool: { type: 'function' as const, name: 'refund', strict: false, parameters: {} },
  execute: async () => 'ran',
}
const runner = new ResponsesToolRunner({ functions: [gateRunnerFunction(fn, { gate })] })
void runner.run(client, { model: 'm', input: 'hi' }, { approveMcp: gateMcpApproval({ gate }) })

const { outputs } = await settleFunctionCalls(
  [],
  { refund: { execute: ({ amount }: { amount: number }) => amount } },
  {
    gate,
    runKey: 'r',
  },
)
void client.responses.create({ model: 'm', input: outputs })
