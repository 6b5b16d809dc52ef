/**
 * The export of an audit log: its leaves up to a checkpoint, a line each, read page by page. It judges nothing, and whatever is in
 * the store stands in it: judging is the verifier's.
 *
 * @module
 */
import type { StoredLeaf } from './audit.js'
import { auditLine, completedBy } from './audit-line.js'
import type { ProjectId } from './id.js'
import type { LogReader } from './log-store.js'
import type { TreeHash } from './merkle-tree.js'
import type { StoreReader } from './store.js'

export type ExportReader = Pick<StoreReader, 'leaves'> & Pick<LogReader, 'treeHashes'>

export interface ExportRange {
  readonly projectId: ProjectId
  /** Leaves, from the first: as many as the checkpoint covers that goes with the export. */
  readonly size: number
  /** Values behind commitments: else every one is withheld. @default true */
  readonly values?: boolean | undefined
}

/** Lines of `audit.jsonl`, without their line feeds. */
export async function* exportAudit(
  store: ExportReader,
  { projectId, size, values = true }: ExportRange,
): AsyncGenerator<string> {
  const shows = () => values
  for (let from = 0; from < size; ) {
    const page = await store.leaves({ projectId, from, limit: Math.min(PAGE, size - from) })
    for (const leaf of page) if (leaf.sequence < size) yield auditLine(leaf, await nodesOf(store, leaf), shows)
    const last = page.at(-1)
    if (!last || last.sequence < from) return
    from = last.sequence + 1
  }
}

const PAGE = 200

/** Those that are stored: a place where one is missing makes the rest of them fewer, which the verifier sees. */
async function nodesOf(store: ExportReader, { projectId, sequence }: StoredLeaf): Promise<readonly TreeHash[]> {
  const places = completedBy(sequence)
  return places.length === 0 ? [] : store.treeHashes(projectId, places)
}
