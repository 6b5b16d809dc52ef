/**
 * The gate in process: declare, decide, claim and report over one store. The server holds the same one behind its
 * routes, and the SDK reaches that over HTTP.
 *
 * @module
 */

import { satisfiesPolicy } from './claim.js'
import type { Counter } from './counter.js'
import { chainAfter, declarationOf, draftFingerprint, NO_CHAIN, ownerOf, ownersOf } from './declare.js'
import type { Desk } from './desk.js'
import { type Engine, engine, notFound, type Writer } from './engine.js'
import { isSilentAuthError, SilentAuthError } from './errors.js'
import type { CallOptions, Claim, Gate, Outcome, Trust } from './gate.js'
import { type IntentId, newId, type ProjectId } from './id.js'
import { type Intent, type IntentDraft, parseDraft, type SettledIntent, type SourceType } from './intent.js'
import type { Digest, EpochMs, Json, JsonObject } from './json.js'
import { judge } from './judgement.js'
import { keyRing } from './key-ring.js'
import { clock, transition } from './lifecycle.js'
import { localCounter } from './local-counter.js'
import { localDesk } from './local-desk.js'
import { type Snapshot, snapshot } from './params.js'
import { signPermit } from './permit.js'
import { intentOf, permitClaimsOf } from './public-intent.js'
import type { Agent, KeyPrincipal, ProjectKey } from './registry.js'
import { summaryOf } from './result-summary.js'
import type { Signer } from './signer.js'
import type { Attempt, ClaimAnswer, LifecycleEvent, State } from './state.js'
import type { IntentQuery, Page, Store, StoreTransaction } from './store.js'

export interface LocalGateOptions {
  readonly store: Store
  readonly signer: Signer
  readonly projectId: ProjectId
  /** `iss` of its permits; verifiers compare it exactly. */
  readonly issuer: string
  /** Approval links are `${publicUrl}/inbox/<id>`. */
  readonly publicUrl: string
  /** Public keys that verify besides the signer's own: before and after a rotation. @default [] */
  readonly retiredKeys?: readonly unknown[] | undefined
  /** @default 50 */
  readonly maxPendingPerKey?: number | undefined
  /** How often the clock moves intents on; 0: only `sweep()` does. @default 5000 */
  readonly sweepMs?: number | undefined
  /** Catch-up of waiters whose wake-up was lost, for instance to another process; 0: never. @default 5000 */
  readonly pollMs?: number | undefined
  /** For local checks of permits; what decides is the store's clock. @default Date.now */
  readonly now?: (() => EpochMs) | undefined
  /** Of drafts that name none. */
  readonly source?: string | undefined
  /** @default 'ai_agent' */
  readonly sourceType?: SourceType | undefined
}

export interface LocalCallOptions extends CallOptions {
  /** Protects one transport retry for 24 hours: the `Idempotency-Key` of the request, and what its body digests to. */
  request?: { readonly key: string; readonly bodyDigest: Digest } | undefined
}

/** A `Gate` that also takes what a server knows of a request. */
export interface LocalKeyGate extends Gate {
  declare(draft: IntentDraft, options?: LocalCallOptions): Promise<Intent>
  cancel(id: IntentId, reason: string, options?: LocalCallOptions): Promise<Intent>
}

export interface LocalGate extends AsyncDisposable {
  readonly issuer: string
  readonly projectId: ProjectId
  /** Disposing it leaves this gate open. */
  gateFor(key: KeyPrincipal): LocalKeyGate
  readonly desk: Desk
  readonly counter: Counter
  /** As `gateFor(key).declare`; also says whether the intent is new. */
  declare(
    key: KeyPrincipal,
    draft: IntentDraft,
    options?: LocalCallOptions,
  ): Promise<{ readonly intent: Intent; readonly created: boolean }>
  /** The key's own intents, newest first. */
  list(key: KeyPrincipal, query: Omit<IntentQuery, 'projectId' | 'owners'>): Promise<Page<Intent>>
  /** Called after each commit that changed an intent. @returns a function that takes the listener away */
  onChange(listener: (id: IntentId) => void): () => void
  /** Writes what the clock has done. @returns how many intents it moved */
  sweep(): Promise<number>
  /** A change of the registry with its audit leaf: no change without one. */
  administer<Result>(
    actor: string,
    event: string,
    data: JsonObject,
    work: (tx: StoreTransaction) => Promise<Result>,
  ): Promise<Result>
}

