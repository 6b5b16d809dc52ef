/**
 * The permit of the tool that runs now. It travels in an async context and nowhere else: arguments, results, traces,
 * checkpoints and run state are all places that a model or a client can read.
 *
 * @module
 */
import type { IntentId, PermitId } from './id.js'
import type { EpochMs, JsonObject } from './json.js'

/** Prints and serialises without its token. */
export interface Permit {
  readonly intentId: IntentId
  readonly permitId: PermitId
  readonly action: string
  readonly params: JsonObject
  readonly expiresAt: EpochMs
  readonly approvedBy: readonly string[]
  /** Not enumerable. */
  readonly token: string
  /** For the call to the backend. */
  headers(): { 'silentauth-permit': string }
}

/** Undefined outside a gated tool, and for another action than the one asked for. */
export function currentPermit(options: { action?: string | undefined } = {}): Permit | undefined {
  const permit = context().getStore()
  return permit && (options.action === undefined || options.action === permit.action) ? permit : undefined
}

/** Runs `step` with the permit in its context. */
export function withPermit<Result>(permit: Permit, step: () => Result): Result {
  return context().run(permit, step)
}

/** Hides the token from spreads, `JSON.stringify` and `util.inspect`. */
export function permitObject(fields: Omit<Permit, 'token' | 'headers'>, token: string): Permit {
  // A getter, because `util.inspect` can be told to show hidden members, but not to call what it shows by itself.
  const permit = Object.defineProperties(
    { ...fields },
    {
      token: { get: () => token, enumerable: false },
      headers: { value: () => ({ 'silentauth-permit': token }), enumerable: false },
    },
  )
  return Object.freeze(permit) as Permit
}

interface PermitContext {
  getStore(): Permit | undefined
  run<Result>(permit: Permit, step: () => Result): Result
}

/** On `globalThis`, because two copies of this package can be loaded and must share one context. */
const KEY = Symbol.for('silentauth.permit-context')

function context(): PermitContext {
  const shared = globalThis as { [KEY]?: PermitContext }
  shared[KEY] ??= createContext()
  return shared[KEY]
}

function createContext(): PermitContext {
  const node = globalThis.process?.getBuiltinModule?.('node:async_hooks')
  if (node === undefined) throw new TypeError('gated tools need AsyncLocalStorage (Node 22.3 or newer, Deno, Bun)')
  return new node.AsyncLocalStorage<Permit>()
}
