/**
 * What a framework knows of a call and approvers are shown beside its params, under the names that every adapter uses.
 *
 * @module
 */
import type { JsonObject } from './json.js'

export interface KnownOfCall {
  readonly tool: string | undefined
  readonly tool_call_id?: string | undefined
  readonly agent?: string | undefined
  readonly server?: string | undefined
  readonly thread?: string | undefined
  readonly run?: string | undefined
  /** Id of the model that made the call. */
  readonly model?: string | undefined
  /** What the model said for itself. */
  readonly reasoning?: string | undefined
}

/** Without what is not known; long texts end where approvers stop to read. */
export function knownContext(known: KnownOfCall): JsonObject {
  const entries = Object.entries(known).filter((entry): entry is [string, string] => !!entry[1])
  return Object.fromEntries(entries.map(([name, value]) => [name, storable(value.slice(0, MAX_LENGTH))]))
}

/** A length that an approver reads. */
const MAX_LENGTH = 4000

/** Stores keep no U+0000 and no lone surrogate, which a cut can make. */
function storable(value: string): string {
  return value.replaceAll('\0', '').toWellFormed()
}
