/**
 * The intents of a SQL store: one row each, and narrow rows beside it whose keys hold a rule.
 *
 * @module
 */
import {
  type DueQuery,
  type EpochMs,
  type IntentId,
  type IntentQuery,
  pageCursor,
  parsePageCursor,
  type State,
  type StatePage,
  type StoreReader,
  type StoreTransaction,
  seatsOf,
} from '@silentauth/core'
import { sql } from 'kysely'
import { type Connection, first } from './connection.js'
import type { Builder, Engine } from './engine.js'
import {
  intentRow,
  type Listed,
  type ProgressColumns,
  progressColumns,
  STATE_COLUMNS,
  type StateRow,
  stateOf,
} from './intent-row.js'
import type { SqlPermitTraces } from './permit-traces.js'
import type { SqlRecordedResults } from './recorded-results.js'
import { statement } from './statement.js'
import type { IntentsTable } from './tables.js'

export type IntentReader = Pick<
  StoreReader,
  | 'intent'
  | 'intentByIdempotencyKey'
  | 'intentByPermit'
  | 'intents'
  | 'settledAmong'
  | 'due'
  | 'endedIntents'
  | 'countPending'
  | 'countDeclared'
  | 'sameAction'
>
export type IntentWriter = Pick<StoreTransaction, 'lockIntent' | 'insertIntent' | 'updateIntent' | 'deleteIntent'>

export interface SqlIntents {
  reader(connection: Connection): IntentReader
  /** Of one transaction. */
  writer(connection: Connection): IntentWriter
}

/** More parameters than this in one statement are refused by some engines. */
const MAX_IN_LIST = 500
/** From here on the exact number of earlier intents says nothing more. */
const COUNTED_TO = 10

