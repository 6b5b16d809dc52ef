/**
 * A server that speaks the contract as the test says, step by step: it can lose answers, hang, talk nonsense and come back.
 *
 * @module
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { WireIntent } from '@silentauth/core/wire'
import { SilentAuth, type SilentAuthOptions } from '../src/silent-auth.js'

/** One request as it came. */
export interface Seen {
  /** `POST /api/intents` */
  readonly line: string
  readonly headers: IncomingMessage['headers']
  // biome-ignore lint/suspicious/noExplicitAny: whatever the client sent
  readonly body: any
}

/** What to do with one request. `lost`: the connection breaks. `silent`: no answer, ever. */
export type Step =
  | 'lost'
  | 'silent'
  | { readonly status?: number; readonly headers?: Record<string, string>; readonly json: unknown }
  | { readonly status?: number; readonly headers?: Record<string, string>; readonly text: string }

export interface ScriptedServer extends AsyncDisposable {
  readonly url: string
  readonly seen: readonly Seen[]
  /** Resolves when so many requests came. */
  received(count: number): Promise<void>
  stop(): Promise<void>
  /** On the same port. */
  restart(): Promise<void>
  /** A client of it that repeats without waiting long. */
  client(options?: SilentAuthOptions): SilentAuth
}

/** @param script a step per request, in order, the last one for ever; or what to do with each request */
export async function scriptedServer(
  script: readonly Step[] | ((seen: Seen, index: number) => Step),
): Promise<ScriptedServer> {
  const seen: Seen[] = []
  const waiting: { count: number; resolve: () => void }[] = []
  const stepFor = (request: Seen, index: number): Step =>
    typeof script === 'function' ? script(request, index) : (script[Math.min(index, script.length - 1)] ?? 'silent')

  const listener = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let text = ''
    for await (const chunk of request.setEncoding('utf8')) text += chunk
    const { method, url, headers } = request
    const one: Seen = { line: `${method} ${url}`, headers, body: text === '' ? undefined : JSON.parse(text) }
    const step = stepFor(one, seen.push(one) - 1)
    for (const { count, resolve } of waiting) if (seen.length >= count) resolve()
    if (step === 'silent') return
    if (step === 'lost') {
      response.destroy()
      return
    }
    const body = 'text' in step ? step.text : JSON.stringify(step.json)
    response.writeHead(step.status ?? 200, { 'content-type': 'application/json', ...step.headers }).end(body)
  }
  const open = (port: number): Promise<Server> => {
    const server = createServer(listener)
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, '127.0.0.1', () => resolve(server))
    })
  }
  let server = await open(0)
  const { port } = server.address() as AddressInfo
  const clients: SilentAuth[] = []
  const stop = async (): Promise<void> => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  const url = `http://127.0.0.1:${port}`
  return {
    url,
    seen,
    received: (count) =>
      new Promise((resolve) => (seen.length >= count ? resolve() : waiting.push({ count, resolve }))),
    stop,
    async restart() {
      server = await open(port)
    },
    client(options = {}) {
      const client = new SilentAuth({
        baseUrl: url,
        projectId: 'prj_test',
        secretKey: 'sk_test',
        profile: 'hs256',
        backOff: { baseMs: 1, maxMs: 5 },
        retryForMs: 2_000,
        ...options,
      })
      clients.push(client)
      return client
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) await client[Symbol.asyncDispose]()
      await stop()
    },
  }
}

export const INTENT_ID = 'int_7'

export function wireIntent(changes: Partial<WireIntent> = {}): WireIntent {
  const now = Date.now()
  return {
    id: INTENT_ID,
    status: 'pending',
    decision: 'require_approval',
    action: 'issue_refund',
    risk_tier: 'medium',
    risk_tier_claimed: null,
    risk_score: 0,
    risk_factors: [],
    source: null,
    source_type: 'ai_agent',
    environment: null,
    parameters: { customer_id: 'cust_4821', amount: 250 },
    params_digest: 'sha-256:47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU',
    intent_hash: 'sha-256:47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU',
    context: null,
    metadata: null,
    approvers: [],
    approvals: [],
    approvals_required: 1,
    approval_url: 'http://127.0.0.1/inbox/int_7',
    requested_by: null,
    policy: null,
    audience: 'urn:silentauth:prj_test:issue_refund',
    project_id: 'prj_test',
    supersedes: null,
    superseded_by: null,
    delivery: 'claim',
    created_at: new Date(now).toISOString(),
    expires_at: new Date(now + 3_600_000).toISOString(),
    resolved_at: null,
    resolution: null,
    approved_by: null,
    permit_token: null,
    execution: { state: 'none', continuations: 0, deadline: null, reported_by: null, disputed: false },
    execution_window: 3600,
    edits: false,
    reenters: false,
    idempotent: false,
    ...changes,
  }
}

export function data(value: unknown, status = 200): Step {
  return { status, json: { data: value, error: null } }
}

export function refusal(status: number, code: string, headers: Record<string, string> = {}): Step {
  return { status, headers, json: { data: null, error: { code, message: 'not now', hint: 'later' } } }
}
