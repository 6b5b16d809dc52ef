/**
 * The gate as the pages see it: HTTP and nothing else. Each request carries the session's secret in `x-sa-session`; answers
 * are `{ data, error }`, and an error becomes a SilentAuthError with the code that the gate sent.
 *
 * @module
 */
import { type Digest, type EpochMs, ERROR_STATUS, type ErrorCode, type Json, SilentAuthError } from '@silentauth/core'
import type { WireInboxItem, WireReview } from '@silentauth/core/wire'
import type { Session } from './session.js'

export type InboxStatus = WireInboxItem['status']
export type Verdict = WireReview['votes'][number]['verdict']

export interface SignedInPerson {
  readonly email: string
}

export interface InboxPage {
  readonly items: readonly WireInboxItem[]
  readonly nextCursor: string | null
}

export interface VoteBody {
  readonly verdict: Verdict
  /** As computed from what was rendered. */
  readonly intentHash: Digest
  readonly comment?: string | undefined
  readonly confirm?: string | undefined
}

export interface Api {
  /** Exchanges the token of a sign-in link, which works once. */
  signIn(token: string): Promise<Session>
  /** Who the session belongs to. */
  whoAmI(signal?: AbortSignal): Promise<SignedInPerson>
  /** Ends the session at the gate. */
  signOut(): Promise<void>
  inbox(status: InboxStatus, cursor?: string, signal?: AbortSignal): Promise<InboxPage>
  review(id: string, signal?: AbortSignal): Promise<WireReview>
  vote(id: string, vote: VoteBody): Promise<WireReview>
  withdraw(id: string, reason: string): Promise<WireReview>
  reconcile(id: string, finding: 'happened' | 'did_not_happen', comment: string): Promise<WireReview>
  /** The agent may ask again for what was denied. */
  liftDenial(id: string): Promise<WireReview>
  /** One hidden value, for this person alone; audited. */
  reveal(id: string, pointer: string): Promise<Json>
  /** Server-sent events that hint at changes. The body is open until the signal aborts. */
  events(signal: AbortSignal): Promise<Response>
}

export interface ApiOptions {
  readonly fetch: typeof globalThis.fetch
  /** Undefined while signed out. */
  readonly secret: () => string | undefined
  /** A request with this secret was refused as `UNAUTHORIZED`. */
  readonly onUnauthorized: (secret: string) => void
  /** The gate's clock, as an answer gave it. */
  readonly onServerTime?: (at: EpochMs) => void
}

