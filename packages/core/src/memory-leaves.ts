/**
 * The audit leaves of a memory store: one log per project, each leaf at its place from the moment that it is committed.
 *
 * @module
 */
import type { AuditLeaf, StoredLeaf } from './audit.js'
import { compareText } from './compare-text.js'
import { SilentAuthError } from './errors.js'
import { frozenCopy } from './frozen-copy.js'
import type { LeafId, ProjectId } from './id.js'

export interface MemoryLeaves {
  /** The leaf at its place, after those that the same transaction appended. */
  place(leaf: AuditLeaf, appended: readonly StoredLeaf[]): StoredLeaf
  append(appended: readonly StoredLeaf[]): void
  from(projectId: ProjectId, from: number, limit: number, appended?: readonly StoredLeaf[]): readonly StoredLeaf[]
}

export function memoryLeaves(): MemoryLeaves {
  const logs = new Map<ProjectId, StoredLeaf[]>()
  const ids = new Set<LeafId>()
  const of = (projectId: ProjectId, leaves: readonly StoredLeaf[] = []) =>
    leaves.filter((leaf) => leaf.projectId === projectId)

  return {
    place(leaf, appended) {
      if (ids.has(leaf.id) || appended.some(({ id }) => id === leaf.id)) {
        throw new SilentAuthError('AUDIT_UNAVAILABLE', `${leaf.id} is in the log already`)
      }
      const sequence = (logs.get(leaf.projectId)?.length ?? 0) + of(leaf.projectId, appended).length
      const payloads = leaf.payloads.toSorted((one, other) => compareText(one.field, other.field))
      return frozenCopy({ ...leaf, payloads, sequence })
    },
    append(appended) {
      for (const leaf of appended) {
        ids.add(leaf.id)
        const log = logs.get(leaf.projectId)
        if (log) log.push(leaf)
        else logs.set(leaf.projectId, [leaf])
      }
    },
    from(projectId, from, limit, appended) {
      const log = logs.get(projectId) ?? []
      const found = log.slice(from, from + limit)
      const later = of(projectId, appended).filter(({ sequence }) => sequence >= from)
      return [...found, ...later].slice(0, limit)
    },
  }
}
