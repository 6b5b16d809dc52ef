import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { parsePolicy } from '@silentauth/core'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type RunningServer, type ServerOptions, startServer } from '../src/start-server.js'
import { REFUND } from './test-app.js'

let dataDir: string
const running: RunningServer[] = []

beforeEach(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), 'silentauth-server-'))
})
afterEach(async () => {
  for (const server of running.splice(0)) await server.close()
  await rm(dataDir, { recursive: true, force: true })
})

const start = async (options: ServerOptions = {}): Promise<RunningServer> => {
  const server = await startServer({ dataDir, port: 0, alg: 'EdDSA', dashboardDir: false, ...options })
  running.push(server)
  return server
}

interface Where {
  readonly url: string
  readonly secretKey: string
}

const ask = async ({ url, secretKey }: Where, method: string, at: string, body?: unknown, headers?: object) => {
  const response = await fetch(url + at, {
    method,
    headers: {
      ...(headers ?? { authorization: `Bearer ${secretKey}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const json = await response.json()
  return { status: response.status, headers: response.headers, json, data: json.data, code: json.error?.code }
}

/** What a browser does with a sign-in link. */
const follow = async (where: Where, link: string): Promise<object> => {
  const token = new URLSearchParams(new URL(link).hash.slice(1)).get('token')
  const { headers, data } = await ask(where, 'POST', '/api/session', { token }, {})
  return { cookie: headers.getSetCookie()[0]?.split(';')[0] ?? '', 'x-sa-session': data.session }
}

const approve = async (where: Where, id: string, session: object) => {
  const { data } = await ask(where, 'GET', `/api/inbox/${id}`, undefined, session)
  return ask(where, 'POST', `/api/inbox/${id}/approve`, { intent_hash: data.intent_hash }, session)
}

describe('a server that starts with nothing', () => {
  it('makes its folder, its keys and its database, for this user alone', async () => {
    const server = await start({ dataDir: path.join(dataDir, 'new') })
    const files = (await readdir(path.join(dataDir, 'new'))).filter((name) => !/-(wal|shm)$/.test(name)).sort()
    const modes = await Promise.all(
      files.map(async (name) => (await stat(path.join(dataDir, 'new', name))).mode & 0o777),
    )
    expect(files).toEqual([
      'dev.json',
      'gate.db',
      'gate.json',
      'log-key.json',
      'log-vkey.json',
      'permit-key.json',
      'public.jwks.json',
      'result-key.json',
      'revocation-key.json',
      'revocations.jwks.json',
    ])
    expect([new Set(modes), (await stat(path.join(dataDir, 'new'))).mode & 0o777]).toEqual([new Set([0o600]), 0o700])
    expect(server.issuer).toMatch(/^urn:silentauth:embedded:[0-9a-z]{26}$/)
  })

  it('tells clients of this machine where it is, and which keys to pin', async () => {
    const server = await start()
    const connection = JSON.parse(await readFile(path.join(dataDir, 'dev.json'), 'utf8'))
    expect(connection).toEqual({
      url: server.url,
      issuer: server.issuer,
      project_id: server.projectId,
      jwks_url: `${server.url}/.well-known/jwks.json`,
      revocations_url: `${server.url}/.well-known/silentauth-revocations`,
      secret_key: server.secretKey,
    })
    const pinned = JSON.parse(await readFile(path.join(dataDir, 'public.jwks.json'), 'utf8'))
    expect(await (await fetch(server.jwksUrl)).json()).toEqual(pinned)
  })

  it('signs with RS256', async () => {
    const server = await start({ alg: undefined })
    const { keys } = (await (await fetch(server.jwksUrl)).json()) as { keys: { alg: string }[] }
    expect(keys.map(({ alg }) => alg)).toEqual(['RS256'])
  })

  it('approves reading by itself, and leaves the rest to its owner', async () => {
    const server = await start()
    const read = await ask(server, 'POST', '/api/intents', { action: 'read_logs', source_type: 'ai_agent' })
    const refund = await ask(server, 'POST', '/api/intents', REFUND)
    const session = await follow(server, await server.signInLink(server.owner.id, { next: `/inbox/${refund.json.id}` }))
    const vote = await approve(server, refund.json.id, session)
    expect([read.json.decision, refund.json.decision, refund.data.approval_url, vote.data.status]).toEqual([
      'auto_approve',
      'require_approval',
      `${server.url}/inbox/${refund.json.id}`,
      'approved',
    ])
  })

  it('lets nobody vote on what their own agent asks for', async () => {
    const server = await start()
    const owner = await server.addPerson({ email: 'agent-owner@localhost' })
    await server.addAgent({ fingerprint: 'refund-agent-v1', owner: owner.id })
    const { json } = await ask(server, 'POST', '/api/intents', REFUND)
    const session = await follow(server, await server.signInLink(owner.id))
    expect((await approve(server, json.id, session)).code).toBe('SELF_APPROVAL')
    const other = await follow(server, await server.signInLink(server.owner.id))
    expect((await approve(server, json.id, other)).data.status).toBe('approved')
  })

  it('adds the same person once', async () => {
    const server = await start()
    const one = await server.addPerson({ email: 'ada@localhost' })
    const other = await server.addPerson({ email: 'Ada@localhost', roles: ['auditor'] })
    expect([other.id, other.roles]).toEqual([one.id, ['auditor']])
  })

  it('adds one person and one agent of however many at once, and stops no less what is being stopped', async () => {
    const server = await start()
    const times = <Result>(work: () => Promise<Result>) => Promise.all(Array.from({ length: 5 }, work))
    const people = await times(() => server.addPerson({ email: 'ada@localhost' }))
    const agents = await times(() => server.addAgent({ fingerprint: 'refund-agent-v1' }))
    expect([new Set(people.map(({ id }) => id)).size, new Set(agents.map(({ id }) => id)).size]).toEqual([1, 1])
    const id = agents[0]?.id ?? 'agt_none'
    const by = { type: 'person', id: server.owner.id, projectId: server.projectId, via: 'session' } as const
    const revoked = server.localGate.registrar.setAgentStatus(by, id, 'revoked')
    await Promise.all([revoked, ...agents.map(() => server.addAgent({ fingerprint: 'refund-agent-v1' }))])
    expect((await server.store.agent(id))?.status).toBe('revoked')
  })

  it('takes other policies while it runs', async () => {
    const server = await start()
    await server.setPolicies([
      parsePolicy({ name: 'no refunds', match: { action_pattern: 'issue_*' }, decision: 'auto_deny' }),
    ])
    expect((await ask(server, 'POST', '/api/intents', REFUND)).json.decision).toBe('auto_deny')
  })

  it('has one key for its agent and its backend', async () => {
    const server = await start()
    const { data } = await ask(server, 'POST', '/api/intents', { action: 'read_logs', source_type: 'ai_agent' })
    const verified = await ask(server, 'POST', '/api/permits/verify', {
      token: data.permit_token,
      action: 'read_logs',
      parameters: {},
      audience: data.audience,
    })
    expect(verified.data.claims.iss).toBe(server.issuer)
  })

  it.each(['localhost', '127.0.0.1'])('listens on an address of this machine alone: %s', async (host) => {
    expect((await start({ host })).url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
  })

  it('publishes no key for the HS256 profile', async () => {
    const server = await start({ executionSecret: randomBytes(32).toString('base64url') })
    expect(await (await fetch(server.jwksUrl)).json()).toEqual({ keys: [] })
  })
})

describe('a server that starts again', () => {
  it('is the same gate, with the same key, people, intents and sessions', async () => {
    const first = await start()
    const { json } = await ask(first, 'POST', '/api/intents', REFUND)
    const session = await follow(first, await first.signInLink(first.owner.id))
    const port = Number(new URL(first.url).port)
    await first.close()
    const second = await start({ port })
    expect([second.issuer, second.projectId, second.secretKey, second.owner.id]).toEqual([
      first.issuer,
      first.projectId,
      first.secretKey,
      first.owner.id,
    ])
    expect((await approve(second, json.id, session)).data.status).toBe('approved')
  })

  it('says nothing new in the log when nothing changed', async () => {
    const first = await start()
    const leaves = await first.store.leaves({ projectId: first.projectId, from: 0, limit: 100 })
    await first.close()
    const second = await start()
    expect(await second.store.leaves({ projectId: second.projectId, from: 0, limit: 100 })).toEqual(leaves)
  })

  it('makes another key when it lost the one it had', async () => {
    const first = await start()
    await first.close()
    await rm(path.join(dataDir, 'dev.json'))
    const second = await start()
    const answers = [
      await ask(second, 'GET', '/api/intents'),
      await ask({ ...second, secretKey: first.secretKey }, 'GET', '/api/intents'),
    ]
    expect([second.secretKey === first.secretKey, answers.map(({ status }) => status)]).toEqual([false, [200, 200]])
  })

  it('keeps no policy of an earlier start', async () => {
    const first = await start({ policies: [parsePolicy({ name: 'all', match: {}, decision: 'auto_deny' })] })
    await first.close()
    const second = await start()
    expect((await ask(second, 'POST', '/api/intents', REFUND)).json.decision).toBe('require_approval')
  })
})

describe('a server refuses to start', () => {
  it.each<[string, ServerOptions]>([
    ['on a public http URL', { publicUrl: 'http://gate.example.com' }],
    ['on a URL with a path', { publicUrl: 'https://gate.example.com/gate' }],
    ['on every address without a public URL', { host: '0.0.0.0' }],
    [
      'on an address that others reach with a URL that they do not',
      { host: '0.0.0.0', publicUrl: 'http://127.0.0.1:4747' },
    ],
    ['with an empty secret', { executionSecret: '' }],
    ['with a short secret', { executionSecret: randomBytes(8).toString('hex') }],
    ['with a secret out of an example', { executionSecret: 'your-secret-key-that-is-at-least-32-bytes-long' }],
  ])('%s', async (_, options) => {
    await expect(start(options)).rejects.toThrow(TypeError)
  })

  it('on a port that is taken, and leaves nothing open', async () => {
    const first = await start()
    const port = Number(new URL(first.url).port)
    await expect(start({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
    await first.close()
    expect((await start({ port })).url).toBe(first.url)
  })

  it('on a database with a newer schema', async () => {
    await (await start()).close()
    running.length = 0
    const database = new DatabaseSync(path.join(dataDir, 'gate.db'))
    const [table] = database
      .prepare("select name from sqlite_master where name like '%migration%' and name not like '%lock%'")
      .all() as { name: string }[]
    database.exec(`insert into ${table?.name} values ('9999_from_the_future', '2099-01-01T00:00:00.000Z')`)
    database.close()
    await expect(start()).rejects.toThrow('newer schema')
  })

  it('with a key file that others can read', async () => {
    await (await start()).close()
    const { chmod } = await import('node:fs/promises')
    await chmod(path.join(dataDir, 'permit-key.json'), 0o644)
    await expect(start()).rejects.toThrow('chmod 600')
  })
})

describe('a server that closes', () => {
  it('answers who waits, and then answers nobody', async () => {
    const server = await start()
    const { json } = await ask(server, 'POST', '/api/intents', REFUND)
    const poll = ask(server, 'GET', `/api/intents/${json.id}?wait=60`)
    const stream = fetch(`${server.url}/api/intents/${json.id}/events`, {
      headers: { authorization: `Bearer ${server.secretKey}` },
    })
    await (await stream).body?.getReader().read()
    await server.close()
    await server.close()
    expect((await poll).data.status).toBe('pending')
    await expect(fetch(`${server.url}/healthz`)).rejects.toThrow()
    await expect(server.store.now()).rejects.toMatchObject({ code: 'DB_ERROR' })
  })
})

describe('two servers over one file', () => {
  it('decide once, whichever is asked', async () => {
    const [one, other] = [await start(), await start()]
    const sessions = [
      await follow(one, await one.signInLink(one.owner.id)),
      await follow(other, await other.signInLink((await other.addPerson({ email: 'ada@localhost' })).id)),
    ] as const
    for (let round = 0; round < 5; round++) {
      const { json } = await ask(one, 'POST', '/api/intents', { ...REFUND, parameters: { round } })
      const body = { intent_hash: json.data.intent_hash }
      const votes = await Promise.all([
        ask(one, 'POST', `/api/inbox/${json.id}/approve`, body, sessions[0]),
        ask(other, 'POST', `/api/inbox/${json.id}/deny`, body, sessions[1]),
      ])
      expect(votes.map(({ status }) => status).sort()).toEqual([200, 409])
    }
  })

  it('wake each other’s waiters', async () => {
    const [one, other] = [await start({ pollMs: 50 }), await start({ pollMs: 50 })]
    const { json } = await ask(one, 'POST', '/api/intents', REFUND)
    const poll = ask(other, 'GET', `/api/intents/${json.id}?wait=60`)
    await approve(one, json.id, await follow(one, await one.signInLink(one.owner.id)))
    expect((await poll).data.status).toBe('approved')
  })
})

describe('a server that is killed', () => {
  it('has every answer that it gave, and repeats what it did not', async () => {
    const killed = await serverProcess(dataDir)
    const body = { ...REFUND, idempotency_key: 'call-1' }
    const { json } = await ask(killed, 'POST', '/api/intents', body)
    await approve(killed, json.id, await follow(killed, killed.signInUrl))
    const attempt = { execution_id: 'call-1', attempt_id: 'attempt-1' }
    const claim = await ask(killed, 'POST', `/api/intents/${json.id}/claim`, attempt)
    const waiting = await ask(killed, 'POST', '/api/intents', { ...REFUND, parameters: { amount: 1 } })
    const poll = ask(killed, 'GET', `/api/intents/${waiting.json.id}?wait=60`).catch(() => 'gone')
    await killed.kill()
    expect(await poll).toBe('gone')

    const again = await start()
    const repeated = await ask(again, 'POST', '/api/intents', body)
    const claimed = await ask(again, 'POST', `/api/intents/${json.id}/claim`, attempt)
    const listed = await ask(again, 'GET', '/api/intents')
    expect([repeated.status, repeated.json.id, repeated.data.status]).toEqual([200, json.id, 'approved'])
    expect(claimed.data).toEqual(claim.data)
    expect(listed.data.map(({ id }: { id: string }) => id).sort()).toEqual([json.id, waiting.json.id].sort())
  }, 30_000)
})

/** A server in a process of its own. */
async function serverProcess(folder: string) {
  const here = fileURLToPath(new URL('.', import.meta.url))
  const sources = process.env.SA_DIST
    ? []
    : ['--conditions=@silentauth/source', '--import', path.join(here, 'sources.mjs')]
  const child = spawn(process.execPath, [...sources, path.join(here, 'server-process.mjs'), folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  const line = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve)
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}`)))
  })
  return {
    ...(JSON.parse(line) as Where & { signInUrl: string }),
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
  }
}

describe('the clock', () => {
  it.each([
    ['a minute behind the last checkpoint', 60_000, 1],
    ['a second behind it', 1000, 0],
  ])('is warned of at the start when it is %s', async (_, behindMs, warnings) => {
    const server = await start()
    await server.log.settle()
    await server.close()
    const database = new DatabaseSync(path.join(dataDir, 'gate.db'))
    database.prepare('update audit_checkpoints set at = ?').run(Date.now() + behindMs)
    database.close()
    const lines: string[] = []
    const logger = pino({ level: 'warn' }, { write: (line) => void lines.push(line) })
    await start({ logger })
    expect(lines.filter((line) => line.includes('clock')).length).toBe(warnings)
  })
})
