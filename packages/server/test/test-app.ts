/**
 * A gate app over memory, with keys whose secrets are known and people who are signed in. Every answer is checked against
 * the route's own schema, so that the OpenAPI document cannot promise what the app does not say.
 *
 * @module
 */
import { Writable } from 'node:stream'
import {
  type Agent,
  generateSigningKey,
  type JsonObject,
  logName,
  noteSigner,
  type Person,
  type ProjectKey,
  privateKeySigner,
  revocationIssuer,
  type Sequencer,
  type Signer,
  sequencer,
} from '@silentauth/core'
import { type TestGate, type TestGateOptions, testGate } from '@silentauth/core/testing'
import type { WireIntent, WireReview } from '@silentauth/core/wire'
import { pino } from 'pino'
import { z } from 'zod'
import { createGateApp, type GateApp, type GateAppOptions } from '../src/gate-app.js'
import type { Route } from '../src/route-table.js'
import { newProjectKey, secretHash } from '../src/secret.js'
import { issueSignInToken } from '../src/session.js'

export const ORIGIN = 'http://127.0.0.1:4747'
export const AUDIENCE = (test: TestApp, action: string): string => `urn:silentauth:${test.gate.project.id}:${action}`

export interface SignedInHeaders {
  readonly cookie: string
  readonly 'x-sa-session': string
}

export interface TestApp extends AsyncDisposable {
  readonly app: GateApp
  readonly gate: TestGate
  /** Of revocation lists. */
  readonly listSigner: Signer
  /** Signs when it is told to. */
  readonly log: Sequencer
  /** Header of an agent key that was made by the setup. */
  readonly agent: { readonly authorization: string }
  readonly logs: readonly string[]
  addKey(details?: Partial<ProjectKey>): Promise<{ key: ProjectKey; headers: { authorization: string } }>
  addAgent(details?: Partial<Agent>): Promise<Agent>
  signIn(details?: Partial<Person>, client?: 'cli'): Promise<{ person: Person; headers: SignedInHeaders }>
  ask(method: string, path: string, options?: AskOptions): Promise<TestAnswer>
  /** A pending intent of `agent`. */
  declare(body?: JsonObject, headers?: Record<string, string>): Promise<WireIntent>
  review(id: string, headers: SignedInHeaders): Promise<WireReview>
  /** Signs somebody in who approves it. */
  approve(id: string): Promise<TestAnswer>
}

export interface AskOptions {
  readonly headers?: Record<string, string> | SignedInHeaders | undefined
  /** Texts are sent as they are. */
  readonly body?: unknown
  readonly signal?: AbortSignal | undefined
}

export interface TestAnswer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: whatever the gate said, which the assertion is about
  readonly json: any
  readonly code: string | undefined
}

