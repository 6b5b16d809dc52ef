/**
 * A conflict: what a transaction wanted to insert must be unique, and another one was first. The store rolls the
 * transaction back and runs it again, so that it reads what the other one wrote; only a transaction that conflicts every
 * time lets its caller see this error.
 *
 * @module
 */

/** What must be unique. */
export type Unique =
  | 'intent'
  | 'idempotency_key'
  | 'permit'
  | 'vote'
  | 'redemption'
  | 'agent_fingerprint'
  | 'key_secret'
  | 'session_cookie'
  | 'request'
  | 'tree_node'
  | 'checkpoint'
  | 'log_epoch'

export interface Conflict extends Error {
  readonly unique: Unique
}

/** For implementers of a store: what the driver calls a unique violation becomes this, the driver's error its cause. */
export function conflict(unique: Unique, options?: { cause?: unknown }): Conflict {
  return Object.defineProperty(Object.assign(new Error(`${unique} is taken`, options), { unique }), MARK, {
    value: true,
  })
}

export function isConflict(error: unknown): error is Conflict {
  return typeof error === 'object' && error !== null && MARK in error
}

/** How often a transaction is begun before its conflict is given to the caller. */
export const MAX_RUNS = 5

/** Registered, so that two copies of this package recognise each other's conflicts. */
const MARK = Symbol.for('silentauth.conflict')
