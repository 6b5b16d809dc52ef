/**
 * The field on which attacks are played: a gate over HTTP as `silentauth dev` starts it, the agent's client of it, people who
 * signed in, and backends that verify permits.
 *
 * @module
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import {
  type ErrorCode,
  type Gate,
  type IntentDraft,
  type IntentId,
  intentHash,
  type JsonObject,
  parsePolicy,
  refusalText,
  SilentAuthError,
  type View,
} from '@silentauth/core'
import { SilentAuth } from '@silentauth/sdk'
import { DEFAULT_POLICIES, type RunningServer, startServer } from '@silentauth/server'
import { embeddedGate, type PermitVerifier, type PermitVerifierOptions, permitVerifier } from '@silentauth/verify'
import { vi } from 'vitest'

export interface Field extends AsyncDisposable {
  readonly server: RunningServer
  /** Path of its pinned keys. */
  readonly keys: string
  /** The agent's. */
  readonly gate: SilentAuth
  /** `you@localhost`, who makes keys, and may vote on nothing that they ask for. */
  readonly owner: SignedIn
  /** Somebody else who may vote. */
  signIn(email: string): Promise<SignedIn>
  /** What the gate knows of, in the order in which it was asked: `<action> <amount> <status> <execution>`. */
  intents(): Promise<string[]>
  /** Resolves once something waits for a decision. */
  waiting(): Promise<IntentId>
  /** Approves as a person does: reads the review, and votes with the hash of what was shown. */
  approve(id: IntentId): Promise<void>
  deny(id: IntentId): Promise<void>
  /** A new agent with a key of its own. */
  anotherAgent(): Promise<{ readonly gate: SilentAuth; readonly subject: string; readonly secretKey: string }>
  backend(options?: Partial<PermitVerifierOptions>): Promise<PermitVerifier>
  /** The permit of a refund of 250 that a person approved, for whoever steals it. */
  permit(gate?: SilentAuth, draft?: Partial<IntentDraft>): Promise<string>
}

export interface SignedIn {
  ask(method: string, route: string, body?: JsonObject): Promise<Answer>
  /** What a vote must carry: the hash of what this person was shown. */
  shown(id: IntentId): Promise<string>
}

export interface Answer {
  readonly status: number
  readonly code: string | undefined
  /** Empty in a refusal. */
  readonly data: { readonly [member: string]: unknown }
}

export const REFUND = { action: 'issue_refund', params: { customer_id: 'cust_4821', amount: 250 } } as const

