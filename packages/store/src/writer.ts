/**
 * The writing half of a SQL store: everything happens inside one transaction of its caller.
 *
 * @module
 */
import {
  type EpochMs,
  type IntentId,
  type SignInToken,
  SilentAuthError,
  type State,
  type StoreReader,
  type StoreTransaction,
} from '@silentauth/core'
import type { Transaction } from 'kysely'
import { intentProgress, intentRow, leafRow, parsed, payloadRows } from './rows.js'
import type { Tables } from './tables.js'

export function sqlWriter(db: Transaction<Tables>, reader: StoreReader, now: () => EpochMs): StoreTransaction {
  /** As they were when this transaction locked them: what was appended since then is inserted, nothing else. */
  const locked = new Map<IntentId, State>()

  return {
    ...reader,

    async lockIntent(id) {
      const state = await reader.intent(id)
      if (state) locked.set(id, state)
      return state
    },

    async insertIntent(state) {
      await db.insertInto('intents').values(intentRow(state)).execute()
      await insertAppended(db, state, undefined)
      locked.set(state.declaration.id, state)
    },

    async updateIntent(state) {
      const { id } = state.declaration
      const before = locked.get(id)
      if (!before) throw new TypeError(`${id} was not locked by this transaction`)
      await db.updateTable('intents').set(intentProgress(state)).where('id', '=', id).execute()
      await insertAppended(db, state, before)
      locked.set(id, state)
    },

    async appendLeaf(leaf) {
      try {
        const last = await db
          .selectFrom('audit_leaves')
          .select('sequence')
          .where('project_id', '=', leaf.projectId)
          .orderBy('sequence', 'desc')
          .limit(1)
          .executeTakeFirst()
        await db
          .insertInto('audit_leaves')
          .values(leafRow(leaf, (last?.sequence ?? -1) + 1))
          .execute()
        const payloads = payloadRows(leaf)
        if (payloads.length > 0) await db.insertInto('audit_payloads').values(payloads).execute()
      } catch (cause) {
        throw new SilentAuthError('AUDIT_UNAVAILABLE', `leaf ${leaf.id} could not be written`, { cause })
      }
    },

    async enqueue(rows) {
      if (rows.length === 0) return
      const values = rows.map((row) => ({
        id: row.id,
        project_id: row.projectId,
        intent_id: row.intentId,
        event: row.event,
        created_at: row.createdAt,
        next_at: row.createdAt,
        done_at: null,
      }))
      await db.insertInto('outbox').values(values).execute()
    },

    async putProject(project) {
      const body = JSON.stringify(project)
      await db
        .insertInto('projects')
        .values({ id: project.id, body })
        .onConflict((on) => on.column('id').doUpdateSet({ body }))
        .execute()
    },

    async putKey(key) {
      const changes = { secret_hash: key.secretHash, body: JSON.stringify(key) }
      await db
        .insertInto('project_keys')
        .values({ id: key.id, project_id: key.projectId, ...changes })
        .onConflict((on) => on.column('id').doUpdateSet(changes))
        .execute()
    },

    async putAgent(agent) {
      const changes = { fingerprint: agent.fingerprint, body: JSON.stringify(agent) }
      await db
        .insertInto('agents')
        .values({ id: agent.id, project_id: agent.projectId, ...changes })
        .onConflict((on) => on.column('id').doUpdateSet(changes))
        .execute()
    },

    async putPerson(person) {
      const body = JSON.stringify(person)
      await db
        .insertInto('people')
        .values({ id: person.id, project_id: person.projectId, body })
        .onConflict((on) => on.column('id').doUpdateSet({ body }))
        .execute()
    },

    async putGroup(projectId, name) {
      await db
        .insertInto('groups')
        .values({ project_id: projectId, name })
        .onConflict((on) => on.columns(['project_id', 'name']).doNothing())
        .execute()
    },

    async putPolicies(projectId, policies) {
      const { revision } = await reader.policies(projectId)
      const changes = { revision: revision + 1, body: JSON.stringify(policies) }
      await db
        .insertInto('policies')
        .values({ project_id: projectId, ...changes })
        .onConflict((on) => on.column('project_id').doUpdateSet(changes))
        .execute()
    },

    async putSession(session) {
      await db.deleteFrom('sessions').where('expires_at', '<=', now()).execute()
      const changes = {
        cookie_hash: session.cookieHash,
        expires_at: session.expiresAt,
        body: JSON.stringify(session),
      }
      await db
        .insertInto('sessions')
        .values({ id: session.id, ...changes })
        .onConflict((on) => on.column('id').doUpdateSet(changes))
        .execute()
    },

    async deleteSession(id) {
      await db.deleteFrom('sessions').where('id', '=', id).execute()
    },

    async putSignInToken(token) {
      await db.deleteFrom('sign_in_tokens').where('expires_at', '<=', now()).execute()
      const body = JSON.stringify(token)
      await db
        .insertInto('sign_in_tokens')
        .values({ token_hash: token.tokenHash, expires_at: token.expiresAt, body })
        .execute()
    },

    async takeSignInToken(tokenHash) {
      const row = await db
        .deleteFrom('sign_in_tokens')
        .where('token_hash', '=', tokenHash)
        .returning('body')
        .executeTakeFirst()
      return parsed<SignInToken>(row)
    },

    async putRequest(record) {
      await db.deleteFrom('requests').where('expires_at', '<=', now()).execute()
      const { principal, key, expiresAt } = record
      await db
        .insertInto('requests')
        .values({ principal, key, expires_at: expiresAt, body: JSON.stringify(record) })
        .execute()
    },
  }
}

/** Rows whose keys hold a rule: one vote per person, one intent per permit, one first use of an approval. */
async function insertAppended(db: Transaction<Tables>, after: State, before: State | undefined): Promise<void> {
  const intent_id = after.declaration.id
  const votes = after.votes.slice(before?.votes.length ?? 0)
  if (votes.length > 0) {
    await db
      .insertInto('votes')
      .values(votes.map(({ by }) => ({ intent_id, person_id: by })))
      .execute()
  }
  const permits = after.permits.slice(before?.permits.length ?? 0)
  if (permits.length > 0) {
    await db
      .insertInto('permits')
      .values(permits.map(({ id }) => ({ id, intent_id })))
      .execute()
  }
  const redemptions = after.redemptions.slice(before?.redemptions.length ?? 0)
  if (redemptions.length > 0) {
    await db
      .insertInto('redemptions')
      .values(redemptions.map(({ id, replayed }) => ({ intent_id, use: replayed ? id : 'first', redemption_id: id })))
      .execute()
  }
}
