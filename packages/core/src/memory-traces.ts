/**
 * The permit traces of a memory store: written with the intents that they are of, forgotten when nobody could accept them.
 *
 * @module
 */
import type { PermitId } from './id.js'
import type { EpochMs } from './json.js'
import { type Draft, type Rows, table } from './memory-table.js'
import { isStopped, type PermitTrace, type RevocationQuery, type StoredRevocations } from './permit-trace.js'
import type { Agent, ProjectKey } from './registry.js'
import { timeline } from './timeline.js'

export interface MemoryTraces {
  draft(): Draft<PermitTrace>
  /** @param registry keys and agents of the project */
  revocations(
    query: RevocationQuery,
    registry: { readonly keys: readonly ProjectKey[]; readonly agents: readonly Agent[] },
    draft?: Draft<PermitTrace>,
  ): StoredRevocations
  /** @returns how many it takes away */
  forget(draft: Draft<PermitTrace>, now: EpochMs, limit: number): number
}

export function memoryTraces(): MemoryTraces {
  const byEnd = timeline<PermitId>()
  const traces = table<PermitTrace>({
    key: ({ id }) => id,
    changed(before, after) {
      if (before) byEnd.remove(before.keepUntil, before.id)
      if (after) byEnd.insert(after.keepUntil, after.id)
    },
  })

  return {
    draft: traces.draft,
    revocations({ projectId, now, limit }, registry, draft) {
      const rows: Rows<PermitTrace> = draft ?? traces
      const keys = registry.keys.filter(({ status }) => status !== 'active').map(({ id }) => id)
      const agents = registry.agents.filter(({ status }) => status !== 'active')
      const stopped = {
        keys: new Set<string>(keys),
        agents: new Set<string>(agents.map(({ id }) => id)),
        fingerprints: new Set(agents.map(({ fingerprint }) => fingerprint)),
      }
      const listed = [...rows.values()].filter(
        (trace) =>
          trace.projectId === projectId && trace.keepUntil > now && (trace.revoked || isStopped(trace, stopped)),
      )
      listed.sort((one, other) => other.expiresAt - one.expiresAt || (one.id < other.id ? -1 : 1))
      return {
        permits: listed
          .slice(0, limit)
          .map(({ id, intentId, withdrawn, expiresAt }) => ({ id, intentId, withdrawn, expiresAt })),
        agents: agents.map(({ id }) => id),
        keys,
      }
    },
    forget(draft, now, limit) {
      let count = 0
      for (const id of byEnd.upTo(now)) {
        if (count >= limit) break
        draft.delete(id)
        count++
      }
      return count
    },
  }
}
