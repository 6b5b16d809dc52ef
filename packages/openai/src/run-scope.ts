/**
 * The scope of one logical run: what makes a call of it the same call after a restart. It travels in an async context while
 * the run runs, and in the suspended envelope between processes; a run without a driver has one of its own, by its context.
 *
 * @module
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { type AgentInputItem, type RunContext, RunState } from '@openai/agents'
import {
  type Begun,
  type BoundArguments,
  callKey,
  type Digest,
  type Execution,
  type Json,
  type Refusal,
} from '@silentauth/core'
import type { GateStreamEvent } from './gated-stream.js'
import { type Sightings, sightings } from './model-sightings.js'

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
  /** Of the run: a method is told of none. */
  readonly signal: AbortSignal | undefined
  /** Keys of the calls that it is being resumed for: it can be handed back as it was. */
  readonly resuming: Set<string>
  /** A call could not be begun now, and may be later. */
  stillWaiting: boolean
  /** Agent tools that were entered, until it is known whether they wait. */
  readonly entered: Map<string, EnteredTool>
  /** Executions that are suspended, by key: they stay listed until they end. */
  readonly suspended: Map<string, ListedCall>
  /** Executions that are begun for the last hop of a method, by what it does. */
  readonly spent: Map<string, SpentExecution | 'passed'>
  /** What its models say. */
  readonly sightings: Sightings
  /** Of calls that are held while it streams. */
  show?: ((event: GateStreamEvent) => void) | undefined
}

export interface SpentExecution {
  readonly begun: Extract<Begun, { type: 'begun' }>
  readonly bound: BoundArguments
}

export interface EnteredTool {
  readonly toolName: string
  readonly callId: string
  readonly execution: Execution
  /** What its function came to; that it waits is seen only in the state of the run. */
  ended:
    | { readonly type: 'succeeded'; readonly result: Json | undefined }
    | { readonly type: 'failed' | 'let_go' }
    | undefined
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

/** Of runs without a driver whose calls are waited for in place, by their context. */
const byContext = new WeakMap<object, RunScope>()
/** Contexts of runs whose calls were all made in this process, so that nobody can have written them. */
const live = new WeakSet<object>()

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

export function newDrivenRun(signal: AbortSignal | undefined): DrivenRun {
  return {
    signal,
    resuming: new Set(),
    stillWaiting: false,
    entered: new Map(),
    suspended: new Map(),
    spent: new Map(),
    sightings: sightings(),
  }
}

export interface GateRunOptions<Input> {
  /** Random, and kept with the state of the run: its calls are the same ones after a restart. */
  runKey: string
  /** What `run()` is given. */
  input: Input
}

/**
 * Runs `work`, which hands the input on to `run()`, as a part of one logical run. In a state that was kept without an envelope
 * anybody may have written calls, so no call in it is declared: what waits was declared before, or is refused.
 *
 * @throws TypeError for an empty key
 */
// biome-ignore lint/suspicious/noExplicitAny: states of any context and agent
export function withGateRun<Input extends string | AgentInputItem[] | RunState<any, any>, Result>(
  { runKey, input }: GateRunOptions<Input>,
  work: (input: Input) => Result,
): Result {
  const isKept = input instanceof RunState && !live.has(contextOf(input))
  const restored = isKept ? { listed: new Map(), callIds: new Set(callIdsIn(input.toString())) } : undefined
  return withScope(newScope(runKey, { restored }), () => work(input))
}

export function withScope<Result>(scope: RunScope, run: () => Result): Result {
  return storage().run(scope, run)
}

/** Where a call of a tool that suspends belongs. @throws TypeError outside of a run that can be found again */
export function suspendedScope(toolName: string, runContext: object | undefined): RunScope {
  const scope = storage().getStore()
  if (!scope) throw new TypeError(`${toolName}: suspends only in runWithGate, streamWithGate or withGateRun`)
  if (runContext && !scope.restored) live.add(runContext)
  return scope
}

/** Of the code that asks: what its driver keeps. Undefined: there is none. */
export function drivenRun(): DrivenRun | undefined {
  return storage().getStore()?.driven
}

export function heldScope(runContext: object | undefined): RunScope {
  const current = storage().getStore()
  if (current) return current
  const scope = (runContext && byContext.get(runContext)) ?? newScope()
  if (runContext) byContext.set(runContext, scope)
  return scope
}

/** Of every call in a state, also in the states of agents in tools, which are JSON texts within it. */
export function callIdsIn(state: string): string[] {
  const found: string[] = []
  const left: unknown[] = [state]
  while (left.length > 0) {
    const value = left.pop()
    if (typeof value === 'string') left.push(objectIn(value))
    else if (typeof value === 'object' && value !== null) {
      if ('callId' in value && typeof value.callId === 'string') found.push(value.callId)
      // A request of a hosted MCP server.
      if ('server_label' in value && 'id' in value && typeof value.id === 'string') found.push(value.id)
      left.push(...Object.values(value))
    }
  }
  return found
}

function objectIn(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export function contextOf(state: object): RunContext<unknown> {
  return (state as { _context: RunContext<unknown> })._context
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
