/**
 * `silentauth agents`: which agents there are, and the kill switch.
 *
 * @module
 */
import { z } from 'zod'
import { ask, readSession } from './approver-session.js'
import { printable } from './printable.js'
import { listed } from './registry-list.js'

const agentForm = z.object({
  id: z.string(),
  name: z.string(),
  fingerprint: z.string(),
  status: z.string(),
  last_seen_at: z.string().nullable(),
})

export type AgentAct = 'pause' | 'resume' | 'revoke'

export async function listAgents(options: { readonly json?: boolean }): Promise<number> {
  const agents = await listed('/api/agents', agentForm)
  if (options.json) console.log(JSON.stringify(agents))
  else if (agents.length === 0) console.error('No agent is registered.')
  else {
    for (const { id, status, fingerprint, last_seen_at: seen } of agents) {
      console.log(
        `${id}  ${status.padEnd(7)}  ${printable(fingerprint)}  ${seen ? `last seen ${printable(seen)}` : 'never seen'}`,
      )
    }
  }
  return 0
}

/** @param agent its id, or its fingerprint */
export async function setAgent(act: AgentAct, agent: string): Promise<number> {
  const session = await readSession()
  const id = agent.startsWith('agt_') ? agent : await idOf(agent)
  const { data } = await ask(session, `/api/agents/${encodeURIComponent(id)}/${act}`, {})
  const { fingerprint, status } = agentForm.parse(data)
  console.error(
    status === 'active'
      ? `${printable(fingerprint)} may ask again.`
      : `${printable(fingerprint)} is stopped here; backends hear of it within two minutes.`,
  )
  console.log(status)
  return 0
}

async function idOf(fingerprint: string): Promise<string> {
  const agents = await listed('/api/agents', agentForm)
  const found = agents.find((agent) => agent.fingerprint === fingerprint)
  if (found) return found.id
  throw new TypeError('no agent is registered under this fingerprint: see `silentauth agents`')
}
