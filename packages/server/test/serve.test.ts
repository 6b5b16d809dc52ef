import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type IntentId, keyRing, newId, type Principal, type ProjectKey, verifyPermit } from '@silentauth/core'
import { postgresStore } from '@silentauth/store/postgres'
import { pino } from 'pino'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { startPostgres, type TestPostgres } from '../../../test/support/postgres.js'
import { postgresProxy } from '../../../test/support/postgres-proxy.js'
import { restoreServer } from '../src/restore.js'
import { newProjectKey, secretHash } from '../src/secret.js'
import { type ServedGate, type ServeOptions, serveGate } from '../src/serve.js'
import { startServer } from '../src/start-server.js'

let postgres: TestPostgres
beforeAll(async () => {
  postgres = await startPostgres()
})
afterAll(() => postgres?.stop())

let folder: string
let database: string
const running: ServedGate[] = []
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'silentauth-serve-'))
  database = (await postgres.createDatabase()).url
})
afterEach(async () => {
  for (const gate of running.splice(0)) await gate.close()
  await rm(folder, { recursive: true, force: true })
})

const PUBLIC_URL = 'https://gate.example.com'
const keysOf = (node: string) => path.join(folder, node)

async function serve(options: Partial<ServeOptions> & { node?: string } = {}): Promise<ServedGate> {
  const { node = 'one', ...more } = options
  const common = { port: 0, alg: 'EdDSA', dashboardDir: false, stateDir: path.join(folder, 'state', node) } as const
  const gate = await serveGate({ ...common, database, publicUrl: PUBLIC_URL, dataDir: keysOf(node), ...more })
  running.push(gate)
  return gate
}

const first = (options: Partial<ServeOptions> = {}) => serve({ firstOwner: 'owner@example.com', ...options })

/** Another node, with the keys of the first. */
async function second(options: Partial<ServeOptions> = {}): Promise<ServedGate> {
  await cp(keysOf('one'), keysOf('two'), { recursive: true })
  return serve({ node: 'two', ...options })
}

