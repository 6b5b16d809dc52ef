/**
 * The gate in process: declare, decide, claim and report over one store. The server holds the same one behind its
 * routes, and the SDK reaches that over HTTP.
 *
 * @module
 */

import { isStorableText, requireComment } from './comment.js'
import type { Counter } from './counter.js'
import { type DeadLetters, deadLetters } from './dead-letters.js'
import { DERIVE_KEY, deriveKey, type KeyDeriving } from './derived-key.js'
import type { Desk } from './desk.js'
import { earlierRequest, mismatch, type RequestKey, rememberRequest } from './earlier-request.js'
import { type Engine, engine } from './engine.js'
import { eraseValues } from './erasure.js'
import { isSilentAuthError, SilentAuthError } from './errors.js'
import type { CallOptions, Gate, Trust } from './gate.js'
import { claimOf, present } from './hand-out.js'
import { type IntentId, newId, type ProjectId } from './id.js'
import { type Intent, type IntentDraft, parseDraft, type SettledIntent, type SourceType } from './intent.js'
import type { EpochMs, Json, JsonObject } from './json.js'
import { keyRing } from './key-ring.js'
import { clock } from './lifecycle.js'
import { localCounter } from './local-counter.js'
import { declareIn } from './local-declare.js'
import { localDesk } from './local-desk.js'
import { localRegistrar } from './local-registrar.js'
import type { Notifier } from './notifier.js'
import { type DeliveryFailure, outboxDelivery } from './outbox-delivery.js'
import { ownersOf, readOwn, requireOwn } from './ownership.js'
import { snapshot } from './params.js'
import { recall } from './recall.js'
import { type RecordedResult, type ResultSealer, resultSealer } from './recorded-result.js'
import type { Registrar } from './registrar.js'
import type { KeyPrincipal, Principal, ProjectKey } from './registry.js'
import { awaitRelease, type LivingLog, release } from './release.js'
import { reportDelivery } from './report-delivery.js'
import { summaryOf } from './result-summary.js'
import { catchUp, waitUntilSettled } from './settlement.js'
import type { Signer } from './signer.js'
import type { Attempt, ResultSummary, State, Transition } from './state.js'
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
  /** How long a person's denial answers the same request again, in whole seconds; 0: not at all. @default 600 */
  readonly denialMemorySeconds?: number | undefined
  /** Catch-up of waiters whose wake-up was lost, for instance to another process; 0: never. @default 5000 */
  readonly pollMs?: number | undefined
  /** For local checks of permits; what decides is the store's clock. @default this machine's, set by the store's at each claim */
  readonly now?: (() => EpochMs) | undefined
  /** Of drafts that name none. */
  readonly source?: string | undefined
  /** @default 'ai_agent' */
  readonly sourceType?: SourceType | undefined
  /** Channels that hear of every change, from when a gate first knows them. @default none */
  readonly notifiers?: readonly Notifier[] | undefined
  /**
   * The log that the store keeps, and what holds it to what it was: high and critical permits wait for a checkpoint that is held (P6).
   *
   * @default none: over a deferred store they wait for ever, over any other they wait for nothing
   */
  readonly log?: LivingLog | undefined
  /** 32 random bytes that seal recorded results, and nothing else. @default none: a report that brings a result is refused */
  readonly resultKey?: Uint8Array | undefined
  /** Called after a notifier failed; it is called again later. */
  readonly onDeliveryFailure?: ((failure: DeliveryFailure) => void) | undefined
}

export interface LocalCallOptions extends CallOptions {
  /** Protects one transport retry for 24 hours. */
  request?: RequestKey | undefined
}

/** A `Gate` that also takes what a server knows of a request. */
export interface LocalKeyGate extends Gate, KeyDeriving {
  declare(draft: IntentDraft, options?: LocalCallOptions): Promise<Intent>
  cancel(id: IntentId, reason: string, options?: LocalCallOptions): Promise<Intent>
  /** `read` for whoever waits. @throws SilentAuthError also `AGENT_REVOKED`: what its agent asked for will never run */
  watch(id: IntentId): Promise<Intent>
}

