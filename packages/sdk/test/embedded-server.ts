/**
 * A real embedded gate on a free port, with an approver who needs no browser.
 *
 * @module
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type IntentId, type JsonObject, type Principal, parsePolicy } from '@silentauth/core'
import { type RunningServer, type ServerOptions, startServer } from '@silentauth/server'
import { SilentAuth, type SilentAuthOptions } from '../src/silent-auth.js'

export interface EmbeddedServer extends AsyncDisposable {
  readonly server: RunningServer
  readonly folder: string
  client(options?: SilentAuthOptions): SilentAuth
  /** Kills nothing: closes, and opens again on the same port. */
  restart(whileAway?: () => Promise<void>): Promise<void>
  vote(id: IntentId, verdict: 'approve' | 'deny' | 'request_changes', params?: JsonObject): Promise<void>
}

/** Reads of balances are approved, closing accounts is denied, everything else waits for a person. */
const POLICIES = [
  { name: 'reads', match: { action_pattern: 'read_*' }, decision: 'auto_approve', any_params: true, priority: 2 },
  { name: 'never', match: { action_pattern: 'close_*' }, decision: 'auto_deny', priority: 1 },
]

export async function embeddedServer(options: ServerOptions = {}): Promise<EmbeddedServer> {
  const folder = await mkdtemp(path.join(tmpdir(), 'silentauth-sdk-'))
  const settings: ServerOptions = {
    dataDir: folder,
    dashboardDir: false,
    alg: 'EdDSA',
    policies: POLICIES.map((policy) => parsePolicy(policy as JsonObject)),
    limits: { declaresPerMinute: 0 },
    ...options,
  }
  let server = await startServer({ ...settings, port: 0 })
  const port = Number(new URL(server.url).port)
  const clients: SilentAuth[] = []
  return {
    get server() {
      return server
    },
    folder,
    client(more = {}) {
      const client = new SilentAuth({ dataFolder: folder, backOff: { baseMs: 5, maxMs: 20 }, ...more })
      clients.push(client)
      return client
    },
    async restart(whileAway) {
      await server.close()
      await whileAway?.()
      server = await startServer({ ...settings, port })
    },
    async vote(id, verdict, params) {
      const { desk, projectId } = server.localGate
      const person: Principal = { type: 'person', id: server.owner.id, projectId, via: 'session' }
      const { intentHash, confirmation } = await desk.read(person, id)
      await desk.vote(person, id, { verdict, intentHash, confirm: confirmation, params })
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) await client[Symbol.asyncDispose]()
      await server.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