describe('a production gate', () => {
  it('begins with the one person that is named, and makes nothing else up', async () => {
    const gate = await first()
    const { people } = await gate.store.directory(gate.projectId)
    expect(people.map(({ email, roles }) => [email, roles])).toEqual([['owner@example.com', ['owner', 'approver']]])
    expect(await gate.store.keys(gate.projectId)).toEqual([])
    expect((await gate.store.policies(gate.projectId)).policies).toEqual([])
    expect([gate.issuer, gate.url]).toEqual([PUBLIC_URL, PUBLIC_URL])
    expect(await gate.signInLink('Owner@Example.com')).toMatch(/^https:\/\/gate\.example\.com\//)
    expect(await readdir(keysOf('one'))).not.toContain('dev.json')
  })

  it.each(['RS256', 'EdDSA'] as const)(
    'R2 makes no %s key of its own after one was retired: the restore makes it, once, for every node',
    async (alg) => {
      const { log, close } = await first({ alg })
      await log.settle()
      await close()
      const kidIn = async (node: string) =>
        JSON.parse(await readFile(path.join(keysOf(node), 'permit-key.json'), 'utf8')).kid as string
      const before = await kidIn('one')
      const common = { dataDir: keysOf('one'), stateDir: path.join(folder, 'state', 'one'), database }
      await restoreServer({ ...common, production: { publicUrl: PUBLIC_URL }, accept: true })
      const made = await kidIn('one')
      expect(made).not.toBe(before)
      const { store } = await serve({ alg: 'EdDSA' })
      const [stored] = await store.projects()
      await second({ alg: 'EdDSA', projectId: stored?.id })
      expect([await kidIn('one'), await kidIn('two')]).toEqual([made, made])

      await rm(path.join(keysOf('two'), 'permit-key.json'))
      await expect(serve({ node: 'two' })).rejects.toThrow(/permit-key\.json since the last one was retired: copy/)
      expect(await readdir(keysOf('two'))).not.toContain('permit-key.json')
    },
  )

  it('makes nobody an owner of a database that has one', async () => {
    await first()
    const gate = await second({ firstOwner: 'mallory@example.com' })
    expect(gate.firstOwner).toBeUndefined()
    await expect(gate.signInLink('mallory@example.com')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('makes one project and one owner of two first starts at once, and says to the other what to do', async () => {
    const nodes = ['one', 'two', 'three']
    const starts = await Promise.allSettled(
      nodes.map((node) => serve({ node, firstOwner: `${node}@example.com`, alg: 'EdDSA' })),
    )
    const won = starts.filter(({ status }) => status === 'fulfilled')
    expect(won).toHaveLength(1)
    for (const start of starts) {
      if (start.status === 'rejected')
        expect(String(start.reason)).toMatch(
          /^TypeError: (another node .* folder of keys|.*every node needs the keys of the first one)$/,
        )
    }
    await using store = await postgresStore({ url: database })
    const projects = await store.projects()
    expect(projects).toHaveLength(1)
    const { people } = await store.directory(projects[0]?.id ?? 'prj_none')
    expect(people).toHaveLength(1)
  })

  it.each([
    ['an empty database whose owner nobody named', /--first-owner/, {}],
    ['a first owner without an e-mail', /e-mail/, { firstOwner: 'owner' }],
    ['http on a host that others can reach', /https/, { publicUrl: 'http://gate.example.com' }],
    ['a short secret', /EXECUTION_SECRET/, { executionSecret: 'too-short' }],
    ['another kind of database', /sqlite:<file> or postgres/, { database: 'mysql://ada:hunter2@db/gate' }],
  ])('does not start with %s', async (_, reason, options) => {
    const started = serve({ firstOwner: undefined, ...options })
    await expect(started).rejects.toThrow(reason)
    await expect(started).rejects.not.toThrow(/hunter2/)
  })

  it('does not start without the keys of the gate, of which it would make its own', async () => {
    await first()
    await expect(serve({ node: 'keyless' })).rejects.toThrow(/permit-key\.json/)
    expect(await readdir(keysOf('keyless'))).toEqual([])
  })

  it('does not start on the keys of an embedded gate, which nobody made', async () => {
    const dataDir = keysOf('one')
    const common = {
      dataDir,
      port: 0,
      alg: 'EdDSA',
      dashboardDir: false,
      stateDir: path.join(folder, 'state'),
    } as const
    const embedded = await startServer({ ...common, database })
    await embedded.close()
    await expect(serve()).rejects.toThrow(/embedded gate/)
  })

  it('does not choose between projects', async () => {
    const gate = await first()
    const project = await gate.store.project(gate.projectId)
    await gate.store.transaction(async (tx) => {
      if (project) await tx.putProject({ ...project, id: 'prj_other' })
    })
    await expect(second()).rejects.toThrow(/SILENTAUTH_PROJECT/)
    await expect(second({ projectId: 'prj_nobody' })).rejects.toThrow(/prj_nobody/)
    expect((await second({ projectId: gate.projectId })).projectId).toBe(gate.projectId)
  })

  it('has its keys in a folder of their own, and starts again with them, and restores with them', async () => {
    const keysDir = path.join(folder, 'secrets')
    await (await first({ keysDir })).close()
    expect(await readdir(keysOf('one'))).toEqual([])
    expect(await readdir(keysDir)).toEqual(expect.arrayContaining(['permit-key.json', 'log-key.json']))
    const { close, log } = await serve({ keysDir })
    await log.settle()
    await close()
    await expect(serve({ keysDir: undefined })).rejects.toThrow(/permit-key\.json/)
    const stateDir = path.join(folder, 'state', 'one')
    const common = { dataDir: keysOf('one'), stateDir, database, production: { publicUrl: PUBLIC_URL } }
    await expect(restoreServer(common)).rejects.toThrow(/log-key\.json/)
    expect(await restoreServer({ ...common, keysDir })).toMatchObject({ type: 'whole' })
  })

  it.each<[string, Partial<ServeOptions>, RegExp, boolean]>([
    ['where no state folder is named', { stateDir: undefined }, /SILENTAUTH_STATE/, true],
    ['where one is named', {}, /SILENTAUTH_STATE/, false],
  ])('says that the checkpoint may be held in the wrong place %s', async (_, options, what, warned) => {
    vi.stubEnv('SILENTAUTH_STATE', undefined)
    vi.stubEnv('XDG_STATE_HOME', path.join(folder, 'home'))
    const lines: string[] = []
    await first({ ...options, logger: pino({ level: 'warn' }, { write: (line) => void lines.push(line) }) })
    vi.unstubAllEnvs()
    expect(lines.some((line) => what.test(line))).toBe(warned)
  })

  it('says that it believes the database where nothing is held of its log, and not again', async () => {
    await (await first()).close()
    const warnings = async () => {
      const lines: string[] = []
      const logger = pino({ level: 'warn' }, { write: (line) => void lines.push(line) })
      await (await serve({ stateDir: path.join(folder, 'fresh'), logger })).close()
      return lines.filter((line) => line.includes('is believed')).length
    }
    expect([await warnings(), await warnings()]).toEqual([1, 0])
  })

  it('R3 is not ready where a standby is meant to take over and commits do not wait for it', async () => {
    const gate = await first({ replicated: true })
    expect((await fetch(`${gate.address}/healthz`)).status).toBe(200)
    expect((await fetch(`${gate.address}/readyz`)).status).toBe(503)
  })
})

describe('two nodes on one PostgreSQL', () => {
  const twoNodes = async (through?: string) => {
    const one = await first()
    const { firstOwner, projectId } = one
    const secret = newProjectKey()
    const id = newId('key')
    const key: ProjectKey = {
      id,
      lineage: id,
      projectId,
      kind: 'agent',
      name: 'agent',
      agents: [],
      environment: 'production',
      createdBy: newId('usr'),
      status: 'active',
      secretHash: secretHash(secret),
      createdAt: await one.store.now(),
    }
    const put = (changed: ProjectKey) =>
      one.localGate.administer('system:test', 'key.changed', { key_id: id }, (tx) => tx.putKey(changed))
    await put(key)
    // Nothing but notifications, or catching up for want of them: the waiters' own poll is off.
    const two = await second({ pollMs: 0, ...(through !== undefined && { database: through }) })
    const ask = async (node: ServedGate, method: string, at: string, body?: object) => {
      const headers = { authorization: `Bearer ${secret}`, ...(body && { 'content-type': 'application/json' }) }
      const answer = await fetch(node.address + at, { method, headers, ...(body && { body: JSON.stringify(body) }) })
      const { data, error } = await answer.json()
      return { status: answer.status, data, code: error?.code }
    }
    const declare = async (node: ServedGate): Promise<IntentId> => {
      const body = { action: 'issue_refund', source_type: 'ai_agent', parameters: { amount: 250 }, delivery: 'claim' }
      return (await ask(node, 'POST', '/api/intents', body)).data.id
    }
    const decide = async (node: ServedGate, intent: IntentId, verdict: 'approve' | 'deny') => {
      const person: Principal = { type: 'person', id: firstOwner?.id ?? 'usr_nobody', projectId, via: 'session' }
      const { intentHash } = await node.localGate.desk.read(person, intent)
      await node.localGate.desk.vote(person, intent, { verdict, intentHash })
    }
    return { one, two, key, put, ask, declare, decide }
  }

  it('a decision on one wakes the client that waits on the other, whose permit verifies with the keys of both', async () => {
    const { one, two, ask, declare, decide } = await twoNodes()
    const id = await declare(one)
    const waiting = await waitsOn(two, () => ask(two, 'GET', `/api/intents/${id}?wait=60`))
    await decide(one, id, 'approve')
    expect((await waiting.answer).data).toMatchObject({ id, status: 'approved' })
    const claim = await ask(two, 'POST', `/api/intents/${id}/claim`, {
      execution_id: 'run-1',
      attempt_id: newId('att'),
    })
    const jwks = await Promise.all(
      [one, two].map(async ({ address }) => (await fetch(`${address}/.well-known/jwks.json`)).json()),
    )
    expect(jwks[0]).toEqual(jwks[1])
    const permit = await verifyPermit(claim.data.permit_token, {
      keys: keyRing(jwks[0].keys),
      issuer: PUBLIC_URL,
      projectId: one.projectId,
      action: 'issue_refund',
      params: { amount: 250 },
      audience: `urn:silentauth:${one.projectId}:issue_refund`,
    })
    expect(permit.action).toBe('issue_refund')
  })

  it('a client learns of a decision on the other node also where notifications do not arrive', async () => {
    await using proxy = await postgresProxy(database)
    proxy.loseNotifications = true
    const { one, two, ask, declare, decide } = await twoNodes(proxy.url)
    const id = await declare(one)
    const waiting = await waitsOn(two, () => ask(two, 'GET', `/api/intents/${id}?wait=60`))
    await decide(one, id, 'approve')
    expect((await waiting.answer).data).toMatchObject({ status: 'approved' })
  })

  it('a key that was disabled on one node learns nothing on the other when it is woken', async () => {
    const { one, two, key, put, ask, declare, decide } = await twoNodes()
    const id = await declare(one)
    const waiting = await waitsOn(two, () => ask(two, 'GET', `/api/intents/${id}?wait=60`))
    await put({ ...key, status: 'disabled' })
    await decide(one, id, 'deny')
    expect(await waiting.answer).toMatchObject({ status: 401, code: 'UNAUTHORIZED' })
  })

  it('one that closes answers who waits on it; the other goes on', async () => {
    const { one, two, ask, declare, decide } = await twoNodes()
    const id = await declare(one)
    const waiting = await waitsOn(two, () => ask(two, 'GET', `/api/intents/${id}?wait=60`))
    await two.close()
    expect((await waiting.answer).data).toMatchObject({ status: 'pending' })
    await decide(one, id, 'approve')
    expect((await ask(one, 'GET', `/api/intents/${id}`)).data.status).toBe('approved')
  })
})

it('an embedded gate on PostgreSQL has what it had before, and leaves no connection', async () => {
  const dataDir = keysOf('one')
  const options = {
    dataDir,
    port: 0,
    alg: 'EdDSA',
    dashboardDir: false,
    stateDir: path.join(folder, 'state'),
    database,
  } as const
  const before = await startServer(options)
  await before.close()
  const again = await startServer(options)
  expect([again.projectId, again.secretKey]).toEqual([before.projectId, before.secretKey])
  await again.close()
  await using store = await postgresStore({ url: database })
  expect((await store.projects()).map(({ id }) => id)).toEqual([before.projectId])
})

/** Asks, and comes back once the client stands in the table of those who wait: it has been read for the second time. */
async function waitsOn<Answer>(gate: ServedGate, ask: () => Promise<Answer>): Promise<{ answer: Promise<Answer> }> {
  const reads = vi.spyOn(gate.localGate, 'gateFor')
  const answer = ask()
  await expect.poll(() => reads.mock.calls.length, { timeout: 20_000 }).toBeGreaterThan(1)
  reads.mockRestore()
  return { answer }
}
