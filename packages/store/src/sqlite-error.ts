/**
 * What an error of `node:sqlite` means. Its code is always the same; the number of SQLite's result says more.
 *
 * @module
 */
import { type Conflict, conflict, isConflict, isSilentAuthError, SilentAuthError, type Unique } from '@silentauth/core'

/** SQLITE_BUSY, with all of its extended codes: another process holds the write lock. */
export function isBusy(error: unknown): boolean {
  return (resultOf(error) & 0xff) === 5
}

/**
 * Of what a statement threw: a conflict, where a row that must be unique was there; caller bugs and refusals as they are;
 * all else is a `DB_ERROR`, whose message quotes nothing.
 */
export function statementError(error: unknown): unknown {
  if (isSilentAuthError(error) || isConflict(error) || error instanceof TypeError) return error
  return brokenUniqueness(error) ?? databaseError(error)
}

export function databaseError(cause: unknown): SilentAuthError {
  return new SilentAuthError('DB_ERROR', 'the database refused', { cause })
}

/** The column that a constraint was broken in tells which. */
const UNIQUE: Readonly<Record<string, Unique>> = {
  'intents.id': 'intent',
  'idempotency_keys.key': 'idempotency_key',
  'votes.person_id': 'vote',
  'permits.id': 'permit',
  'redemptions.use': 'redemption',
  'redemptions.redemption_id': 'redemption',
  'agents.fingerprint': 'agent_fingerprint',
  'project_keys.secret_hash': 'key_secret',
  'sessions.cookie_hash': 'session_cookie',
  'requests.key': 'request',
  'audit_nodes.place': 'tree_node',
  'audit_checkpoints.size': 'checkpoint',
  'audit_epochs.epoch': 'log_epoch',
}

/** SQLITE_CONSTRAINT_PRIMARYKEY and SQLITE_CONSTRAINT_UNIQUE; the message lists the columns: `… failed: a.b, a.c`. */
function brokenUniqueness(error: unknown): Conflict | undefined {
  const result = resultOf(error)
  if (result !== 1555 && result !== 2067) return undefined
  const column = /(\w+\.\w+)$/.exec((error as Error).message)?.[1] ?? ''
  const unique = UNIQUE[column]
  return unique && conflict(unique, { cause: error })
}

function resultOf(error: unknown): number {
  const { errcode } = (error ?? {}) as { errcode?: unknown }
  return typeof errcode === 'number' ? errcode : 0
}
