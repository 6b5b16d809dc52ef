/**
 * An agent in a process of its own: its gate and its threads are files, so that it can end, be killed at any step, and go on
 * in another process. Prints what it saw at the end.
 *
 * @module
 */
import { appendFileSync } from 'node:fs'
import path from 'node:path'
import { AIMessage, type BaseMessage, HumanMessage, ToolMessage } from '@langchain/core/messages'
import { fakeModel } from '@langchain/core/testing'
import { Command } from '@langchain/langgraph'
import {
  currentPermit,
  type Gate,
  type KeyPrincipal,
  localGate,
  type PrivateJwk,
  type ProjectId,
  privateKeySigner,
  snapshot,
} from '@silentauth/core'
import { gateTool } from '@silentauth/langchain'
import { pendingGates, resolveInterrupts } from '@silentauth/langchain/langgraph'
import { sqliteStore } from '@silentauth/store/sqlite'
import { createAgent, tool } from 'langchain'
import { z } from 'zod'
import { SqliteSaver } from '../../../examples/langgraph-suspend/sqlite-saver.ts'

/** Where a process is killed. */
export type KillPoint =
  | 'before the declare'
  | 'after the declare'
  | 'while pending'
  | 'before the claim'
  | 'after the claim'
  | 'in the tool, before its effect'
  | 'in the tool, after its effect'
  | 'before the report'
  | 'after the report'

export interface AgentProcess {
  readonly folder: string
  readonly projectId: ProjectId
  readonly key: KeyPrincipal
  readonly signingKey: PrivateJwk
  /** By how much the clock of the gate is ahead of the system's. */
  readonly aheadMs: number
  /** `start`: a new message. `continue`: as after a crash. `wake`: whatever was decided. `resume`: what was decided. */
  readonly commands: readonly ('start' | 'continue' | 'wake' | 'resume')[]
  readonly killAt?: KillPoint | undefined
  readonly idempotent?: boolean | undefined
}

export interface AgentReport {
  /** Ids of the intents that the thread waits for. */
  readonly waiting: readonly (string | undefined)[]
  /** What the model read of its calls. */
  readonly toolTexts: readonly string[]
  readonly answer: string | undefined
}

const { folder, projectId, key, signingKey, aheadMs, commands, killAt, idempotent } = JSON.parse(
  process.argv[2] ?? '',
) as AgentProcess

function reach(point: KillPoint): void {
  if (point === killAt) process.kill(process.pid, 'SIGKILL')
}

const now = () => Date.now() + aheadMs
await using store = await sqliteStore({ file: path.join(folder, 'gate.db'), now })
await using local = localGate({
  store,
  signer: await privateKeySigner(signingKey),
  projectId,
  issuer: 'urn:silentauth:test',
  publicUrl: 'http://127.0.0.1:4747',
  sweepMs: 0,
  pollMs: 0,
  now,
})
const inner = local.gateFor(key)
const gate: Gate = Object.create(inner, {
  declare: {
    async value(...args: Parameters<Gate['declare']>) {
      reach('before the declare')
      const intent = await inner.declare(...args)
      reach('after the declare')
      return intent
    },
  },
  claim: {
    async value(...args: Parameters<Gate['claim']>) {
      reach('before the claim')
      const claim = await inner.claim(...args)
      reach('after the claim')
      return claim
    },
  },
  report: {
    async value(...args: Parameters<Gate['report']>) {
      reach('before the report')
      await inner.report(...args)
      reach('after the report')
    },
  },
})

const refund = tool(
  async (args) => {
    reach('in the tool, before its effect')
    const permit = currentPermit({ action: 'issue_refund' })
    const bound = permit !== undefined && snapshot(permit.params).digest === snapshot(args).digest
    appendFileSync(path.join(folder, 'effects'), `${bound ? permit.intentId : 'unbound'} ${args.amount}\n`)
    reach('in the tool, after its effect')
    return `refunded ${args.amount}`
  },
  {
    name: 'issue_refund',
    description: 'Pays back.',
    schema: z.object({ customer_id: z.string(), amount: z.number() }),
  },
)
const says = (messages: BaseMessage[]): AIMessage =>
  messages.at(-1)?.getType() === 'human'
    ? new AIMessage({
        content: '',
        id: crypto.randomUUID(),
        tool_calls: [
          { type: 'tool_call', id: 'call_1', name: 'issue_refund', args: { customer_id: 'cust_4821', amount: 250 } },
        ],
      })
    : new AIMessage('All done.')
const agent = createAgent({
  model: commands.reduce((model) => model.respond(says).respond(says), fakeModel()),
  tools: [gateTool(refund, { gate, wait: 'suspend', idempotent })],
  checkpointer: new SqliteSaver(path.join(folder, 'threads.db')),
})
const config = { configurable: { thread_id: 'thread-1' } }
const hello = { messages: [new HumanMessage('Refund 250 to cust_4821.')] }

for (const command of commands) {
  const { next, tasks } = await agent.graph.getState(config)
  switch (command) {
    case 'start':
      await agent.invoke(hello, config)
      break
    case 'continue':
      // What was killed before its first checkpoint has left nothing to continue.
      await agent.invoke(next.length > 0 ? (null as never) : hello, config)
      break
    case 'wake': {
      const ids = tasks.flatMap(({ interrupts }) => interrupts.map(({ id }) => id ?? ''))
      const resume = Object.fromEntries(ids.map((id) => [id, { approved: true }]))
      await agent.invoke((ids.length > 0 ? new Command({ resume }) : null) as never, config)
      break
    }
    case 'resume': {
      const { command: go } = await resolveInterrupts(agent as never, config, { gate })
      if (go) await agent.invoke(go as never, config)
    }
  }
}
reach('while pending')
const { messages = [] } = (await agent.graph.getState(config)).values as { messages?: BaseMessage[] }
const report: AgentReport = {
  waiting: (await pendingGates(agent as never, config)).map(({ intentId }) => intentId),
  toolTexts: messages.filter((message) => ToolMessage.isInstance(message)).map(({ text }) => text),
  answer: messages.at(-1)?.text,
}
process.stdout.write(`${JSON.stringify(report)}\n`)
