/**
 * The two servers that `declare.ts` compares, each in a process of its own: `gate`, and `raw`, which does nothing but parse,
 * check by zod, and make the same single durable commit.
 *
 * @module
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { json } from 'node:stream/consumers'
import { newId, parsePolicy } from '@silentauth/core'
import { startServer } from '@silentauth/server'
import { z } from 'zod'

const [kind, folder] = process.argv.slice(2) as ['gate' | 'raw', string]
process.send?.(kind === 'gate' ? await gate() : await raw())

async function gate(): Promise<{ url: string; key: string }> {
  const { url, secretKey } = await startServer({
    dataDir: path.join(folder, 'gate'),
    port: 0,
    dashboardDir: false,
    limits: { declaresPerMinute: 0 },
    policies: [
      parsePolicy({ name: 'all', match: { action_pattern: '*' }, decision: 'auto_approve', any_params: true }),
    ],
  })
  return { url, key: secretKey }
}

async function raw(): Promise<{ url: string; key: string }> {
  const database = new DatabaseSync(path.join(folder, 'raw.db'))
  database.exec(
    'pragma journal_mode=wal; pragma synchronous=full; create table intents (id text primary key, body text)',
  )
  const insert = database.prepare('insert into intents values (?, ?)')
  const form = z.strictObject({
    action: z.string(),
    source_type: z.enum(['ai_agent', 'devops', 'automation']),
    source: z.string().optional(),
    delivery: z.enum(['claim', 'token']),
    parameters: z.record(z.string(), z.json()),
    context: z.record(z.string(), z.json()).optional(),
  })
  const server = createServer(async (request: IncomingMessage, response) => {
    const body = form.parse(await json(request))
    const id = newId('int')
    insert.run(id, JSON.stringify(body))
    const answer = JSON.stringify({ id, decision: 'auto_approve', data: { id, ...body }, error: null })
    response.writeHead(201, { 'content-type': 'application/json' }).end(answer)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, key: 'none' }
}
