/**
 * `silentauth keys`: the project keys of agents and backends.
 *
 * @module
 */
import { z } from 'zod'
import { ask, readSession } from './approver-session.js'
import { printable } from './printable.js'
import { listed } from './registry-list.js'

const keyForm = z.object({
  id: z.string(),
  kind: z.string(),
  name: z.string(),
  agents: z.array(z.string()),
  status: z.string(),
})
const createdForm = keyForm.extend({ secret: z.string() })

export interface CreateKeyOptions {
  readonly verifier?: boolean
  /** Ids. */
  readonly agent?: readonly string[]
  readonly replaces?: string
}

export async function listKeys(options: { readonly json?: boolean }): Promise<number> {
  const keys = await listed('/api/keys', keyForm)
  if (options.json) console.log(JSON.stringify(keys))
  else {
    for (const { id, kind, status, agents, name } of keys) {
      const bound = agents.length > 0 ? `  for ${agents.join(', ')}` : ''
      console.log(`${id}  ${kind.padEnd(8)}  ${status.padEnd(8)}  ${printable(name)}${bound}`)
    }
  }
  return 0
}

/** The secret is the one line on stdout, so that it can go where it belongs without being read. */
export async function createKey(name: string, options: CreateKeyOptions): Promise<number> {
  const { verifier = false, agent = [], replaces } = options
  const { data } = await ask(await readSession(), '/api/keys', {
    kind: verifier ? 'verifier' : 'agent',
    name,
    agents: [...agent],
    ...(replaces !== undefined && { replaces }),
  })
  const { id, kind, secret } = createdForm.parse(data)
  console.error(`${id}, a ${kind} key. Its secret is shown this once:`)
  console.log(secret)
  return 0
}

export async function disableKey(id: string): Promise<number> {
  const { data } = await ask(await readSession(), `/api/keys/${encodeURIComponent(id)}/disable`, {})
  console.error(`${keyForm.parse(data).id} is disabled here; backends hear of it within two minutes.`)
  return 0
}
