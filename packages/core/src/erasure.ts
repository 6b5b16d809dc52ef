/**
 * Erasure: the values that the log only commits to are taken away for good, intent by intent. What it says stays, and so does its
 * tree; a leaf says who took them away.
 *
 * @module
 */
import { readBody } from './audit-line.js'
import { VALUES_ERASED } from './audit-verify.js'
import { requireComment } from './comment.js'
import type { Engine, LogEvent } from './engine.js'
import { SilentAuthError } from './errors.js'
import type { IntentId, LeafId } from './id.js'
import type { EpochMs } from './json.js'
import { clock } from './lifecycle.js'
import type { Principal } from './registry.js'
import { refused, type State } from './state.js'
import type { StoreTransaction } from './store.js'

/**
 * Of every leaf of one intent but those that say why values were erased, of the leaf of its predecessor that declares it, with that
 * predecessor's, and its recorded result. Params that are still to be decided on or executed are not erased: nobody could say later
 * what was.
 *
 * @returns how many values, the result among them; 0, and no leaf, when they are gone already
 * @throws SilentAuthError `FORBIDDEN` for whoever is no owner or admin now, `NOT_FOUND`, `IN_FLIGHT`
 */
export async function eraseValues(own: Engine, by: Principal, id: IntentId, reason: string): Promise<number> {
  requireComment(reason, 'reason')
  return own.write(async (writer) => {
    const { tx, leaf } = writer
    const { people } = await tx.directory(own.projectId)
    const person = people.find((one) => one.id === by.id)
    const may = person?.status === 'active' && person.roles.some((role) => role === 'owner' || role === 'admin')
    if (!may) throw new SilentAuthError('FORBIDDEN', 'values are erased by owners and admins of the project')
    const stored = await writer.lock(id)
    const { now } = writer
    const under = await leavesWith(tx, stored)
    for (const other of new Set([id, ...under.flatMap(({ names }) => names)])) await requireSettled(tx, other, now)
    const results = (await tx.eraseResult(own.projectId, id)) ? 1 : 0
    // Of few possible results, a digest tells which it was.
    if (results > 0) await tx.updateIntent({ ...stored, execution: { ...stored.execution, result: undefined } })
    let total = results
    const events: LogEvent[] = []
    for (const { intentId, erasures } of under) {
      const values = await tx.erasePayloads(own.projectId, intentId, erasures)
      const gone = { values, ...(intentId === id && results > 0 && { results }) }
      if (values === 0 && gone.results === undefined) continue
      total += values
      events.push({ type: VALUES_ERASED, intentId, data: { by: `user:${by.id}`, ...gone } })
    }
    // Not erased with them: it says why.
    if (events.length > 0) await leaf(`user:${by.id}`, events, { reason }, id)
    return total
  })
}

const UNDER_WAY = new Set(['none', 'started', 'suspended', 'delivered'])

/** The leaves of one intent. */
interface Under {
  readonly intentId: IntentId
  /** With whom else they are about. */
  readonly names: readonly IntentId[]
  /** Those of earlier erasures. Why is read as long as the log is: whoever erases twice must not take the first reason along. */
  readonly erasures: readonly LeafId[]
}

/** Its own leaves, and those of its predecessor where that one's leaf declares it. */
async function leavesWith(
  tx: StoreTransaction,
  { declaration: { id, projectId, supersedes } }: State,
): Promise<readonly Under[]> {
  const namesIn = async (intentId: IntentId): Promise<Under> => {
    const leaves = await tx.leavesOf(projectId, intentId)
    const eventsOf = (body: string) => readBody(body)?.events ?? []
    const events = leaves.flatMap(({ body }) => eventsOf(body))
    const isErasure = (body: string) => eventsOf(body).some(({ type }) => type === VALUES_ERASED)
    return {
      intentId,
      names: events.flatMap(({ intent_id: name }) => (name === null ? [] : [name as IntentId])),
      erasures: leaves.filter(({ body }) => isErasure(body)).map(({ id: leaf }) => leaf),
    }
  }
  const mine = await namesIn(id)
  const before = supersedes && (await namesIn(supersedes))
  return before?.names.includes(id) ? [mine, before] : [mine]
}

/** Params that are still to be decided on or executed stay: nobody could say later what was. */
async function requireSettled(tx: StoreTransaction, id: IntentId, now: EpochMs): Promise<void> {
  const stored = await tx.intent(id)
  // Pruned, so over.
  if (!stored) return
  const { state } = clock(stored, now)
  const underWay = state.status === 'approved' && UNDER_WAY.has(state.execution.state)
  if (state.status === 'pending' || underWay) throw refused(state, 'IN_FLIGHT', 'it is not settled')
}
