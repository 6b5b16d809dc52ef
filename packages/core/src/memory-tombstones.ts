/**
 * The tombstones of a memory store: idempotency keys whose intents are gone, and that stay taken.
 *
 * @module
 */
import type { IntentId } from './id.js'
import { type Draft, type Rows, table } from './memory-table.js'
import type { State } from './state.js'

export interface Tombstone {
  readonly scope: string
  readonly key: string
  readonly intentId: IntentId
}

export interface MemoryTombstones {
  draft(): Draft<Tombstone>
  find(scope: string, key: string, draft?: Draft<Tombstone>): IntentId | undefined
}

export function memoryTombstones(): MemoryTombstones {
  const tombstones = table<Tombstone>({ key: ({ scope, key }) => JSON.stringify([scope, key]) })
  return {
    draft: tombstones.draft,
    find(scope, key, draft) {
      const rows: Rows<Tombstone> = draft ?? tombstones
      return rows.get(JSON.stringify([scope, key]))?.intentId
    },
  }
}

/** Of an intent that goes; undefined: it had no key. */
export function tombstoneOf({ declaration: { id, owner, idempotency } }: State): Tombstone | undefined {
  return idempotency && { scope: owner, key: idempotency.key, intentId: id }
}
