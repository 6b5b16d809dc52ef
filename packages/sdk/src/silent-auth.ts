/**
 * SilentAuth: the gate over HTTP. Adapters take it as their `Gate`; scripts create intents with it and wait for permits.
 *
 * @module
 */
import {
  type Attempt,
  type CallOptions,
  type Claim,
  canonicalJson,
  DERIVE_KEY,
  deriveKey,
  type Gate,
  type Intent,
  type IntentDraft,
  type IntentId,
  isSilentAuthError,
  type JsonObject,
  type KeyDeriving,
  type Outcome,
  type ProjectId,
  parseDraft,
  type SettledIntent,
  SilentAuthError,
  type SourceType,
  snapshot,
  type Trust,
  type WaitOptions,
} from '@silentauth/core'
import { attemptToWire, draftToWire } from '@silentauth/core/wire'
import type { BackOff } from './back-off.js'
import { type ConnectionOptions, connectionOf } from './connection.js'
import {
  type CreatedIntent,
  createdIntent,
  draftOf,
  firstPermit,
  type IntentRequest,
  permitOf,
} from './created-intent.js'
import { type ExecutionLog, type LoggedExecution, logExecution } from './execution-log.js'
import { claimIn, intentIn, listIn } from './gate-data.js'
import { type GateKeys, gateKeys } from './gate-keys.js'
import { waitUntilSettled } from './long-poll.js'
import { type PermitReport, reportOn, type ValidateOptions } from './permit-report.js'
import { type ReportQueue, reportQueue } from './report-queue.js'
import type { EitherSpelling } from './spelling.js'
import { type Fetch, type Transport, transport } from './transport.js'

export interface SilentAuthOptions extends ConnectionOptions {
  /** Fingerprint of the agent, for intents that name none. */
  readonly source?: string | undefined
  /** @default 'ai_agent' */
  readonly sourceType?: SourceType | undefined
  /** For instance one that knows a proxy. @default undici's, with connections of its own */
  readonly fetch?: typeof fetch | undefined
  /** Of one request; a long-poll adds what it waits. @default 10_000 */
  readonly requestTimeoutMs?: number | undefined
  /** How long a request is repeated while its answers are lost, or say that they are transient. @default 15_000 */
  readonly retryForMs?: number | undefined
  /** Between repetitions. */
  readonly backOff?: BackOff | undefined
}

export class SilentAuth implements Gate, KeyDeriving {
  readonly projectId: ProjectId
  readonly #transport: Transport
  readonly #keys: GateKeys
  readonly #reports: ReportQueue
  readonly #defaults: Pick<IntentDraft, 'source' | 'sourceType'>
  readonly #secret: Uint8Array
  #warned = false

