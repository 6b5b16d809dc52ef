/**
 * What a restore says of itself in the log: the first event of its epoch, and what a verifier makes of it (LIFECYCLE R2).
 *
 * @module
 */
import type { AuditFinding, AuditFindings, LeafPlace } from './audit-findings.js'
import type { LeafBody } from './audit-line.js'
import type { OpenCheckpoint } from './checkpoint.js'
import type { JsonObject } from './json.js'
import type { LogEpoch } from './log-store.js'
import { isTreeHash, type TreeHash } from './merkle-tree.js'

/** Type of that event. It names no intent. */
export const LOG_RESTORED = 'log.restored'

export type RestoreRecord = Pick<LogEpoch, 'epoch' | 'restoredSize' | 'held'>

/** `data` of the event. */
export function restoreEventData({ epoch, restoredSize, held }: RestoreRecord): JsonObject {
  const { epoch: heldEpoch, size, root } = held ?? {}
  return {
    epoch,
    restored_size: restoredSize,
    held: held ? { epoch: heldEpoch as number, size: size as number, root: root as TreeHash } : null,
  }
}

/** A restore as a leaf of the log says it. */
export interface LoggedRestore extends RestoreRecord, LeafPlace {}

export function restoresOf(body: LeafBody, place: LeafPlace, findings: AuditFindings): readonly LoggedRestore[] {
  return body.events.flatMap((event, index) => {
    if (event.type !== LOG_RESTORED) return []
    const { epoch, restored_size: restoredSize, held } = event.data
    const before = heldOf(held)
    if (isCount(epoch) && isCount(restoredSize) && before !== null) {
      return [{ ...place, epoch, restoredSize, held: before }]
    }
    findings.add('tampered', place, `events/${index}/data`, 'it is no record of a restore')
    return []
  })
}

/** Epochs count up, each from a restore, and a restore that lost leaves leaves a gap. */
export function checkEpochs(head: OpenCheckpoint, restores: readonly LoggedRestore[], findings: AuditFindings): void {
  let epoch = 0
  for (const restore of restores) {
    // A backup of before an earlier restore does not know of that one; what was held does.
    const follows = restore.epoch === epoch + 1 || (restore.epoch > epoch && restore.held?.epoch === restore.epoch - 1)
    if (!follows) findings.add('tampered', restore, 'events/0/data/epoch', 'epochs count up')
    epoch = restore.epoch
    if (restore.restoredSize !== restore.sequence) {
      const reason = 'it is not the number of leaves before it'
      findings.add('tampered', restore, 'events/0/data/restored_size', reason)
    }
    const lost = (restore.held?.size ?? 0) - restore.restoredSize
    const reason =
      lost > 0 ? `a restore lost ${lost} leaves here` : 'a restore happened here: leaves that nobody held may be lost'
    findings.add('incomplete', restore, 'events/0/data/held', reason)
  }
  if (head.epoch !== epoch) {
    const reason = `the leaves lead to epoch ${epoch}, and it is of epoch ${head.epoch}`
    findings.add('tampered', undefined, 'checkpoint/origin', reason)
  }
}

/** A checkpoint that somebody kept is contained in the log, or was given up by a restore that says so; else this says what is wrong. */
export function flawOfOlder(
  older: OpenCheckpoint,
  head: OpenCheckpoint,
  rootAt: (size: number) => TreeHash | undefined,
  restores: readonly LoggedRestore[],
): Omit<AuditFinding, 'leaf' | 'sequence'> | undefined {
  const flaw = (field: string, reason: string, kind: AuditFinding['kind'] = 'tampered') => {
    const which = `epoch ${older.epoch}, size ${older.size}`
    return { kind, field: `older_checkpoint/${field}`, reason: `${reason} (${which})` }
  }
  if (older.log !== head.log) return flaw('origin', 'it is of another log')
  if (older.epoch > head.epoch) return flaw('origin', 'it is of a later epoch: the log is an older copy')
  const later = restores.filter(({ epoch }) => epoch > older.epoch)
  const kept = later.reduce((least, { restoredSize }) => Math.min(least, restoredSize), head.size)
  if (older.size <= kept) {
    if (rootAt(older.size) === older.root) return undefined
    return flaw('root', 'what it covers was rewritten, or the log was forked')
  }
  const [first] = later
  if (!first) return flaw('size', `the log has ${head.size} leaves: its tail was cut off`)
  const { held } = first
  const known = held !== undefined && held.epoch === older.epoch && older.size <= held.size
  if (!known || (older.size === held.size && older.root !== held.root)) {
    return flaw('size', 'it is not on the chain: the restore does not own up to what it covers')
  }
  if (older.size === held.size) return undefined
  return flaw('root', 'what it covers was lost in a restore, and cannot be compared', 'incomplete')
}

/** Undefined: nothing was held. Null: not a checkpoint. */
function heldOf(value: unknown): RestoreRecord['held'] | null {
  if (value === null) return undefined
  const { epoch, size, root } = (value ?? {}) as { epoch?: unknown; size?: unknown; root?: unknown }
  return isCount(epoch) && isCount(size) && isTreeHash(root) ? { epoch, size, root } : null
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