export function sqlIntents(
  db: Builder,
  { rowLocks }: Pick<Engine, 'rowLocks'>,
  traces: Pick<SqlPermitTraces, 'write' | 'remove'>,
  results: Pick<SqlRecordedResults, 'remove'>,
): SqlIntents {
  const ask = intentStatements(db, rowLocks)

  /** One page of at most one owner: an index gives it in its order, whatever else there is. */
  async function page(connection: Connection, query: Omit<IntentQuery, 'owners'>, owner?: string): Promise<Listed[]> {
    const { projectId, status, decision, action, source, limit, cursor } = query
    let select = db
      .selectFrom('intents')
      .select(STATE_COLUMNS)
      .where('project_id', '=', projectId)
      .orderBy('created_at', 'desc')
      .orderBy('id', 'desc')
      .limit(limit + 1)
    if (owner !== undefined) select = select.where('owner', '=', owner)
    if (status !== undefined) select = select.where('status', '=', status)
    if (decision !== undefined) select = select.where('decision', '=', decision)
    if (action !== undefined) select = select.where('action', '=', action)
    if (source !== undefined) select = select.where('source', '=', source)
    if (cursor !== undefined) {
      const { createdAt, id } = parsePageCursor(cursor)
      select = select.where(({ eb, refTuple, tuple }) =>
        eb(refTuple('created_at', 'id'), '<', tuple(createdAt, id as string)),
      )
    }
    return [...(await connection.all<Listed>(select.compile()))]
  }

  function reader(connection: Connection): IntentReader {
    const ids = async (query: Parameters<Connection['all']>[0]): Promise<IntentId[]> =>
      (await connection.all<{ id: IntentId }>(query)).map(({ id }) => id)
    return {
      async intent(id) {
        const row = await first<StateRow>(connection, ask.byId({ id }))
        return row && stateOf(row)
      },
      async intentByIdempotencyKey(owner, key) {
        return (await ids(ask.byIdempotencyKey({ owner, key })))[0]
      },
      async intentByPermit(id) {
        return (await ids(ask.byPermit({ id })))[0]
      },
      async intents({ owners, ...query }) {
        const { limit } = query
        const pages =
          owners === undefined
            ? [await page(connection, query)]
            : await Promise.all([...new Set(owners)].map((owner) => page(connection, query, owner)))
        return pageOf(pages.length === 1 ? (pages[0] ?? []) : pages.flat().sort(newestFirst), limit)
      },
      async settledAmong(all) {
        const settled = new Set<IntentId>()
        for (let index = 0; index < all.length; index += MAX_IN_LIST) {
          const among = db
            .selectFrom('intents')
            .select('id')
            .where('id', 'in', all.slice(index, index + MAX_IN_LIST))
            .where('status', '<>', 'pending')
          for (const id of await ids(among.compile())) settled.add(id)
        }
        return [...settled]
      },
      due: (query) => ids(ask.due(query)),
      async endedIntents({ projectId, before, limit, after }) {
        let select = db
          .selectFrom('intents')
          .select(['created_at', 'id'])
          .where('project_id', '=', projectId)
          .where('created_at', '<=', before)
          .where('status', '<>', 'pending')
          .where('is_open', '=', 0)
          .where('due_at', 'is', null)
          .orderBy('created_at')
          .orderBy('id')
          .limit(limit)
        if (after !== undefined) {
          select = select.where(({ eb, refTuple, tuple }) =>
            eb(refTuple('created_at', 'id'), '>', tuple(after.createdAt, after.id as string)),
          )
        }
        const rows = await connection.all<{ created_at: EpochMs; id: IntentId }>(select.compile())
        return rows.map(({ created_at, id }) => ({ createdAt: Number(created_at), id }))
      },
      async countPending(keyId) {
        const row = await first<{ count: number }>(connection, ask.countPending({ keyId }))
        return Number(row?.count ?? 0)
      },
      async countDeclared(declaredBy, action) {
        const row = await first<{ count: number }>(connection, ask.countDeclared({ declaredBy, action }))
        return Number(row?.count ?? 0)
      },
      sameAction: ({ projectId, declaredBy, action, paramsDigest }) =>
        ids(ask.sameAction({ projectId, declaredBy, action, paramsDigest })),
    }
  }

  function writer(connection: Connection): IntentWriter {
    /** As they were when this transaction locked or wrote them. */
    const locked = new Map<IntentId, State>()

    return {
      async lockIntent(id) {
        const row = await first<StateRow>(connection, ask.locked({ id }))
        if (!row) return undefined
        const state = stateOf(row)
        locked.set(id, state)
        return state
      },
      async insertIntent(state) {
        const { id, owner, idempotency } = state.declaration
        await connection.run(ask.insert(intentRow(state)))
        if (idempotency) await connection.run(ask.insertIdempotencyKey({ owner, key: idempotency.key, id }))
        await insertAppended(connection, state, undefined)
        locked.set(id, state)
      },
      async updateIntent(state) {
        const { id } = state.declaration
        const before = locked.get(id)
        if (!before) throw new TypeError(`${id} was not locked by this transaction`)
        await connection.run(ask.update({ id, ...progressColumns(state) }))
        await insertAppended(connection, state, before)
        locked.set(id, state)
      },
      async deleteIntent(id) {
        const before = locked.get(id)
        if (!before) throw new TypeError(`${id} was not locked by this transaction`)
        for (const permit of before.permits) await connection.run(ask.deletePermit({ id: permit.id }))
        await connection.run(ask.deleteVotes({ id }))
        await connection.run(ask.deleteRedemptions({ id }))
        await traces.remove(connection, before)
        await results.remove(connection, id)
        await connection.run(ask.delete({ id }))
        locked.delete(id)
      },
    }
  }

  /** Rows whose keys hold a rule: one vote per person, one intent per permit, one first use of an approval. */
  async function insertAppended(connection: Connection, after: State, before: State | undefined): Promise<void> {
    const intentId = after.declaration.id
    for (const personId of seatsOf(after.votes.slice(before?.votes.length ?? 0))) {
      await connection.run(ask.insertVote({ intentId, personId }))
    }
    for (const { id } of after.permits.slice(before?.permits.length ?? 0)) {
      await connection.run(ask.insertPermit({ intentId, id }))
    }
    for (const { id, replayed } of after.redemptions.slice(before?.redemptions.length ?? 0)) {
      await connection.run(ask.insertRedemption({ intentId, use: replayed ? id : 'first', id }))
    }
    await traces.write(connection, after, before)
  }

  return { reader, writer }
}

/** Written out where an index is of those rows only: an engine cannot tell it from a parameter. */
const PENDING = sql.lit('pending')
const OPEN = sql.lit(1)

