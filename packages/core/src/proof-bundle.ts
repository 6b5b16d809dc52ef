/**
 * A proof bundle: one intent with its votes, permits and redemptions, the leaves that say so, their inclusion in the log, and a signed
 * checkpoint, in one file that a stranger verifies offline. Canonical JSON without a line feed at its end, so each bundle has one
 * spelling.
 *
 * @module
 */
import { z } from 'zod'
import { PERMIT_VALUE, type StoredLeaf } from './audit.js'
import { type AuditLine, auditLineForm, auditLineOf, readBody } from './audit-line.js'
import { canonicalJson } from './canonical-json.js'
import { SilentAuthError } from './errors.js'
import type { IntentId, ProjectId } from './id.js'
import type { LoggedLeaf, LogReader } from './log-store.js'
import { inclusionProof, type TreeHash } from './merkle-tree.js'
import { type ProofSections, proofSections, type SaidLeaf } from './proof-sections.js'
import type { State } from './state.js'
import type { StoreReader } from './store.js'

export interface ProofBundle extends ProofSections {
  readonly type: 'silentauth.proof'
  readonly v: 1
  /** The text that `intent_hash` is the hash of: what the approvers were shown. */
  readonly view: string
  /** Of this intent, in the order of the log. */
  readonly leaves: readonly ProofLeaf[]
  /** The signed note. */
  readonly checkpoint: string
  /** Text form of the key that signed it; trust in it comes from elsewhere. */
  readonly vkey: string
}

export interface ProofLeaf extends Omit<AuditLine, 'nodes'> {
  /** Hashes that lead from this leaf to the root in the checkpoint (RFC 9162, 2.1.3.1), nearest first. */
  readonly proof: readonly TreeHash[]
}

const section = z.record(z.string(), z.json())
export const proofBundleForm = z.strictObject({
  type: z.literal('silentauth.proof'),
  v: z.literal(1),
  intent: section,
  votes: z.array(section),
  permits: z.array(section),
  redemptions: z.array(section),
  timeline: z.array(section),
  view: z.string(),
  // As many as its size allows: what runs again and again has two for each run.
  leaves: z.array(auditLineForm.omit({ nodes: true }).extend({ proof: z.array(z.string()).max(64) })),
  checkpoint: z.string(),
  vkey: z.string(),
})

export type ProofReader = Pick<StoreReader, 'intent' | 'leaves'> & LogReader

export interface ProofBundleOptions {
  readonly projectId: ProjectId
  readonly intentId: IntentId
  /** Text form of the key that signs the checkpoints of this log. */
  readonly vkey: string
  /** Shows every value, also those that the view hides. Else only what permits say is shown. @default false */
  readonly values?: boolean | undefined
}

/**
 * The bundle of an intent, as the text of its file.
 *
 * @throws SilentAuthError `NOT_FOUND`; `NOT_SEQUENCED` while the last checkpoint does not cover all leaves of the intent
 */
export async function proofBundle(store: ProofReader, options: ProofBundleOptions): Promise<string> {
  const { projectId, intentId, vkey, values = false } = options
  const state = await store.intent(intentId)
  if (state?.declaration.projectId !== projectId) {
    throw new SilentAuthError('NOT_FOUND', `intent ${intentId} is not there for this credential`, { intentId })
  }
  const found = await leavesAbout(store, state)
  const checkpoint = await store.lastCheckpoint(projectId)
  const size = checkpoint?.size ?? 0
  const nodes = (places: Parameters<LogReader['treeHashes']>[1]) => store.treeHashes(projectId, places)
  const shows = (field: string): boolean => values || field === PERMIT_VALUE
  const leaves: ProofLeaf[] = []
  for (const leaf of found) {
    if (!checkpoint || !isPlaced(leaf) || leaf.sequence >= size) throw notCovered(intentId)
    const { nodes: _, ...line } = auditLineOf(leaf, [], shows)
    leaves.push({ ...line, proof: await inclusionProof(leaf.sequence, size, nodes) })
  }
  const { view } = state.declaration
  const bundle: ProofBundle = {
    type: 'silentauth.proof',
    v: 1,
    ...proofSections(intentId, JSON.parse(canonicalJson(view)), leaves.flatMap(said)),
    view: canonicalJson(view),
    leaves,
    checkpoint: checkpoint?.note ?? '',
    vkey,
  }
  return canonicalJson(bundle)
}

/** A leaf with its body read; none when it cannot be read. */
export function said(line: ProofLeaf): readonly SaidLeaf[] {
  const body = readBody(line.body)
  return body ? [{ line, body }] : []
}

/** A leaf stands under the first intent that it names: a successor is declared in a leaf of its predecessor, and a restore names many. */
async function leavesAbout(store: ProofReader, { declaration }: State): Promise<readonly LoggedLeaf[]> {
  const { id, projectId, supersedes } = declaration
  const found = new Map<string, LoggedLeaf>()
  const candidates = [...(await store.leavesOf(projectId, id))]
  if (supersedes) candidates.push(...(await store.leavesOf(projectId, supersedes)))
  for (const { restoredSize } of await store.logEpochs(projectId)) {
    candidates.push(...(await store.leaves({ projectId, from: restoredSize, limit: 1 })))
  }
  for (const leaf of candidates) {
    const events = readBody(leaf.body)?.events ?? []
    if (leaf.intentId === id || events.some((event) => event.intent_id === id)) found.set(leaf.id, leaf)
  }
  const last = Number.MAX_SAFE_INTEGER
  return [...found.values()].sort((one, other) => (one.sequence ?? last) - (other.sequence ?? last))
}

function isPlaced(leaf: LoggedLeaf): leaf is StoredLeaf {
  return leaf.sequence !== undefined
}

function notCovered(intentId: IntentId): SilentAuthError {
  const message = `${intentId}: the last checkpoint does not cover all of its leaves yet`
  return new SilentAuthError('NOT_SEQUENCED', message, { intentId, retryAfterSeconds: 60 })
}
