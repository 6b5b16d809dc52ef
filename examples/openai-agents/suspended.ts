/**
 * A run that waits for a person while no process runs. Run `npx silentauth dev` in this folder, then `npm run suspended`: it asks,
 * prints a link, and ends. Decide, and run it again: the run goes on where it was.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { Agent, tool } from '@openai/agents'
import { currentPermit, gateTools, runWithGate, type SuspendedRun } from '@silentauth/openai/agents'
import { SilentAuth } from '@silentauth/sdk'
import { z } from 'zod'

const issueRefund = tool({
  name: 'issue_refund',
  description: 'Pays money back to a customer.',
  parameters: z.object({ customer_id: z.string(), amount: z.number() }),
  execute: async ({ customer_id, amount }) => {
    const permit = currentPermit({ action: 'issue_refund' })
    return `refunded ${amount} to ${customer_id}, approved by ${permit?.approvedBy.join(', ')}`
  },
})

await using gate = new SilentAuth()
const agent = new Agent({ name: 'refunds', tools: gateTools([issueRefund], { gate, wait: 'suspend' }) })

// Authenticated, so that whoever keeps it cannot change what is executed; and it approves nothing: the gate is asked.
const kept = path.join(process.env.SILENTAUTH_DATA ?? '.silentauth', 'run.json')
const input = existsSync(kept)
  ? (JSON.parse(readFileSync(kept, 'utf8')) as SuspendedRun)
  : 'Customer cust_4821 was charged twice: refund 250.'

const outcome = await runWithGate(agent, input, { gate })
if (outcome.status === 'suspended') {
  writeFileSync(kept, JSON.stringify(outcome.suspended))
  for (const { action, approvalUrl } of outcome.suspended.pending) {
    console.log(`${action} waits: decide at ${approvalUrl}, and run this again`)
  }
} else {
  rmSync(kept, { force: true })
  console.log(outcome.result.finalOutput)
}
