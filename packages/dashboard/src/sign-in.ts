/**
 * Signing in: the link carries a single-use token in its fragment, which browsers send to nobody. It is taken out of the
 * address bar before anything else happens, and exchanged for a session once.
 *
 * @module
 */
import { type ErrorCode, isSilentAuthError } from '@silentauth/core'
import type { Session } from './session.js'

export interface SignInLink {
  readonly token: string
  /** Where to go afterwards: a page of ours. */
  readonly next: string
}

export type SignInState =
  /** `/sign-in` was opened without a token. */
  | { readonly type: 'empty' }
  | { readonly type: 'working' }
  | { readonly type: 'done'; readonly next: string }
  | { readonly type: 'failed'; readonly code: ErrorCode }

export interface SignIn {
  state(): SignInState
  subscribe(listener: () => void): () => void
  /** Takes a link that was just opened, if there is one. */
  take(): void
  /** Tries the same token again, after a failure that did not use it up. */
  retry(): void
}

export interface SignInOptions {
  /** `POST /api/session`. */
  readonly exchange: (token: string) => Promise<Session>
  readonly begin: (session: Session) => void
  readonly location: Pick<Location, 'pathname' | 'hash'>
  readonly history: Pick<History, 'replaceState'>
}

export const SIGN_IN_PATH = '/sign-in'

export function signIn({ exchange, begin, location, history }: SignInOptions): SignIn {
  const listeners = new Set<() => void>()
  let state: SignInState = { type: 'empty' }
  let link: SignInLink | undefined

  const become = (next: SignInState): void => {
    state = next
    for (const listener of listeners) listener()
  }
  const run = async (taken: SignInLink): Promise<void> => {
    become({ type: 'working' })
    try {
      begin(await exchange(taken.token))
      link = undefined
      become({ type: 'done', next: taken.next })
    } catch (error) {
      const code = isSilentAuthError(error) ? error.code : 'GATE_UNAVAILABLE'
      if (!mayRetry(code)) link = undefined
      become({ type: 'failed', code })
    }
  }

  return {
    state: () => state,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    take() {
      if (location.pathname !== SIGN_IN_PATH) return
      const found = parseSignInLink(location.hash)
      // First of all, whatever the fragment holds: it must not stay in the address bar, nor in the history.
      if (location.hash !== '') history.replaceState(null, '', SIGN_IN_PATH)
      if (found === undefined || state.type === 'working') return
      link = found
      void run(found)
    },
    retry() {
      if (link !== undefined && state.type === 'failed') void run(link)
    },
  }
}

/** The token was not looked at, so it is still good. */
export function mayRetry(code: ErrorCode): boolean {
  return code === 'GATE_UNAVAILABLE' || code === 'RATE_LIMITED' || code === 'DB_ERROR' || code === 'AUDIT_UNAVAILABLE'
}

/** `#token=…&next=/inbox/int_…`; undefined without a token. */
export function parseSignInLink(hash: string): SignInLink | undefined {
  const fields = new URLSearchParams(hash.replace(/^#/, ''))
  const token = fields.get('token')
  if (token === null || token === '') return undefined
  const next = fields.get('next')
  return { token, next: next !== null && isOwnPage(next) ? next : '/inbox' }
}

/** By the list of our own pages: whoever makes links must not be able to send a person anywhere else. */
export function isOwnPage(path: string): boolean {
  return /^\/inbox(\/int_[A-Za-z0-9_-]{1,64})?$/.test(path)
}
