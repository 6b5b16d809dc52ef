/**
 * Rows of a SQL store that are of use for a while: sessions, sign-in tokens, earlier requests. What has expired goes when the
 * next of its kind comes.
 *
 * @module
 */
import type { EpochMs, RequestRecord, Session, SignInToken, StoreReader, StoreTransaction } from '@silentauth/core'
import { type Connection, first, type Query } from './connection.js'
import type { Builder, DatabaseClock } from './engine.js'
import { statement } from './statement.js'

export interface SqlExpiring {
  reader(connection: Connection): Pick<StoreReader, 'sessionByCookieHash' | 'request'>
  writer(
    connection: Connection,
  ): Pick<
    StoreTransaction,
    'putSession' | 'deleteSession' | 'deleteSessions' | 'putSignInToken' | 'takeSignInToken' | 'putRequest'
  >
}

export function sqlExpiring(db: Builder, { now }: DatabaseClock): SqlExpiring {
  const ask = { ...signInStatements(db), ...requestStatements(db) }
  return {
    reader: (connection) => ({
      sessionByCookieHash: (cookieHash) => one<Session>(connection, ask.sessionByCookieHash({ cookieHash })),
      async request(principal, key) {
        return one<RequestRecord>(connection, ask.request({ principal, key, now: await now(connection) }))
      },
    }),
    writer: (connection) => ({
      async putSession(session) {
        await connection.run(ask.forgetSessions({ now: await now(connection) }))
        await connection.run(ask.putSession({ ...session, body: JSON.stringify(session) }))
      },
      deleteSession: (id) => connection.run(ask.deleteSession({ id })),
      async deleteSessions(projectId) {
        const sessions = await connection.all<{ id: string; body: string }>(ask.everySession({}))
        for (const { id, body } of sessions) {
          if ((JSON.parse(body) as Session).projectId === projectId) await connection.run(ask.deleteSession({ id }))
        }
        const tokens = await connection.all<{ hash: string; body: string }>(ask.everySignInToken({}))
        for (const { hash, body } of tokens) {
          if ((JSON.parse(body) as SignInToken).projectId === projectId) {
            await connection.run(ask.takeSignInToken({ tokenHash: hash }))
          }
        }
      },
      async putSignInToken(token) {
        await connection.run(ask.forgetSignInTokens({ now: await now(connection) }))
        await connection.run(ask.putSignInToken({ ...token, body: JSON.stringify(token) }))
      },
      async takeSignInToken(tokenHash) {
        return one<SignInToken>(connection, ask.takeSignInToken({ tokenHash }))
      },
      async putRequest(record) {
        await connection.run(ask.forgetRequests({ now: await now(connection) }))
        await connection.run(ask.putRequest({ ...record, body: JSON.stringify(record) }))
      },
    }),
  }
}

async function one<Document>(connection: Connection, query: Query): Promise<Document | undefined> {
  const row = await first<{ body: string }>(connection, query)
  return row && (JSON.parse(row.body) as Document)
}

function signInStatements(db: Builder) {
  return {
    sessionByCookieHash: statement(({ cookieHash }: { cookieHash: string }) =>
      db.selectFrom('sessions').select('body').where('cookie_hash', '=', cookieHash),
    ),
    forgetSessions: statement(({ now }: { now: EpochMs }) => db.deleteFrom('sessions').where('expires_at', '<=', now)),
    putSession: statement((row: { id: string; cookieHash: string; expiresAt: EpochMs; body: string }) =>
      db
        .insertInto('sessions')
        .values({ id: row.id, cookie_hash: row.cookieHash, expires_at: row.expiresAt, body: row.body })
        .onConflict((on) =>
          on.column('id').doUpdateSet({ cookie_hash: row.cookieHash, expires_at: row.expiresAt, body: row.body }),
        ),
    ),
    deleteSession: statement(({ id }: { id: string }) => db.deleteFrom('sessions').where('id', '=', id)),
    everySession: statement(() => db.selectFrom('sessions').select(['id', 'body'])),
    everySignInToken: statement(() => db.selectFrom('sign_in_tokens').select(['token_hash as hash', 'body'])),
    forgetSignInTokens: statement(({ now }: { now: EpochMs }) =>
      db.deleteFrom('sign_in_tokens').where('expires_at', '<=', now),
    ),
    putSignInToken: statement(
      ({ tokenHash, expiresAt, body }: { tokenHash: string; expiresAt: EpochMs; body: string }) =>
        db
          .insertInto('sign_in_tokens')
          .values({ token_hash: tokenHash, expires_at: expiresAt, body })
          .onConflict((on) => on.column('token_hash').doUpdateSet({ expires_at: expiresAt, body })),
    ),
    takeSignInToken: statement(({ tokenHash }: { tokenHash: string }) =>
      db.deleteFrom('sign_in_tokens').where('token_hash', '=', tokenHash).returning('body'),
    ),
  }
}

function requestStatements(db: Builder) {
  return {
    request: statement(({ principal, key, now }: { principal: string; key: string; now: EpochMs }) =>
      db
        .selectFrom('requests')
        .select('body')
        .where('principal', '=', principal)
        .where('key', '=', key)
        .where('expires_at', '>', now),
    ),
    forgetRequests: statement(({ now }: { now: EpochMs }) => db.deleteFrom('requests').where('expires_at', '<=', now)),
    putRequest: statement((row: { principal: string; key: string; expiresAt: EpochMs; body: string }) =>
      db
        .insertInto('requests')
        .values({ principal: row.principal, key: row.key, expires_at: row.expiresAt, body: row.body }),
    ),
  }
}
