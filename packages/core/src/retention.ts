/**
 * Retention: intents that are over go after their time, with their votes, permits and redemptions. The log stays whole, and
 * an idempotency key stays taken: what ran under it never runs again.
 *
 * @module
 */
import { auditLeaf } from './audit.js'
import type { ProjectId } from './id.js'
import type { EpochMs } from './json.js'
import { MAX_SKEW_MS } from './permit-trace.js'
import type { State } from './state.js'
import type { IntentPlace, Store, StoreTransaction } from './store.js'

export interface PruneOptions {
  readonly store: Store
  readonly projectId: ProjectId
  /** Since when nothing of an intent could happen any more; at least `MIN_RETENTION_SECONDS`. */
  readonly olderThanSeconds: number
  /** Intents of one transaction. @default 100 */
  readonly batch?: number | undefined
  /** Ends it between two batches. */
  readonly signal?: AbortSignal | undefined
}

/** As long as a transport retry is remembered: it must find what the first request did. */
export const MIN_RETENTION_SECONDS = 24 * 3600

/**
 * Takes away what is over, oldest first, in transactions of their own; each writes one leaf that says how many went.
 *
 * @returns how many intents it took away
 * @throws TypeError for less than a day
 */
export async function prune({
  store,
  projectId,
  olderThanSeconds,
  batch = 100,
  signal,
}: PruneOptions): Promise<number> {
  if (!Number.isSafeInteger(olderThanSeconds) || olderThanSeconds < MIN_RETENTION_SECONDS) {
    throw new TypeError('olderThanSeconds is a whole number of seconds, and at least a day')
  }
  let count = 0
  let after: IntentPlace | undefined
  for (;;) {
    signal?.throwIfAborted()
    const done = await store.transaction((tx) => pruneBatch(tx, { projectId, olderThanSeconds, limit: batch, after }))
    count += done.count
    if (done.next === undefined) return count
    after = done.next
  }
}

/** Nothing can happen to it any more, and that since before an instant. */
export function isOver({ status, resolvedAt, useUntil, execution }: State, before: EpochMs): boolean {
  if (status === 'pending' || resolvedAt === undefined || resolvedAt > before) return false
  if (status !== 'approved') return true
  // P3: single use is kept until then, and what is idempotent may run again.
  if (useUntil === undefined || useUntil + MAX_SKEW_MS > before) return false
  switch (execution.state) {
    case 'succeeded':
    case 'failed':
    case 'abandoned':
    case 'delivered':
      return true
    // A person has still to say what became of it.
    case 'unknown':
    case 'none':
    case 'started':
    case 'suspended':
      return false
  }
}

async function pruneBatch(
  tx: StoreTransaction,
  query: { projectId: ProjectId; olderThanSeconds: number; limit: number; after: IntentPlace | undefined },
): Promise<{ count: number; next: IntentPlace | undefined }> {
  const { projectId, olderThanSeconds, limit, after } = query
  const now = await tx.now()
  const before = now - olderThanSeconds * 1000
  const places = await tx.endedIntents({ projectId, before, limit, after })
  let count = 0
  for (const { id } of places) {
    const state = await tx.lockIntent(id)
    if (!state || !isOver(state, before) || !(await leadsNowhere(tx, state, before))) continue
    await tx.deleteIntent(id)
    count++
  }
  if (count > 0) {
    const data = { before: new Date(before).toISOString(), intents: count }
    const events = [{ type: 'intents.pruned', intentId: undefined, data }]
    await tx.appendLeaf(
      auditLeaf({ projectId, actor: 'system:retention', intentId: undefined, events, values: {} }, now),
    )
  }
  return { count, next: places.length < limit ? undefined : places.at(-1) }
}

/** An original that an edit replaced is how its agent finds the successor, by the key of old. */
async function leadsNowhere(tx: StoreTransaction, { supersededBy }: State, before: EpochMs): Promise<boolean> {
  if (supersededBy === undefined) return true
  const successor = await tx.intent(supersededBy)
  return !successor || (isOver(successor, before) && (await leadsNowhere(tx, successor, before)))
}
