/**
 * A line of an export: one leaf at its place with everything that is stored of it. Canonical JSON, so that each line has one
 * spelling; the values behind its commitments stand beside, as text, or as null once they were erased.
 *
 * @module
 */
import { z } from 'zod'
import { leafHash, type StoredLeaf } from './audit.js'
import { canonicalJson } from './canonical-json.js'
import { isSilentAuthError } from './errors.js'
import type { EpochMs, Json, JsonObject } from './json.js'
import { brokenAt, placeAt } from './json-place.js'
import { hmacSha256 } from './keyed-digest.js'
import type { TreeHash, TreePlace } from './merkle-tree.js'
import { parseStrictJson } from './strict-json.js'

/** What a leaf hashes, parsed. */
export interface LeafBody {
  readonly v: 1
  readonly id: string
  readonly at: string
  readonly project: string
  readonly actor: string
  readonly intent_id: string | null
  readonly events: readonly LeafEvent[]
  readonly commit: Readonly<Record<string, string>>
}
export interface LeafEvent {
  readonly type: string
  readonly intent_id: string | null
  readonly data: JsonObject
}

/** A value behind a commitment: its salt, and its canonical JSON as text. Null: erased. Withheld: not for who gets this. */
export type LinePayload = { readonly salt: string; readonly json: string } | null | typeof WITHHELD
export const WITHHELD = 'withheld'

/** Whether the value of a field goes into what others get. */
export type Shows = (field: string) => boolean

export interface AuditLine {
  readonly sequence: number
  readonly id: string
  readonly at: string
  readonly intent_id: string | null
  readonly body: string
  readonly hash: string
  /** The perfect subtrees that this leaf completes, as they are stored, the smallest first: they tell an altered leaf from an altered tree. */
  readonly nodes: readonly TreeHash[]
  readonly payloads: Readonly<Record<string, LinePayload>>
}

/** What is wrong with a part of a leaf. */
export interface Flaw {
  /** A member of the line, or `payloads/<field>`. */
  readonly field: string
  readonly reason: string
}

const bodyForm = z.strictObject({
  v: z.literal(1),
  id: z.string().regex(/^leaf_./),
  at: z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
  project: z.string().regex(/^prj_./),
  actor: z.string().min(1),
  intent_id: z.string().nullable(),
  events: z.array(
    z.strictObject({ type: z.string().min(1), intent_id: z.string().nullable(), data: z.record(z.string(), z.json()) }),
  ),
  commit: z.record(z.string(), z.string()),
})

export const auditLineForm = z.strictObject({
  sequence: z.int().min(0),
  id: z.string(),
  at: z.string(),
  intent_id: z.string().nullable(),
  body: z.string(),
  hash: z.string(),
  nodes: z.array(z.string()).max(53),
  payloads: z.record(
    z.string(),
    z.union([z.strictObject({ salt: z.string(), json: z.string() }), z.literal(WITHHELD)]).nullable(),
  ),
})

/** One leaf as a line of `audit.jsonl`, without its line feed. `nodes` as the store has them. */
export function auditLine(leaf: StoredLeaf, nodes: readonly TreeHash[], shows?: Shows): string {
  return canonicalJson(auditLineOf(leaf, nodes, shows))
}

/** Whatever a store holds can be exported, also what nobody should have written into it: the verifier judges. */
export function auditLineOf(leaf: StoredLeaf, nodes: readonly TreeHash[], shows: Shows = () => true): AuditLine {
  const { sequence, id, at, intentId, body, hash, payloads } = leaf
  const present = new Map<string, LinePayload>(
    payloads.map(({ field, salt, value }) => [field, shows(field) ? { salt, json: jsonOf(value) } : WITHHELD]),
  )
  const committed = Object.keys(readBody(body)?.commit ?? {})
  return {
    sequence,
    id,
    at: instantOf(at),
    intent_id: intentId ?? null,
    body,
    hash,
    nodes,
    payloads: Object.fromEntries(
      [...new Set([...committed, ...present.keys()])].map((field) => [field, present.get(field) ?? null]),
    ),
  }
}