export async function testApp(options: TestGateOptions & { app?: Partial<GateAppOptions> } = {}): Promise<TestApp> {
  const gate = await testGate(options)
  const logs: string[] = []
  const sink = new Writable({
    write(chunk, _, done) {
      logs.push(String(chunk))
      done()
    },
  })
  const listSigner = await privateKeySigner(await generateSigningKey('EdDSA'))
  const logSigner = await noteSigner(
    logName(gate.local.issuer, gate.project.id),
    await privateKeySigner(await generateSigningKey('EdDSA')),
  )
  const log = await sequencer({
    store: gate.store,
    projectId: gate.project.id,
    issuer: gate.local.issuer,
    signer: logSigner,
    intervalMs: 0,
  })
  const app = createGateApp({
    gate: gate.local,
    store: gate.store,
    publicUrl: ORIGIN,
    publicKeys: gate.signer.publicJwk ? [gate.signer.publicJwk] : [],
    revocations: revocationIssuer({
      store: gate.store,
      projectId: gate.project.id,
      issuer: gate.local.issuer,
      signer: listSigner,
      maxAgeMs: 0,
    }),
    log,
    logger: pino({ level: 'info' }, sink),
    pollMs: 0,
    ...options.app,
  })
  const where = { store: gate.store, projectId: gate.project.id }

  const test: Omit<TestApp, 'agent'> = {
    app,
    gate,
    listSigner,
    log,
    logs,
    async addKey(details = {}) {
      const secret = newProjectKey()
      const { key } = await gate.addKey({ ...details, secretHash: secretHash(secret) })
      return { key, headers: { authorization: `Bearer ${secret}` } }
    },
    addAgent: (details) => gate.agent(details),
    async signIn(details, client) {
      const { id } = await gate.person(details)
      const person = (await gate.store.person(id)) as Person
      const token = await issueSignInToken(where, id)
      const answer = await test.ask('POST', '/api/session', { body: { token, ...(client && { client }) } })
      return { person, headers: signedInHeaders(answer) }
    },
    ask: (method, path, asked) => ask(app, method, path, asked),
    async declare(body, headers) {
      const answer = await test.ask('POST', '/api/intents', {
        headers: headers ?? own.headers,
        body: { ...REFUND, ...body },
      })
      if (answer.code) throw new Error(`declaring was refused: ${answer.text}`)
      return answer.json.data
    },
    review: async (id, headers) => (await test.ask('GET', `/api/inbox/${id}`, { headers })).json.data,
    async approve(id) {
      const { headers } = await test.signIn()
      const { intent_hash } = await test.review(id, headers)
      return test.ask('POST', `/api/inbox/${id}/approve`, { headers, body: { intent_hash } })
    },
    async [Symbol.asyncDispose]() {
      app[Symbol.dispose]()
      await log[Symbol.asyncDispose]()
      await gate[Symbol.asyncDispose]()
    },
  }
  const own = await test.addKey()
  return { ...test, agent: own.headers }
}

/** What the tests ask for when it does not matter what. */
export const REFUND: JsonObject = {
  action: 'issue_refund',
  source_type: 'ai_agent',
  source: 'refund-agent-v1',
  parameters: { customer_id: 'cust_4821', amount: 250 },
  delivery: 'claim',
}

export function signedInHeaders({ headers, json }: TestAnswer): SignedInHeaders {
  const cookie = headers.getSetCookie()[0]?.split(';')[0] ?? ''
  return { cookie, 'x-sa-session': json.data.session }
}

export async function ask(app: GateApp, method: string, path: string, options: AskOptions = {}): Promise<TestAnswer> {
  const { headers, body, signal } = options
  const response = await app.request(`${ORIGIN}${path}`, {
    method,
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    ...(signal && { signal }),
  })
  const answer = await answerOf(response)
  const route = routeOf(app.table, method, path)
  if (route && answer.json?.error === null) wholeOf(route).parse(answer.json)
  return answer
}

export async function answerOf(response: Response): Promise<TestAnswer> {
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.startsWith('application/json') && text !== ''
  const json = isJson ? JSON.parse(text) : undefined
  return { status: response.status, headers: response.headers, text, json, code: json?.error?.code }
}

/** The path with ids in it, for an entry of the table. */
export function pathFor(route: Pick<Route, 'path'>, ids: Readonly<Record<string, string>> = {}): string {
  return route.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => ids[name] ?? NOBODYS[name] ?? name)
}

const NOBODYS: Readonly<Record<string, string>> = {
  id: 'int_00000000000000000000000000',
  agent: 'agt_00000000000000000000000000',
  key: 'key_00000000000000000000000000',
  person: 'usr_00000000000000000000000000',
  group: 'nobody',
}

function routeOf(table: readonly Route[], method: string, path: string): Route | undefined {
  const [pathname = ''] = path.split('?')
  return table.find(
    (route) =>
      route.method === method &&
      new RegExp(`^${route.path.replace('{id}', 'int_[0-9a-z]+').replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(pathname),
  )
}

function wholeOf({ data, beside = {} }: Route): z.ZodType {
  return z.strictObject({ data, error: z.null(), ...beside })
}
