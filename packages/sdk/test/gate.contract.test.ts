import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { getRequestListener } from '@hono/node-server'
import {
  type Agent,
  digestOf,
  type KeyPrincipal,
  newId,
  type Person,
  type Principal,
  type ProjectKey,
  parsePolicy,
  randomToken,
} from '@silentauth/core'
import { describeGate, type GateHarness, testGateHarness } from '@silentauth/core/contracts'
import { testGate } from '@silentauth/core/testing'
import { createGateApp, startServer } from '@silentauth/server'
import { afterAll, beforeAll } from 'vitest'
import { startPostgres, type TestDatabase, type TestPostgres } from '../../../test/support/postgres.js'
import { SilentAuth } from '../src/silent-auth.js'

/** What stores keep of a secret: SHA-256, base64url. */
const hashOf = (secret: string): string => digestOf(secret).slice('sha-256:'.length)
const newSecret = (): string => `sk_${randomToken(32)}`

describeGate('SilentAuth over HTTP, with a clock that can be moved', async () => {
  const test = await testGate()
  const harness = await testGateHarness(test)
  const agents = await test.store.agents(test.project.id)
  const [secret, otherSecret] = [newSecret(), newSecret()]
  await test.addKey({ agents: agents.map(({ id }) => id), secretHash: hashOf(secret) })
  await test.addKey({ secretHash: hashOf(otherSecret) })

  const app = createGateApp({
    gate: test.local,
    store: test.store,
    publicUrl: 'http://127.0.0.1:4747',
    hosts: ['127.0.0.1'],
    limits: { declaresPerMinute: 0 },
    pollMs: 0,
  })
  const server = createServer(
    getRequestListener((request, env) => app.fetch(request, { ...env, ownsResponse: true } as never)),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const clientOf = (secretKey: string) =>
    new SilentAuth({
      baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      projectId: test.project.id,
      secretKey,
      issuer: test.local.issuer,
      keys: { keys: [test.signer.publicJwk as never] },
    })
  const [gate, otherGate] = [clientOf(secret), clientOf(otherSecret)]
  return {
    ...harness,
    gate,
    otherGate,
    async [Symbol.asyncDispose]() {
      await gate[Symbol.asyncDispose]()
      await otherGate[Symbol.asyncDispose]()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      app[Symbol.dispose]()
      await test[Symbol.asyncDispose]()
    },
  }
})

let postgres: TestPostgres
let template: TestDatabase
beforeAll(async () => {
  postgres = await startPostgres()
  template = await postgres.createDatabase()
  // Makes the tables, once for all.
  await (await overServer(template.url))[Symbol.asyncDispose]()
})
afterAll(() => postgres?.stop())

describeGate('SilentAuth over a server with SQLite', () => overServer())

describeGate('SilentAuth over a server with PostgreSQL', async () =>
  overServer((await postgres.createDatabase({ template: template.name })).url),
)

async function overServer(database?: string): Promise<GateHarness> {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'silentauth-contract-'))
  const server = await startServer({
    dataDir,
    database,
    port: 0,
    dashboardDir: false,
    alg: 'EdDSA',
    policies: [],
    limits: { declaresPerMinute: 0 },
  })
  const { localGate: local, projectId } = server
  const agent = await server.addAgent({ fingerprint: 'refund-agent-v1' })
  const addKey = async (
    agents: ProjectKey['agents'],
    kind: ProjectKey['kind'] = 'agent',
  ): Promise<{ secret: string; principal: KeyPrincipal }> => {
    const [secret, id] = [newSecret(), newId('key')]
    const key: ProjectKey = {
      id,
      lineage: id,
      projectId,
      kind,
      name: 'contract',
      agents,
      environment: undefined,
      createdBy: 'system:setup',
      status: 'active',
      secretHash: hashOf(secret),
      createdAt: Date.now(),
    }
    await local.administer('system:setup', 'key.created', { key_id: id }, (tx) => tx.putKey(key))
    return { secret, principal: { type: 'key', id, projectId } }
  }
  const change: GateHarness['change'] = async ({ id }, details) => {
    const before = (await server.store.person(id)) as Person
    await local.administer('system:setup', 'person.changed', { user_id: id }, (tx) =>
      tx.putPerson({ ...before, ...details }),
    )
  }
  const person: GateHarness['person'] = async ({ linked, ...details } = {}) => {
    const { email = `${newId('p')}@example.com`, roles = ['approver'] as const, groups = [] } = details
    const { id } = await server.addPerson({ email, roles, groups })
    const principal: Principal = { type: 'person', id, projectId, via: 'session' }
    if (linked) await change(principal, { linked })
    return principal
  }
  const changeAgent = async (details: Partial<Agent>): Promise<void> => {
    const before = (await server.store.agent(agent.id)) as Agent
    await local.administer('system:setup', 'agent.changed', { agent_id: agent.id }, (tx) =>
      tx.putAgent({ ...before, ...details }),
    )
  }
  const clientOf = (secretKey: string): SilentAuth =>
    new SilentAuth({
      baseUrl: server.url,
      projectId,
      secretKey,
      issuer: server.issuer,
      keys: path.join(dataDir, 'public.jwks.json'),
    })
  const gate = clientOf((await addKey([agent.id])).secret)
  const otherGate = clientOf((await addKey([])).secret)
  const { principal: verifier } = await addKey([], 'verifier')
  return {
    gate,
    otherGate,
    desk: local.desk,
    counter: {
      verify: (request) => local.counter.verify(verifier, request),
      redeem: (request) => local.counter.redeem(verifier, request),
      logExecution: (report) => local.counter.logExecution(verifier, report),
    },
    approver: await person({ email: 'approver@example.com' }),
    secondApprover: await person({ email: 'second@example.com' }),
    person,
    change,
    setPolicies: async (policies) => {
      await server.setPolicies(policies.map((policy, index) => parsePolicy({ priority: 1000 - index, ...policy })))
    },
    setAgentStatus: (status) => changeAgent({ status }),
    setAgentOwner: (owner) => changeAgent({ owner }),
    now: () => Date.now(),
    sweep: () => local.sweep(),
    async [Symbol.asyncDispose]() {
      await gate[Symbol.asyncDispose]()
      await otherGate[Symbol.asyncDispose]()
      await server.close()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}