const REQUEST_KEPT_MS = 24 * 3600 * 1000
const SWEEP_BATCH = 100

export function localGate(options: LocalGateOptions): LocalGate {
  const { store, signer, projectId, issuer } = options
  const own = engine({ store, projectId })
  const ring = signer.publicJwk ? keyRing([signer.publicJwk, ...(options.retiredKeys ?? [])]) : undefined
  const trust: Trust = { issuer, projectId, keys: ring, now: options.now }
  const context: Context = { engine: own, options, ring: trust }
  const closing = new AbortController()
  const timers = [repeat(options.sweepMs ?? 5000, () => sweep(own)), repeat(options.pollMs ?? 5000, () => catchUp(own))]

  return {
    issuer,
    projectId,
    gateFor: (key) => gateFor(context, key, closing.signal),
    desk: localDesk({ engine: own }),
    counter: localCounter({ engine: own, issuer, signer, keys: ring }),
    declare: (key, draft, call) => declare(context, key, draft, call),
    list: (key, query) => list(context, key, query),
    onChange: own.onChange,
    sweep: () => sweep(own),
    administer: (actor, event, data, work) =>
      own.write(async ({ tx, leaf }) => {
        const result = await work(tx)
        await leaf(actor, [{ type: event, intentId: undefined, data }])
        return result
      }),
    async [Symbol.asyncDispose]() {
      for (const stop of timers) stop()
      closing.abort(new SilentAuthError('GATE_UNAVAILABLE', 'the gate was closed'))
    },
  }
}

interface Context {
  readonly engine: Engine
  readonly options: LocalGateOptions
  readonly ring: Trust
}

function gateFor(context: Context, principal: KeyPrincipal, closing: AbortSignal): LocalKeyGate {
  const { engine: own } = context
  const reporting = new Set<Promise<unknown>>()
  return {
    async declare(draft, options) {
      return (await declare(context, principal, draft, options)).intent
    },

    async read(ref) {
      const key = await own.key(own.store, principal)
      return present(context, await readOwn(own, key, ref), key)
    },

    async wait(id, { signal, timeoutMs } = {}) {
      const key = await own.key(own.store, principal)
      await readOwn(own, key, id)
      const signals = AbortSignal.any([closing, ...(signal ? [signal] : [])])
      const state = await waitUntilSettled(own, id, signals, timeoutMs)
      return (await present(context, state, key)) as SettledIntent
    },

    async cancel(id, reason, options) {
      const key = await own.key(own.store, principal)
      const repeated = await repeatedRequest(own.store, principal, options)
      if (repeated) return present(context, await readOwn(own, key, repeated), key)
      const { state } = await own.change(id, async ({ tx, state }) => {
        requireOwn(state, key)
        await rememberRequest(tx, principal, id, options)
        return { command: { type: 'cancel', reason }, actor: actorOf(state), values: { reason } }
      })
      return present(context, state, key)
    },

    async claim(id, attempt) {
      requireAttempt(attempt)
      const key = await own.key(own.store, principal)
      const { state, claim } = await own.change(id, async ({ state, judgement }) => {
        requireOwn(state, key)
        const { sequencing } = own.store
        const permitId = newId('pmt')
        const command = { type: 'claim', attempt, judgement, permitId, sequencing } as const
        return { command, actor: actorOf(state) }
      })
      return claimOf(context, state, claim)
    },

    async report(id, attempt, outcome) {
      const reported = report(own, principal, id, attempt, outcome)
      reporting.add(reported)
      await reported.finally(() => reporting.delete(reported))
    },

    trust: async () => context.ring,
    async [Symbol.asyncDispose]() {
      await within(FLUSH_MS, Promise.allSettled(reporting))
    },
  }
}

/** A report that is lost leaves an execution unknown, so it is tried again while the store is away. */
async function report(
  own: Engine,
  principal: KeyPrincipal,
  id: IntentId,
  attempt: Attempt,
  outcome: Outcome,
): Promise<void> {
  requireAttempt(attempt)
  const result = outcome.status === 'succeeded' ? summaryOf(outcome.result) : undefined
  const change = async (): Promise<unknown> =>
    own.change(id, async ({ tx, state }) => {
      requireOwn(state, await own.key(tx, principal))
      return {
        command: { type: 'report', attempt, outcome: { status: outcome.status, result } },
        actor: actorOf(state),
      }
    })
  for (const pauseMs of REPORT_PAUSES_MS) {
    try {
      await change()
      return
    } catch (error) {
      const away = isSilentAuthError(error) && (error.code === 'DB_ERROR' || error.code === 'AUDIT_UNAVAILABLE')
      if (!away) throw error
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  }
  await change()
}

const REPORT_PAUSES_MS = [50, 250, 1000] as const
const FLUSH_MS = 5000

/** Resolves with the work, or after `ms`. */
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  await Promise.race([work, late]).finally(() => clearTimeout(timer))
}

