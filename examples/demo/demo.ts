/**
 * The demo: an agent stops at a refund, a person approves it in the browser, the backend checks the permit, and three
 * cheats are refused. `--approve` and `--deny` decide by themselves; `--json` ends with one line for machines.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type GateEvent, type IntentId, terminalReporter } from '@silentauth/core'
import { SilentAuth } from '@silentauth/sdk'
import { startServer } from '@silentauth/server'
import { signIn } from './approver.ts'
import { cheat } from './cheats.ts'
import { flagsOf } from './flags.ts'
import { demoModel } from './model.ts'
import { refundAgent } from './refund-agent.ts'

const APPROVED = { customer_id: 'cust_4821', amount: 250 }

const flags = flagsOf('npm run demo [-- --approve | --deny] [--json]', ['approve', 'deny', 'json'])
if (flags.approve && flags.deny) {
  process.stderr.write('--approve or --deny, not both\n')
  process.exit(64)
}
const verdict = flags.approve ? 'approve' : flags.deny ? 'deny' : undefined
const say = (line = ''): void => void process.stderr.write(`${line}\n`)

// 1. An embedded gate, in a data folder that is gone afterwards.
const dataDir = await mkdtemp(path.join(tmpdir(), 'silentauth-demo-'))
const gate = await startServer({ dataDir, port: 0 })

// 2. The backend that pays, in its own process: it takes the gate's name and public keys, and polls what was taken back.
const backend = fork(path.join(import.meta.dirname, 'refund-backend.ts'), {
  env: { ...process.env, SILENTAUTH_DATA: dataDir },
})
const [{ url: backendUrl }] = (await once(backend, 'message')) as [{ url: string }]

// 3. The agent: the real LangChain and OpenAI clients. It has a project key, which can ask and can never vote.
const { model, scripted, ...modelServer } = await demoModel()
const sdk = new SilentAuth({ dataFolder: dataDir })

try {
  say(`An agent with ${scripted ? 'a scripted model' : model.model} is asked to refund 250 to customer cust_4821.\n`)
  let intentId: IntentId | undefined
  const permits: string[] = []
  const report = terminalReporter()
  const onEvent = (event: GateEvent): void => {
    if (event.type !== 'pending') {
      report(event)
      return
    }
    intentId = event.intent.id
    askPerson(event, report).catch((error: unknown) => {
      say(String(error))
      process.exitCode = 1
    })
  }
  const agent = refundAgent({
    gate: sdk,
    backendUrl,
    model,
    onEvent,
    onPermit: (token) => permits.push(token),
  })
  const { messages } = await agent.invoke({
    messages: [{ role: 'user', content: 'Customer cust_4821 was charged twice: refund 250.' }],
  })
  const answer = String(messages.at(-1)?.content)
  say(`\nThe agent answers: ${answer}\n`)

  const [permit] = permits

  // 4. What a thief of the permit can do with it: nothing that was not approved, and nothing twice.
  const cheats = await cheat(backendUrl, permit)
  say('Cheating the backend:')
  say(`  no permit                      ${cheats.no_permit}`)
  if (cheats.replay) say(`  the same permit again          ${cheats.replay}`)
  if (cheats.other_params) say(`  the same permit, amount 2500   ${cheats.other_params}`)
  const count = (await (await fetch(`${backendUrl}/count`)).json()) as { accepted: number; refused: number }

  // 5. What anybody can read afterwards: one leaf for each command.
  say('\nThe audit log:')
  const leaves = await gate.store.leaves({ projectId: gate.projectId, from: 0, limit: 100 })
  for (const { sequence, body } of leaves) {
    const { actor, events } = JSON.parse(body) as { actor: string; events: { type: string }[] }
    say(
      `  ${String(sequence).padStart(2)}  ${events
        .map(({ type }) => type)
        .join(' + ')
        .padEnd(38)}  ${actor}`,
    )
  }

  if (flags.json && intentId) {
    const { status } = await sdk.read(intentId)
    const alg =
      permit && (JSON.parse(Buffer.from(permit.split('.')[0] ?? '', 'base64url').toString()) as { alg: string }).alg
    const checked = permit ? await sdk.validatePermit(permit, { action: 'issue_refund', params: APPROVED }) : undefined
    const line = {
      intent_id: intentId,
      status,
      answer,
      tool_executions: permits.length,
      backend: count,
      permit: checked ? { alg, verified: checked.valid } : null,
      cheats,
    }
    console.log(JSON.stringify(line))
  }
} finally {
  await sdk[Symbol.asyncDispose]()
  await modelServer[Symbol.asyncDispose]()
  backend.disconnect()
  await once(backend, 'exit')
  await gate.close()
  await rm(dataDir, { recursive: true, force: true })
}

/** The link signs in and lands on the review; `--approve` and `--deny` follow it without a browser. */
async function askPerson(
  event: Extract<GateEvent, { type: 'pending' }>,
  report: (event: GateEvent) => void,
): Promise<void> {
  const { id } = event.intent
  const link = await gate.signInLink(gate.owner.id, { next: `/inbox/${id}` })
  if (verdict) {
    report(event)
    return (await signIn(link)).decide(id, verdict)
  }
  say('It stopped, and waits for a person. Open this page, read what it wants to do, and decide:\n')
  report({ ...event, approvalUrl: link })
}
