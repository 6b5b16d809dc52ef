/**
 * The scope of one logical run: what makes a call of it the same call after a restart. It travels in an async context while
 * the run runs, and in the suspended envelope between processes; a run without a driver has one of its own, by its context.
 *
 * @module
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { callKey, type Digest, type Execution, type Refusal } from '@silentauth/core'

export interface RunScope {
  /** Random; never empty. */
  readonly runKey: string
  /** The call that an id stands for now: ids of model calls can repeat over turns. */
  readonly calls: Map<string, CallPlace>
  /** What policy said at once of calls that were never suspended, by key. */
  readonly refusals: Map<string, Refusal>
  /** Undefined: every call was seen here. Else what the run was restored with. */
  readonly restored: RestoredCalls | undefined
  /** What a driver keeps; undefined: there is none. */
  readonly driven: DrivenRun | undefined
}

interface CallPlace {
  readonly occurrence: number
  /** The call that was answered under it. */
  answered?: object | undefined
}

export interface RestoredCalls {
  /** By `placeOf`. Nothing else of the restored run may be declared. */
  readonly listed: ReadonlyMap<string, ListedCall>
  /** Ids of all calls that are in its state. */
  readonly callIds: ReadonlySet<string>
}

/** A call that an envelope says it waits for. */
export interface ListedCall {
  readonly tool: string
  readonly callId: string
  readonly occurrence: number
  /** Whether its intent exists. */
  readonly declared: boolean
  /** Of its params. */
  readonly digest: Digest
  /** Suspensions of its execution: an agent tool is entered again. */
  readonly continues: number
}

export interface DrivenRun {
  /** Keys of the calls that it is being resumed for: it can be handed back as it was. */
  readonly resuming: Set<string>
  /** A call could not be begun now, and may be later. */
  stillWaiting: boolean
  /** Agent tools that were entered, until it is known whether they wait. */
  readonly entered: Map<string, EnteredTool>
  /** Executions that are suspended, by key: they stay listed until they end. */
  readonly suspended: Map<string, ListedCall>
}

export interface EnteredTool {
  readonly toolName: string
  readonly callId: string
  readonly execution: Execution
}

/** The fields of a function call that are read here. */
export interface ModelCall {
  readonly callId: string
  readonly name: string
  readonly arguments: string
}

/** On `globalThis`, because the two builds of this package can be loaded and must share one context. */
const KEY = Symbol.for('silentauth.openai-run')
const shared = globalThis as { [KEY]?: AsyncLocalStorage<RunScope> }

function storage(): AsyncLocalStorage<RunScope> {
  shared[KEY] ??= new AsyncLocalStorage<RunScope>()
  return shared[KEY]
}

/** Of runs without a driver, by their context. */
const byContext = new WeakMap<object, RunScope>()

/** @throws TypeError when the key is empty */
export function newScope(
  runKey: string = crypto.randomUUID(),
  { restored, driven }: Partial<Pick<RunScope, 'restored' | 'driven'>> = {},
): RunScope {
  if (runKey === '') throw new TypeError('runKey must not be empty: every call of the process would be the same one')
  const listed = [...(restored?.listed.entries() ?? [])]
  const calls = new Map(listed.map(([place, { occurrence }]) => [place, { occurrence }]))
  return { runKey, calls, refusals: new Map(), restored, driven }
}

export function newDrivenRun(): DrivenRun {
  return { resuming: new Set(), stillWaiting: false, entered: new Map(), suspended: new Map() }
}

/**
 * Runs `work`, which calls `run()` itself, as a part of one logical run: its calls are the same ones after a restart.
 *
 * @param options.runKey random, and kept with the state of the run
 */
export function withGateRun<Result>({ runKey }: { runKey: string }, work: () => Result): Result {
  return withScope(newScope(runKey), work)
}

export function withScope<Result>(scope: RunScope, run: () => Result): Result {
  return storage().run(scope, run)
}

export function scopeOf(runContext: object | undefined): RunScope {
  const current = storage().getStore()
  if (current) return current
  const scope = (runContext && byContext.get(runContext)) ?? newScope()
  if (runContext) byContext.set(runContext, scope)
  return scope
}

export function placeOf(toolName: string, callId: string): string {
  return JSON.stringify([toolName, callId])
}

/** `call`: as the model made it; undefined while its framework only asks whether it needs approval. */
export function toolCallKey(scope: RunScope, toolName: string, callId: string, call: object | undefined): string {
  const id = placeOf(toolName, callId)
  let place = scope.calls.get(id) ?? { occurrence: 0 }
  // Answered already, and here is another one under its id. A layer that tries again hands on the same one.
  if (place.answered && place.answered !== call) place = { occurrence: place.occurrence + 1 }
  scope.calls.set(id, place)
  return callKey({ scope: '', run: scope.runKey, agent: `tool:${toolName}`, callId, occurrence: place.occurrence })
}

export function markAnswered(scope: RunScope, toolName: string, callId: string, call: object): void {
  const place = scope.calls.get(placeOf(toolName, callId))
  if (place) place.answered = call
}

/**
 * Whether this call may be declared here. Somebody may have written the history of a restored run: only what its envelope
 * lists as undeclared, with these very params, and what the model has said since.
 */
export function mayDeclare(
  { restored }: RunScope,
  toolName: string,
  callId: string | undefined,
  digest: Digest,
): boolean {
  if (!restored || callId === undefined) return true
  const listed = restored.listed.get(placeOf(toolName, callId))
  return listed ? !listed.declared && listed.digest === digest : !restored.callIds.has(callId)
}

/** Suspensions that this run has seen of an execution. */
export function continuesOf({ driven }: RunScope, key: string): number {
  return driven?.suspended.get(key)?.continues ?? 0
}
