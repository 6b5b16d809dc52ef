/**
 * A scripted gate for browser tests: the built pages under the real Content-Security-Policy, and canned answers behind the
 * routes that they call. It keeps what it was sent.
 *
 * @module
 */
import { randomBytes } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { ERROR_STATUS, type ErrorCode } from '@silentauth/core'
import type { WireReview } from '@silentauth/core/wire'
import { itemOf } from './reviews.ts'

export const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

/** Who signs in. */
export const PERSON = 'lena.vogel@example.com'

export interface Received {
  readonly method: string
  readonly path: string
  readonly secret: string | undefined
  readonly body: unknown
}

export interface ScriptedGate extends AsyncDisposable {
  readonly url: string
  /** A fresh link; `next` is put into it as it is. */
  signInLink(next?: string): string
  /** Newest first, as in an inbox. */
  reviews: WireReview[]
  readonly received: readonly Received[]
  /** What `reveal` answers, by pointer. */
  readonly secrets: Map<string, string>
  /** Codes that the next requests to a path are refused with. */
  readonly refusals: Map<string, ErrorCode>
  /** Event streams that are open now. */
  readonly streams: number
  /** Most event streams that were ever open at once. */
  readonly mostStreams: number
  /** Ends all sessions. */
  forget(): void
  /** Tells the pages that something changed. */
  hint(): void
}

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
}

/** @param dist folder of the built pages */
export async function scriptedGate(dist: string): Promise<ScriptedGate> {
  const tokens = new Set<string>()
  const sessions = new Set<string>()
  const received: Received[] = []
  const secrets = new Map<string, string>()
  const refusals = new Map<string, ErrorCode>()
  const streams = new Set<ServerResponse>()
  let mostStreams = 0

  let reviews: WireReview[] = []
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost')
    if (!pathname.startsWith('/api/')) return page(dist, pathname, response)
    const secret = request.headers['x-sa-session'] as string | undefined
    const body = await bodyOf(request)
    received.push({ method: request.method ?? '', path: pathname, secret, body })
    const refused = refusals.get(pathname)
    if (refused !== undefined) {
      refusals.delete(pathname)
      return answer(response, ERROR_STATUS[refused] ?? 500, null, { code: refused, message: `${refused}: scripted` })
    }
    if (pathname === '/api/session' && request.method === 'POST') {
      const { token } = body as { token: string }
      if (!tokens.delete(token)) return answer(response, 401, null, { code: 'UNAUTHORIZED', message: 'no such token' })
      const session = randomBytes(32).toString('base64url')
      sessions.add(session)
      response.setHeader('set-cookie', 'sa_session=a-cookie; HttpOnly; SameSite=Lax; Path=/')
      return answer(response, 200, { session, expires_at: new Date(Date.now() + 3_600_000).toISOString() })
    }
    const signedIn = secret !== undefined && sessions.has(secret) && request.headers.cookie?.includes('sa_session=')
    if (!signedIn) return answer(response, 401, null, { code: 'UNAUTHORIZED', message: 'sign in' })
    if (pathname === '/api/session') {
      if (request.method === 'DELETE') sessions.delete(secret)
      return answer(response, 200, request.method === 'DELETE' ? { ended: true } : { person: { email: PERSON } })
    }
    if (pathname === '/api/inbox/events') {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' }).write(':ok\n\n')
      streams.add(response)
      mostStreams = Math.max(mostStreams, streams.size)
      return response.on('close', () => streams.delete(response))
    }
    if (pathname === '/api/inbox') {
      const status = searchParams.get('status') ?? 'pending'
      return answer(response, 200, reviews.filter((review) => review.status === status).map(itemOf))
    }
    const [, id, verb] = /^\/api\/inbox\/([^/]+)(?:\/([a-z-]+))?$/.exec(pathname) ?? []
    const index = reviews.findIndex((review) => review.view.intent_id === id)
    const review = reviews[index]
    if (review === undefined) return answer(response, 404, null, { code: 'NOT_FOUND', message: 'no such intent' })
    if (verb === undefined) return answer(response, 200, review)
    if (verb === 'reveal') return answer(response, 200, { value: secrets.get((body as { pointer: string }).pointer) })
    reviews[index] = decided(review, verb, body as { comment?: string })
    return answer(response, 200, reviews[index])
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  return {
    url,
    get reviews() {
      return reviews
    },
    set reviews(next) {
      reviews = next
    },
    received,
    secrets,
    refusals,
    get streams() {
      return streams.size
    },
    get mostStreams() {
      return mostStreams
    },
    signInLink(next?: string) {
      const token = randomBytes(32).toString('base64url')
      tokens.add(token)
      return `${url}/sign-in#token=${token}${next === undefined ? '' : `&next=${encodeURIComponent(next)}`}`
    },
    forget: () => sessions.clear(),
    hint() {
      for (const stream of streams) stream.write('event: inbox\ndata: {}\n\n')
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Files as they are; every other path is a page, as the server does it. */
function page(dist: string, pathname: string, response: ServerResponse): void {
  const file = path.join(dist, path.normalize(pathname))
  const exists = file.startsWith(dist) && statSync(file, { throwIfNoEntry: false })?.isFile()
  const found = exists ? file : path.join(dist, 'index.html')
  response
    .writeHead(200, {
      'content-type': TYPES[path.extname(found)] ?? 'application/octet-stream',
      'content-security-policy': CSP,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    })
    .end(readFileSync(found))
}

function answer(response: ServerResponse, status: number, data: unknown, error: object | null = null): void {
  response
    .writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    .end(JSON.stringify({ data, error, ...(Array.isArray(data) ? { next_cursor: null } : {}) }))
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  let text = ''
  for await (const chunk of request) text += chunk
  return text === '' ? undefined : JSON.parse(text)
}

const STATUS: Record<string, WireReview['status']> = {
  approve: 'approved',
  deny: 'denied',
  'request-changes': 'changes_requested',
}

/** One vote decides here; quorum is the gate's business, not the pages'. */
function decided(review: WireReview, verb: string, { comment }: { comment?: string }): WireReview {
  const at = new Date().toISOString()
  const status = STATUS[verb]
  if (status === undefined) {
    const state = verb === 'reconcile' ? 'succeeded' : 'abandoned'
    return { ...review, execution: { ...review.execution, state, reported_by: 'person' } }
  }
  return {
    ...review,
    status,
    resolved_at: at,
    resolution: { by: 'person', code: null, comment: comment ?? null, earlier_intent: null },
    can_vote: { ok: false, code: 'ALREADY_RESOLVED', reason: `it is ${status}`, on_behalf_of: null },
    votes: [
      ...review.votes,
      {
        by: PERSON,
        on_behalf_of: null,
        verdict: verb === 'request-changes' ? 'request_changes' : (verb as 'approve' | 'deny'),
        comment: comment ?? null,
        at,
        via: 'session',
        unseen: [],
        revealed: [],
        edited: false,
      },
    ],
    ...(status === 'approved' ? { use_until: new Date(Date.now() + 3_600_000).toISOString() } : {}),
  }
}
