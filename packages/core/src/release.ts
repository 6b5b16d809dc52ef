/**
 * Release: a permit whose leaf waited for its place in the log begins once that leaf is below a checkpoint that is held outside
 * (LIFECYCLE P6). Whoever needs the permit, whoever sequenced the leaf, and the sweep may release it; it begins once.
 *
 * @module
 */
import { readBody } from './audit-line.js'
import type { Engine } from './engine.js'
import { isSilentAuthError } from './errors.js'
import type { IntentId } from './id.js'
import type { LoggedLeaf, LogReader } from './log-store.js'
import type { Sequencer } from './sequencer.js'
import { type PermitRecord, type State, waitingPermit } from './state.js'

/** What a gate asks of the log that its store keeps. */
export type LivingLog = Pick<
  Sequencer,
  'projectId' | 'head' | 'wake' | 'settle' | 'requireWhole' | 'covers' | 'onSequenced'
>

/** How long a caller waits for a permit that waits; then it is told to repeat the call. */
const LONGEST_WAIT_MS = 2000

/**
 * Has the log catch up, and lets the permit begin, unless another node is first: then its change is heard. Whatever fails, the
 * permit goes on waiting.
 */
export async function awaitRelease(own: Engine, log: LivingLog, id: IntentId): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const tooLong = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, LONGEST_WAIT_MS)
  })
  const elsewhere = releasedElsewhere(own, id)
  try {
    await Promise.race([log.settle().then(() => release(own, log, id)), elsewhere.released, tooLong])
  } catch (error) {
    if (isSilentAuthError(error) && error.code === 'LOG_REWRITTEN') throw error
  } finally {
    clearTimeout(timer)
    elsewhere.ignore()
  }
}

/** `released` resolves once nothing keeps the permit waiting, and never fails; whoever asked must `ignore` it afterwards. */
function releasedElsewhere(own: Engine, id: IntentId): { readonly released: Promise<void>; ignore(): void } {
  const { promise: released, resolve } = Promise.withResolvers<void>()
  const look = async (): Promise<void> => {
    const state = await own.store.intent(id)
    if (!state || !waitingPermit(state)) resolve()
  }
  // The hint says neither what changed nor whether this permit is concerned.
  const wake = (): void => void look().catch(() => undefined)
  const ignore = own.waiters.add(id, wake)
  // Begun between the look of whoever asks and now.
  wake()
  return { released, ignore }
}

/** The clock's turn, and the permit's if its leaf has its place. */
export async function release(own: Engine, log: LivingLog | undefined, id: IntentId): Promise<State> {
  const { state } = await own.change(id, async ({ tx, state }) => {
    const waiting = waitingPermit(state)
    if (log === undefined || !waiting) return { command: { type: 'tick' }, actor: 'system:clock' }
    const leaf = await issuingLeaf(tx, state, waiting)
    const sequenced = leaf !== undefined && log.covers([leaf])
    if (sequenced) await log.requireWhole(tx)
    return sequenced
      ? { command: { type: 'sequenced' }, actor: 'system:sequencer' }
      : { command: { type: 'tick' }, actor: 'system:clock' }
  })
  return state
}

/** The leaf that issued the permit: a successor's is declared in a leaf of its predecessor. Without it nothing is released. */
async function issuingLeaf(
  reader: LogReader,
  { declaration: { id, projectId, supersedes } }: State,
  permit: PermitRecord,
): Promise<LoggedLeaf | undefined> {
  const leaves = [
    ...(await reader.leavesOf(projectId, id)),
    ...(supersedes ? await reader.leavesOf(projectId, supersedes) : []),
  ]
  return leaves.find(({ body }) =>
    readBody(body)?.events.some(({ type, data }) => type === 'permit.issued' && data.permit_id === permit.id),
  )
}
