/**
 * The intents of a memory store, with the indexes that keep its questions from reading all of them.
 *
 * @module
 */
import { dueAt } from './due-at.js'
import type { IntentId, KeyId, PermitId, ProjectId } from './id.js'
import type { EpochMs } from './json.js'
import { type Draft, type Rows, table } from './memory-table.js'
import { pageCursor, parsePageCursor } from './page-cursor.js'
import type { State } from './state.js'
import type { DueQuery, EndedQuery, IntentPlace, IntentQuery, SameActionQuery, StatePage } from './store.js'
import { type Timeline, timeline } from './timeline.js'
import { seatsOf } from './vote.js'

/** What a reader asks of intents; with a draft, as that transaction sees them. */
export interface MemoryIntents {
  draft(): Draft<State>
  state(id: IntentId, draft?: Draft<State>): State | undefined
  byIdempotencyKey(scope: string, key: string, draft?: Draft<State>): IntentId | undefined
  byPermit(id: PermitId, draft?: Draft<State>): IntentId | undefined
  page(query: IntentQuery, draft?: Draft<State>): StatePage
  due(query: DueQuery, draft?: Draft<State>): readonly IntentId[]
  ended(query: EndedQuery, draft?: Draft<State>): readonly IntentPlace[]
  countPending(keyId: KeyId, draft?: Draft<State>): number
  countDeclared(declaredBy: string, action: string, draft?: Draft<State>): number
  sameAction(query: SameActionQuery, draft?: Draft<State>): readonly IntentId[]
}

export function memoryIntents(): MemoryIntents {
  const byCreation = new Map<ProjectId, Timeline<IntentId>>()
  const byDueTime = new Map<ProjectId, Timeline<IntentId>>()
  const pending = new Map<KeyId, number>()
  const declared = new Map<string, number>()
  const open = new Map<string, Set<IntentId>>()

  const states = table<State>({
    key: ({ declaration }) => declaration.id,
    unique: {
      idempotency_key: ({ declaration: { owner, idempotency } }) =>
        idempotency ? [tuple(owner, idempotency.key)] : [],
      permit: ({ permits }) => permits.map(({ id }) => id),
    },
    distinct: {
      permit: ({ permits }) => permits.map(({ id }) => id),
      vote: ({ votes }) => seatsOf(votes),
      redemption: ({ redemptions }) => redemptions.flatMap(({ id, replayed }) => (replayed ? [id] : [id, 'first use'])),
    },
    changed(before, after) {
      if (before) unlist(before, after === undefined)
      if (after) list(after, before === undefined)
    },
  })

  function list(state: State, isNew: boolean): void {
    const { id, projectId, keyId, declaredBy, action, createdAt } = state.declaration
    if (isNew) {
      entryOf(byCreation, projectId, () => timeline<IntentId>()).insert(createdAt, id)
      add(declared, tuple(declaredBy, action), 1)
    }
    const at = dueAt(state)
    if (at !== undefined) entryOf(byDueTime, projectId, () => timeline<IntentId>()).insert(at, id)
    if (state.status === 'pending') add(pending, keyId, 1)
    if (isOpen(state)) entryOf(open, actionOf(state), () => new Set<IntentId>()).add(id)
  }

  function unlist(state: State, isGone: boolean): void {
    const { id, projectId, keyId, declaredBy, action, createdAt } = state.declaration
    if (isGone) {
      byCreation.get(projectId)?.remove(createdAt, id)
      add(declared, tuple(declaredBy, action), -1)
    }
    const at = dueAt(state)
    if (at !== undefined) byDueTime.get(projectId)?.remove(at, id)
    if (state.status === 'pending') add(pending, keyId, -1)
    if (!isOpen(state)) return
    const same = open.get(actionOf(state))
    same?.delete(id)
    if (same?.size === 0) open.delete(actionOf(state))
  }

  /** The first `limit` that match, of the committed rows that the draft left alone. */
  function committed(
    ids: Iterable<IntentId>,
    limit: number,
    draft: Draft<State> | undefined,
    matches: Matches,
  ): State[] {
    const found: State[] = []
    for (const id of ids) {
      if (found.length >= limit) break
      const state = draft?.written.has(id) ? undefined : states.get(id)
      if (state && matches(state)) found.push(state)
    }
    return found
  }

  return {
    draft: () => states.draft(),
    state: (id, draft) => rowsOf(draft).get(id),
    byIdempotencyKey: (scope, key, draft) => rowsOf(draft).find('idempotency_key', tuple(scope, key))?.declaration.id,
    byPermit: (id, draft) => rowsOf(draft).find('permit', id)?.declaration.id,
    page(query, draft) {
      const after = query.cursor === undefined ? undefined : parsePageCursor(query.cursor)
      const place = after && { at: after.createdAt, id: after.id }
      const matches = matching(query)
      const ids = byCreation.get(query.projectId)?.backwards(place) ?? []
      const found = [
        ...committed(ids, query.limit + 1, draft, matches),
        ...written(draft).filter((state) => matches(state) && (!place || isOlder(state, place))),
      ].sort((one, other) => (isOlder(one, placeOf(other)) ? 1 : -1))
      const items = found.slice(0, query.limit)
      const last = items.at(-1)?.declaration
      return { items, nextCursor: found.length > query.limit && last ? pageCursor(last) : undefined }
    },
    due({ projectId, now, limit }, draft) {
      const isDue = (state: State) => state.declaration.projectId === projectId && (dueAt(state) ?? Infinity) <= now
      const ids = byDueTime.get(projectId)?.upTo(now) ?? []
      const found = [...committed(ids, limit, draft, isDue), ...written(draft).filter(isDue)]
      const order = (one: State, other: State) =>
        (dueAt(one) ?? 0) - (dueAt(other) ?? 0) || (one.declaration.id < other.declaration.id ? -1 : 1)
      return idsOf(found.sort(order).slice(0, limit))
    },
    ended({ projectId, before, limit, after }, draft) {
      const matches = (state: State) => {
        const { createdAt, id, projectId: of } = state.declaration
        const isAfter = !after || createdAt > after.createdAt || (createdAt === after.createdAt && id > after.id)
        return of === projectId && createdAt <= before && isAfter && hasEnded(state)
      }
      const ids = byCreation.get(projectId)?.upTo(before) ?? []
      const found = [...committed(ids, limit, draft, matches), ...written(draft).filter(matches)]
      return found
        .sort((one, other) => (isOlder(one, placeOf(other)) ? -1 : 1))
        .slice(0, limit)
        .map(({ declaration: { createdAt, id } }) => ({ createdAt, id }))
    },
    countPending(keyId, draft) {
      const counts = (state: State | undefined) =>
        Number(state?.status === 'pending' && state.declaration.keyId === keyId)
      return (pending.get(keyId) ?? 0) + difference(draft, counts)
    },
    countDeclared(declaredBy, action, draft) {
      const counts = (state: State | undefined) =>
        Number(state?.declaration.declaredBy === declaredBy && state.declaration.action === action)
      return (declared.get(tuple(declaredBy, action)) ?? 0) + difference(draft, counts)
    },
    sameAction(query, draft) {
      const wanted = tuple(query.projectId, query.declaredBy, query.action, query.paramsDigest)
      const found = [
        ...committed(open.get(wanted) ?? [], Infinity, draft, isOpen),
        ...written(draft).filter((state) => isOpen(state) && actionOf(state) === wanted),
      ]
      return idsOf(found.sort((one, other) => (isOlder(one, placeOf(other)) ? -1 : 1)))
    },
  }

  function rowsOf(draft: Draft<State> | undefined): Rows<State> {
    return draft ?? states
  }

  /** How much the draft changes a count. */
  function difference(draft: Draft<State> | undefined, counts: (state: State | undefined) => number): number {
    let sum = 0
    for (const [id, after] of draft?.written ?? []) sum += counts(after) - counts(states.get(id))
    return sum
  }
}

