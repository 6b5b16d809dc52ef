/**
 * What an error of PostgreSQL, or of the connection to it, means.
 *
 * @module
 */
import { type Conflict, conflict, isConflict, isSilentAuthError, SilentAuthError, type Unique } from '@silentauth/core'

/**
 * Of what a statement threw: a conflict, where a row that must be unique was there; caller bugs and refusals as they are;
 * all else is a `DB_ERROR`, whose message quotes nothing.
 */
export function postgresError(error: unknown): unknown {
  if (isSilentAuthError(error) || isConflict(error) || error instanceof TypeError) return error
  return brokenUniqueness(error) ?? unavailable(error)
}

export function unavailable(cause: unknown): SilentAuthError {
  return new SilentAuthError('DB_ERROR', 'the database refused', { cause })
}

/**
 * The database undid the transaction for the sake of another one (serialization failure, deadlock), or a plan that was kept
 * no longer fits the tables: begun anew it goes through. Looked for below `AUDIT_UNAVAILABLE` and `DB_ERROR` too.
 */
export function isCollision(error: unknown): boolean {
  for (let depth = 0, at = error; depth < MAX_CAUSES && at instanceof Error; depth++, at = at.cause) {
    if (COLLISIONS.has(sqlStateOf(at) ?? '') || isStalePlan(at)) return true
  }
  return false
}

/** Of an error that the server sent; a broken connection has none. */
export function sqlStateOf(error: unknown): string | undefined {
  const { code, severity } = (error ?? {}) as { code?: unknown; severity?: unknown }
  // Without the second, `EPIPE` would pass for one.
  return typeof code === 'string' && typeof severity === 'string' ? code : undefined
}

/** It broke, or the server says that it ends it: restarts, and transactions that lay idle for too long. */
export function endsConnection(error: unknown): boolean {
  const state = sqlStateOf(error)
  return state === undefined || state.startsWith('08') || state.startsWith('57P') || state === '25P03'
}

/** A migration changed what a prepared `select *` gives: the connection must prepare it again. */
export function isStalePlan(error: unknown): boolean {
  return sqlStateOf(error) === '0A000' && /cached plan/.test((error as Error).message)
}

const COLLISIONS: ReadonlySet<string> = new Set(['40001', '40P01'])
const MAX_CAUSES = 5

/** The constraint tells which. */
const UNIQUE: Readonly<Record<string, Unique>> = {
  intents_key: 'intent',
  idempotency_keys_key: 'idempotency_key',
  votes_key: 'vote',
  permits_key: 'permit',
  redemptions_key: 'redemption',
  redemptions_id: 'redemption',
  agents_fingerprint: 'agent_fingerprint',
  project_keys_secret: 'key_secret',
  sessions_cookie: 'session_cookie',
  requests_key: 'request',
  audit_nodes_key: 'tree_node',
  audit_checkpoints_key: 'checkpoint',
  audit_epochs_key: 'log_epoch',
}

function brokenUniqueness(error: unknown): Conflict | undefined {
  if (sqlStateOf(error) !== '23505') return undefined
  const unique = UNIQUE[(error as { constraint?: string }).constraint ?? '']
  return unique && conflict(unique, { cause: error })
}
