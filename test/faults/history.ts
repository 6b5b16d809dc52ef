/**
 * The history of a project: its intents, its log and what was announced, and what of it contradicts itself.
 *
 * @module
 */
import { leafHash, type ProjectId, type State, type Store, type StoredLeaf } from '@silentauth/core'
import { z } from 'zod'

export interface History {
  readonly states: readonly State[]
  readonly leaves: readonly StoredLeaf[]
  readonly outbox: readonly Announced[]
}
export interface Announced {
  readonly intentId: string
  readonly event: string
}

/** What is wrong, by kind. Everything in it must stay 0. */
export interface Flaws {
  /** Approved, with an execution or a window that says otherwise, or a permit that nothing approved. */
  permits: number
  votes: number
  doubleUses: number
  missingLeaves: number
  missingOutboxRows: number
  /** A gap, a repetition, or a hash that is not of its leaf. */
  brokenLog: number
}

/** Events that must have a row in the outbox. */
const ANNOUNCED =
  /^(intent\.(created|approved|denied|expired|cancelled|changes_requested|superseded)|execution\.reported)$/
const PAGE = 100

const leafBody = z.object({
  id: z.string(),
  events: z.array(z.object({ type: z.string(), intent_id: z.string().nullable() })),
})

/** Reads everything, page by page; `outbox` is read by the caller, because stores do not give it back. */
export async function historyOf(store: Store, projectId: ProjectId, outbox: readonly Announced[]): Promise<History> {
  const states: State[] = []
  for (let cursor: string | undefined; ; ) {
    const page = await store.intents({ projectId, limit: PAGE, cursor })
    states.push(...page.items)
    cursor = page.nextCursor
    if (cursor === undefined) break
  }
  const leaves: StoredLeaf[] = []
  for (;;) {
    const page = await store.leaves({ projectId, from: leaves.length, limit: 1000 })
    leaves.push(...page)
    if (page.length < 1000) break
  }
  return { states, leaves, outbox }
}

/** Gives every leaf its place in the log, where that is done after the commit and nobody else does it. */
export async function placeAll(store: Store, projectId: ProjectId): Promise<void> {
  for (let placed = 1; placed > 0; ) {
    placed = await store.transaction(async (tx) => {
      await tx.lockLog(projectId)
      return tx.placeLeaves(projectId, 1000)
    })
  }
}

export function flawsOf({ states, leaves, outbox }: History): Flaws {
  const flaws: Flaws = { permits: 0, votes: 0, doubleUses: 0, missingLeaves: 0, missingOutboxRows: 0, brokenLog: 0 }
  const logged = new Map<string, number>()
  const ids = new Set<string>()
  for (const [index, { sequence, body, hash, id }] of leaves.entries()) {
    const { events, id: claimed } = leafBody.parse(JSON.parse(body))
    if (sequence !== index || hash !== leafHash(body) || id !== claimed || ids.has(id)) flaws.brokenLog++
    ids.add(id)
    for (const { type, intent_id: intentId } of events) count(logged, `${intentId} ${type}`)
  }
  const announced = new Map<string, number>()
  for (const { intentId, event } of outbox) count(announced, `${intentId} ${event}`)

  const known = new Set<string>(states.map(({ declaration }) => declaration.id))
  for (const state of states) checkState(state, logged, flaws)
  for (const [what, times] of logged) {
    const [intentId = '', type = ''] = what.split(' ')
    if (ANNOUNCED.test(type) && announced.get(what) !== times) flaws.missingOutboxRows++
    // A leaf of an intent that is not there: half a transaction.
    if (type === 'intent.created' && !known.has(intentId)) flaws.missingLeaves++
  }
  for (const what of announced.keys()) if (!logged.has(what)) flaws.missingLeaves++
  return flaws
}

function checkState(state: State, logged: ReadonlyMap<string, number>, flaws: Flaws): void {
  const { declaration, status, votes, approvals, permits, execution, redemptions } = state
  const times = (type: string): number => logged.get(`${declaration.id} ${type}`) ?? 0

  const approved = status === 'approved'
  const live = permits.filter(({ revokedAt }) => revokedAt === undefined)
  const begun = !['none', 'abandoned'].includes(execution.state)
  if ((state.useUntil !== undefined) !== approved) flaws.permits++
  if (!approved && permits.length > 0) flaws.permits++
  if (begun && permits.length === 0) flaws.permits++
  if (approved && declaration.delivery === 'token' && permits.length === 0) flaws.permits++
  if (live.length > 1 || new Set(permits.map(({ id }) => id)).size !== permits.length) flaws.permits++

  if (new Set(votes.map(({ by }) => by)).size !== votes.length) flaws.votes++
  if (new Set(approvals.map(({ by }) => by)).size !== approvals.length) flaws.votes++
  if (approved && declaration.verdict === 'require_approval' && approvals.length < declaration.approvalsRequired) {
    flaws.votes++
  }
  if (redemptions.filter(({ replayed }) => !replayed).length > 1) flaws.doubleUses++
  if (!declaration.idempotent && (execution.grants ?? 0) > 1 + execution.continuations) flaws.doubleUses++

  const expected: readonly (readonly [string, number])[] = [
    ['intent.created', 1],
    ...SETTLED.map((each) => [`intent.${each}`, each === status ? 1 : 0] as const),
    ['approval.recorded', votes.length],
    ['permit.issued', permits.length],
    ['permit.redeemed', redemptions.length],
    ['execution.started', execution.grants ?? 0],
  ]
  for (const [type, must] of expected) if (times(type) !== must) flaws.missingLeaves++
}

const SETTLED = ['approved', 'denied', 'expired', 'cancelled', 'changes_requested', 'superseded'] as const

function count(counts: Map<string, number>, what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1)
}
