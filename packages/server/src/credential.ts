/**
 * Credentials: who a request comes from. A project key and a signed-in person are two types on different routes; each is
 * refused where the other belongs, and what a body says about people is never looked at here.
 *
 * @module
 */
import {
  type KeyPrincipal,
  type ProjectId,
  type ProjectKey,
  type Role,
  SilentAuthError,
  type Store,
} from '@silentauth/core'
import { parse as parseCookies } from 'hono/utils/cookie'
import { isProjectKey, sameHash, secretHash } from './secret.js'
import { readSession, rereadSession, type SignedIn } from './session.js'
import { requireSameSite, type Site } from './site.js'

/** Whom a route is for. */
export type Access =
  /** Everybody. */
  | 'open'
  /** Everybody, but from no other site. */
  | 'sign-in'
  /** A key of kind `agent`. */
  | 'agent'
  /** A project key; the counter asks for kind `verifier`, or for the only key of its project. */
  | 'key'
  /** A signed-in person. */
  | 'person'

export interface SignedKey {
  readonly type: 'key'
  readonly key: ProjectKey
  readonly principal: KeyPrincipal
}

export interface Credentials {
  /** @throws SilentAuthError `UNAUTHORIZED`, `FORBIDDEN`, `NOT_FOUND` for a key of another project */
  authenticate(access: Access, request: Request, roles?: readonly Role[]): Promise<SignedKey | SignedIn | undefined>
  /** Whether a session that was accepted before still holds. @throws SilentAuthError `UNAUTHORIZED` */
  recheck(who: SignedIn): Promise<SignedIn>
}

interface CredentialsOptions {
  readonly store: Store
  readonly projectId: ProjectId
  readonly site: Site
}

/** Header with the half of a session that is no cookie. */
const SESSION_HEADER = 'x-sa-session'

export function credentials(options: CredentialsOptions): Credentials {
  const { store, site } = options

  const session = ({ headers }: Request): Promise<SignedIn | undefined> => {
    const cookie = parseCookies(headers.get('cookie') ?? '', site.cookieName)[site.cookieName]
    return readSession(options, cookie, headers.get(SESSION_HEADER) ?? undefined)
  }

  /** @returns undefined without an Authorization header */
  const key = async ({ headers }: Request): Promise<SignedKey | undefined> => {
    const authorization = headers.get('authorization')
    if (authorization === null) return undefined
    const secret = /^Bearer +(\S+)$/i.exec(authorization)?.[1] ?? ''
    if (!isProjectKey(secret)) throw unauthorized('the Authorization header holds no project key')
    const hash = secretHash(secret)
    const found = await store.keyBySecretHash(hash)
    if (!found || !sameHash(found.secretHash, hash)) throw unauthorized('this project key is not known')
    return signedKey(found)
  }

  const authenticateKey = async (request: Request, access: 'agent' | 'key'): Promise<SignedKey> => {
    const found = await key(request)
    if (!found) {
      if (await session(request)) throw new SilentAuthError('FORBIDDEN', 'a session is no project key')
      throw unauthorized('a project key is missing')
    }
    if (found.key.projectId !== options.projectId) {
      throw new SilentAuthError('NOT_FOUND', `project ${found.key.projectId} is not served here`)
    }
    if (access === 'agent' && found.key.kind !== 'agent') {
      throw new SilentAuthError('FORBIDDEN', `key ${found.key.id} is a ${found.key.kind} key`)
    }
    return found
  }

  const authenticatePerson = async (request: Request, roles: readonly Role[] | undefined): Promise<SignedIn> => {
    // Whatever else the request carries: who asks with a key is an agent, or has an agent's key.
    const asked = await key(request)
    if (asked) throw new SilentAuthError('FORBIDDEN', `key ${asked.key.id} is a project key, and cannot decide`)
    requireSameSite(site, request.headers, request.url)
    const found = await session(request)
    if (!found) throw unauthorized('nobody is signed in with both cookie and x-sa-session')
    requireRole(found, roles)
    return found
  }

  return {
    async authenticate(access, request, roles) {
      switch (access) {
        case 'open':
          return undefined
        case 'sign-in':
          requireSameSite(site, request.headers, request.url)
          return undefined
        case 'agent':
        case 'key':
          return authenticateKey(request, access)
        case 'person':
          return authenticatePerson(request, roles)
      }
    },

    async recheck(who) {
      const found = await rereadSession(options, who.session)
      if (!found) throw unauthorized('the session has ended')
      return found
    },
  }
}

function signedKey(key: ProjectKey): SignedKey {
  if (key.status !== 'active') throw unauthorized(`key ${key.id} is disabled`)
  return { type: 'key', key, principal: { type: 'key', id: key.id, projectId: key.projectId } }
}

function requireRole({ person }: SignedIn, roles: readonly Role[] | undefined): void {
  if (roles === undefined || roles.some((role) => person.roles.includes(role))) return
  throw new SilentAuthError('FORBIDDEN', `person ${person.id} has none of the roles ${roles.join(', ')}`)
}

function unauthorized(message: string): SilentAuthError {
  return new SilentAuthError('UNAUTHORIZED', message)
}
