/**
 * The chain of a log: what was signed last, what is held outside of the database, and the tree that is stored must be one that
 * only ever grew. Whoever can write to the database, or restores an older backup of it, breaks it; nobody but them does.
 *
 * @module
 */
import { leafHash } from './audit.js'
import { readBody } from './audit-line.js'
import { canonicalJson } from './canonical-json.js'
import { openCheckpoint } from './checkpoint.js'
import { isSilentAuthError, SilentAuthError } from './errors.js'
import type { ProjectId } from './id.js'
import type { JsonObject } from './json.js'
import { LOG_RESTORED, restoreEventData } from './log-restore.js'
import type { LogEpoch, LogReader, StoredCheckpoint } from './log-store.js'
import {
  consistencyProof,
  inclusionProof,
  isConsistent,
  isIncluded,
  isTreeHash,
  type NodeReader,
  readEdge,
  type TreeHash,
  treeRoot,
} from './merkle-tree.js'
import type { NoteKey } from './signed-note.js'

/** What a checkpoint says. */
export interface LogHead {
  /** From 0; each restore opens the next one. */
  readonly epoch: number
  readonly size: number
  readonly root: TreeHash
}

export interface ChainReader extends Pick<LogReader, 'logSize' | 'treeHashes' | 'lastCheckpoint' | 'logEpochs'> {
  leaves(query: { projectId: ProjectId; from: number; limit: number }): Promise<readonly { readonly body: string }[]>
}

export interface ChainOptions {
  readonly projectId: ProjectId
  /** That sign for this log. */
  readonly keys: readonly NoteKey[]
}

/**
 * The head that was signed last, once it is certain that it, the stored tree and `held` are one chain.
 *
 * @param held what is known from outside of the database
 * @throws SilentAuthError `LOG_REWRITTEN`, `field` being `checkpoint`, `tree`, `epoch` or `held`
 */
export async function requireChain(
  reader: ChainReader,
  options: ChainOptions,
  held: LogHead | undefined,
): Promise<StoredCheckpoint | undefined> {
  const { projectId } = options
  const last = await reader.lastCheckpoint(projectId)
  const epochs = await reader.logEpochs(projectId)
  if (last === undefined) {
    if (held) throw behind(projectId, held, undefined)
    if (epochs.length > 0) throw rewritten(projectId, 'epoch', 'it has an epoch, and no checkpoint')
    return undefined
  }
  await requireSigned(last, options)
  if (last.epoch !== (epochs.at(-1)?.epoch ?? 0)) {
    throw rewritten(projectId, 'epoch', `its last checkpoint is of epoch ${last.epoch}, which is not the last one`)
  }
  await requireTree(reader, last)
  // Rows alone could be anybody's, and say until when nothing is approved by policy alone; their leaves are in the signed tree.
  for (const epoch of epochs) await requireEpochLeaf(reader, epoch, last)
  if (held) await requireHeld(reader, held, last, epochs)
  return last
}

/** What a note of this log says, which one of its keys signed. @throws SilentAuthError `LOG_REWRITTEN` */
export async function headOf(
  note: string,
  { projectId, keys }: ChainOptions,
  field: 'checkpoint' | 'held',
): Promise<LogHead> {
  try {
    const open = await openCheckpoint(note, keys)
    if (open.projectId !== projectId) throw rewritten(projectId, field, 'the checkpoint is of another log')
    const { epoch, size, root } = open
    return { epoch, size, root }
  } catch (cause) {
    if (isSilentAuthError(cause) && cause.code === 'LOG_REWRITTEN') throw cause
    throw rewritten(projectId, field, 'the checkpoint is not one that the key of this log signed', cause)
  }
}

/** The hashes of stored places. @throws SilentAuthError `LOG_REWRITTEN` when one is not there, or is no hash */
export function storedNodes(reader: Pick<LogReader, 'treeHashes'>, projectId: ProjectId): NodeReader {
  return async (places) => {
    const hashes = await reader.treeHashes(projectId, places)
    // What is no hash was not written by us either.
    if (hashes.length !== places.length || !hashes.every(isTreeHash)) {
      throw rewritten(projectId, 'tree', 'nodes of its tree are missing')
    }
    return hashes
  }
}

