/**
 * The tables. What is asked for has a column, what must be unique has a key, the rest is JSON text: the same bytes on
 * every engine. Instants are epoch milliseconds, booleans 0 and 1.
 *
 * @module
 */

export interface Tables {
  intents: IntentsTable
  idempotency_keys: IdempotencyKeysTable
  votes: VotesTable
  permits: PermitsTable
  redemptions: RedemptionsTable
  outbox: OutboxTable
  audit_leaves: AuditLeavesTable
  audit_payloads: AuditPayloadsTable
  audit_nodes: AuditNodesTable
  audit_checkpoints: AuditCheckpointsTable
  audit_epochs: { project_id: string; epoch: number; body: string }
  projects: { id: string; body: string }
  project_keys: { id: string; project_id: string; secret_hash: string; body: string }
  /** `last_seen_at` stands apart: a declare that is under way must not write back the status that it has read. */
  agents: { id: string; project_id: string; fingerprint: string; body: string; last_seen_at: number | null }
  people: { id: string; project_id: string; body: string }
  groups: { project_id: string; name: string }
  /** Moves on with every change of `people` and `groups`. */
  directories: { project_id: string; revision: number }
  policies: { project_id: string; revision: number; body: string }
  sessions: { id: string; cookie_hash: string; expires_at: number; body: string }
  sign_in_tokens: { token_hash: string; expires_at: number; body: string }
  requests: { principal: string; key: string; expires_at: number; body: string }
  outbox_deliveries: OutboxDeliveriesTable
  permit_traces: PermitTracesTable
  denials: DenialsTable
  /** One per intent; opens only with the key of the gate, and for its own intent and execution. */
  recorded_results: { intent_id: string; project_id: string; sealed: string }
}

export interface IntentsTable {
  id: string
  project_id: string
  /** The bound agent, else the lineage of the key. */
  owner: string
  key_id: string
  declared_by: string
  action: string
  source: string | null
  /** Canonical JSON: the bytes that `params_digest` is the hash of. */
  params: string
  params_digest: string
  decision: string
  created_at: number
  /** JSON of the declaration but for the params; never written again. */
  declaration: string
  status: string
  /** 1: it may have run, and no outcome is known (started, suspended, unknown). */
  is_open: number
  /** When the clock moves it next; null: never. */
  due_at: number | null
  /** JSON of everything else. */
  progress: string
}

/** One intent per key of an owner. Stays when the intent is deleted, so that the key is not taken for a new one. */
export interface IdempotencyKeysTable {
  owner: string
  key: string
  intent_id: string
}
/** One vote per person. */
export interface VotesTable {
  intent_id: string
  person_id: string
}
/** One intent per permit. */
export interface PermitsTable {
  id: string
  intent_id: string
}
/** `use` is `first`, or the id of a redemption that was handed on as replayed: an approval has one first use. */
export interface RedemptionsTable {
  intent_id: string
  use: string
  redemption_id: string
}

export interface OutboxTable {
  created_at: number
  id: string
  project_id: string
  intent_id: string
  event: string
  /** Grows with the events of one intent. */
  sequence: number
}

/** What a channel has still to hear; a row goes when it has. */
export interface OutboxDeliveriesTable {
  event_at: number
  event_id: string
  channel: string
  project_id: string
  attempts: number
  /** When it is tried next, or its lease ends; null: given up. */
  due_at: number | null
}

/** `sequence` is gap-free per project, from 0; null: it waits for its place. */
export interface AuditLeavesTable {
  project_id: string
  sequence: number | null
  id: string
  intent_id: string | null
  at: number
  /** Microseconds: the order in which waiting leaves get their places; null where none ever waits. */
  arrived: number | null
  body: string
  hash: string
}
/** Perfect subtrees from level 1 on: level 0 are the leaves. */
export interface AuditNodesTable {
  project_id: string
  level: number
  place: number
  hash: string
}
export interface AuditCheckpointsTable {
  project_id: string
  epoch: number
  size: number
  root: string
  note: string
  at: number
}
/** The erasable side of a leaf. */
export interface AuditPayloadsTable {
  /** Of the leaf. */
  at: number
  leaf_id: string
  field: string
  salt: string
  value: string
}

/** A permit, for as long as a verifier could accept it. */
export interface PermitTracesTable {
  id: string
  project_id: string
  intent_id: string
  key_id: string
  agent_id: string | null
  source: string | null
  revoked: number
  withdrawn: number
  expires_at: number
  keep_until: number
}

/** What a person denied, for as long as it answers a repeated declare. */
export interface DenialsTable {
  project_id: string
  owner: string
  action: string
  params_digest: string
  intent_id: string
  expires_at: number
}