/** I1, I13, I15: one transaction from the draft to the stored intent. */
async function declare(
  context: Context,
  principal: KeyPrincipal,
  input: IntentDraft,
  call: LocalCallOptions = {},
): Promise<{ intent: Intent; created: boolean }> {
  const { engine: own, options } = context
  call.signal?.throwIfAborted()
  const draft: IntentDraft = parseDraft({
    ...input,
    source: input.source ?? options.source,
    sourceType: input.sourceType ?? options.sourceType,
  })
  const params = snapshot(draft.params)
  const repeated = await repeatedRequest(own.store, principal, call)
  if (repeated) {
    const key = await own.key(own.store, principal)
    return { intent: await present(context, await readOwn(own, key, repeated), key), created: false }
  }
  const { state, created, key } = await own.write(async (writer) => {
    const { tx } = writer
    const key = await own.key(tx, principal)
    const done = await declareIn(context, writer, key, draft, params)
    await rememberRequest(tx, principal, done.state.declaration.id, call)
    return { ...done, key }
  })
  return { intent: await present(context, state, key), created }
}

async function declareIn(
  { engine: own, options }: Context,
  writer: Writer,
  key: ProjectKey,
  given: IntentDraft,
  params: Snapshot,
): Promise<{ state: State; created: boolean }> {
  const { tx, now } = writer
  if (key.kind !== 'agent') throw new SilentAuthError('FORBIDDEN', `key ${key.id} is a ${key.kind} key`)
  const { draft, bound } = await withSource(tx, key, given)
  const facts = await own.facts(tx, { keyId: key.id, source: draft.source })
  if (facts.project.requireRegisteredAgents && !facts.agent) {
    throw new SilentAuthError('FORBIDDEN', 'the project takes intents of registered agents only', { field: 'source' })
  }
  requireRunning(facts.agent)

  const owner = ownerOf(key, bound)
  if (draft.idempotencyKey !== undefined) {
    const earlier = await tx.intentByIdempotencyKey(owner, draft.idempotencyKey)
    if (earlier) return { state: await repeatedDeclare(tx, earlier, draft, params, now), created: false }
  }
  const limit = options.maxPendingPerKey ?? 50
  if ((await tx.countPending(key.id)) >= limit) {
    throw new SilentAuthError('RATE_LIMITED', `key ${key.id} has ${limit} pending intents`, { retryAfterSeconds: 30 })
  }

  const predecessor = draft.supersedes ? await tx.lockIntent(draft.supersedes) : undefined
  if (draft.supersedes && !predecessor) throw notFound(draft.supersedes)
  if (predecessor) requireOwn(predecessor, key)
  const declaredBy = bound ? (`agent:${bound.id}` as const) : (`key:${key.id}` as const)
  const twins = await tx.sameAction({
    projectId: own.projectId,
    declaredBy,
    action: draft.action,
    paramsDigest: params.digest,
  })
  const chain = predecessor
    ? chainAfter(predecessor.declaration, await own.facts(tx, predecessor.declaration), undefined)
    : NO_CHAIN
  const { declaration, evaluation } = declarationOf({
    draft,
    params,
    key,
    facts,
    chain,
    earlierOfAction: await tx.countDeclared(declaredBy, draft.action),
    unsettledTwins: twins.length,
    now,
  })

  const events: LifecycleEvent[] = []
  if (predecessor) {
    const gone = transition(predecessor, { type: 'supersede', successor: declaration.id }, now)
    await writer.save(predecessor, gone)
    events.push(...gone.events)
  }
  const resolution = {
    by: 'policy',
    code: evaluation.code,
    comment: undefined,
    earlierIntent: undefined,
  } as const
  const done = transition(undefined, { type: 'declare', declaration, resolution, permitId: newId('pmt') }, now)
  await writer.save(undefined, done)
  events.push(...done.events)
  if (facts.agent) await tx.putAgent({ ...facts.agent, lastSeenAt: now })
  await writer.leaf(declaration.declaredBy, events, {
    params: declaration.params,
    ...(declaration.context && { context: declaration.context }),
    ...(declaration.metadata && { metadata: declaration.metadata }),
    ...(declaration.requestedBy && { requested_by: declaration.requestedBy }),
    ...(evaluation.shadow.length > 0 && { shadow: evaluation.shadow as unknown as Json }),
  })
  return { state: done.state, created: true }
}

