/**
 * An agent in a process of its own: its gate and its chat are files, so that it can end, be killed at any step, and go on
 * in another process. Prints what it saw at the end.
 *
 * @module
 */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { resolveApprovals, withGate } from '@silentauth/ai-sdk'
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
import { sqliteStore } from '@silentauth/store/sqlite'
import { generateText, isStepCount, type ModelMessage, tool } from 'ai'
import { z } from 'zod'
import { scriptedOpenai } from '../../../examples/demo/scripted-openai.ts'
import { forged, openRequests } from './open-requests.ts'
import { sdk7 } from './sdk.ts'

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
  /** `start`: a new message. `continue`: as after a crash. `wake`: a client says that it approves. `resume`: what was decided. */
  readonly commands: readonly ('start' | 'continue' | 'wake' | 'resume')[]
  readonly killAt?: KillPoint | undefined
  readonly idempotent?: boolean | undefined
}

export interface AgentReport {
  /** Ids of the intents that the chat waits for. */
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

const issue_refund = tool({
  inputSchema: z.object({ customer_id: z.string(), amount: z.number() }),
  async execute(args) {
    reach('in the tool, before its effect')
    const permit = currentPermit({ action: 'issue_refund' })
    const bound = permit !== undefined && snapshot(permit.params).digest === snapshot(args).digest
    appendFileSync(path.join(folder, 'effects'), `${bound ? permit.intentId : 'unbound'} ${args.amount}\n`)
    reach('in the tool, after its effect')
    return `refunded ${args.amount}`
  },
})
await using openai = await scriptedOpenai(({ messages }) =>
  messages.at(-1)?.role === 'user'
    ? { calls: [{ id: 'call_1', name: 'issue_refund', args: { customer_id: 'cust_4821', amount: 250 } }] }
    : { text: 'All done.' },
)
const { tools, ...rest } = withGate(
  { model: sdk7.modelOf(openai), tools: { issue_refund } },
  { gate, run: { tenant: 'acme', id: 'chat_1' }, wait: 'suspend', idempotent },
)

const chat = path.join(folder, 'chat.json')
const hello: ModelMessage = { role: 'user', content: 'Refund 250 to cust_4821.' }
const load = (): ModelMessage[] => (existsSync(chat) ? JSON.parse(readFileSync(chat, 'utf8')) : [hello])

async function go(messages: ModelMessage[]): Promise<void> {
  const { responseMessages } = await generateText({ ...rest, tools, messages, stopWhen: isStepCount(5), maxRetries: 0 })
  // Of two at once, the one that comes later must not take back what the other one has kept.
  if (messages.length >= load().length) writeFileSync(chat, JSON.stringify([...messages, ...responseMessages]))
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
reach('while pending')
const messages = load()
const isWaiting = openRequests(messages).length > 0
const { pending } = isWaiting ? await resolveApprovals(messages, { tools }) : { pending: [] }
const last = messages.at(-1)
const report: AgentReport = {
  waiting: pending.map(({ descriptor }) => descriptor?.intentId),
  toolTexts: resultsIn(messages),
  answer: last?.role === 'assistant' && !isWaiting ? textOf(last) : undefined,
}
process.stdout.write(`${JSON.stringify(report)}\n`)

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
