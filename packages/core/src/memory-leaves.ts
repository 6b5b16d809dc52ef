/**
 * The audit log of a memory store: per project its leaves, the tree over them, checkpoints and epochs. Leaves have their place
 * from the moment that they are committed; a deferred log gives places when it is told to.
 *
 * @module
 */
import type { AuditLeaf, StoredLeaf } from './audit.js'
import { compareText } from './compare-text.js'
import { conflict } from './conflict.js'
import { SilentAuthError } from './errors.js'
import { frozenCopy } from './frozen-copy.js'
import type { IntentId, LeafId, ProjectId } from './id.js'
import type { LogEpoch, LoggedLeaf, StoredCheckpoint } from './log-store.js'
import type { TreeHash, TreeNode, TreePlace } from './merkle-tree.js'

export interface MemoryLeaves {
  /** What a transaction sees and changes. */
  draft(): LeavesDraft
  readonly committed: LeavesView
}

export interface LeavesView {
  from(query: { projectId: ProjectId; from: number; limit: number }): readonly StoredLeaf[]
  size(projectId: ProjectId): number
  leaf(projectId: ProjectId, id: LeafId): LoggedLeaf | undefined
  of(projectId: ProjectId, intentId: IntentId): readonly LoggedLeaf[]
  treeHashes(projectId: ProjectId, places: readonly TreePlace[]): readonly TreeHash[]
  lastCheckpoint(projectId: ProjectId): StoredCheckpoint | undefined
  epochs(projectId: ProjectId): readonly LogEpoch[]
}

export interface LeavesDraft extends LeavesView {
  append(leaf: AuditLeaf): void
  place(projectId: ProjectId, limit: number): number
  putNodes(projectId: ProjectId, nodes: readonly TreeNode[]): void
  putCheckpoint(checkpoint: StoredCheckpoint): void
  putEpoch(epoch: LogEpoch): void
  erase(projectId: ProjectId, intentId: IntentId, keep?: readonly LeafId[]): number
  commit(): void
}

/** One project's. */
interface Log {
  readonly placed: StoredLeaf[]
  readonly waiting: AuditLeaf[]
  readonly nodes: Map<string, TreeHash>
  readonly checkpoints: StoredCheckpoint[]
  readonly epochs: LogEpoch[]
}

/** What a transaction adds; `taken` of the leaves that wait have got their place. */
interface Additions extends Log {
  taken: number
  /** Those that were there when their values were erased: what comes later in the transaction keeps its own. */
  readonly erased: Set<LeafId>
}

export function memoryLeaves(sequencing: 'immediate' | 'deferred' = 'immediate'): MemoryLeaves {
  const logs = new Map<ProjectId, Log>()
  const ids = new Set<LeafId>()
  return {
    committed: view((projectId) => [logs.get(projectId), undefined]),
    draft: () => draft(logs, ids, sequencing),
  }
}

function draft(logs: Map<ProjectId, Log>, ids: Set<LeafId>, sequencing: 'immediate' | 'deferred'): LeavesDraft {
  const added = new Map<ProjectId, Additions>()
  const fresh = new Set<LeafId>()
  const seen = view((projectId) => [logs.get(projectId), added.get(projectId)])
  const to = (projectId: ProjectId): Additions => {
    const known = added.get(projectId)
    if (known) return known
    const made = { ...emptyLog(), taken: 0, erased: new Set<LeafId>() }
    added.set(projectId, made)
    return made
  }

  return {
    ...seen,
    append(leaf) {
      if (ids.has(leaf.id) || fresh.has(leaf.id)) {
        throw new SilentAuthError('AUDIT_UNAVAILABLE', `${leaf.id} is in the log already`)
      }
      fresh.add(leaf.id)
      const payloads = leaf.payloads.toSorted((one, other) => compareText(one.field, other.field))
      const kept = frozenCopy({ ...leaf, payloads })
      const { placed, waiting } = to(leaf.projectId)
      if (sequencing === 'deferred') waiting.push(kept)
      else placed.push(at(kept, seen.size(leaf.projectId)))
    },
    place(projectId, limit) {
      const own = to(projectId)
      const chosen = waitingOf(logs.get(projectId), own).slice(0, limit)
      for (const leaf of chosen) own.placed.push(at(leaf, seen.size(projectId)))
      own.taken += chosen.length
      return chosen.length
    },
    putNodes(projectId, nodes) {
      const own = to(projectId)
      for (const node of nodes) {
        const place = placeOf(node)
        if (own.nodes.has(place) || logs.get(projectId)?.nodes.has(place)) throw conflict('tree_node')
        own.nodes.set(place, node.hash)
      }
    },
    putCheckpoint(checkpoint) {
      const { projectId, epoch, size } = checkpoint
      const signed = [...(logs.get(projectId)?.checkpoints ?? []), ...to(projectId).checkpoints]
      if (signed.some((other) => other.epoch === epoch && other.size === size)) throw conflict('checkpoint')
      to(projectId).checkpoints.push(frozenCopy(checkpoint))
    },
    putEpoch(epoch) {
      if (seen.epochs(epoch.projectId).some((other) => other.epoch === epoch.epoch)) throw conflict('log_epoch')
      to(epoch.projectId).epochs.push(frozenCopy(epoch))
    },
    erase(projectId, intentId, keep = []) {
      const leaves = seen.of(projectId, intentId).filter(({ id }) => !keep.includes(id))
      for (const { id } of leaves) to(projectId).erased.add(id)
      return leaves.reduce((sum, { payloads }) => sum + payloads.length, 0)
    },
    commit() {
      for (const [projectId, own] of added) merge(logs, projectId, own)
      for (const id of fresh) ids.add(id)
    },
  }
}

