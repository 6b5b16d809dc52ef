/**
 * The revocation poll of a verifier: the latest list of its gate, read again and again, and kept while the source fails for as
 * long as it is good, and not a moment longer. Without a good list nothing can be said of any permit, so all are refused.
 *
 * @module
 */
import {
  type EpochMs,
  type KeyRing,
  keyRing,
  MAX_LIST_LENGTH,
  type Revocable,
  type RevocationList,
  readRevocationList,
  SilentAuthError,
} from '@silentauth/core'
import type { JSONWebKeySet } from 'jose'
import { cappedText } from './capped-text.js'
import { gateUrl } from './gate-url.js'
import { permitKeys } from './permit-keys.js'
import { sleep, within } from './time-limit.js'

interface PollOptions {
  /**
   * The pinned public key of lists: a key set, or the path of the gate's `revocations.jwks.json`. Never a URL, and never the
   * keys of permits: who stole one of them must not be able to take its revocation back.
   */
  readonly keys: JSONWebKeySet | KeyRing | string
  /** Between two readings, with jitter; failed ones are repeated sooner. @default 15_000 */
  readonly pollMs?: number | undefined
  /** Of one reading. @default 5_000 */
  readonly timeoutMs?: number | undefined
}

/** Where lists come from. */
export type RevocationsFrom = PollOptions &
  (
    | {
        /** The gate's `/.well-known/silentauth-revocations`: https, or http on this machine. */
        readonly url: string | URL
        /** @default the runtime's */
        readonly fetch?: typeof fetch | undefined
        readonly file?: undefined
        readonly read?: undefined
      }
    | {
        /** A file that something else keeps current. */
        readonly file: string
        readonly url?: undefined
        readonly read?: undefined
      }
    | {
        /** Any other way to get the text of the latest list. */
        readonly read: (signal: AbortSignal) => Promise<string>
        readonly url?: undefined
        readonly file?: undefined
      }
  )

export interface RevocationPoll extends AsyncDisposable {
  /** @throws SilentAuthError `GATE_UNAVAILABLE` without a good list */
  current(): Promise<RevocationList>
  /** Whether the list revokes it, and when that list was signed. @throws SilentAuthError as `current` */
  look(permit: Revocable): Promise<{ readonly revoked: boolean; readonly listAt: EpochMs }>
}

export interface RevocationPollAbout {
  readonly issuer: string
  /** The ring of permits, which no list may be signed by. @default not looked at */
  readonly permitKeys?: (() => Promise<Pick<KeyRing, 'keys'>>) | undefined
  readonly projectId: string
  /** @default 5 */
  readonly skewSeconds?: number | undefined
  /** @default Date.now */
  readonly now?: (() => EpochMs) | undefined
}

const DEFAULT_POLL_MS = 15_000
/** A list lives for two minutes: a longer pause between readings would leave none. */
const MAX_POLL_MS = 60_000
const FIRST_BACKOFF_MS = 500

/** @throws TypeError for options that could not work; SilentAuthError `KEY_REJECTED` for a key set that breaks a rule */
export function revocationPoll(from: RevocationsFrom, about: RevocationPollAbout): RevocationPoll {
  const { pollMs = DEFAULT_POLL_MS, timeoutMs = 5_000 } = from
  const { now = Date.now, skewSeconds = 5, permitKeys } = about
  if (!(pollMs > 0 && pollMs <= MAX_POLL_MS)) {
    throw new TypeError(`revocations.pollMs is a number of milliseconds up to ${MAX_POLL_MS}`)
  }
  const read = sourceOf(from)
  const keys = pinnedKeys(from.keys)
  const closing = new AbortController()
  /** `until`: on the monotonic clock, so that a wall clock that is set back makes no list live longer. */
  let held: { readonly list: RevocationList; readonly text: string; readonly until: number } | undefined
  let failure: unknown
  let failures = 0
  let nextAt = Number.NEGATIVE_INFINITY
  let reading: Promise<void> | undefined

  const attempt = async (): Promise<void> => {
    try {
      const text = await within({ ms: timeoutMs, signals: [closing.signal] }, read)
      if (text === held?.text) {
        failures = 0
        return
      }
      const ring = await keys()
      await requireOwnKeys(ring, permitKeys)
      const list = await readRevocationList(text, { ...about, keys: ring, skewSeconds, now })
      // Whoever keeps an older list at hand must not bring back what a newer one revoked.
      if (held !== undefined && list.number <= held.list.number)
        throw unavailable('the list is older than the last one')
      held = { list, text, until: performance.now() + list.expiresAt + skewSeconds * 1000 - now() }
      failures = 0
    } catch (error) {
      failure = error
      failures++
    }
  }

  const pause = (): number => {
    const ms = failures === 0 ? pollMs : Math.min(FIRST_BACKOFF_MS * 2 ** (failures - 1), pollMs)
    return ms * (0.75 + Math.random() / 4)
  }

  /** One reading at a time; a flood of permits must not become a flood of requests. */
  const look = (): Promise<void> => {
    reading ??= attempt().finally(() => {
      nextAt = now() + pause()
      reading = undefined
    })
    return reading
  }

  const poll = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      await look()
      await sleep(Math.min(Math.max(nextAt - now(), 0), pollMs), { signals: [closing.signal], unref: true })
    }
  }
  poll().catch(() => undefined) // it ends when it is disposed

  const usable = (): RevocationList | undefined =>
    held !== undefined && now() < held.list.expiresAt + skewSeconds * 1000 && performance.now() < held.until
      ? held.list
      : undefined

  const current = async (): Promise<RevocationList> => {
    if (closing.signal.aborted) throw unavailable('the verifier was disposed')
    const known = usable()
    if (known !== undefined) return known
    if (reading !== undefined || now() >= nextAt || nextAt - now() > pollMs) await look()
    const list = usable()
    if (list !== undefined) return list
    throw unavailable('there is no current revocation list, so no permit can be accepted', failure)
  }

  return {
    current,
    async look(permit) {
      const list = await current()
      return { revoked: list.isRevoked(permit), listAt: list.issuedAt }
    },
    async [Symbol.asyncDispose]() {
      closing.abort(new TypeError('the permit verifier was disposed'))
      await reading
    },
  }
}

