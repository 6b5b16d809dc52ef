/**
 * What a store keeps of the audit log besides its leaves: the places that they get, the tree over them, the checkpoints that
 * were signed of it, and the epochs that restores have opened. One log per project.
 *
 * @module
 */
import type { AuditLeaf } from './audit.js'
import type { IntentId, LeafId, ProjectId } from './id.js'
import type { EpochMs } from './json.js'
import type { TreeHash, TreeNode, TreePlace } from './merkle-tree.js'

/** A leaf that may still wait for its place. */
export interface LoggedLeaf extends AuditLeaf {
  /** From 0, without gaps, per project; undefined until it is sequenced. */
  readonly sequence: number | undefined
}

/** A head of the tree that was signed. */
export interface StoredCheckpoint {
  readonly projectId: ProjectId
  /** From 0; a restore opens the next one. */
  readonly epoch: number
  readonly size: number
  readonly root: TreeHash
  /** The signed note, as everybody else gets it. */
  readonly note: string
  readonly at: EpochMs
}

/** What a restore found and accepted. Its own leaf, which says the same, stands at `restoredSize`. */
export interface LogEpoch {
  readonly projectId: ProjectId
  /** From 1: nothing opens the first one. */
  readonly epoch: number
  /** Leaves that the restored log has from before. */
  readonly restoredSize: number
  /** The checkpoint kept outside when the log was restored: up to its size, leaves are lost. */
  readonly held: { readonly epoch: number; readonly size: number; readonly root: TreeHash } | undefined
  readonly at: EpochMs
  /** Until then the longest execution window of before the restore has not passed. */
  readonly cautiousUntil: EpochMs
}

export interface LogReader {
  /** How many leaves have their place. */
  logSize(projectId: ProjectId): Promise<number>
  leaf(projectId: ProjectId, id: LeafId): Promise<LoggedLeaf | undefined>
  /** Those of one intent, in the order of the log; whatever waits for its place comes last. */
  leavesOf(projectId: ProjectId, intentId: IntentId): Promise<readonly LoggedLeaf[]>
  /** The hashes at these places, in their order, without those that are not there. Level 0 are the hashes of the leaves. */
  treeHashes(projectId: ProjectId, places: readonly TreePlace[]): Promise<readonly TreeHash[]>
  /** Of the last epoch the largest. */
  lastCheckpoint(projectId: ProjectId): Promise<StoredCheckpoint | undefined>
  /** The oldest first. */
  logEpochs(projectId: ProjectId): Promise<readonly LogEpoch[]>
}

export interface LogWriter {
  /** Keeps every other transaction from giving places in this log until this one ends. */
  lockLog(projectId: ProjectId): Promise<void>
  /**
   * Gives at most `limit` leaves that wait their places, in the order in which they were written; needs `lockLog`.
   *
   * @returns how many; always 0 where leaves have their place from the moment that they are written
   */
  placeLeaves(projectId: ProjectId, limit: number): Promise<number>
  /** Conflicts on a place that is taken. */
  putTreeNodes(projectId: ProjectId, nodes: readonly TreeNode[]): Promise<void>
  /** Conflicts on an epoch and size that were signed already. */
  putCheckpoint(checkpoint: StoredCheckpoint): Promise<void>
  putLogEpoch(epoch: LogEpoch): Promise<void>
  /**
   * Takes the values behind the commitments of an intent's leaves away; the leaves stay. The same transaction appends a leaf with
   * the event `VALUES_ERASED` of the intent: without it, whoever verifies the log takes their absence for tampering.
   *
   * @param keep leaves whose values stay: those of earlier erasures say why
   * @returns how many values
   */
  erasePayloads(projectId: ProjectId, intentId: IntentId, keep?: readonly LeafId[]): Promise<number>
  /** Ends every session, and takes every sign-in token out. */
  deleteSessions(projectId: ProjectId): Promise<void>
}
