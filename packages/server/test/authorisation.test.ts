import { newId, type Person, type Role } from '@silentauth/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Access } from '../src/credential.js'
import type { Route } from '../src/route-table.js'
import { newProjectKey, secretHash } from '../src/secret.js'
import { SESSION_SECONDS } from '../src/session.js'
import { ORIGIN, pathFor, type TestApp, testApp } from './test-app.js'

/** Who may look, and who may change. */
const READERS: readonly Role[] = ['owner', 'admin', 'auditor']
const KEEPERS: readonly Role[] = ['owner', 'admin']

/**
 * Whom each route is for, said a second time, by hand: a route that is not here fails, and so does one that was opened
 * to somebody else.
 */
const CLASSIFIED: Readonly<Record<string, Access | readonly Role[]>> = {
  'POST /api/intents': 'agent',
  'GET /api/intents': 'agent',
  'GET /api/intents/{id}': 'agent',
  'GET /api/intents/{id}/events': 'agent',
  'POST /api/intents/{id}/cancel': 'agent',
  'POST /api/intents/{id}/claim': 'agent',
  'POST /api/intents/{id}/report': 'agent',
  'POST /api/permits/verify': 'key',
  'POST /api/permits/redeem': 'key',
  'POST /api/executions': 'key',
  'GET /api/inbox': 'person',
  'GET /api/inbox/events': 'person',
  'GET /api/inbox/{id}': 'person',
  'POST /api/inbox/{id}/approve': 'person',
  'POST /api/inbox/{id}/deny': 'person',
  'POST /api/inbox/{id}/request-changes': 'person',
  'POST /api/intents/{id}/approve': 'person',
  'POST /api/intents/{id}/deny': 'person',
  'POST /api/intents/{id}/request-changes': 'person',
  'POST /api/inbox/{id}/withdraw': 'person',
  'POST /api/inbox/{id}/reconcile': 'person',
  'POST /api/inbox/{id}/reveal': 'person',
  'POST /api/inbox/{id}/lift-denial': 'person',
  'POST /api/session': 'sign-in',
  'GET /api/session': 'person',
  'DELETE /api/session': 'person',
  'GET /api/agents': READERS,
  'POST /api/agents': KEEPERS,
  'GET /api/agents/{agent}': READERS,
  'POST /api/agents/{agent}': KEEPERS,
  'POST /api/agents/{agent}/pause': 'person',
  'POST /api/agents/{agent}/resume': KEEPERS,
  'POST /api/agents/{agent}/revoke': 'person',
  'GET /api/keys': READERS,
  'POST /api/keys': KEEPERS,
  'POST /api/keys/{key}/disable': KEEPERS,
  'GET /api/people': READERS,
  'POST /api/people': KEEPERS,
  'POST /api/people/{person}': KEEPERS,
  'POST /api/people/{person}/delegation': 'person',
  'POST /api/people/{person}/delegation/end': 'person',
  'GET /api/groups': READERS,
  'POST /api/groups': KEEPERS,
  'POST /api/groups/{group}/add': KEEPERS,
  'POST /api/groups/{group}/remove': KEEPERS,
  'GET /api/audit': READERS,
  'POST /api/audit/erase/{id}': KEEPERS,
  'GET /api/audit/bundle/{id}': READERS,
  'GET /api/audit/checkpoint': READERS,
  'GET /api/audit/export': READERS,
  'GET /api/audit/proof/{leaf}': READERS,
  'GET /healthz': 'open',
  'GET /readyz': 'open',
  'GET /.well-known/jwks.json': 'open',
  'GET /.well-known/silentauth-revocations': 'open',
  'GET /openapi.json': 'open',
}

/** What each credential meets at each kind of route; `passes`: it gets as far as the handler. A session meets what its role may. */
const EXPECTED: Readonly<
  Record<string, Readonly<Partial<Record<Exclude<Access, 'open' | 'sign-in'> | 'role', string>>>>