function merge(logs: Map<ProjectId, Log>, projectId: ProjectId, own: Additions): void {
  const log = logs.get(projectId) ?? emptyLog()
  logs.set(projectId, log)
  log.waiting.splice(0, log.waiting.length, ...waitingOf(log, own))
  log.placed.push(...own.placed)
  for (const [place, hash] of own.nodes) log.nodes.set(place, hash)
  log.checkpoints.push(...own.checkpoints)
  log.epochs.push(...own.epochs)
  if (own.erased.size === 0) return
  for (const leaves of [log.placed, log.waiting] as AuditLeaf[][]) {
    leaves.forEach((leaf, index) => {
      leaves[index] = erased(leaf, own)
    })
  }
}

function view(logOf: (projectId: ProjectId) => readonly [Log | undefined, Additions | undefined]): LeavesView {
  const every = (projectId: ProjectId): readonly LoggedLeaf[] => {
    const [log, own] = logOf(projectId)
    const waiting = waitingOf(log, own).map((leaf) => ({ ...leaf, sequence: undefined }))
    return [...(log?.placed ?? []), ...(own?.placed ?? []), ...waiting].map((leaf) => erased(leaf, own))
  }
  const size = (projectId: ProjectId): number => {
    const [log, own] = logOf(projectId)
    return (log?.placed.length ?? 0) + (own?.placed.length ?? 0)
  }
  return {
    size,
    from({ projectId, from, limit }) {
      const [log, own] = logOf(projectId)
      const later = (own?.placed ?? []).filter(({ sequence }) => sequence >= from)
      const found = [...(log?.placed.slice(from, from + limit) ?? []), ...later].slice(0, limit)
      return found.map((leaf) => erased(leaf, own))
    },
    leaf: (projectId, id) => every(projectId).find((leaf) => leaf.id === id),
    of: (projectId, intentId) => every(projectId).filter((leaf) => leaf.intentId === intentId),
    treeHashes(projectId, places) {
      const [log, own] = logOf(projectId)
      const leafAt = (index: number): string | undefined =>
        (log?.placed[index] ?? own?.placed[index - (log?.placed.length ?? 0)])?.hash
      const hashAt = (place: TreePlace): string | undefined =>
        place.level === 0 ? leafAt(place.index) : (own?.nodes.get(placeOf(place)) ?? log?.nodes.get(placeOf(place)))
      return places.map(hashAt).filter((hash) => hash !== undefined)
    },
    lastCheckpoint(projectId) {
      const [log, own] = logOf(projectId)
      const signed = [log?.checkpoints.at(-1), ...(own?.checkpoints ?? [])].filter((one) => one !== undefined)
      return signed.reduce<StoredCheckpoint | undefined>(
        (last, one) => (last && (last.epoch - one.epoch || last.size - one.size) > 0 ? last : one),
        undefined,
      )
    },
    epochs(projectId) {
      const [log, own] = logOf(projectId)
      return [...(log?.epochs ?? []), ...(own?.epochs ?? [])]
    },
  }
}

function emptyLog(): Log {
  return { placed: [], waiting: [], nodes: new Map(), checkpoints: [], epochs: [] }
}

function waitingOf(log: Log | undefined, own: Additions | undefined): readonly AuditLeaf[] {
  return [...(log?.waiting ?? []), ...(own?.waiting ?? [])].slice(own?.taken ?? 0)
}

function at(leaf: AuditLeaf, sequence: number): StoredLeaf {
  return Object.freeze({ ...leaf, sequence })
}

function erased<Leaf extends AuditLeaf>(leaf: Leaf, own: Additions | undefined): Leaf {
  if (!own?.erased.has(leaf.id)) return leaf
  return Object.freeze({ ...leaf, payloads: [] })
}

function placeOf({ level, index }: TreePlace): string {
  return `${level}/${index}`
}
