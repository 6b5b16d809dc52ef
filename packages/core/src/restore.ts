/**
 * A restore is an operator's word that the database is an older one, and that what it lost is lost (LIFECYCLE R2). It opens a new
 * epoch of the log, and leaves nothing behind that could execute twice: whoever wants something asks anew.
 *
 * @module
 */
import { logName, logOrigin, signCheckpoint } from './checkpoint.js'
import { engine, type Writer } from './engine.js'
import { SilentAuthError } from './errors.js'
import type { ProjectId } from './id.js'
import type { IntentStatus } from './intent.js'
import type { EpochMs } from './json.js'
import { transition } from './lifecycle.js'
import { type ChainOptions, epochData, headOf, type LogHead, requireChain, storedNodes } from './log-chain.js'
import { LOG_RESTORED } from './log-restore.js'
import type { LogEpoch, StoredCheckpoint } from './log-store.js'
import { growTree, readEdge, treeRoot } from './merkle-tree.js'
import { policyTerms } from './policy.js'
import { heldInMemory, type SequencerOptions } from './sequencer.js'
import type { State } from './state.js'
import type { StoreTransaction } from './store.js'

export type RestoreOptions = Pick<
  SequencerOptions,
  'store' | 'projectId' | 'issuer' | 'signer' | 'retiredKeys' | 'held'
>

export interface RestoreReport {
  readonly epoch: number
  /** Leaves that the restored log has. */
  readonly restoredSize: number
  /** What was held outside; undefined: nothing. */
  readonly held: LogHead | undefined
  /** Intents that were pending, approved and not begun, begun or delivered. */
  readonly expired: number
  readonly abandoned: number
  readonly unknown: number
  readonly agentsPaused: number
  readonly keysDisabled: number
  /** Until then nothing is approved by policy alone. */
  readonly cautiousUntil: EpochMs
}

/**
 * All of R2 in one transaction, but for the permit key, which is not in the database: it must be replaced before. Servers over this
 * database should be stopped.
 *
 * @throws SilentAuthError `LOG_REWRITTEN` when what is stored is no older state of the log but an altered one
 */
export async function acceptRestore(options: RestoreOptions): Promise<RestoreReport> {
  const { store, projectId, issuer, signer, held = heldInMemory() } = options
  const log = logName(issuer, projectId)
  if (signer.name !== log) throw new TypeError(`the key of this log is named ${log}`)
  const chain: ChainOptions = { projectId, keys: [signer, ...(options.retiredKeys ?? [])] }
  const note = await held.read()
  const before = note === undefined ? undefined : await headOf(note, chain, 'held')
  const { report, checkpoint } = await engine({ store, projectId, issuer }).write(async (writer) => {
    const { tx, now } = writer
    await tx.lockLog(projectId)
    await placeAll(tx, projectId)
    const last = await requireChain(tx, chain, undefined)
    const epochs = await tx.logEpochs(projectId)
    const restoredSize = await tx.logSize(projectId)
    const number = Math.max(before?.epoch ?? 0, epochs.at(-1)?.epoch ?? 0) + 1
    const found = await unfinished(tx, projectId, now)
    const cautiousUntil = now + (await longestWindowSeconds(tx, projectId, found)) * 1000
    const epoch: LogEpoch = { projectId, epoch: number, restoredSize, held: before, at: now, cautiousUntil }

    await tx.putLogEpoch(epoch)
    await writer.leaf(ACTOR, [{ type: LOG_RESTORED, intentId: undefined, data: epochData(epoch) }])
    await placeAll(tx, projectId)
    await requireFirst(tx, epoch)
    const counts = { expired: 0, abandoned: 0, unknown: 0 }
    for (const { declaration } of found) await end(writer, declaration.id, counts)
    const stopped = await stopAll(writer, projectId)
    await placeAll(tx, projectId)
    const checkpoint = await signAll(tx, last, epoch, (head) =>
      signCheckpoint({ origin: logOrigin(log, number), ...head }, signer),
    )
    const report: RestoreReport = { epoch: number, restoredSize, held: before, ...counts, ...stopped, cautiousUntil }
    return { report, checkpoint }
  })
  await held.write(checkpoint.note)
  return report
}

const ACTOR = 'system:restore'
const PAGE = 500
/** Of an intent that no policy says more about. */
const DEFAULT_WINDOW_SECONDS = policyTerms(undefined).executionWindowSeconds

