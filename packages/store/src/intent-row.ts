/**
 * The row of an intent: columns for what is asked about it, and JSON for the rest.
 *
 * @module
 */
import { canonicalJson, dueAt, type State } from '@silentauth/core'
import type { IntentsTable } from './tables.js'

/** What a list needs of each. */
export const STATE_COLUMNS = ['id', 'created_at', 'params', 'declaration', 'progress'] as const
export type StateRow = Pick<IntentsTable, 'params' | 'declaration' | 'progress'>
export type Listed = Pick<IntentsTable, (typeof STATE_COLUMNS)[number]>
/** What changes over the life of an intent. */
export type ProgressColumns = Pick<IntentsTable, 'status' | 'is_open' | 'due_at' | 'progress'>

export function intentRow(state: State): IntentsTable {
  const { params, ...declaration } = state.declaration
  return {
    id: declaration.id,
    project_id: declaration.projectId,
    owner: declaration.owner,
    key_id: declaration.keyId,
    declared_by: declaration.declaredBy,
    action: declaration.action,
    source: declaration.source ?? null,
    params: canonicalJson(params),
    params_digest: declaration.paramsDigest,
    decision: declaration.verdict,
    created_at: declaration.createdAt,
    declaration: JSON.stringify(declaration),
    ...progressColumns(state),
  }
}

export function progressColumns(state: State): ProgressColumns {
  const { declaration: _, ...progress } = state
  const { state: execution } = state.execution
  return {
    status: state.status,
    is_open: execution === 'started' || execution === 'suspended' || execution === 'unknown' ? 1 : 0,
    due_at: dueAt(state) ?? null,
    progress: JSON.stringify(progress),
  }
}

export function stateOf({ params, declaration, progress }: StateRow): State {
  return {
    declaration: { ...JSON.parse(declaration), params: JSON.parse(params) },
    ...JSON.parse(progress),
  } as State
}
