/**
 * Live updates: one event stream per browser, held by one visible tab. A browser allows six connections per host over
 * HTTP/1.1, so a stream per tab would hang the seventh: a Web Lock says who streams, a BroadcastChannel tells the others.
 *
 * Events are hints: whoever hears one reads again.
 *
 * @module
 */
import { isSilentAuthError, randomToken } from '@silentauth/core'
import { readEvents } from './event-stream.js'

export interface LiveUpdates extends Disposable {
  /** Whether changes are being pushed, here or through another tab; else the pages poll faster. */
  connected(): boolean
  subscribe(listener: () => void): () => void
}

export interface LiveOptions {
  readonly open: (signal: AbortSignal) => Promise<Response>
  /** Something may have changed. */
  readonly onHint: () => void
  readonly channel: BroadcastChannel
  /** Undefined where Web Locks are missing: then every visible tab streams. */
  readonly locks: Pick<LockManager, 'request'> | undefined
  readonly page: Pick<Document, 'visibilityState' | 'addEventListener' | 'removeEventListener'>
  /** @default 45_000, more than two heartbeats of the gate */
  readonly silenceMs?: number
  /** First pause before a reconnect; doubles up to 30 s. @default 1_000 */
  readonly retryMs?: number
}

export function liveUpdates(options: LiveOptions): LiveUpdates {
  const { open, onHint, channel, locks, page, silenceMs = 45_000, retryMs = 1_000 } = options
  const listeners = new Set<() => void>()
  const self = randomToken()
  /** The tab that streamed last. */
  let leader: unknown
  let connected = false
  let quiet: ReturnType<typeof setTimeout> | undefined
  let turn: AbortController | undefined

  const setConnected = (next: boolean): void => {
    clearTimeout(quiet)
    // Nobody says goodbye: a tab that streams for the others may be closed at any moment.
    if (next) quiet = setTimeout(() => setConnected(false), silenceMs)
    if (connected === next) return
    connected = next
    for (const listener of listeners) listener()
  }
  const tell = (type: 'alive' | 'hint' | 'gone'): void => channel.postMessage({ type, by: self })
  channel.onmessage = ({ data }: MessageEvent<unknown>) => {
    const { type, by } = (data ?? {}) as { type?: unknown; by?: unknown }
    if (type === 'alive' || type === 'hint') {
      leader = by
      setConnected(true)
    }
    // A hidden tab reads again when it is looked at.
    if (type === 'hint' && page.visibilityState === 'visible') onHint()
    // Messages of two tabs arrive in any order: the farewell of the former one says nothing about the next.
    if (type === 'gone' && by === leader) setConnected(false)
  }

  const stream = async (signal: AbortSignal, onAlive: () => void): Promise<void> => {
    const silence = new AbortController()
    let timer = setTimeout(() => silence.abort(), silenceMs)
    const alive = (): void => {
      clearTimeout(timer)
      timer = setTimeout(() => silence.abort(), silenceMs)
      onAlive()
      leader = self
      setConnected(true)
      tell('alive')
    }
    try {
      const response = await open(AbortSignal.any([signal, silence.signal]))
      if (!response.body) throw new TypeError('the stream has no body')
      alive()
      await readEvents(response.body, {
        onBytes: alive,
        onEvent: () => {
          onHint()
          tell('hint')
        },
      })
    } finally {
      clearTimeout(timer)
    }
  }
  const lead = async (signal: AbortSignal): Promise<void> => {
    let failures = 0
    while (!signal.aborted) {
      let wait: number | undefined
      try {
        await stream(signal, () => {
          failures = 0
        })
      } catch (error) {
        if (signal.aborted) break
        // Not this tab's to hold: without a session it would keep the others from streaming.
        if (isSilentAuthError(error) && error.code === 'UNAUTHORIZED') break
        if (isSilentAuthError(error) && error.retryAfterSeconds) wait = error.retryAfterSeconds * 1_000
      }
      setConnected(false)
      tell('gone')
      const backOff = Math.min(30_000, retryMs * 2 ** failures++) * (0.75 + Math.random() / 2)
      await pause(wait ?? backOff, signal)
    }
    setConnected(false)
    tell('gone')
  }
  const look = (): void => {
    if (page.visibilityState !== 'visible') {
      turn?.abort()
      turn = undefined
      setConnected(false)
      return
    }
    if (turn !== undefined) return
    turn = new AbortController()
    const { signal } = turn
    const run = locks ? locks.request(LOCK, { signal }, () => lead(signal)) : lead(signal)
    // Aborted while waiting for the lock.
    void Promise.resolve(run).catch(() => undefined)
  }
  const onVisibility = (): void => {
    // Whatever happened while nobody looked.
    if (page.visibilityState === 'visible') onHint()
    look()
  }
  page.addEventListener('visibilitychange', onVisibility)
  look()

  return {
    connected: () => connected,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    [Symbol.dispose]() {
      page.removeEventListener('visibilitychange', onVisibility)
      turn?.abort()
      clearTimeout(quiet)
      listeners.clear()
      channel.close()
    },
  }
}

const LOCK = 'silentauth.live'

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done)
    if (signal.aborted) done()
  })
}
