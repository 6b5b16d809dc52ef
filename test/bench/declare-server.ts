/**
 * The two servers that `declare.ts` compares, each in a process of its own: `gate`, and `raw`, which does nothing but parse,
 * check by zod, and write the same rows in the same single durable commit.
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
import { sqliteStore } from '@silentauth/store/sqlite'
import { z } from 'zod'

const [kind, folder] = process.argv.slice(2) as ['gate' | 'raw', string]

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

/** The rows of one declared and approved intent, of the sizes that they have in the gate, in one durable commit. */
const SAME_COMMIT = [
  `insert into intents (id, project_id, owner, key_id, declared_by, action, source, params, params_digest, decision, created_at,
    declaration, status, is_open, due_at, progress)
    values (:id, 'prj', 'key', 'key', 'key', :action, :source, :params, :id, 'auto_approve', :at, :body, 'approved', 0, :at, :body)`,
  ...['first', 'second'].map(
    (nth, index) =>
      `insert into outbox (created_at, id, project_id, intent_id, event, sequence)
        values (:at, '${nth}' || :id, 'prj', :id, 'intent.created', ${index + 1})`,
  ),
  `insert into audit_leaves (project_id, sequence, id, intent_id, at, body, hash) values ('prj', :sequence, :id, :id, :at, :body, :id)`,
  ...['params', 'context'].map(
    (field) =>
      `insert into audit_payloads (at, leaf_id, field, salt, value) values (:at, :id, '${field}', :id || :id, :params)`,
  ),
]

async function raw(): Promise<{ url: string; key: string }> {
  const file = path.join(folder, 'raw.db')
  // Its tables and indexes are those of the gate.
  await (await sqliteStore({ file }))[Symbol.asyncDispose]()
  const database = new DatabaseSync(file)
  database.exec('pragma journal_mode=wal; pragma synchronous=full')
  const [begin, commit] = [database.prepare('begin immediate'), database.prepare('commit')]
  const inserts = SAME_COMMIT.map((text) => {
    const insert = database.prepare(text)
    insert.setAllowUnknownNamedParameters(true)
    return insert
  })
  const form = z.strictObject({
    action: z.string(),
    source_type: z.enum(['ai_agent', 'devops', 'automation']),
    source: z.string().optional(),
    delivery: z.enum(['claim', 'token']),
    parameters: z.record(z.string(), z.json()),
    context: z.record(z.string(), z.json()).optional(),
  })
  let sequence = 0
  const server = createServer(async (request: IncomingMessage, response) => {
    const body = form.parse(await json(request))
    const id = newId('int')
    const params = JSON.stringify(body.parameters)
    const row = { id, action: body.action, source: body.source ?? null, params, at: Date.now(), sequence: sequence++ }
    begin.run()
    for (const insert of inserts) insert.run({ ...row, body: JSON.stringify(body).padEnd(1000) })
    commit.run()
    const answer = JSON.stringify({ id, decision: 'auto_approve', data: { id, ...body }, error: null })
    response.writeHead(201, { 'content-type': 'application/json' }).end(answer)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, key: 'none' }
}

process.send?.(kind === 'gate' ? await gate() : await raw())
