/**
 * Audit leaves: each command writes exactly one, in the transaction that it changes things in. The body is canonical
 * JSON and final from the moment it is written; values stand in it only as salted commitments, so that a value can be
 * erased and the log stays whole. Leaf hashes are those of RFC 6962, section 2.1.
 *
 * @module
 */
import { canonicalJson } from './canonical-json.js'
import { digestOf } from './digest.js'
import { type IntentId, type LeafId, newId, type ProjectId, randomToken } from './id.js'
import type { EpochMs, Json, JsonObject } from './json.js'
import { hmacSha256 } from './keyed-digest.js'

/** What a leaf is made of. */
export interface LeafDraft {
  readonly projectId: ProjectId
  /** `user:…`, `key:…`, `agent:…`, `system:clock`, `system:setup`. */
  readonly actor: string
  readonly intentId: IntentId | undefined
  readonly events: readonly {
    readonly type: string
    readonly intentId: IntentId | undefined
    readonly data: JsonObject
  }[]
  /** Values that the log commits to without showing them: field → value. */
  readonly values: Readonly<Record<string, Json>>
}

export interface AuditLeaf {
  readonly id: LeafId
  readonly projectId: ProjectId
  readonly intentId: IntentId | undefined
  readonly at: EpochMs
  /** Canonical JSON; what is hashed. */
  readonly body: string
  /** SHA-256(0x00 ‖ body), base64url. */
  readonly hash: string
  readonly payloads: readonly LeafPayload[]
}

/** The erasable side of a commitment. */
export interface LeafPayload {
  readonly field: string
  readonly salt: string
  readonly value: Json
}

/** A leaf at its place in the log. */
export interface StoredLeaf extends AuditLeaf {
  /** From 0, without gaps, per project. */
  readonly sequence: number
}

/** Field of the value that a leaf commits to when a permit is minted: its claims, but for `audit`, which names a leaf itself. */
export const PERMIT_VALUE = 'permit'

export function auditLeaf(draft: LeafDraft, now: EpochMs): AuditLeaf {
  const id: LeafId = newId('leaf')
  const payloads = Object.entries(draft.values).map(([field, value]) => ({ field, salt: randomToken(32), value }))
  const body = canonicalJson({
    v: 1,
    id,
    at: new Date(now).toISOString(),
    project: draft.projectId,
    actor: draft.actor,
    intent_id: draft.intentId ?? null,
    events: draft.events.map(({ type, intentId, data }) => ({ type, intent_id: intentId ?? null, data })),
    commit: Object.fromEntries(payloads.map((payload) => [payload.field, commitment(payload)])),
  })
  return { id, projectId: draft.projectId, intentId: draft.intentId, at: now, body, hash: leafHash(body), payloads }
}

/** `hmac-sha-256:` + HMAC-SHA256(salt, canonical JSON of the value): binding, and silent once the salt is erased. */
export function commitment({ salt, value }: Pick<LeafPayload, 'salt' | 'value'>): string {
  return `hmac-sha-256:${hmacSha256(salt, canonicalJson(value))}`
}

/** RFC 6962, section 2.1: the zero byte keeps a leaf from passing for a node. */
export function leafHash(body: string): string {
  return digestOf(`\0${body}`).slice('sha-256:'.length)
}
