/**
 * Function calls of the Responses API that wait for a person while no process runs. Run `npx silentauth dev` in this folder, then
 * `npm run suspended`: it asks, prints a link, and ends. Decide, and run it again: it goes on where it was.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { currentPermit, settleFunctionCalls } from '@silentauth/openai'
import { SilentAuth } from '@silentauth/sdk'
import OpenAI from 'openai'
import { z } from 'zod'

const refund = z.object({ customer_id: z.string(), amount: z.number() })
const issue_refund = {
  parse: (args: unknown) => refund.parse(args),
  execute({ customer_id, amount }: z.infer<typeof refund>) {
    const permit = currentPermit({ action: 'issue_refund' })
    return `refunded ${amount} to ${customer_id}, approved by ${permit?.approvedBy.join(', ')}`
  },
}
const model = process.env.OPENAI_MODEL ?? 'gpt-5-mini'
const tools = [
  {
    type: 'function' as const,
    name: 'issue_refund',
    strict: false,
    parameters: z.toJSONSchema(refund) as Record<string, unknown>,
  },
]

await using gate = new SilentAuth()
const client = new OpenAI()
const file = path.join(process.env.SILENTAUTH_DATA ?? '.silentauth', 'response.json')

if (!existsSync(file)) {
  const input = 'Customer cust_4821 was charged twice: refund 250.'
  const { id, output } = await client.responses.create({ model, tools, input })
  writeFileSync(file, JSON.stringify({ runKey: crypto.randomUUID(), id, output }))
}
const { runKey, id, output } = JSON.parse(readFileSync(file, 'utf8'))

const { outputs, pending } = await settleFunctionCalls(output, { issue_refund }, { gate, runKey, wait: 'suspend' })
for (const { name, approvalUrl } of pending) console.log(`${name} waits: decide at ${approvalUrl}, and run this again`)
if (pending.length === 0) {
  const answer = await client.responses.create({ model, tools, previous_response_id: id, input: outputs })
  rmSync(file)
  console.log(answer.output_text)
}
