/**
 * Rows: how a state and an audit leaf stand in their tables. Canonical texts are kept as they are; everything else is JSON.
 *
 * @module
 */
import { type AuditLeaf, dueAt, type Json, type State, type StoredLeaf } from '@silentauth/core'
import type { AuditLeavesTable, AuditPayloadsTable, IntentsTable } from './tables.js'

/** The columns that change over the life of an intent. */
export type IntentProgress = Pick<IntentsTable, 'status' | 'execution_state' | 'due_at' | 'progress'>

export function intentRow(state: State): IntentsTable {
  const { declaration } = state
  return {
    id: declaration.id,
    project_id: declaration.projectId,
    owner: declaration.owner,
    idempotency_key: declaration.idempotency?.key ?? null,
    key_id: declaration.keyId,
    declared_by: declaration.declaredBy,
    action: declaration.action,
    source: declaration.source ?? null,
    params_digest: declaration.paramsDigest,
    decision: declaration.verdict,
    created_at: declaration.createdAt,
    declaration: JSON.stringify(declaration),
    ...intentProgress(state),
  }
}

export function intentProgress(state: State): IntentProgress {
  const { declaration: _, ...progress } = state
  return {
    status: state.status,
    execution_state: state.execution.state,
    due_at: dueAt(state) ?? null,
    progress: JSON.stringify(progress),
  }
}

export function stateOf({ declaration, progress }: Pick<IntentsTable, 'declaration' | 'progress'>): State {
  return { declaration: JSON.parse(declaration), ...JSON.parse(progress) } as State
}

export function leafRow(leaf: AuditLeaf, sequence: number): AuditLeavesTable {
  return {
    project_id: leaf.projectId,
    sequence,
    id: leaf.id,
    intent_id: leaf.intentId ?? null,
    at: leaf.at,
    body: leaf.body,
    hash: leaf.hash,
  }
}

export function payloadRows(leaf: AuditLeaf): AuditPayloadsTable[] {
  return leaf.payloads.map(({ field, salt, value }) => ({
    leaf_id: leaf.id,
    field,
    salt,
    value: JSON.stringify(value),
  }))
}

export function leafOf(row: AuditLeavesTable, payloads: readonly AuditPayloadsTable[]): StoredLeaf {
  return {
    id: row.id as StoredLeaf['id'],
    projectId: row.project_id as StoredLeaf['projectId'],
    intentId: (row.intent_id ?? undefined) as StoredLeaf['intentId'],
    at: row.at,
    body: row.body,
    hash: row.hash,
    payloads: payloads.map(({ field, salt, value }) => ({ field, salt, value: JSON.parse(value) as Json })),
    sequence: row.sequence,
  }
}

/** A document of the registry. */
export function parsed<Document>(row: { readonly body: string } | undefined): Document | undefined {
  return row && (JSON.parse(row.body) as Document)
}