/** A bound key speaks for its agents only, and for its one agent when it names none. */
async function withSource(
  tx: StoreTransaction,
  key: ProjectKey,
  draft: IntentDraft,
): Promise<{ draft: IntentDraft; bound: Agent | undefined }> {
  if (key.agents.length === 0) return { draft, bound: undefined }
  const agents = await Promise.all(key.agents.map((id) => tx.agent(id)))
  const bound =
    draft.source === undefined && agents.length === 1
      ? agents[0]
      : agents.find((agent) => agent?.fingerprint === draft.source)
  if (!bound) {
    throw new SilentAuthError('SOURCE_MISMATCH', `key ${key.id} is bound to other agents`, { field: 'source' })
  }
  return { draft: { ...draft, source: bound.fingerprint }, bound }
}

async function repeatedDeclare(
  tx: StoreTransaction,
  id: IntentId,
  draft: IntentDraft,
  params: Snapshot,
  now: EpochMs,
): Promise<State> {
  const state = await tx.intent(id)
  if (!state) throw notFound(id)
  if (state.declaration.idempotency?.fingerprint !== draftFingerprint(draft, params)) {
    throw new SilentAuthError('IDEMPOTENCY_MISMATCH', `${id}: the same idempotency key came with other contents`, {
      intentId: id,
      field: 'idempotency_key',
    })
  }
  return clock(state, now).state
}

async function list(
  context: Context,
  principal: KeyPrincipal,
  query: Omit<IntentQuery, 'projectId' | 'owners'>,
): Promise<Page<Intent>> {
  const { engine: own } = context
  const key = await own.key(own.store, principal)
  const page = await own.store.intents({ ...query, projectId: own.projectId, owners: ownersOf(key) })
  const now = await own.store.now()
  const items = page.items.map((state) => present(context, clock(state, now).state, key))
  return { items: await Promise.all(items), nextCursor: page.nextCursor }
}

/** By id, or by an idempotency key in any scope that the key acts in. */
async function readOwn(own: Engine, key: ProjectKey, ref: IntentId | { idempotencyKey: string }): Promise<State> {
  if (typeof ref !== 'string') {
    for (const owner of ownersOf(key)) {
      const id = await own.store.intentByIdempotencyKey(owner, ref.idempotencyKey)
      if (id) return (await own.read(id)).state
    }
    throw new SilentAuthError('NOT_FOUND', 'no intent has this idempotency key')
  }
  const { state } = await own.read(ref)
  requireOwn(state, key)
  return state
}

/** The intent for its key; a token delivery carries its permit while nothing would refuse it now. */
async function present(context: Context, state: State, key: ProjectKey): Promise<Intent> {
  const { engine: own, options } = context
  const permit = state.execution.state === 'delivered' ? state.permits.at(-1) : undefined
  if (!permit || permit.revokedAt !== undefined || state.redemptions.length > 0 || key.kind !== 'agent') {
    return intentOf(state, options.publicUrl)
  }
  const now = await own.store.now()
  const facts = await own.facts(own.store, state.declaration)
  const judgement = judge(state.declaration, facts, now)
  const stopped = facts.key?.status !== 'active' || (facts.agent && facts.agent.status !== 'active')
  const expired = permit.exp === undefined || now >= permit.exp * 1000
  if (stopped || expired || judgement.timeRestricted || !satisfiesPolicy(state, judgement)) {
    return intentOf(state, options.publicUrl)
  }
  return intentOf(
    state,
    options.publicUrl,
    await signPermit(permitClaimsOf(state, permit, options.issuer), options.signer),
  )
}

async function claimOf({ options }: Context, state: State, answer: ClaimAnswer | undefined): Promise<Claim> {
  switch (answer?.type) {
    case 'granted': {
      const claims = permitClaimsOf(state, answer.permit, options.issuer)
      return { type: 'granted', permit: await signPermit(claims, options.signer), params: state.declaration.params }
    }
    case 'recorded':
      return {
        type: 'recorded',
        outcome: answer.status === 'succeeded' ? { status: 'succeeded', resultRecorded: false } : { status: 'failed' },
      }
    case 'running':
    case 'unknown':
    case 'closed':
      return answer
    case undefined:
      throw new TypeError('a claim has an answer')
  }
}

