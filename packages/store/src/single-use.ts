/**
 * Shared single use for backends: which approvals were used, in a database that all processes of a backend share. It is the
 * backend's own database, never the gate's.
 *
 * @module
 */
import type { PostgresSingleUseOptions } from './postgres-single-use.js'
import type { SharedSingleUse } from './single-use-ledger.js'

export type { PostgresSingleUseOptions } from './postgres-single-use.js'
export type { SharedSingleUse } from './single-use-ledger.js'
export { type SqliteSingleUseOptions, sqliteSingleUse } from './sqlite-single-use.js'

/**
 * For any number of processes and machines over one PostgreSQL, which needs `pg`. The table `silentauth_single_use` is made when
 * it is not there.
 *
 * @throws Error when the database cannot be used
 */
export async function postgresSingleUse(options: PostgresSingleUseOptions): Promise<SharedSingleUse> {
  // Not imported above: who uses SQLite has no `pg`.
  const { openPostgresSingleUse } = await import('./postgres-single-use.js')
  return openPostgresSingleUse(options)
}