export function gateApi({ fetch, secret, onUnauthorized, onServerTime }: ApiOptions): Api {
  const send = async (path: string, init: RequestInit, credential = secret()): Promise<Response> => {
    let response: Response
    try {
      response = await fetch(path, {
        ...init,
        headers: { accept: 'application/json', ...init.headers, ...(credential ? { 'x-sa-session': credential } : {}) },
        credentials: 'same-origin',
        cache: 'no-store',
        redirect: 'error',
        referrerPolicy: 'no-referrer',
      })
    } catch (cause) {
      if (init.signal?.aborted) throw cause
      throw new SilentAuthError('GATE_UNAVAILABLE', 'the gate did not answer', { cause })
    }
    const at = Date.parse(response.headers.get('date') ?? '')
    if (!Number.isNaN(at)) onServerTime?.(at)
    if (response.ok) return response
    const error = await errorOf(response)
    if (error.code === 'UNAUTHORIZED' && credential) onUnauthorized(credential)
    throw error
  }
  const get = async (path: string, signal?: AbortSignal): Promise<Answer> =>
    answerOf(await send(path, { method: 'GET', ...(signal ? { signal } : {}) }))
  const post = async (path: string, body: object): Promise<Answer> =>
    answerOf(await send(path, { method: 'POST', headers: JSON_TYPE, body: JSON.stringify(body) }))
  const act = async (id: string, verb: string, body: object): Promise<WireReview> =>
    reviewOf(await post(`${pathOf(id)}/${verb}`, body))

  return {
    async signIn(token) {
      // Without an old secret: who signs in anew is nobody yet.
      const response = await send(
        '/api/session',
        { method: 'POST', headers: JSON_TYPE, body: JSON.stringify({ token }) },
        '',
      )
      const { data } = await answerOf(response)
      const { session, expires_at } = data as { session?: unknown; expires_at?: unknown }
      const expiresAt = Date.parse(String(expires_at))
      if (typeof session !== 'string' || Number.isNaN(expiresAt)) throw unreadable()
      return { secret: session, expiresAt }
    },
    async whoAmI(signal) {
      const { data } = await get('/api/session', signal)
      const email = (data as { person?: { email?: unknown } } | null)?.person?.email
      if (typeof email !== 'string') throw unreadable()
      return { email }
    },
    async signOut() {
      await send('/api/session', { method: 'DELETE' })
    },
    async inbox(status, cursor, signal) {
      const query = new URLSearchParams({ status, limit: '50', ...(cursor ? { cursor } : {}) })
      const { data, next_cursor } = await get(`/api/inbox?${query}`, signal)
      if (!Array.isArray(data)) throw unreadable()
      return { items: data as WireInboxItem[], nextCursor: typeof next_cursor === 'string' ? next_cursor : null }
    },
    review: async (id, signal) => reviewOf(await get(pathOf(id), signal)),
    vote: (id, { verdict, intentHash, comment, confirm }) =>
      act(id, ROUTES[verdict], {
        intent_hash: intentHash,
        ...(comment ? { comment } : {}),
        ...(confirm === undefined ? {} : { confirm }),
      }),
    withdraw: (id, reason) => act(id, 'withdraw', { reason }),
    reconcile: (id, finding, comment) => act(id, 'reconcile', { finding, ...(comment ? { comment } : {}) }),
    liftDenial: (id) => act(id, 'lift-denial', {}),
    async reveal(id, pointer) {
      const { data } = await post(`${pathOf(id)}/reveal`, { pointer })
      if (typeof data !== 'object' || data === null || !('value' in data)) throw unreadable()
      return data.value as Json
    },
    events: (signal) => send('/api/inbox/events', { headers: { accept: 'text/event-stream' }, signal }),
  }
}

const JSON_TYPE = { 'content-type': 'application/json' }
const ROUTES = { approve: 'approve', deny: 'deny', request_changes: 'request-changes' } as const

interface Answer {
  readonly data: unknown
  readonly next_cursor?: unknown
}

function pathOf(id: string): string {
  return `/api/inbox/${encodeURIComponent(id)}`
}

async function answerOf(response: Response): Promise<Answer> {
  let body: unknown
  try {
    body = await response.json()
  } catch {
    throw unreadable()
  }
  if (typeof body !== 'object' || body === null || !('data' in body)) throw unreadable()
  return body
}

/** Not a validation of every member: the gate is trusted. This is so that another kind of answer is an error, not a crash. */
function reviewOf({ data }: Answer): WireReview {
  const review = data as Partial<WireReview> | null
  const { view } = review ?? {}
  if (view?.type !== 'silentauth.view' || typeof view.params !== 'object' || !Array.isArray(review?.votes)) {
    throw unreadable()
  }
  return review as WireReview
}

async function errorOf(response: Response): Promise<SilentAuthError> {
  let error: { code?: unknown; message?: unknown } | null | undefined
  try {
    error = ((await response.json()) as { error?: { code?: unknown; message?: unknown } | null }).error
  } catch {
    error = undefined
  }
  const code = typeof error?.code === 'string' && Object.hasOwn(ERROR_STATUS, error.code) ? error.code : undefined
  if (code === undefined) return new SilentAuthError('GATE_UNAVAILABLE', `the gate answered ${response.status}`)
  // The gate's messages begin with their code, as those of this class do.
  const message = String(error?.message ?? '').replace(`${code}: `, '')
  const retryAfterSeconds = Number(response.headers.get('retry-after') ?? Number.NaN)
  return new SilentAuthError(code as ErrorCode, message, Number.isNaN(retryAfterSeconds) ? {} : { retryAfterSeconds })
}

function unreadable(): SilentAuthError {
  return new SilentAuthError('GATE_UNAVAILABLE', 'the answer of the gate could not be read')
}