/** Level-triggered: registered first, then read, so that no decision falls in between. */
async function waitUntilSettled(
  own: Engine,
  id: IntentId,
  signal: AbortSignal,
  timeoutMs = Number.POSITIVE_INFINITY,
): Promise<State> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    signal.throwIfAborted()
    let wake: () => void = () => {}
    const woken = new Promise<void>((resolve) => {
      wake = resolve
    })
    const remove = own.waiters.add(id, wake)
    signal.addEventListener('abort', wake, { once: true })
    let timer: ReturnType<typeof setTimeout> | undefined
    try {
      const { state, now } = await own.read(id)
      if (state.status !== 'pending') return state
      const left = deadline - performance.now()
      if (left <= 0) throw new SilentAuthError('WAIT_TIMEOUT', `${id}: no decision in time`, { intentId: id })
      timer = setTimeout(wake, Math.min(left, state.declaration.expiresAt - now + 1, MAX_TIMER_MS))
      await woken
    } finally {
      clearTimeout(timer)
      remove()
      signal.removeEventListener('abort', wake)
    }
  }
}

/** Above this, `setTimeout` fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1

async function sweep(own: Engine): Promise<number> {
  const due = await own.store.due(await own.store.now(), SWEEP_BATCH)
  for (const id of due) {
    await own.change(id, async () => ({ command: { type: 'tick' }, actor: 'system:clock' }))
  }
  return due.length
}

async function catchUp(own: Engine): Promise<void> {
  const ids = own.waiters.ids()
  if (ids.length === 0) return
  for (const id of await own.store.settledAmong(ids)) own.waiters.wake(id)
}

/** Runs `work` again and again, one at a time; what fails is tried again the next time. */
function repeat(everyMs: number, work: () => Promise<unknown>): () => void {
  if (everyMs === 0) return () => {}
  let busy = false
  const timer = setInterval(() => {
    if (busy) return
    busy = true
    work()
      .catch(() => undefined)
      .finally(() => {
        busy = false
      })
  }, everyMs)
  timer.unref?.()
  return () => clearInterval(timer)
}

async function repeatedRequest(
  store: Store,
  principal: KeyPrincipal,
  { request }: LocalCallOptions = {},
): Promise<IntentId | undefined> {
  if (!request) return undefined
  const before = await store.request(principal.id, request.key)
  if (!before || before.expiresAt <= (await store.now())) return undefined
  if (before.bodyDigest === request.bodyDigest) return before.intentId
  throw new SilentAuthError('IDEMPOTENCY_MISMATCH', 'the same Idempotency-Key came with another body')
}

async function rememberRequest(
  tx: StoreTransaction,
  principal: KeyPrincipal,
  intentId: IntentId,
  { request }: LocalCallOptions = {},
): Promise<void> {
  if (!request) return
  const expiresAt = (await tx.now()) + REQUEST_KEPT_MS
  await tx.putRequest({ principal: principal.id, ...request, intentId, expiresAt })
}

/** Another's intent is not found, rather than forbidden: its existence is nobody else's business. */
function requireOwn(state: State, key: ProjectKey): void {
  const { declaration } = state
  const own = declaration.projectId === key.projectId && ownersOf(key).includes(declaration.owner)
  if (!own) throw notFound(declaration.id)
}

function requireRunning(agent: Agent | undefined): void {
  if (agent?.status === 'paused') {
    throw new SilentAuthError('AGENT_PAUSED', `agent ${agent.id} is paused`)
  }
  if (agent?.status === 'revoked') {
    throw new SilentAuthError('AGENT_REVOKED', `agent ${agent.id} is revoked`)
  }
}

function requireAttempt({ executionId, attemptId, continues = 0 }: Attempt): void {
  const text = (value: unknown): boolean => typeof value === 'string' && value.length > 0 && value.length <= 256
  const field = !text(executionId)
    ? 'execution_id'
    : !text(attemptId)
      ? 'attempt_id'
      : Number.isSafeInteger(continues) && continues >= 0
        ? undefined
        : 'continues'
  if (field) throw new SilentAuthError('INVALID_FIELD', `${field} is missing or of the wrong type`, { field })
}

function actorOf(state: State): string {
  return state.declaration.declaredBy
}
