/**
 * The session of this tab: the secret that every request carries beside the HttpOnly cookie. It lives in sessionStorage, which
 * survives a reload and which no other origin or port can read; it is never in an address.
 *
 * A link opened in a new tab starts without it, so tabs of this origin hand it on to each other by BroadcastChannel.
 *
 * @module
 */
import type { EpochMs } from '@silentauth/core'

export interface Session {
  readonly secret: string
  readonly expiresAt: EpochMs
}

export type SessionState =
  /** A new tab asks the others. */
  | { readonly type: 'asking' }
  | { readonly type: 'in'; readonly session: Session }
  /** `none`: nobody has signed in here. `ended`: the gate no longer takes it. `left`: signed out by hand. */
  | { readonly type: 'out'; readonly why: 'none' | 'ended' | 'left' }

export interface SessionKeeper extends Disposable {
  state(): SessionState
  /** Calls `listener` after every change; gives the way to stop. */
  subscribe(listener: () => void): () => void
  /** After a sign-in. Other tabs that hold another session end theirs: the cookie now belongs to this one. */
  begin(session: Session): void
  /** The gate refused it. Not replaced by another tab's: that could be another person, and must be somebody's choice. */
  end(): void
  /** Forgets the secret in every tab. */
  leave(): void
  /** Asks the other tabs; `out` when none answers in time. */
  ask(): void
}

export interface SessionKeeperOptions {
  readonly storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>
  readonly channel: BroadcastChannel
  readonly now: () => EpochMs
  /** How long other tabs have to answer. @default 400 */
  readonly askMs?: number
}

export function sessionKeeper({ storage, channel, now, askMs = 400 }: SessionKeeperOptions): SessionKeeper {
  const listeners = new Set<() => void>()
  let timer: ReturnType<typeof setTimeout> | undefined
  const stored = parseSession(storage.getItem(KEY), now())
  let state: SessionState = stored ? { type: 'in', session: stored } : { type: 'out', why: 'none' }

  const become = (next: SessionState): void => {
    clearTimeout(timer)
    state = next
    if (next.type === 'in') storage.setItem(KEY, JSON.stringify(next.session))
    else storage.removeItem(KEY)
    for (const listener of listeners) listener()
  }
  const ask = (): void => {
    become({ type: 'asking' })
    channel.postMessage({ type: 'ask' })
    timer = setTimeout(() => become({ type: 'out', why: 'none' }), askMs)
  }

  channel.onmessage = ({ data }: MessageEvent<unknown>) => {
    const message = parseMessage(data, now())
    switch (message?.type) {
      case 'ask':
        if (state.type === 'in') channel.postMessage({ type: 'tell', ...state.session })
        return
      case 'tell':
        if (state.type === 'asking') become({ type: 'in', session: message.session })
        return
      case 'begun':
        if (state.type === 'asking' || (state.type === 'out' && state.why === 'none')) {
          become({ type: 'in', session: message.session })
        } else if (state.type === 'in' && state.session.secret !== message.session.secret) {
          become({ type: 'out', why: 'ended' })
        }
        return
      case 'left':
        if (state.type === 'in') become({ type: 'out', why: 'left' })
        return
      case undefined:
        return
    }
  }
  if (!stored) ask()

  return {
    state: () => state,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    begin(session) {
      become({ type: 'in', session })
      channel.postMessage({ type: 'begun', ...session })
    },
    end: () => become({ type: 'out', why: 'ended' }),
    leave() {
      become({ type: 'out', why: 'left' })
      channel.postMessage({ type: 'left' })
    },
    ask,
    [Symbol.dispose]() {
      clearTimeout(timer)
      listeners.clear()
      channel.close()
    },
  }
}

const KEY = 'silentauth.session'

/** A stored session that is still good; undefined for anything else. */
export function parseSession(text: string | null, now: EpochMs): Session | undefined {
  if (text === null) return undefined
  try {
    return sessionOf(JSON.parse(text), now)
  } catch {
    return undefined
  }
}

type Message = { type: 'ask' } | { type: 'left' } | { type: 'tell' | 'begun'; session: Session }

function parseMessage(data: unknown, now: EpochMs): Message | undefined {
  const type = (data as { type?: unknown } | null)?.type
  if (type === 'ask' || type === 'left') return { type }
  const session = type === 'tell' || type === 'begun' ? sessionOf(data, now) : undefined
  return session && { type: type as 'tell' | 'begun', session }
}

function sessionOf(value: unknown, now: EpochMs): Session | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { secret, expiresAt } = value as { secret?: unknown; expiresAt?: unknown }
  if (typeof secret !== 'string' || secret === '' || typeof expiresAt !== 'number') return undefined
  return expiresAt > now ? { secret, expiresAt } : undefined
}
