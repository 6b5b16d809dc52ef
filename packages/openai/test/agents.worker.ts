/**
 * An agent of the Agents SDK in a process of its own, whose suspended run is in a file; or, held, one that starts the same run
 * each time.
 *
 * @module
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { Agent, OpenAIChatCompletionsModel, run, setTracingDisabled, tool } from '@openai/agents'
import { gateTool, isSuspendedRun, runWithGate, type SuspendedRun, withGateRun } from '@silentauth/openai/agents'
import OpenAI from 'openai'
import { z } from 'zod'
import { type AgentReport, agentProcess } from '../../../test/support/agent-process.ts'
import { hello, refundModel } from './refund-agent.ts'

setTracingDisabled(true)
await using own = await agentProcess()
const { gate, folder, commands, idempotent, secret } = own
await using openai = await refundModel()
const client = new OpenAI({ apiKey: openai.apiKey, baseURL: openai.url, maxRetries: 0 })
const refund = tool({
  name: 'issue_refund',
  description: 'Pays back.',
  parameters: z.object({ customer_id: z.string(), amount: z.number() }),
  execute: async (args) => own.refund(args),
})
const wait = process.argv[3] === 'hold' ? 'hold' : 'suspend'
const agent = new Agent({
  name: 'refunds',
  model: new OpenAIChatCompletionsModel(client as never, 'scripted-model'),
  tools: [gateTool(refund, { gate, wait, idempotent })],
})
// An app keeps it before the run starts, so that it is the same one after a crash.
const runKey = 'the-only-run'
const kept = path.join(folder, 'run.json')
const ended = path.join(folder, 'ended.json')

if (wait === 'hold') {
  const { finalOutput, newItems } = await withGateRun({ runKey, input: hello }, (input) => run(agent, input))
  own.end({ waiting: [], toolTexts: outputsOf(newItems), answer: finalOutput })
} else {
  for (const command of commands) {
    switch (command) {
      case 'start':
        await go(hello)
        break
      case 'continue':
        // What was killed before it was kept has left nothing to continue.
        await go(existsSync(kept) ? envelope() : hello)
        break
      case 'wake':
        // Also of a run that has ended.
        await go(envelope())
        break
      case 'resume':
        if (!existsSync(ended)) await go(envelope())
    }
  }
  const waiting = (): AgentReport => {
    const { pending } = envelope()
    return { waiting: pending.map(({ intentId }) => intentId), toolTexts: [], answer: undefined }
  }
  own.end(existsSync(ended) ? (JSON.parse(readFileSync(ended, 'utf8')) as AgentReport) : waiting())
}

async function go(given: string | SuspendedRun): Promise<void> {
  const more = isSuspendedRun(given) ? {} : { runKey }
  const outcome = await runWithGate(agent, given, { gate, envelopeKeys: [secret], ...more })
  // Of two at once, the one that comes later must not take back what the other one has kept.
  if (existsSync(ended)) return
  if (outcome.status === 'suspended') writeFileSync(kept, JSON.stringify(outcome.suspended))
  else {
    const { finalOutput: answer, newItems } = outcome.result
    const report: AgentReport = { waiting: [], toolTexts: outputsOf(newItems), answer }
    writeFileSync(ended, JSON.stringify(report))
  }
}

function envelope(): SuspendedRun {
  return JSON.parse(readFileSync(kept, 'utf8')) as SuspendedRun
}

function outputsOf(items: readonly { readonly type: string }[]): string[] {
  return items.flatMap((item) =>
    item.type === 'tool_call_output_item' ? [String((item as { output?: unknown }).output)] : [],
  )
}
