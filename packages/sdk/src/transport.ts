/**
 * The transport: one request to the gate, and the same again when its answer was lost. Every request can be repeated, because
 * it names what it is about: an idempotency key, an attempt, a permit.
 *
 * @module
 */
import { type IntentId, type JsonObject, randomToken, type SilentAuthError } from '@silentauth/core'
import {
  below,
  type GateAnswer,
  gateAnswer,
  gateUnavailable,
  type HttpResponse,
  sleep,
  within,
} from '@silentauth/verify/gate-http'
import { Agent, fetch as undiciFetch } from 'undici'
import { type BackOff, backOffMs } from './back-off.js'

/** What of `fetch` is used. */
export type Fetch = (
  url: string,
  init: {
    readonly method: 'GET' | 'POST'
    readonly headers: Readonly<Record<string, string>>
    readonly body?: string
    readonly redirect: 'manual'
    readonly signal: AbortSignal
  },
) => Promise<HttpResponse>

export interface TransportOptions {
  readonly gate: URL
  readonly secretKey: string
  /** @default undici's, with connections of its own */
  readonly fetch?: Fetch | undefined
  /** Of one request; a long-poll adds what it waits. @default 10_000 */
  readonly requestTimeoutMs?: number | undefined
  /** How long a request is repeated while answers are lost or transient. @default 15_000 */
  readonly retryForMs?: number | undefined
  readonly backOff?: BackOff | undefined
}

export interface GateRequest {
  readonly method: 'GET' | 'POST'
  readonly path: `/${string}`
  readonly body?: JsonObject | undefined
  /** For errors. */
  readonly intentId?: IntentId | undefined
}

export interface AttemptOptions {
  readonly signal?: AbortSignal | undefined
  /** @default that of the transport */
  readonly timeoutMs?: number | undefined
}

/** Members of an answer; `data` is among them. */
export type AnswerBody = Readonly<Record<string, unknown>>

export interface Transport extends AsyncDisposable {
  readonly requestTimeoutMs: number
  readonly retryForMs: number
  readonly backOff: BackOff
  /** Aborted with the transport; whoever waits by himself listens. */
  readonly closing: AbortSignal
  /** Gives one request its `Idempotency-Key`, and with it one effect, however often it is sent. */
  prepare(request: GateRequest): PreparedRequest
  /** Sends once. What is no answer of a gate is a transient refusal. @throws only the reason of a signal */
  attempt(request: PreparedRequest, options?: AttemptOptions): Promise<GateAnswer>
  /** Sends until there is an answer that is worth something. @throws SilentAuthError of the last answer; the signal's reason */
  send(request: GateRequest, options?: { readonly signal?: AbortSignal | undefined }): Promise<AnswerBody>
}

export interface PreparedRequest extends Omit<GateRequest, 'body'> {
  readonly text: string | undefined
  readonly idempotencyKey: string
}

/** The longest that the gate is asked to hold a long-poll: proxies cut idle connections after 30 s. */
export const MAX_WAIT_SECONDS = 25

export function transport(options: TransportOptions): Transport {
  const { gate, secretKey, requestTimeoutMs = 10_000, retryForMs = 15_000, backOff = {} } = options
  const own = options.fetch === undefined ? ownConnections(requestTimeoutMs) : undefined
  const request = options.fetch ?? (own as { fetch: Fetch }).fetch
  const closed = new AbortController()

  const self: Transport = {
    requestTimeoutMs,
    retryForMs,
    backOff,
    closing: closed.signal,

    prepare({ method, path, body, intentId }) {
      return { method, path, intentId, text: body && JSON.stringify(body), idempotencyKey: randomToken() }
    },

    async attempt({ method, path, intentId, text, idempotencyKey }, { signal, timeoutMs = requestTimeoutMs } = {}) {
      const headers = {
        accept: 'application/json',
        authorization: `Bearer ${secretKey}`,
        ...(method === 'POST' && { 'content-type': 'application/json', 'idempotency-key': idempotencyKey }),
      }
      try {
        return await within({ ms: timeoutMs, signals: [signal, closed.signal] }, async (limit) => {
          const init = { method, headers, ...(text !== undefined && { body: text }), signal: limit } as const
          return gateAnswer(await request(below(gate, path), { ...init, redirect: 'manual' }), intentId)
        })
      } catch (cause) {
        signal?.throwIfAborted()
        closed.signal.throwIfAborted()
        return { type: 'refused', transient: true, error: gateUnavailable('did not answer', cause, intentId) }
      }
    },

    async send(given, { signal } = {}) {
      const prepared = self.prepare(given)
      const end = performance.now() + retryForMs
      for (let failures = 1; ; failures++) {
        const answer = await self.attempt(prepared, { signal })
        if (answer.type === 'data') return answer.body
        const delay = delayAfter(answer.error, failures, backOff)
        if (!answer.transient || performance.now() + delay > end) throw answer.error
        await sleep(delay, { signals: [signal, closed.signal] })
      }
    },

    async [Symbol.asyncDispose]() {
      closed.abort(gateUnavailable('was left: this client was disposed'))
      await own?.close()
    },
  }
  return self
}

export function delayAfter(error: SilentAuthError, failures: number, backOff: BackOff): number {
  return backOffMs(failures, backOff, error.retryAfterSeconds)
}

/** Connections that nobody else uses, so that they can be closed. */
function ownConnections(requestTimeoutMs: number): { fetch: Fetch; close(): Promise<void> } {
  // Above the longest long-poll, so that the time limit of a request is what ends it.
  const longest = Math.max(requestTimeoutMs, 10_000) + MAX_WAIT_SECONDS * 1000 + 5_000
  const dispatcher = new Agent({
    connections: null,
    headersTimeout: longest,
    bodyTimeout: longest,
    maxResponseSize: MAX_ANSWER_BYTES,
  })
  return {
    fetch: (url, init) => undiciFetch(url, { ...init, dispatcher }),
    close: () => dispatcher.destroy(),
  }
}

/** A hundred intents with the largest params. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024
