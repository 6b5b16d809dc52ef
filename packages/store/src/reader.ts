/**
 * The reading half of a SQL store, over a connection or inside a transaction.
 *
 * @module
 */
import {
  type Agent,
  type EpochMs,
  type IntentId,
  type Person,
  type Policy,
  type Project,
  type ProjectKey,
  pageCursor,
  parsePageCursor,
  type RequestRecord,
  type Session,
  type StoreReader,
} from '@silentauth/core'
import type { Kysely } from 'kysely'
import { leafOf, parsed, stateOf } from './rows.js'
import type { AuditPayloadsTable, Tables } from './tables.js'

/** More parameters than this in one statement are refused by some engines. */
const MAX_IN_LIST = 500
/** From here on the exact number of earlier intents says nothing more. */
const COUNTED_TO = 10

export function sqlReader(db: Kysely<Tables>, now: () => EpochMs): StoreReader {
  return {
    now: async () => now(),

    async intent(id) {
      const row = await db
        .selectFrom('intents')
        .select(['declaration', 'progress'])
        .where('id', '=', id)
        .executeTakeFirst()
      return row && stateOf(row)
    },

    async intentByIdempotencyKey(scope, key) {
      const row = await db
        .selectFrom('intents')
        .select('id')
        .where('owner', '=', scope)
        .where('idempotency_key', '=', key)
        .executeTakeFirst()
      return row?.id as IntentId | undefined
    },

    async intentByPermit(id) {
      const row = await db.selectFrom('permits').select('intent_id').where('id', '=', id).executeTakeFirst()
      return row?.intent_id as IntentId | undefined
    },

    async intents({ projectId, status, decision, action, source, owners, limit, cursor }) {
      let query = db
        .selectFrom('intents')
        .select(['id', 'created_at', 'declaration', 'progress'])
        .where('project_id', '=', projectId)
        .orderBy('created_at', 'desc')
        .orderBy('id', 'desc')
        .limit(limit + 1)
      if (status !== undefined) query = query.where('status', '=', status)
      if (decision !== undefined) query = query.where('decision', '=', decision)
      if (action !== undefined) query = query.where('action', '=', action)
      if (source !== undefined) query = query.where('source', '=', source)
      if (owners !== undefined) query = query.where('owner', 'in', [...owners])
      if (cursor !== undefined) {
        const { createdAt, id } = parsePageCursor(cursor)
        query = query.where((is) =>
          is.or([is('created_at', '<', createdAt), is.and([is('created_at', '=', createdAt), is('id', '<', id)])]),
        )
      }
      const rows = owners?.length === 0 ? [] : await query.execute()
      const items = rows.slice(0, limit)
      const last = items.at(-1)
      const nextCursor =
        rows.length > limit && last ? pageCursor({ createdAt: last.created_at, id: last.id as IntentId }) : undefined
      return { items: items.map(stateOf), nextCursor }
    },

    async settledAmong(ids) {
      const settled: IntentId[] = []
      for (let index = 0; index < ids.length; index += MAX_IN_LIST) {
        const rows = await db
          .selectFrom('intents')
          .select('id')
          .where('id', 'in', ids.slice(index, index + MAX_IN_LIST))
          .where('status', '<>', 'pending')
          .execute()
        settled.push(...rows.map(({ id }) => id as IntentId))
      }
      return [...new Set(settled)]
    },

    async due(at, limit) {
      const rows = await db
        .selectFrom('intents')
        .select('id')
        .where('due_at', '<=', at)
        .orderBy('due_at')
        .orderBy('id')
        .limit(limit)
        .execute()
      return rows.map(({ id }) => id as IntentId)
    },

    async countPending(keyId) {
      const row = await db
        .selectFrom('intents')
        .select(({ fn }) => fn.countAll().as('count'))
        .where('key_id', '=', keyId)
        .where('status', '=', 'pending')
        .executeTakeFirstOrThrow()
      return Number(row.count)
    },

    async countDeclared(declaredBy, action) {
      const rows = await db
        .selectFrom('intents')
        .select('id')
        .where('declared_by', '=', declaredBy)
        .where('action', '=', action)
        .limit(COUNTED_TO)
        .execute()
      return rows.length
    },

    async sameAction({ projectId, declaredBy, action, paramsDigest }) {
      const rows = await db
        .selectFrom('intents')
        .select('id')
        .where('declared_by', '=', declaredBy)
        .where('action', '=', action)
        .where('params_digest', '=', paramsDigest)
        .where('project_id', '=', projectId)
        .where('execution_state', 'in', ['started', 'suspended', 'unknown'])
        .orderBy('created_at')
        .orderBy('id')
        .execute()
      return rows.map(({ id }) => id as IntentId)
    },

    async leaves({ projectId, from, limit }) {
      const rows = await db
        .selectFrom('audit_leaves')
        .selectAll()
        .where('project_id', '=', projectId)
        .where('sequence', '>=', from)
        .orderBy('sequence')
        .limit(limit)
        .execute()
      const payloads = new Map<string, AuditPayloadsTable[]>()
      for (let index = 0; index < rows.length; index += MAX_IN_LIST) {
        const ids = rows.slice(index, index + MAX_IN_LIST).map(({ id }) => id)
        const found = await db
          .selectFrom('audit_payloads')
          .selectAll()
          .where('leaf_id', 'in', ids)
          .orderBy('field')
          .execute()
        for (const payload of found) {
          const known = payloads.get(payload.leaf_id) ?? []
          known.push(payload)
          payloads.set(payload.leaf_id, known)
        }
      }
      return rows.map((row) => leafOf(row, payloads.get(row.id) ?? []))
    },

    project: async (id) =>
      parsed<Project>(await db.selectFrom('projects').select('body').where('id', '=', id).executeTakeFirst()),
    projects: async () => documents(await db.selectFrom('projects').select('body').orderBy('id').execute()),
    key: async (id) =>
      parsed<ProjectKey>(await db.selectFrom('project_keys').select('body').where('id', '=', id).executeTakeFirst()),
    keyBySecretHash: async (hash) =>
      parsed<ProjectKey>(
        await db.selectFrom('project_keys').select('body').where('secret_hash', '=', hash).executeTakeFirst(),
      ),
    keys: async (projectId) =>
      documents(
        await db.selectFrom('project_keys').select('body').where('project_id', '=', projectId).orderBy('id').execute(),
      ),
    agent: async (id) =>
      parsed<Agent>(await db.selectFrom('agents').select('body').where('id', '=', id).executeTakeFirst()),
    agentByFingerprint: async (projectId, fingerprint) =>
      parsed<Agent>(
        await db
          .selectFrom('agents')
          .select('body')
          .where('project_id', '=', projectId)
          .where('fingerprint', '=', fingerprint)
          .executeTakeFirst(),
      ),
    agents: async (projectId) =>
      documents(
        await db.selectFrom('agents').select('body').where('project_id', '=', projectId).orderBy('id').execute(),
      ),
    person: async (id) =>
      parsed<Person>(await db.selectFrom('people').select('body').where('id', '=', id).executeTakeFirst()),

    async directory(projectId) {
      const people = await db
        .selectFrom('people')
        .select('body')
        .where('project_id', '=', projectId)
        .orderBy('id')
        .execute()
      const groups = await db
        .selectFrom('groups')
        .select('name')
        .where('project_id', '=', projectId)
        .orderBy('name')
        .execute()
      return { people: documents<Person>(people), groups: groups.map(({ name }) => name) }
    },

    async policies(projectId) {
      const row = await db
        .selectFrom('policies')
        .select(['revision', 'body'])
        .where('project_id', '=', projectId)
        .executeTakeFirst()
      return { revision: row?.revision ?? 0, policies: parsed<Policy[]>(row) ?? [] }
    },

    sessionByCookieHash: async (hash) =>
      parsed<Session>(
        await db.selectFrom('sessions').select('body').where('cookie_hash', '=', hash).executeTakeFirst(),
      ),
    request: async (principal, key) =>
      parsed<RequestRecord>(
        await db
          .selectFrom('requests')
          .select('body')
          .where('principal', '=', principal)
          .where('key', '=', key)
          .where('expires_at', '>', now())
          .executeTakeFirst(),
      ),
  }
}

function documents<Document>(rows: readonly { readonly body: string }[]): readonly Document[] {
  return rows.map(({ body }) => JSON.parse(body) as Document)
}