function sourceOf(from: RevocationsFrom): (signal: AbortSignal) => Promise<string> {
  const given = [from.url, from.file, from.read].filter((source) => source !== undefined)
  if (given.length !== 1) throw new TypeError('revocations come from one of url, file and read')
  if (from.read !== undefined) return from.read
  if (from.file !== undefined) return () => readFile(from.file)
  const url = gateUrl(from.url, 'revocations.url')
  const { fetch: get = fetch } = from
  return (signal) => readUrl(url, get, signal)
}

/** Pinned: a file is looked at again each hour, so that whoever runs this verifier can rotate it; nobody else can. */
function pinnedKeys(keys: RevocationsFrom['keys']): () => Promise<KeyRing> {
  if (typeof keys === 'object' && keys !== null && 'keys' in keys) {
    const ring = keyRing(keys.keys)
    return async () => ring
  }
  if (typeof keys !== 'string' || keys === '' || /^[a-z][a-z0-9+.-]+:\/\//i.test(keys)) {
    throw new TypeError('revocations.keys is a key set, or the path of a file that holds one')
  }
  const file = permitKeys(keys, { maxAgeSeconds: 3600, cooldownSeconds: 1, staleIfErrorSeconds: 86_400 })
  return () => file.current()
}

/**
 * Somebody who stole the permit key, and with it could sign lists, would take its own revocation back.
 *
 * @throws SilentAuthError `GATE_UNAVAILABLE` when a pinned key is also one of permits
 */
async function requireOwnKeys(ring: KeyRing, permitKeys: RevocationPollAbout['permitKeys']): Promise<void> {
  if (permitKeys === undefined) return
  const ofPermits = new Set((await permitKeys()).keys.map(({ kid }) => kid))
  if (ring.keys.some(({ kid }) => ofPermits.has(kid))) {
    throw unavailable('a key that is pinned for revocation lists is one of permits: pin revocations.jwks.json')
  }
}

async function readUrl(url: URL, get: typeof fetch, signal: AbortSignal): Promise<string> {
  const response = await get(url, { headers: { accept: 'application/jwt' }, redirect: 'error', signal })
  if (response.status !== 200) {
    await response.body?.cancel()
    throw unavailable(`the revocation list was answered with HTTP ${response.status}`)
  }
  return cappedText(response.body, MAX_LIST_LENGTH, tooLarge)
}

async function readFile(path: string): Promise<string> {
  // Not imported above, so that the module loads where there are no files.
  const { open } = await import('node:fs/promises')
  await using file = await open(path)
  const { size } = await file.stat()
  if (size > MAX_LIST_LENGTH) throw tooLarge()
  return (await file.readFile('utf8')).trimEnd()
}

function tooLarge(): SilentAuthError {
  return unavailable(`a revocation list has at most ${MAX_LIST_LENGTH} characters`)
}

function unavailable(message: string, cause?: unknown): SilentAuthError {
  return new SilentAuthError('GATE_UNAVAILABLE', message, { cause })
}