> = {
  nobody: { agent: 'UNAUTHORIZED', key: 'UNAUTHORIZED', person: 'UNAUTHORIZED', role: 'UNAUTHORIZED' },
  'an agent key': { agent: 'passes', key: 'passes', person: 'FORBIDDEN', role: 'FORBIDDEN' },
  'a verifier key': { agent: 'FORBIDDEN', key: 'passes', person: 'FORBIDDEN', role: 'FORBIDDEN' },
  "another project's key": { agent: 'NOT_FOUND', key: 'NOT_FOUND', person: 'FORBIDDEN', role: 'FORBIDDEN' },
  'a disabled key': { agent: 'UNAUTHORIZED', key: 'UNAUTHORIZED', person: 'UNAUTHORIZED', role: 'UNAUTHORIZED' },
  'a key that nobody made': {
    agent: 'UNAUTHORIZED',
    key: 'UNAUTHORIZED',
    person: 'UNAUTHORIZED',
    role: 'UNAUTHORIZED',
  },
  'an agent key and a session': { agent: 'passes', key: 'passes', person: 'FORBIDDEN', role: 'FORBIDDEN' },
  'an owner': { agent: 'FORBIDDEN', key: 'FORBIDDEN', person: 'passes' },
  'an admin': { agent: 'FORBIDDEN', key: 'FORBIDDEN', person: 'passes' },
  'an auditor': { agent: 'FORBIDDEN', key: 'FORBIDDEN', person: 'passes' },
  'an approver': { agent: 'FORBIDDEN', key: 'FORBIDDEN', person: 'passes' },
  'a developer': { agent: 'FORBIDDEN', key: 'FORBIDDEN', person: 'passes' },
  'a cookie without its secret': {
    agent: 'UNAUTHORIZED',
    key: 'UNAUTHORIZED',
    person: 'UNAUTHORIZED',
    role: 'UNAUTHORIZED',
  },
  'a secret without its cookie': {
    agent: 'UNAUTHORIZED',
    key: 'UNAUTHORIZED',
    person: 'UNAUTHORIZED',
    role: 'UNAUTHORIZED',
  },
  "one person's cookie, another's secret": {
    agent: 'UNAUTHORIZED',
    key: 'UNAUTHORIZED',
    person: 'UNAUTHORIZED',
    role: 'UNAUTHORIZED',
  },
  'a session that is over': {
    agent: 'UNAUTHORIZED',
    key: 'UNAUTHORIZED',
    person: 'UNAUTHORIZED',
    role: 'UNAUTHORIZED',
  },
  'a session that was ended': {
    agent: 'UNAUTHORIZED',
    key: 'UNAUTHORIZED',
    person: 'UNAUTHORIZED',
    role: 'UNAUTHORIZED',
  },
  'somebody who was disabled': {
    agent: 'UNAUTHORIZED',
    key: 'UNAUTHORIZED',
    person: 'UNAUTHORIZED',
    role: 'UNAUTHORIZED',
  },
}

/** Credentials that are a session and nothing else. */
const ROLES: Readonly<Record<string, Role>> = {
  'an owner': 'owner',
  'an admin': 'admin',
  'an auditor': 'auditor',
  'an approver': 'approver',
  'a developer': 'developer',
}

let test: TestApp
let intent: string
let agent: string
let credentials: Record<string, Record<string, string>>

beforeAll(async () => {
  test = await testApp({ app: { limits: { declaresPerMinute: 0 } } })
  intent = (await test.declare()).id
  agent = (await test.addAgent({ fingerprint: 'another' })).id
  credentials = await makeCredentials()
})
afterAll(() => test[Symbol.asyncDispose]())

const names = async (): Promise<readonly string[]> => {
  await using probe = await testApp()
  return probe.app.table.map(nameOf)
}
const routeNames = await names()

describe('the route table', () => {
  it('has no route that is not classified, and none is classified that is not there', () => {
    expect([...routeNames].sort()).toEqual(Object.keys(CLASSIFIED).sort())
  })

  it.each(routeNames)('%s is for whom it is classified for', (name) => {
    const { access, roles } = routeOf(name)
    expect(roles ?? access).toEqual(CLASSIFIED[name])
  })
})