export interface LocalGate extends AsyncDisposable {
  readonly issuer: string
  readonly projectId: ProjectId
  /** Disposing it leaves this gate open. */
  gateFor(key: KeyPrincipal): LocalKeyGate
  readonly desk: Desk
  readonly counter: Counter
  readonly registrar: Registrar
  /** What channels did not hear of. */
  readonly deadLetters: DeadLetters
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
  /** Takes the values behind the commitments of a settled intent out of the log, for good. @returns how many */
  eraseValues(by: Principal, id: IntentId, reason: string): Promise<number>
  /** Writes what the clock has done, and forgets what no verifier could accept any more. @returns how many intents it moved */
  sweep(): Promise<number>
  /** A change of the registry with its audit leaf: no change without one. */
  administer<Result>(
    actor: string,
    event: string,
    data: JsonObject | ((result: Result) => JsonObject),
    work: (tx: StoreTransaction) => Promise<Result>,
  ): Promise<Result>
}

const SWEEP_BATCH = 100
const FORGET_MS = 60_000
const FORGET_BATCH = 1000
const DEFAULT_MAX_PENDING = 50

export function localGate(options: LocalGateOptions): LocalGate {
  const { store, signer, projectId, issuer } = options
  const notifiers = options.notifiers ?? []
  const { denialMemorySeconds } = options
  requireMemory(denialMemorySeconds)
  const { log } = options
  if (log && log.projectId !== projectId) throw new TypeError('the log is of another project')
  const channels = notifiers.map(({ name }) => name)
  // Where a checkpoint is held, it is ahead of every such permit, also over a store that gives leaves their places at once.
  const sequencing = log ? 'deferred' : store.sequencing
  const own = engine({ store, projectId, issuer, denialMemorySeconds, channels, onCommit: log?.wake, sequencing })
  const ring = signer.publicJwk ? keyRing([signer.publicJwk, ...(options.retiredKeys ?? [])]) : undefined
  const trust: Trust = { issuer, projectId, keys: ring, now: options.now }
  const sealer = options.resultKey && resultSealer(options.resultKey)
  const context: Context = { engine: own, options, trust, sealer, secret: crypto.getRandomValues(new Uint8Array(32)) }
  const closing = new AbortController()
  const { pollMs, onDeliveryFailure: onFailure } = options
  const outbox = outboxDelivery({ store, projectId, notifiers, pollMs, onFailure })
  own.onChange(outbox.wake)
  const stopReleasing = log?.onSequenced((ids) => {
    // The sweep finds those that could not be released now.
    for (const id of ids) release(own, log, id).catch(() => undefined)
  })
  // What other nodes decided, where the store can tell.
  const unsubscribe = store.changes?.subscribe(
    (ids) => ids.forEach(own.waiters.wake),
    () => void catchUp(own).catch(() => undefined),
  )
  const timers = [
    repeat(options.sweepMs ?? 5000, () => sweep(own, log)),
    repeat(options.pollMs ?? 5000, () => catchUp(own)),
    repeat(options.sweepMs === 0 ? 0 : FORGET_MS, () => forgetTraces(own)),
  ]

  return {
    issuer,
    projectId,
    gateFor: (key) => gateFor(context, key, closing.signal),
    desk: localDesk({ engine: own }),
    registrar: localRegistrar({ engine: own }),
    deadLetters: deadLetters(own, outbox.wake),
    counter: localCounter({ engine: own, issuer, signer, keys: ring, log }),
    declare: (key, draft, call) => declare(context, key, draft, call),
    list: (key, query) => list(context, key, query),
    onChange: own.onChange,
    eraseValues: (by, id, reason) => eraseValues(own, by, id, reason),
    async sweep() {
      const moved = await sweep(own, log)
      await forgetTraces(own)
      return moved
    },
    administer: (actor, event, data, work) =>
      own.write(async ({ tx, leaf }) => {
        const result = await work(tx)
        const said = typeof data === 'function' ? data(result) : data
        await leaf(actor, [{ type: event, intentId: undefined, data: said }])
        return result
      }),
    async [Symbol.asyncDispose]() {
      for (const stop of timers) stop()
      stopReleasing?.()
      unsubscribe?.()
      closing.abort(new SilentAuthError('GATE_UNAVAILABLE', 'the gate was closed'))
      await outbox[Symbol.asyncDispose]()
    },
  }
}

interface Context {
  readonly engine: Engine
  readonly options: LocalGateOptions
  readonly trust: Trust
  readonly sealer: ResultSealer | undefined
  /** Of this gate alone: what is to be opened after a restart is given keys of its own. */
  readonly secret: Uint8Array
}