/** The perfect subtrees, from the second level on, that the leaf at `sequence` completes. */
export function completedBy(sequence: number): readonly TreePlace[] {
  const places: TreePlace[] = []
  for (let width = 2, level = 1; (sequence + 1) % width === 0; width *= 2, level++) {
    places.push({ level, index: (sequence + 1) / width - 1 })
  }
  return places
}

/** The line that `text` is, or what is wrong with it. */
export function parseAuditLine(text: string): AuditLine | Flaw {
  const foreign = text.search(LONE_SURROGATE)
  if (foreign >= 0) return { field: placeAt(text, foreign), reason: 'it is not UTF-8' }
  const parsed = strictly(text, auditLineForm)
  if (!('value' in parsed)) return parsed
  return isCanonical(parsed.value, text) ? parsed.value : { field: '', reason: 'the line is not canonical JSON' }
}

/** No bytes of UTF-8 are one: whoever reads a file says with it where the bytes were none. */
const LONE_SURROGATE = /\p{Surrogate}/u

/** The body of a leaf; undefined when it is not one, or not canonical. */
export function readBody(body: string): LeafBody | undefined {
  const parsed = strictly(body, bodyForm)
  return 'value' in parsed && isCanonical(parsed.value, body) ? (parsed.value as LeafBody) : undefined
}

/** What of a leaf contradicts itself: its columns against its body, its payloads against its commitments. Not its hash. */
export function flawsOf(line: AuditLine): { readonly body: LeafBody | undefined; readonly flaws: readonly Flaw[] } {
  const body = readBody(line.body)
  if (!body) return { body, flaws: [{ field: 'body', reason: 'it is no leaf in canonical JSON' }] }
  const flaws: Flaw[] = []
  for (const column of ['id', 'at', 'intent_id'] as const) {
    if (line[column] !== body[column]) flaws.push({ field: column, reason: 'it differs from the body' })
  }
  for (const field of Object.keys(body.commit)) {
    if (!Object.hasOwn(line.payloads, field)) {
      flaws.push({ field: `payloads/${field}`, reason: 'the leaf commits to it, and it is neither there nor erased' })
    }
  }
  for (const [field, payload] of Object.entries(line.payloads)) {
    const committed = Object.hasOwn(body.commit, field) ? body.commit[field] : undefined
    if (committed === undefined) flaws.push({ field: `payloads/${field}`, reason: 'the leaf does not commit to it' })
    else if (
      payload &&
      payload !== WITHHELD &&
      `hmac-sha-256:${hmacSha256(payload.salt, payload.json)}` !== committed
    ) {
      flaws.push({ field: `payloads/${field}`, reason: 'its salt or value is not what the leaf commits to' })
    } else if (payload && payload !== WITHHELD && canonicalValue(payload.json) === undefined) {
      flaws.push({ field: `payloads/${field}`, reason: 'its value is no canonical JSON' })
    }
  }
  return { body, flaws }
}

/** The value of a text in canonical JSON; undefined for any other text, which could be read in two ways. */
export function canonicalValue(text: string): Json | undefined {
  try {
    const value = parseStrictJson(text)
    return isCanonical(value, text) ? value : undefined
  } catch {
    return undefined
  }
}

/** The hash that a body has, in place of the one that is written beside it. */
export function hashOf(line: AuditLine): string {
  return leafHash(line.body)
}

function isCanonical(value: unknown, text: string): boolean {
  try {
    return canonicalJson(value) === text
  } catch {
    return false
  }
}

function jsonOf(value: Json): string {
  try {
    return canonicalJson(value)
  } catch {
    return JSON.stringify(value)
  }
}

function instantOf(at: EpochMs): string {
  const date = new Date(at)
  return Number.isNaN(date.getTime()) ? String(at) : date.toISOString()
}

function strictly<Value>(text: string, form: z.ZodType<Value>): { readonly value: Value } | Flaw {
  let json: unknown
  try {
    json = parseStrictJson(text)
  } catch (error) {
    const broken = brokenAt(text)
    const refused = isSilentAuthError(error) ? (error.field ?? '').slice(1) : ''
    return { field: broken < text.length ? placeAt(text, broken) : refused, reason: 'it is not strict JSON' }
  }
  const parsed = form.safeParse(json)
  if (parsed.success) return { value: parsed.data }
  return { field: parsed.error.issues[0]?.path.map(String).join('/') ?? '', reason: 'it has not the form of an export' }
}