describe.each(Object.keys(EXPECTED))('%s', (credential) => {
  const closed = routeNames.filter((name) => !['open', 'sign-in'].includes(String(CLASSIFIED[name])))

  it.each(closed)('at %s', async (name) => {
    const route = routeOf(name)
    const before = await leafCount()
    const headers = credentials[credential]
    const response = await test.app.request(`${ORIGIN}${pathFor(route, { id: intent, agent })}`, {
      method: route.method,
      headers: { ...headers, ...(route.method === 'POST' && { 'content-type': 'application/json' }) },
      // Nothing that any route would take, so that whoever passes changes nothing.
      ...(route.method === 'POST' && { body: '{"nothing":true}' }),
    })
    const code = await codeOf(response)
    const role = ROLES[credential]
    const named = EXPECTED[credential]?.[route.roles ? 'role' : (route.access as 'agent')]
    const expected = role && route.roles ? (route.roles.includes(role) ? 'passes' : 'FORBIDDEN') : named
    if (expected === 'passes') {
      // The same codes can come from the handler; those of the credential check can not.
      expect(['UNAUTHORIZED', 'FORBIDDEN', 'NOT_FOUND']).not.toContain(code)
      // Signing out is the one thing that needs no body.
      if (name === 'DELETE /api/session' && role)
        credentials[credential] = { ...(await test.signIn({ roles: [role] })).headers }
    } else {
      expect([code, await leafCount()]).toEqual([expected, before])
    }
  })
})

describe('open routes', () => {
  it.each(routeNames.filter((name) => CLASSIFIED[name] === 'open'))('%s needs no credential', async (name) => {
    expect((await test.ask('GET', routeOf(name).path)).status).toBe(200)
  })
})

function nameOf({ method, path }: Pick<Route, 'method' | 'path'>): string {
  return `${method} ${path}`
}

function routeOf(name: string): Route {
  const route = test.app.table.find((entry) => nameOf(entry) === name)
  if (!route) throw new Error(`no route is called ${name}`)
  return route
}

async function leafCount(): Promise<number> {
  return (await test.gate.store.leaves({ projectId: test.gate.project.id, from: 0, limit: 10_000 })).length
}

async function codeOf(response: Response): Promise<string | undefined> {
  if (response.headers.get('content-type') !== 'application/json') {
    await response.body?.cancel()
    return undefined
  }
  return ((await response.json()) as { error: { code: string } | null }).error?.code
}

async function makeCredentials(): Promise<Record<string, Record<string, string>>> {
  const { store } = test.gate
  // First, because the clock moves: every other session must begin after it.
  const over = await test.signIn({ roles: ['owner'] })
  test.gate.clock.advance(SESSION_SECONDS * 1000)
  const sessions: Record<string, Record<string, string>> = {}
  for (const [name, role] of Object.entries(ROLES))
    sessions[name] = { ...(await test.signIn({ roles: [role] })).headers }
  const [one, another] = [await test.signIn({ roles: ['owner'] }), await test.signIn({ roles: ['owner'] })]
  const ended = await test.signIn({ roles: ['owner'] })
  await test.ask('DELETE', '/api/session', { headers: ended.headers })
  const disabled = await test.signIn({ roles: ['owner'] })
  await store.transaction((tx) => tx.putPerson({ ...disabled.person, status: 'disabled' } as Person))
  const disabledKey = await test.addKey()
  await store.transaction((tx) => tx.putKey({ ...disabledKey.key, status: 'disabled' }))
  const foreign = newProjectKey()
  await store.transaction((tx) =>
    tx.putKey({
      ...disabledKey.key,
      id: newId('key'),
      projectId: newId('prj'),
      status: 'active',
      secretHash: secretHash(foreign),
    }),
  )
  const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` })
  return {
    nobody: {},
    'an agent key': { ...test.agent },
    'a verifier key': (await test.addKey({ kind: 'verifier' })).headers,
    "another project's key": bearer(foreign),
    'a disabled key': disabledKey.headers,
    'a key that nobody made': bearer(newProjectKey()),
    'an agent key and a session': { ...test.agent, ...one.headers },
    ...sessions,
    'a cookie without its secret': { cookie: one.headers.cookie },
    'a secret without its cookie': { 'x-sa-session': one.headers['x-sa-session'] },
    "one person's cookie, another's secret": {
      cookie: one.headers.cookie,
      'x-sa-session': another.headers['x-sa-session'],
    },
    'a session that is over': { ...over.headers },
    'a session that was ended': { ...ended.headers },
    'somebody who was disabled': { ...disabled.headers },
  }
}
