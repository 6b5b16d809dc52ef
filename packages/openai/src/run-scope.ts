/**
 * The scope of one logical run: what makes a call of it the same call after a restart. It travels in an async context while
 * the run runs, and in the suspended envelope between processes; a run without a driver has one of its own, by its context.
 *
 * @module
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { callKey } from '@silentauth/core'

export interface RunScope {
  /** Random; never empty. */
  readonly runKey: string
  /** The call that an id stands for now: ids of model calls can repeat over turns. */
  readonly calls: Map<string, CallPlace>
}

interface CallPlace {
  readonly occurrence: number
  /** The call that was answered under it. */
  answered?: object | undefined
}

/** The fields of a function call that are read here. */
export interface ModelCall {
  readonly callId: string
  readonly name: string
  readonly arguments: string
}

/** On `globalThis`, because the two builds of this package can be loaded and must share one context. */
const KEY = Symbol.for('silentauth.openai-run')
const shared = globalThis as { [KEY]?: AsyncLocalStorage<unknown> }

function storage<Scope extends RunScope>(): AsyncLocalStorage<Scope> {
  shared[KEY] ??= new AsyncLocalStorage<unknown>()
  return shared[KEY] as AsyncLocalStorage<Scope>
}

/** Of runs without a driver, by their context. */
const byContext = new WeakMap<object, RunScope>()

export function newScope(runKey: string = crypto.randomUUID()): RunScope {
  if (runKey === '') throw new TypeError('runKey must not be empty: every call of the process would be the same one')
  return { runKey, calls: new Map() }
}

export function withScope<Result>(scope: RunScope, run: () => Result): Result {
  return storage().run(scope, run)
}

export function currentScope(): RunScope | undefined {
  return storage().getStore()
}

export function scopeOf(runContext: object | undefined): RunScope {
  const scope = currentScope() ?? (runContext && byContext.get(runContext)) ?? newScope()
  if (runContext && !currentScope()) byContext.set(runContext, scope)
  return scope
}

/** `call`: as the model made it; undefined while its framework only asks whether it needs approval. */
export function toolCallKey(scope: RunScope, toolName: string, callId: string, call: object | undefined): string {
  const id = JSON.stringify([toolName, callId])
  let place = scope.calls.get(id) ?? { occurrence: 0 }
  // Answered already, and here is another one under its id. A layer that tries again hands on the same one.
  if (place.answered && place.answered !== call) place = { occurrence: place.occurrence + 1 }
  scope.calls.set(id, place)
  return callKey({ scope: '', run: scope.runKey, agent: `tool:${toolName}`, callId, occurrence: place.occurrence })
}

export function markAnswered(scope: RunScope, toolName: string, callId: string, call: object): void {
  const place = scope.calls.get(JSON.stringify([toolName, callId]))
  if (place) place.answered = call
}