/** The epoch's own leaf comes before whatever else was written: a server that still runs must not come in between. */
async function requireFirst(tx: StoreTransaction, { projectId, restoredSize, epoch }: LogEpoch): Promise<void> {
  const [leaf] = await tx.leaves({ projectId, from: restoredSize, limit: 1 })
  const first = leaf && JSON.parse(leaf.body).events[0]
  if (first?.type !== LOG_RESTORED || first.data.epoch !== epoch) {
    throw new SilentAuthError('DB_ERROR', `${projectId}: somebody else writes to the log: stop every server first`)
  }
}

async function placeAll(tx: StoreTransaction, projectId: ProjectId): Promise<void> {
  while ((await tx.placeLeaves(projectId, PAGE)) === PAGE);
}

/** Whatever could still be decided, begun, gone on with or used. */
async function unfinished(tx: StoreTransaction, projectId: ProjectId, now: EpochMs): Promise<readonly State[]> {
  const found: State[] = []
  for (const status of ['pending', 'approved'] satisfies IntentStatus[]) {
    let cursor: string | undefined
    do {
      const page = await tx.intents({ projectId, status, limit: PAGE, cursor })
      found.push(...page.items.filter((state) => transition(state, { type: 'restore' }, now).events.length > 0))
      cursor = page.nextCursor
    } while (cursor !== undefined)
  }
  return found
}

async function longestWindowSeconds(
  tx: StoreTransaction,
  projectId: ProjectId,
  found: readonly State[],
): Promise<number> {
  const { policies } = await tx.policies(projectId)
  let longest = DEFAULT_WINDOW_SECONDS
  for (const policy of policies) longest = Math.max(longest, policyTerms(policy).executionWindowSeconds)
  for (const { declaration } of found) longest = Math.max(longest, declaration.executionWindowSeconds)
  return longest
}

async function end(
  writer: Writer,
  id: State['declaration']['id'],
  counts: { expired: number; abandoned: number; unknown: number },
): Promise<void> {
  const state = await writer.lock(id)
  const done = transition(state, { type: 'restore' }, writer.now)
  if (done.events.length === 0) return
  await writer.save(state, done)
  await writer.leaf(ACTOR, done.events)
  if (done.state.status === 'expired') counts.expired++
  else if (done.state.execution.state === 'abandoned') counts.abandoned++
  else if (done.state.execution.state === 'unknown') counts.unknown++
}

/** Agents, keys and sessions: whoever lost one since the backup would have it again. */
async function stopAll(
  { tx, leaf }: Writer,
  projectId: ProjectId,
): Promise<{ agentsPaused: number; keysDisabled: number }> {
  const agents = (await tx.agents(projectId)).filter(({ status }) => status === 'active')
  for (const agent of agents) await tx.putAgent({ ...agent, status: 'paused' })
  const keys = (await tx.keys(projectId)).filter(({ status }) => status === 'active')
  for (const key of keys) await tx.putKey({ ...key, status: 'disabled' })
  await tx.deleteSessions(projectId)
  const data = { agents: agents.map(({ id }) => id), keys: keys.map(({ id }) => id) }
  await leaf(ACTOR, [{ type: 'project.stopped', intentId: undefined, data }])
  return { agentsPaused: agents.length, keysDisabled: keys.length }
}

/** Grows the tree from what was signed last over everything that has its place now, and signs it as of the new epoch. */
async function signAll(
  tx: StoreTransaction,
  last: LogHead | undefined,
  { projectId, epoch }: LogEpoch,
  sign: (head: { size: number; root: string }) => Promise<string>,
): Promise<StoredCheckpoint> {
  let tree = await readEdge(last?.size ?? 0, storedNodes(tx, projectId))
  for (;;) {
    const leaves = await tx.leaves({ projectId, from: tree.size, limit: PAGE })
    if (leaves.length === 0) break
    const grown = growTree(
      tree,
      leaves.map(({ hash }) => hash),
    )
    await tx.putTreeNodes(projectId, grown.nodes)
    tree = grown.tree
  }
  const head = { size: tree.size, root: treeRoot(tree) }
  const checkpoint = { ...head, projectId, epoch, note: await sign(head), at: await tx.now() }
  await tx.putCheckpoint(checkpoint)
  return checkpoint
}
