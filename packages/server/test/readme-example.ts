/** A gate inside your own process: who signs in with the link decides what the agents of this machine may do. */
import { startServer } from '@silentauth/server'

await using gate = await startServer({ dataDir: process.env.SILENTAUTH_DATA ?? '.silentauth', port: 0 })

const answer = await fetch(`${gate.url}/api/intents`, {
  method: 'POST',
  headers: { authorization: `Bearer ${gate.secretKey}`, 'content-type': 'application/json' },
  body: JSON.stringify({
    action: 'issue_refund',
    source_type: 'ai_agent',
    parameters: { customer_id: 'cust_4821', amount: 250 },
  }),
})
const { id, decision } = await answer.json()
console.log(`${decision}: ${await gate.signInLink(gate.owner.id, { next: `/inbox/${id}` })}`)