type Matches = (state: State) => boolean

function matching({ projectId, status, decision, action, source, owners }: IntentQuery): Matches {
  return ({ declaration, status: current }) =>
    declaration.projectId === projectId &&
    (status === undefined || current === status) &&
    (decision === undefined || declaration.verdict === decision) &&
    (action === undefined || declaration.action === action) &&
    (source === undefined || declaration.source === source) &&
    (owners === undefined || owners.includes(declaration.owner))
}

function isOpen({ execution: { state } }: State): boolean {
  return state === 'started' || state === 'suspended' || state === 'unknown'
}

function hasEnded(state: State): boolean {
  return state.status !== 'pending' && dueAt(state) === undefined && !isOpen(state)
}

function actionOf({ declaration: { projectId, declaredBy, action, paramsDigest } }: State): string {
  return tuple(projectId, declaredBy, action, paramsDigest)
}

function placeOf({ declaration }: State): { at: EpochMs; id: IntentId } {
  return { at: declaration.createdAt, id: declaration.id }
}

function isOlder({ declaration: { createdAt, id } }: State, place: { at: EpochMs; id: IntentId }): boolean {
  return createdAt < place.at || (createdAt === place.at && id < place.id)
}

function written(draft: Draft<State> | undefined): State[] {
  return [...(draft?.written.values() ?? [])].filter((state) => state !== undefined)
}

function idsOf(states: readonly State[]): readonly IntentId[] {
  return states.map(({ declaration }) => declaration.id)
}

/** One text of several, which no other texts give. */
function tuple(...parts: readonly string[]): string {
  return JSON.stringify(parts)
}

function entryOf<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const found = map.get(key) ?? make()
  map.set(key, found)
  return found
}

function add<Key>(counts: Map<Key, number>, key: Key, amount: number): void {
  const sum = (counts.get(key) ?? 0) + amount
  if (sum === 0) counts.delete(key)
  else counts.set(key, sum)
}