function gateFor(context: Context, principal: KeyPrincipal, closing: AbortSignal): LocalKeyGate {
  const { engine: own, options, sealer } = context
  const reports = reportDelivery()
  const answer = (state: State, key: ProjectKey): Promise<Intent> => present(own, options, state, key)
  return {
    async declare(draft, call) {
      return (await declare(context, principal, draft, call)).intent
    },

    async read(ref) {
      const key = await own.key(own.store, principal)
      return answer(await readOwn(own, key, ref), key)
    },

    async watch(id) {
      const key = await own.key(own.store, principal)
      const state = await readOwn(own, key, id)
      await requireUnrevoked(own, state)
      return answer(state, key)
    },

    async wait(id, { signal, timeoutMs } = {}) {
      const key = await own.key(own.store, principal)
      await readOwn(own, key, id)
      const signals = AbortSignal.any([closing, ...(signal ? [signal] : [])])
      const authorise = (found: State): Promise<void> => requireWaiter(own, principal, found)
      const state = await waitUntilSettled(own, { id, signal: signals, timeoutMs, authorise })
      return (await answer(state, key)) as SettledIntent
    },

    async cancel(id, reason, { request } = {}) {
      requireComment(reason, 'reason')
      let key: ProjectKey | undefined
      const { state } = await own.change(id, async ({ tx, state }) => {
        key = await own.key(tx, principal)
        requireOwn(state, key)
        const earlier = await earlierRequest(tx, principal, request)
        if (earlier !== undefined && earlier !== id) throw mismatch()
        if (earlier === id) return { command: { type: 'tick' }, actor: 'system:clock' }
        await rememberRequest(tx, principal, id, request)
        return { command: { type: 'cancel', reason }, actor: actorOf(state), values: { reason } }
      })
      return answer(state, key as unknown as ProjectKey)
    },

    async claim(id, attempt) {
      requireAttempt(attempt)
      const { log } = options
      let asking: Parameters<typeof recall>[3] | undefined
      const claim = (): Promise<Transition> =>
        own.change(id, async ({ tx, state, judgement }) => {
          const key = await own.key(tx, principal)
          asking = { attempt, key, bench: judgement.bench }
          requireOwn(state, key)
          requireAgentKey(key)
          await log?.requireWhole(tx)
          const { sequencing } = own
          const permitId = newId('pmt')
          const command = { type: 'claim', attempt, judgement, permitId, sequencing } as const
          return { command, actor: actorOf(state) }
        })
      const done = await claim().catch(async (error: unknown) => {
        if (!log || !isSilentAuthError(error) || error.code !== 'NOT_SEQUENCED') throw error
        // The claim stands: the same attempt is told again, with its permit as soon as that has begun (P6).
        await awaitRelease(own, log, id)
        return claim()
      })
      const recorded =
        done.claim?.type === 'recorded' && asking ? await recall(own, sealer, done.state, asking) : undefined
      return claimOf(options, done.state, done.claim, recorded)
    },

    async report(id, attempt, outcome) {
      requireAttempt(attempt)
      const body = outcome.status === 'succeeded' ? outcome.result : undefined
      const result = summaryOf(body)
      await reports.deliver(async () => {
        const recorded = body !== undefined && result && (await record(context, principal, id, attempt, body, result))
        return own.change(id, async ({ tx, state }) => {
          requireOwn(state, await own.key(tx, principal))
          return {
            command: { type: 'report', attempt, outcome: { status: outcome.status, result } },
            actor: actorOf(state),
            // The log commits to the digest, and the digest alone.
            ...(result && { values: { result_digest: result.digest } }),
            async beside(to, after) {
              if (recorded && after.execution.state === 'succeeded') await to.putResult(recorded)
            },
          }
        })
      })
    },

    trust: async () => ({ ...context.trust, now: options.now ?? (await clockOf(own.store)) }),
    [DERIVE_KEY]: (label) => deriveKey(context.secret, `${principal.id} ${label}`),
    [Symbol.asyncDispose]: () => reports.flush(),
  }
}

/**
 * Sealed before the transaction: no lock is held for it.
 *
 * @throws SilentAuthError `INVALID_FIELD` where it could be kept in clear only, which it never is
 */
async function record(
  { engine: own, sealer }: Context,
  principal: KeyPrincipal,
  intentId: IntentId,
  { executionId }: Attempt,
  result: Json,
  { digest }: ResultSummary,
): Promise<RecordedResult> {
  if (!sealer) {
    const message = `${intentId}: this gate has no key for results: report without one, or give it a resultKey`
    throw new SilentAuthError('INVALID_FIELD', message, { intentId, field: 'result' })
  }
  const { lineage } = await own.key(own.store, principal)
  return sealer.seal({ projectId: own.projectId, intentId, executionId, digest }, lineage, result)
}