export async function aField(policies: readonly JsonObject[] = []): Promise<Field> {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'silentauth-field-'))
  const parsed = policies.map((policy, index) =>
    parsePolicy({ name: 'of this field', priority: 1000 - index, ...policy } as never),
  )
  const server = await startServer({ dataDir, port: 0, policies: parsed.length > 0 ? parsed : DEFAULT_POLICIES })
  const keys = path.join(dataDir, 'public.jwks.json')
  const gate = new SilentAuth({ dataFolder: dataDir })
  const gates = [gate]
  const verifiers: PermitVerifier[] = []
  const owner = await signedIn(await server.signInLink(server.owner.id))
  const approver = await newPerson('approver@example.com')
  const states = async () =>
    (await server.store.intents({ projectId: server.projectId, limit: 100 })).items.toReversed()
  const vote = async (id: IntentId, verb: 'approve' | 'deny') => {
    const hash = await approver.shown(id)
    const { status, code } = await approver.ask('POST', `/api/inbox/${id}/${verb}`, { intent_hash: hash })
    if (status !== 200) throw new Error(`the vote was refused: ${code}`)
  }

  async function newPerson(email: string): Promise<SignedIn> {
    const person = await server.addPerson({ email, roles: ['approver'] })
    return signedIn(await server.signInLink(person.id))
  }

  const field: Field = {
    server,
    keys,
    gate,
    owner,
    signIn: newPerson,
    intents: async () =>
      (await states()).map(({ declaration: { action, params }, status, execution }) =>
        [action, (params as { amount?: number }).amount, status, execution.state].join(' '),
      ),
    waiting: () =>
      vi.waitUntil(async () => (await states()).find(({ status }) => status === 'pending')?.declaration.id, {
        timeout: 20_000,
      }),
    approve: (id) => vote(id, 'approve'),
    deny: (id) => vote(id, 'deny'),
    async anotherAgent() {
      const { id, fingerprint } = await server.addAgent({ fingerprint: `agent-${crypto.randomUUID()}` })
      const made = await owner.ask('POST', '/api/keys', { kind: 'agent', name: 'another agent', agents: [id] })
      const secretKey = made.data.secret as string
      const another = new SilentAuth({
        projectId: server.projectId,
        secretKey,
        baseUrl: server.url,
        issuer: server.issuer,
        keys,
        source: fingerprint,
      })
      gates.push(another)
      return { gate: another, subject: `agent:${id}`, secretKey }
    },
    async backend(options = {}) {
      const verifier = permitVerifier({
        ...(await embeddedGate(dataDir)),
        singleUse: 'per-process',
        ...options,
      } as PermitVerifierOptions)
      verifiers.push(verifier)
      return verifier
    },
    async permit(by = gate, draft = {}) {
      const intent = await by.createIntent({ ...REFUND, ...draft } as never)
      await field.approve(intent.id as IntentId)
      return (await intent.waitForApproval()).token
    },
    async [Symbol.asyncDispose]() {
      for (const one of [...gates, ...verifiers]) await one[Symbol.asyncDispose]()
      await server.close()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
  return field
}

/** How every adapter begins what it tells a model of this refusal. */
export function told(code: ErrorCode, action?: string): string {
  const [sentence = ''] = refusalText(new SilentAuthError(code, 'for its text')).split('. ')
  return action === undefined ? sentence : sentence.replace('this call', `\`${action}\``)
}

/** The gate of an agent, with other hands in between. */
export function between(gate: Gate, hands: Partial<Gate>): Gate {
  return {
    declare: (draft, options) => gate.declare(draft, options),
    read: (ref, options) => gate.read(ref, options),
    wait: (id, options) => gate.wait(id, options),
    cancel: (id, reason, options) => gate.cancel(id, reason, options),
    claim: (id, attempt, options) => gate.claim(id, attempt, options),
    report: (id, attempt, outcome, options) => gate.report(id, attempt, outcome, options),
    trust: (options) => gate.trust(options),
    [Symbol.asyncDispose]: () => gate[Symbol.asyncDispose](),
    ...hands,
  }
}

/** With the link, as a browser: a session is the cookie and its secret. */
async function signedIn(link: string): Promise<SignedIn> {
  const { origin, hash } = new URL(link)
  const token = new URLSearchParams(hash.slice(1)).get('token')
  const headers: Record<string, string> = { 'content-type': 'application/json' }
  const send = async (method: string, route: string, body?: JsonObject) =>
    fetch(new URL(route, origin), { method, headers, ...(body && { body: JSON.stringify(body) }) })
  const session = await send('POST', '/api/session', { token: token as string })
  const cookies = session.headers.getSetCookie().map((cookie) => cookie.split(';')[0])
  const { data } = (await session.json()) as { data: { session: string } }
  Object.assign(headers, { cookie: cookies.join('; '), 'x-sa-session': data.session })

  const ask = async (method: string, route: string, body?: JsonObject) => answerOf(await send(method, route, body))
  return {
    ask,
    shown: async (id) => intentHash((await ask('GET', `/api/inbox/${id}`)).data.view as View),
  }
}

export async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text()
  const json = response.headers.get('content-type')?.includes('json') && text !== '' ? JSON.parse(text) : {}
  return { status: response.status, code: json.error?.code, data: json.data ?? {} }
}
