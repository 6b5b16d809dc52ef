/**
 * What the leaves of one intent say, in words: the readable sections of a proof bundle. Whoever verifies a bundle makes them anew
 * from the leaves, so none of them needs to be believed.
 *
 * @module
 */
import { PERMIT_VALUE } from './audit.js'
import { type AuditLine, canonicalValue, type LeafBody, type LeafEvent, WITHHELD } from './audit-line.js'
import type { Json, JsonObject } from './json.js'

/** A leaf in a bundle, without its inclusion: that is of no interest here. */
export interface SaidLeaf {
  readonly line: Pick<AuditLine, 'sequence' | 'at' | 'payloads'>
  readonly body: LeafBody
}

export interface ProofSections {
  readonly intent: JsonObject
  readonly votes: readonly JsonObject[]
  /** Claims of each permit, in the order of the log. */
  readonly permits: readonly JsonObject[]
  readonly redemptions: readonly JsonObject[]
  readonly timeline: readonly JsonObject[]
}

/** @param view what the approvers were shown, parsed */
export function proofSections(intentId: string, view: Json, leaves: readonly SaidLeaf[]): ProofSections {
  const said = leaves.flatMap((leaf) =>
    leaf.body.events.filter((event) => event.intent_id === intentId).map((event) => ({ leaf, event })),
  )
  const of = (type: string) => said.filter(({ event }) => event.type === type)
  return {
    intent: intentSection(intentId, view, said),
    votes: of('approval.recorded').map(({ leaf, event: { data } }) => ({
      sequence: leaf.line.sequence,
      at: leaf.body.at,
      by: member(data, 'by'),
      via: member(data, 'via'),
      verdict: member(data, 'verdict'),
      edited: member(data, 'edited'),
      unseen: member(data, 'unseen'),
      intent_hash: member(data, 'intent_hash'),
      comment: shownValue(leaf, 'comment'),
    })),
    permits: leaves.flatMap((leaf) => {
      const claims = shownValue(leaf, PERMIT_VALUE)
      return isObject(claims) && claims.intent_id === intentId ? [claims] : []
    }),
    redemptions: of('permit.redeemed').map(({ leaf, event: { data } }) => ({
      sequence: leaf.line.sequence,
      at: leaf.body.at,
      by: member(data, 'by'),
      permit_id: member(data, 'permit_id'),
      replayed: member(data, 'replayed'),
    })),
    timeline: leaves.map(({ line, body }) => ({
      sequence: line.sequence,
      at: body.at,
      actor: body.actor,
      events: body.events.filter((event) => event.intent_id === intentId).map(({ type }) => type),
    })),
  }
}

/** The leaf and event that declared the intent. */
export function declaredBy(
  intentId: string,
  leaves: readonly SaidLeaf[],
): { readonly leaf: SaidLeaf; readonly event: LeafEvent } | undefined {
  for (const leaf of leaves) {
    const event = leaf.body.events.find(({ type, intent_id: id }) => type === 'intent.created' && id === intentId)
    if (event) return { leaf, event }
  }
  return undefined
}

/** A value that the bundle shows; null when it was erased, is withheld, or is no canonical JSON. */
export function shownValue({ line: { payloads } }: SaidLeaf, field: string): Json {
  const payload = Object.hasOwn(payloads, field) ? payloads[field] : undefined
  return !payload || payload === WITHHELD ? null : (canonicalValue(payload.json) ?? null)
}

const STATUS: Readonly<Record<string, string>> = {
  'intent.created': 'pending',
  'intent.approved': 'approved',
  'intent.denied': 'denied',
  'intent.expired': 'expired',
  'intent.cancelled': 'cancelled',
  'intent.changes_requested': 'changes_requested',
  'intent.superseded': 'superseded',
}

function intentSection(
  intentId: string,
  view: Json,
  said: readonly { readonly leaf: SaidLeaf; readonly event: LeafEvent }[],
): JsonObject {
  const created = said.find(({ event }) => event.type === 'intent.created')
  const value = (field: string): Json => (created ? shownValue(created.leaf, field) : null)
  const data = created?.event.data ?? {}
  const statuses = said.flatMap(({ event }) =>
    Object.hasOwn(STATUS, event.type) ? [STATUS[event.type] as string] : [],
  )
  return {
    id: intentId,
    project_id: created?.leaf.body.project ?? null,
    status: statuses.at(-1) ?? null,
    declared_at: created?.leaf.body.at ?? null,
    declared_by: member(data, 'declared_by'),
    decision: member(data, 'decision'),
    intent_hash: member(data, 'intent_hash'),
    params: value('params'),
    context: value('context'),
    metadata: value('metadata'),
    requested_by: value('requested_by'),
    view,
  }
}

function member(data: JsonObject, name: string): Json {
  return Object.hasOwn(data, name) ? (data[name] as Json) : null
}

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
