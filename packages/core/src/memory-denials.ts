/**
 * The remembered denials of a memory store. What has expired goes when the next one comes.
 *
 * @module
 */
import type { Denial, DeniedAction } from './denial.js'
import type { EpochMs } from './json.js'
import { type Draft, type Rows, table } from './memory-table.js'
import { timeline } from './timeline.js'

export interface MemoryDenials {
  draft(): Draft<Denial>
  of(action: DeniedAction, now: EpochMs, draft?: Draft<Denial>): Denial | undefined
  put(draft: Draft<Denial>, denial: Denial, now: EpochMs): void
  take(draft: Draft<Denial>, action: DeniedAction): Denial | undefined
}

export function memoryDenials(): MemoryDenials {
  const byExpiry = timeline<string>()
  const denials = table<Denial>({
    key: keyOf,
    changed(before, after) {
      if (before) byExpiry.remove(before.expiresAt, keyOf(before))
      if (after) byExpiry.insert(after.expiresAt, keyOf(after))
    },
  })
  return {
    draft: denials.draft,
    of(action, now, draft) {
      const rows: Rows<Denial> = draft ?? denials
      const found = rows.get(keyOf(action))
      return found && found.expiresAt > now ? found : undefined
    },
    put(draft, denial, now) {
      for (const expired of byExpiry.upTo(now)) draft.delete(expired)
      draft.put(denial)
    },
    take(draft, action) {
      const found = draft.get(keyOf(action))
      if (found) draft.delete(keyOf(action))
      return found
    },
  }
}

function keyOf({ projectId, owner, action, paramsDigest }: DeniedAction): string {
  return JSON.stringify([projectId, owner, action, paramsDigest])
}