function intentStatements(db: Builder, rowLocks: boolean) {
  const ids = db.selectFrom('intents').select('id')
  const byId = ({ id }: { id: string }) =>
    db.selectFrom('intents').select(['params', 'declaration', 'progress']).where('id', '=', id)
  return {
    byId: statement(byId),
    locked: statement((values: { id: string }) => (rowLocks ? byId(values).forUpdate() : byId(values))),
    byIdempotencyKey: statement(({ owner, key }: { owner: string; key: string }) =>
      db.selectFrom('idempotency_keys').select('intent_id as id').where('owner', '=', owner).where('key', '=', key),
    ),
    byPermit: statement(({ id }: { id: string }) =>
      db.selectFrom('permits').select('intent_id as id').where('id', '=', id),
    ),
    due: statement(({ projectId, now, limit }: DueQuery) =>
      ids.where('project_id', '=', projectId).where('due_at', '<=', now).orderBy('due_at').orderBy('id').limit(limit),
    ),
    countPending: statement(({ keyId }: { keyId: string }) =>
      db
        .selectFrom('intents')
        .select(({ fn }) => fn.countAll().as('count'))
        .where('key_id', '=', keyId)
        .where('status', '=', PENDING),
    ),
    countDeclared: statement(({ declaredBy, action }: { declaredBy: string; action: string }) =>
      db
        .selectFrom(
          db
            .selectFrom('intents')
            .select(sql.lit(1).as('one'))
            .where('declared_by', '=', declaredBy)
            .where('action', '=', action)
            .limit(sql.lit(COUNTED_TO))
            .as('some'),
        )
        .select(({ fn }) => fn.countAll().as('count')),
    ),
    sameAction: statement((same: { projectId: string; declaredBy: string; action: string; paramsDigest: string }) =>
      ids
        .where('declared_by', '=', same.declaredBy)
        .where('action', '=', same.action)
        .where('params_digest', '=', same.paramsDigest)
        .where('project_id', '=', same.projectId)
        .where('is_open', '=', OPEN)
        .orderBy('created_at')
        .orderBy('id'),
    ),
    insert: statement((row: IntentsTable) =>
      db.insertInto('intents').values({
        id: row.id,
        project_id: row.project_id,
        owner: row.owner,
        key_id: row.key_id,
        declared_by: row.declared_by,
        action: row.action,
        source: row.source,
        params: row.params,
        params_digest: row.params_digest,
        decision: row.decision,
        created_at: row.created_at,
        declaration: row.declaration,
        status: row.status,
        is_open: row.is_open,
        due_at: row.due_at,
        progress: row.progress,
      }),
    ),
    update: statement((row: ProgressColumns & { id: string }) =>
      db
        .updateTable('intents')
        .set({ status: row.status, is_open: row.is_open, due_at: row.due_at, progress: row.progress })
        .where('id', '=', row.id),
    ),
    delete: statement(({ id }: { id: string }) => db.deleteFrom('intents').where('id', '=', id)),
    deleteVotes: statement(({ id }: { id: string }) => db.deleteFrom('votes').where('intent_id', '=', id)),
    deleteRedemptions: statement(({ id }: { id: string }) => db.deleteFrom('redemptions').where('intent_id', '=', id)),
    deletePermit: statement(({ id }: { id: string }) => db.deleteFrom('permits').where('id', '=', id)),
    insertIdempotencyKey: statement(({ owner, key, id }: { owner: string; key: string; id: string }) =>
      db.insertInto('idempotency_keys').values({ owner, key, intent_id: id }),
    ),
    insertVote: statement(({ intentId, personId }: { intentId: string; personId: string }) =>
      db.insertInto('votes').values({ intent_id: intentId, person_id: personId }),
    ),
    insertPermit: statement(({ intentId, id }: { intentId: string; id: string }) =>
      db.insertInto('permits').values({ id, intent_id: intentId }),
    ),
    insertRedemption: statement(({ intentId, use, id }: { intentId: string; use: string; id: string }) =>
      db.insertInto('redemptions').values({ intent_id: intentId, use, redemption_id: id }),
    ),
  }
}

function pageOf(rows: readonly Listed[], limit: number): StatePage {
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  const nextCursor =
    rows.length > limit && last ? pageCursor({ createdAt: last.created_at, id: last.id as IntentId }) : undefined
  return { items: items.map(stateOf), nextCursor }
}

function newestFirst(one: Listed, other: Listed): number {
  return other.created_at - one.created_at || (one.id < other.id ? 1 : -1)
}