/** @throws SilentAuthError `LOG_REWRITTEN` unless the tree of `next` begins with that of `before` */
export async function requireGrown(
  projectId: ProjectId,
  before: LogHead,
  next: { readonly size: number; readonly root: TreeHash },
  nodes: NodeReader,
  field: 'checkpoint' | 'held',
): Promise<void> {
  const proof = await consistencyProof(before.size, next.size, nodes)
  const { size, root } = next
  if (!isConsistent({ oldSize: before.size, oldRoot: before.root, size, root, proof })) {
    throw rewritten(
      projectId,
      field,
      `its tree of ${size} leaves does not begin with the ${before.size} that were signed`,
    )
  }
}

export function isSameHead(one: LogHead | undefined, other: LogHead | undefined): boolean {
  return one?.epoch === other?.epoch && one?.size === other?.size && one?.root === other?.root
}

export function isNewerHead(one: LogHead, other: LogHead | undefined): boolean {
  return other === undefined || one.epoch > other.epoch || (one.epoch === other.epoch && one.size > other.size)
}

export function rewritten(
  projectId: ProjectId,
  field: 'checkpoint' | 'tree' | 'leaf' | 'epoch' | 'held',
  reason: string,
  cause?: unknown,
): SilentAuthError {
  return new SilentAuthError('LOG_REWRITTEN', `the log of ${projectId}: ${reason}`, { field, cause })
}

/** What the leaf at the beginning of an epoch says, and the row beside it must. */
export function epochData(epoch: Omit<LogEpoch, 'projectId' | 'at'>): JsonObject {
  return { ...restoreEventData(epoch), cautious_until: new Date(epoch.cautiousUntil).toISOString() }
}

async function requireSigned(last: StoredCheckpoint, options: ChainOptions): Promise<void> {
  if (!isSameHead(await headOf(last.note, options, 'checkpoint'), last)) {
    throw rewritten(last.projectId, 'checkpoint', 'the row of its last checkpoint says something else than its note')
  }
}

async function requireTree(reader: ChainReader, { projectId, size, root }: StoredCheckpoint): Promise<void> {
  if ((await reader.logSize(projectId)) < size) {
    throw rewritten(projectId, 'tree', `it has fewer leaves than the ${size} that were signed`)
  }
  if (treeRoot(await readEdge(size, storedNodes(reader, projectId))) !== root) {
    throw rewritten(projectId, 'tree', `its tree of ${size} leaves is not the one that was signed`)
  }
}

async function requireHeld(
  reader: ChainReader,
  held: LogHead,
  last: StoredCheckpoint,
  epochs: readonly LogEpoch[],
): Promise<void> {
  const { projectId } = last
  if (isNewerHead(held, last)) throw behind(projectId, held, last)
  const since = epochs.filter(({ epoch }) => epoch > held.epoch)
  const lost = since.find(({ restoredSize }) => restoredSize < held.size)
  if (lost === undefined) {
    return requireGrown(projectId, held, last, storedNodes(reader, projectId), 'held')
  }
  // Leaves up to this one were given up; whoever accepted that knew of a head that was not before ours.
  if (
    lost.held === undefined ||
    isNewerHead(held, lost.held) ||
    (isSameSize(held, lost.held) && !isSameHead(held, lost.held))
  )
    throw behind(projectId, held, last)
}

function isSameSize(one: LogHead, other: LogHead): boolean {
  return one.epoch === other.epoch && one.size === other.size
}

async function requireEpochLeaf(reader: ChainReader, epoch: LogEpoch, { size, root }: StoredCheckpoint): Promise<void> {
  const { projectId, restoredSize: index } = epoch
  const none = () => rewritten(projectId, 'epoch', `no leaf says that epoch ${epoch.epoch} was opened`)
  const [leaf] = await reader.leaves({ projectId, from: index, limit: 1 })
  const says = (leaf && readBody(leaf.body)?.events[0]) ?? null
  const wanted = { type: LOG_RESTORED, intent_id: null, data: epochData(epoch) }
  if (leaf === undefined || canonicalJson(says) !== canonicalJson(wanted) || index >= size) throw none()
  // Its row could be changed with the other one; the hash in the signed tree could not.
  const proof = await inclusionProof(index, size, storedNodes(reader, projectId))
  if (!isIncluded({ leafHash: leafHash(leaf.body), index, size, root, proof })) throw none()
}

function behind(projectId: ProjectId, held: LogHead, last: LogHead | undefined): SilentAuthError {
  const stored = last ? `epoch ${last.epoch}, ${last.size} leaves` : 'nothing'
  return rewritten(
    projectId,
    'held',
    `the database is behind what was held outside of it (epoch ${held.epoch}, ${held.size} leaves; stored: ${stored})`,
  )
}