  /** @throws TypeError that names what is missing, wrong, or open to others */
  constructor(options: SilentAuthOptions = {}) {
    const connection = connectionOf(options)
    const { source, sourceType = 'ai_agent', fetch, requestTimeoutMs } = options
    this.projectId = connection.projectId
    this.#secret = new TextEncoder().encode(connection.secretKey)
    this.#defaults = { source, sourceType }
    this.#transport = transport({
      ...connection,
      ...options,
      secretKey: connection.secretKey,
      fetch: fetch as Fetch | undefined,
    })
    this.#keys = gateKeys(connection, { fetch, timeoutMs: requestTimeoutMs })
    this.#reports = reportQueue(this.#transport)
  }

  /**
   * For scripts: asks for one action with these params. A denial is a status of the result; `waitForApproval` throws it.
   *
   * @throws SilentAuthError as `declare`; TypeError for unknown members, and for two spellings of one
   */
  async createIntent(request: IntentRequest, options: CallOptions = {}): Promise<CreatedIntent> {
    const intent = await this.#declare(draftOf(request), options)
    const permit = firstPermit(intent)
    if (permit !== undefined) await this.#requireGenuine(permit.token, intent)
    return createdIntent(intent, permit, async ({ timeout, signal } = {}) => {
      const settled = await this.wait(intent.id, { timeoutMs: timeout, signal })
      const approved = permitOf(settled)
      await this.#requireGenuine(approved.token, settled)
      return approved
    })
  }

  /** For scripts: what can be found out about a permit. Throws only for mistakes of the caller; backends use `permitVerifier`. */
  async validatePermit(token: string, options: ValidateOptions = {}): Promise<PermitReport> {
    const { action, params, audience } = options
    if (action === undefined && params === undefined && audience === undefined && !this.#warned) {
      this.#warned = true
      process.emitWarning('validatePermit compared nothing: it says only that a permit is signed and current', {
        type: 'SilentAuthWarning',
        code: 'SILENTAUTH_UNBOUND',
      })
    }
    return reportOn(token, options, { transport: this.#transport, keys: this.#keys, projectId: this.projectId })
  }

  /** For scripts and backends: what came of a permit that was delivered by token. */
  async logExecution(log: EitherSpelling<ExecutionLog>, { signal }: CallOptions = {}): Promise<LoggedExecution> {
    return logExecution(this.#transport, log, signal)
  }

  async declare(draft: IntentDraft, options: CallOptions = {}): Promise<Intent> {
    const delivery = draft.delivery ?? 'claim'
    // Known now; found out at the claim, it would waste somebody's approval.
    if (delivery === 'claim') this.#keys.requireTrust()
    return this.#declare({ ...draft, delivery }, options)
  }

  async read(ref: IntentId | { idempotencyKey: string }, { signal }: CallOptions = {}): Promise<Intent> {
    if (typeof ref === 'string') {
      const { data } = await this.#transport.send({ method: 'GET', path: pathOf(ref), intentId: ref }, { signal })
      return intentIn(data, ref)
    }
    const path = `/api/intents?idempotency_key=${encodeURIComponent(ref.idempotencyKey)}&limit=1` as const
    const { data } = await this.#transport.send({ method: 'GET', path }, { signal })
    const [found] = listIn(data)
    if (found === undefined) throw new SilentAuthError('NOT_FOUND', 'no intent has this idempotency key')
    return intentIn(found)
  }

  /** From the secret key: what it protects, a rotated key cannot open. */
  [DERIVE_KEY](label: string): Promise<Uint8Array> {
    return deriveKey(this.#secret, label)
  }

  async wait(id: IntentId, options: WaitOptions = {}): Promise<SettledIntent> {
    return waitUntilSettled(this.#transport, id, options)
  }

  async cancel(id: IntentId, reason: string, { signal }: CallOptions = {}): Promise<Intent> {
    const request = { method: 'POST', path: `${pathOf(id)}/cancel`, body: { reason }, intentId: id } as const
    return intentIn((await this.#transport.send(request, { signal })).data, id)
  }

  async claim(id: IntentId, attempt: Attempt, { signal }: CallOptions = {}): Promise<Claim> {
    // The same attempt in every repetition: after a lost answer the gate hands out the same permit again.
    const body = { ...attemptToWire(attempt) }
    const request = { method: 'POST', path: `${pathOf(id)}/claim`, body, intentId: id } as const
    const claim = claimIn((await this.#transport.send(request, { signal })).data, id)
    // A key that was rotated is fetched now; whether the permit is good, its user finds out.
    if (claim.type === 'granted' && this.#keys.canVerify) await this.#keys.read(claim.permit).catch(ignoreRefusal)
    return claim
  }

  async report(id: IntentId, attempt: Attempt, outcome: Outcome, { signal }: CallOptions = {}): Promise<void> {
    await this.#reports.send(id, attempt, outcome, signal)
  }

  async trust({ signal }: CallOptions = {}): Promise<Trust> {
    signal?.throwIfAborted()
    return this.#keys.trust()
  }

  /** Waits for reports that are still on their way, at most 5 s, and ends everything else. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reports[Symbol.asyncDispose]()
    await this.#transport[Symbol.asyncDispose]()
    await this.#keys[Symbol.asyncDispose]()
  }

  async #declare(given: IntentDraft, { signal }: CallOptions): Promise<Intent> {
    const draft = parseDraft({ ...this.#defaults, ...withoutUndefined(given) })
    // As they will be shown and digested: what is no JSON must not turn into something else on its way.
    const params = snapshot(draft.params).value
    for (const shown of [draft.context, draft.metadata, draft.edits]) if (shown !== undefined) canonicalJson(shown)
    const body: JsonObject = { ...draftToWire({ ...draft, params }), project_id: this.projectId }
    return intentIn((await this.#transport.send({ method: 'POST', path: '/api/intents', body }, { signal })).data)
  }

  /** Where keys are at hand, the permit of a script is verified before it is handed on. */
  async #requireGenuine(token: string, { action, params, audience }: Intent): Promise<void> {
    if (this.#keys.canVerify) await this.#keys.read(token, { action, params, audience })
  }
}

function pathOf(id: IntentId): `/api/intents/${string}` {
  return `/api/intents/${encodeURIComponent(id)}`
}

function ignoreRefusal(error: unknown): void {
  if (!isSilentAuthError(error)) throw error
}

function withoutUndefined<Members extends object>(members: Members): Members {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Members
}
