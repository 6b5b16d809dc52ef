/**
 * The redeemer asks the gate itself: all checks against the intent as it is now, and the one use of the approval marked there,
 * for all backends at once. The kill switch holds at once, where offline verification hears of it later.
 *
 * @module
 */
import {
  type Digest,
  type ErrorCode,
  type IntentId,
  isSilentAuthError,
  randomToken,
  SilentAuthError,
} from '@silentauth/core'
import { cappedText } from './capped-text.js'
import { gateAnswer, gateUnavailable } from './gate-answer.js'
import { below, gateUrl } from './gate-url.js'
import { sleep, within } from './time-limit.js'

export interface RedeemerOptions {
  /** Of the gate: https, or http on this machine. */
  readonly url: string | URL
  /** Of a verifier key (or of a project's only key). */
  readonly secretKey: string
  /** Of one request. @default 5_000 */
  readonly timeoutMs?: number | undefined
  /** Requests for one redemption, when answers are lost. @default 3 */
  readonly attempts?: number | undefined
  /** Before the second request; doubles, with jitter. @default 200 */
  readonly backoffMs?: number | undefined
  /** @default the runtime's */
  readonly fetch?: typeof fetch | undefined
}

/** Far more than a gate says: whatever else answers at its address must fit into memory. */
const MAX_ANSWER_BYTES = 1024 * 1024

export interface Redeemer extends AsyncDisposable {
  /**
   * @throws SilentAuthError `PERMIT_REPLAYED`, every other `PERMIT_*`, `AGENT_PAUSED`, `AGENT_REVOKED`, …; `GATE_UNAVAILABLE`
   * when the gate cannot be asked, or does not accept the key
   */
  redeem(use: Redeemable): Promise<{ readonly replayed: boolean }>
}

/** A permit that passed every local check. */
export interface Redeemable {
  readonly token: string
  readonly intentId: IntentId
  readonly action: string
  readonly paramsDigest: Digest
  readonly audience: string
  readonly idempotent: boolean
}

/** @throws TypeError for options that could not work */
export function redeemer(options: RedeemerOptions): Redeemer {
  const { secretKey, timeoutMs = 5_000, attempts = 3, backoffMs = 200, fetch: request = fetch } = options
  const url = below(gateUrl(options.url, 'gate.url'), '/api/permits/redeem')
  if (typeof secretKey !== 'string' || secretKey === '') throw new TypeError('gate.secretKey is required')
  if (!Number.isSafeInteger(attempts) || attempts < 1) throw new TypeError('gate.attempts is a whole number from 1')
  const closing = new AbortController()

  const ask = async (body: string, intentId: IntentId) => {
    try {
      return await within({ ms: timeoutMs, signals: [closing.signal] }, async (signal) => {
        const headers = { authorization: `Bearer ${secretKey}`, 'content-type': 'application/json' }
        const answer = await request(url, { method: 'POST', headers, body, redirect: 'manual', signal })
        const text = () => cappedText(answer.body, MAX_ANSWER_BYTES, () => gateUnavailable('answered too much'))
        return gateAnswer({ status: answer.status, headers: answer.headers, text }, intentId)
      })
    } catch (cause) {
      closing.signal.throwIfAborted()
      return { type: 'refused', transient: true, error: gateUnavailable('did not answer', cause, intentId) } as const
    }
  }

  return {
    async redeem({ token, intentId, action, paramsDigest, audience, idempotent }) {
      // One id for all requests: after a lost answer, the gate must know this use from another one.
      const body = JSON.stringify({
        token,
        redemption_id: randomToken(),
        action,
        params_digest: paramsDigest,
        audience,
        idempotent,
      })
      for (let attempt = 1; ; attempt++) {
        const answer = await ask(body, intentId)
        if (answer.type === 'data') return { replayed: replayedOf(answer.body.data, intentId) }
        if (!answer.transient || attempt >= attempts) throw refusalOf(answer.error, intentId)
        const jitter = 0.5 + Math.random() / 2
        await sleep(Math.max(backoffMs * 2 ** (attempt - 1) * jitter, waitOf(answer.error)), {
          signals: [closing.signal],
        })
      }
    },
    async [Symbol.asyncDispose]() {
      closing.abort(new TypeError('the permit verifier was disposed'))
    },
  }
}

/** What a caller of the backend is told. What is wrong between backend and gate is not the caller's to mend. */
function refusalOf(error: SilentAuthError, intentId: IntentId): SilentAuthError {
  if (error.code === 'ALREADY_REDEEMED') {
    return new SilentAuthError('PERMIT_REPLAYED', `${intentId}: was used before`, { intentId, cause: error })
  }
  return OURS.has(error.code) ? gateUnavailable(`refused the verifier: ${error.code}`, error, intentId) : error
}

const OURS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'MISSING_FIELDS',
  'INVALID_FIELD',
  'UNAUTHORIZED',
  'FORBIDDEN',
  'NOT_FOUND',
  'TOO_LARGE',
  'UNSUPPORTED_MEDIA_TYPE',
])

/** A backend keeps its caller waiting, so it does not wait for long. */
function waitOf(error: unknown): number {
  return isSilentAuthError(error) ? Math.min(error.retryAfterSeconds ?? 0, 5) * 1000 : 0
}

function replayedOf(data: unknown, intentId: IntentId): boolean {
  if (typeof data === 'object' && data !== null && 'replayed' in data && typeof data.replayed === 'boolean') {
    return data.replayed
  }
  throw gateUnavailable('answered the redemption with something else', undefined, intentId)
}