/** From what the caller sends to the intent; what a repeated request made before is answered again. */
async function declare(
  { engine: own, options }: Context,
  principal: KeyPrincipal,
  input: IntentDraft,
  { signal, request }: LocalCallOptions = {},
): Promise<{ intent: Intent; created: boolean }> {
  signal?.throwIfAborted()
  const draft = parseDraft({
    ...input,
    source: input.source ?? options.source,
    sourceType: input.sourceType ?? options.sourceType,
  })
  const params = snapshot(draft.params)
  const maxPendingPerKey = options.maxPendingPerKey ?? DEFAULT_MAX_PENDING
  const { state, created, key } = await own.write(async (writer) => {
    const { tx, now } = writer
    const key = await own.key(tx, principal)
    const earlier = await earlierRequest(tx, principal, request)
    const before = earlier && (await tx.intent(earlier))
    if (before) {
      requireOwn(before, key)
      return { state: clock(before, now).state, created: false, key }
    }
    const done = await declareIn({ engine: own, maxPendingPerKey }, writer, key, draft, params)
    await rememberRequest(tx, principal, done.state.declaration.id, request)
    return { ...done, key }
  })
  return { intent: await present(own, options, state, key), created }
}

async function list(
  { engine: own, options }: Context,
  principal: KeyPrincipal,
  query: Omit<IntentQuery, 'projectId' | 'owners'>,
): Promise<Page<Intent>> {
  const key = await own.key(own.store, principal)
  const page = await own.store.intents({ ...query, projectId: own.projectId, owners: ownersOf(key) })
  const now = await own.store.now()
  const items = page.items.map((state) => present(own, options, clock(state, now).state, key))
  return { items: await Promise.all(items), nextCursor: page.nextCursor }
}

/** One intent that cannot be moved does not keep the others from it. */
async function sweep(own: Engine, log: LivingLog | undefined): Promise<number> {
  const { projectId, store } = own
  const due = await store.due({ projectId, now: await store.now(), limit: SWEEP_BATCH })
  const failures: unknown[] = []
  for (const id of due) {
    await release(own, log, id).catch((error: unknown) => failures.push(error))
  }
  if (failures.length > 0) throw failures[0]
  return due.length
}

/** What is said of permits for the sake of revocation lists must not grow for ever. */
async function forgetTraces(own: Engine): Promise<void> {
  const now = await own.store.now()
  while ((await own.store.transaction((tx) => tx.forgetPermits(now, FORGET_BATCH))) === FORGET_BATCH) {}
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

/** Permits carry the store's time, of which this machine's clock may be far off. */
async function clockOf(store: Store): Promise<() => EpochMs> {
  const ahead = Date.now() - (await store.now())
  return () => Date.now() - ahead
}

/** @throws SilentAuthError `UNAUTHORIZED`, `NOT_FOUND`, `AGENT_REVOKED` */
async function requireWaiter(own: Engine, principal: KeyPrincipal, state: State): Promise<void> {
  requireOwn(state, await own.key(own.store, principal))
  await requireUnrevoked(own, state)
}

async function requireUnrevoked(own: Engine, { declaration }: State): Promise<void> {
  const agent = await own.agent(own.store, declaration)
  if (agent?.status === 'revoked') throw new SilentAuthError('AGENT_REVOKED', `agent ${agent.id} is revoked`)
}

function requireAgentKey(key: ProjectKey): void {
  if (key.kind !== 'agent') throw new SilentAuthError('FORBIDDEN', `key ${key.id} is a ${key.kind} key`)
}

function requireMemory(seconds = 0): void {
  if (!Number.isSafeInteger(seconds) || seconds < 0) {
    throw new TypeError('denialMemorySeconds is a whole number of seconds, or 0')
  }
}

function requireAttempt({ executionId, attemptId, continues = 0 }: Attempt): void {
  const named = (value: unknown): boolean => isStorableText(value, 256) && value.length > 0
  const field = !named(executionId)
    ? 'execution_id'
    : !named(attemptId)
      ? 'attempt_id'
      : Number.isSafeInteger(continues) && continues >= 0
        ? undefined
        : 'continues'
  if (field) throw new SilentAuthError('INVALID_FIELD', `${field} is missing or of the wrong type`, { field })
}

function actorOf(state: State): string {
  return state.declaration.declaredBy
}
