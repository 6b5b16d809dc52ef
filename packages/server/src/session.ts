/**
 * Sessions: a person who signed in with a link. A session has two halves, a cookie that scripts cannot read and a secret
 * that the page keeps and sends as `x-sa-session`: a cookie alone reaches every port of a loopback host, and a script that
 * stole the secret still lacks the cookie. Stored are hashes only.
 *
 * @module
 */
import {
  auditLeaf,
  type EpochMs,
  type JsonObject,
  newId,
  type Person,
  type Principal,
  type ProjectId,
  type Session,
  SilentAuthError,
  type Store,
  type StoreTransaction,
  type UserId,
  type Via,
} from '@silentauth/core'
import { isSecret, newSecret, sameHash, secretHash } from './secret.js'

/** A day's work; then the link in the terminal, or the next one, is needed again. */
export const SESSION_SECONDS = 12 * 3600
export const SIGN_IN_TOKEN_SECONDS = 600

export interface SignedIn {
  readonly type: 'person'
  readonly person: Person
  readonly session: Session
  readonly principal: Principal
}

export interface OpenedSession {
  readonly session: Session
  readonly cookie: string
  readonly secret: string
}

interface Where {
  readonly store: Store
  readonly projectId: ProjectId
}

/**
 * A token for the fragment of a sign-in link: ten minutes, once.
 *
 * @throws SilentAuthError `NOT_FOUND` for somebody who is not active in this project
 */
export async function issueSignInToken({ store, projectId }: Where, userId: UserId): Promise<string> {
  const token = newSecret()
  await store.transaction(async (tx) => {
    const person = await tx.person(userId)
    if (person?.projectId !== projectId || person.status !== 'active') {
      throw new SilentAuthError('NOT_FOUND', `person ${userId} is not active in this project`)
    }
    const now = await tx.now()
    const expiresAt = now + SIGN_IN_TOKEN_SECONDS * 1000
    await tx.putSignInToken({ tokenHash: secretHash(token), projectId, userId, via: 'session', expiresAt })
    await log(tx, projectId, 'system:setup', 'sign_in_link.issued', { user_id: userId }, now)
  })
  return token
}

/**
 * Turns a token into a session. `cli` is a claim that only weakens what the session's votes count for, so it is believed.
 *
 * @throws SilentAuthError `UNAUTHORIZED` for a token that was used, is over, or never was
 */
export async function openSession(
  { store, projectId }: Where,
  token: string,
  client: 'browser' | 'cli',
): Promise<OpenedSession> {
  if (!isSecret(token)) throw unusable()
  const [cookie, secret] = [newSecret(), newSecret()]
  const session = await store.transaction(async (tx): Promise<Session> => {
    const taken = await tx.takeSignInToken(secretHash(token))
    const now = await tx.now()
    if (taken?.projectId !== projectId || taken.expiresAt <= now) throw unusable()
    const person = await tx.person(taken.userId)
    if (person?.projectId !== projectId || person.status !== 'active') throw unusable()
    const opened: Session = {
      id: newId('ses'),
      projectId,
      userId: person.id,
      via: viaOf(taken.via, client),
      secretHash: secretHash(secret),
      cookieHash: secretHash(cookie),
      createdAt: now,
      expiresAt: now + SESSION_SECONDS * 1000,
    }
    await tx.putSession(opened)
    await log(tx, projectId, `user:${person.id}`, 'session.opened', { session_id: opened.id, via: opened.via }, now)
    return opened
  })
  return { session, cookie, secret }
}

/** The person behind both halves; undefined when either is missing, wrong, over, or of somebody who was disabled. */
export async function readSession(
  { store, projectId }: Where,
  cookie: string | undefined,
  secret: string | undefined,
): Promise<SignedIn | undefined> {
  if (cookie === undefined || secret === undefined || !isSecret(cookie) || !isSecret(secret)) return undefined
  const session = await store.sessionByCookieHash(secretHash(cookie))
  if (!session || !sameHash(session.secretHash, secretHash(secret))) return undefined
  return signedIn({ store, projectId }, session)
}

/** Whether a session that was read before still holds. */
export async function rereadSession(where: Where, { cookieHash, id }: Session): Promise<SignedIn | undefined> {
  const session = await where.store.sessionByCookieHash(cookieHash)
  return session?.id === id ? signedIn(where, session) : undefined
}

/** Signs out. */
export async function endSession({ store, projectId }: Where, { id, userId }: Session): Promise<void> {
  await store.transaction(async (tx) => {
    await tx.deleteSession(id)
    await log(tx, projectId, `user:${userId}`, 'session.ended', { session_id: id }, await tx.now())
  })
}

async function signedIn({ store, projectId }: Where, session: Session): Promise<SignedIn | undefined> {
  if (session.projectId !== projectId || session.expiresAt <= (await store.now())) return undefined
  const person = await store.person(session.userId)
  if (person?.projectId !== projectId || person.status !== 'active') return undefined
  const principal: Principal = { type: 'person', id: person.id, projectId, via: session.via }
  return { type: 'person', person, session, principal }
}

/** A client may say that it is the weaker channel, never that it is a stronger one. */
function viaOf(via: Via, client: 'browser' | 'cli'): Via {
  return via === 'session' && client === 'cli' ? 'cli' : via
}

/** One sentence for all reasons: whoever guesses learns nothing. */
function unusable(): SilentAuthError {
  return new SilentAuthError('UNAUTHORIZED', 'the sign-in link was used, is over, or is of another gate')
}

async function log(
  tx: StoreTransaction,
  projectId: ProjectId,
  actor: string,
  type: string,
  data: JsonObject,
  now: EpochMs,
): Promise<void> {
  const events = [{ type, intentId: undefined, data }]
  await tx.appendLeaf(auditLeaf({ projectId, actor, intentId: undefined, events, values: {} }, now))
}
