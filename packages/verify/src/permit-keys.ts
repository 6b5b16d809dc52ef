/**
 * Permit keys: where a verifier's key ring comes from, and how it stays current. A static set, a pinned file, or a JWKS at a
 * URL; the last good set is kept while its source fails, and nothing that a stranger sends can make it be asked more often.
 *
 * @module
 */
import {
  canonicalJson,
  type EpochMs,
  isSilentAuthError,
  type KeyRing,
  keyRing,
  SilentAuthError,
} from '@silentauth/core'
import type { JSONWebKeySet } from 'jose'
import { cappedText } from './capped-text.js'
import { gateUrl } from './gate-url.js'
import { within } from './time-limit.js'

/** A set, the path of a file that holds one (`public.jwks.json`), or the URL of one. */
export type KeysFrom = JSONWebKeySet | KeyRing | string | URL

export interface PermitKeysOptions {
  /** Age from which a set is read again before it is used. @default 600 */
  readonly maxAgeSeconds?: number | undefined
  /** Between two readings, whatever asks for them, failed ones included; doubles while they fail, up to 300. @default 30 */
  readonly cooldownSeconds?: number | undefined
  /** How long the last good set is used while readings fail; never beyond an `exp` in the set. @default 86_400 */
  readonly staleIfErrorSeconds?: number | undefined
  /** Of one reading. @default 5_000 */
  readonly timeoutMs?: number | undefined
  /** @default the runtime's */
  readonly fetch?: typeof fetch | undefined
  /** @default Date.now */
  readonly now?: (() => EpochMs) | undefined
}

export interface PermitKeys<Ring = KeyRing> extends AsyncDisposable {
  /**
   * Runs a verification with the ring. When the permit is of a key that it lacks, looks at the source once more, as often as the
   * cool-down allows, and runs it again if there are other keys.
   *
   * @throws what `work` throws; SilentAuthError `GATE_UNAVAILABLE`, as `current`
   */
  with<Result>(work: (ring: Ring) => Promise<Result>): Promise<Result>
  /** @throws SilentAuthError `GATE_UNAVAILABLE` when no set could be read yet, or the last good one is too old */
  current(): Promise<Ring>
}

/**
 * @throws SilentAuthError `KEY_REJECTED` for a static set that breaks the rules of `keyRing`
 * @throws TypeError for a URL that is neither https nor on this machine
 */
export function permitKeys(from: KeysFrom, options: PermitKeysOptions = {}): PermitKeys {
  if (typeof from === 'object' && from !== null && 'keys' in from) return fixedKeys(keyRing(from.keys))
  if (from === '') throw new TypeError('keys must be a key set, a path or a URL')
  const isUrl = from instanceof URL || /^[a-z][a-z0-9+.-]+:\/\//i.test(from)
  const isFile = isUrl && new URL(from).protocol === 'file:'
  if (!isUrl || isFile) return freshKeys(() => readFile(isFile ? new URL(from) : from), options)
  const url = gateUrl(from, 'keys')
  const { fetch: get = fetch, timeoutMs = 5_000 } = options
  return freshKeys(
    (closing) => within({ ms: timeoutMs, signals: [closing] }, (signal) => readUrl(url, get, signal)),
    options,
  )
}

function fixedKeys(ring: KeyRing): PermitKeys {
  return { with: (work) => work(ring), current: async () => ring, async [Symbol.asyncDispose]() {} }
}

/** A set that was read, and how long it is good for. */
interface Reading {
  readonly ring: KeyRing
  readonly text: string
  readonly freshUntil: EpochMs
  readonly usableUntil: EpochMs
}

function freshKeys(read: (signal: AbortSignal) => Promise<string>, options: PermitKeysOptions): PermitKeys {
  const { maxAgeSeconds = 600, cooldownSeconds = 30, staleIfErrorSeconds = 86_400, now = Date.now } = options
  for (const [name, seconds] of Object.entries({ maxAgeSeconds, cooldownSeconds, staleIfErrorSeconds })) {
    if (!(seconds >= 0 && seconds < Number.POSITIVE_INFINITY)) throw new TypeError(`${name} is a number of seconds`)
  }
  const closing = new AbortController()
  let last: Reading | undefined
  let failure: unknown
  let failures = 0
  let attemptedAt = Number.NEGATIVE_INFINITY
  let reading: Promise<void> | undefined

  const attempt = async (): Promise<void> => {
    try {
      const text = await read(closing.signal)
      const { ring, exp } = parseSet(text, last)
      const at = now()
      const until = exp === undefined ? Number.POSITIVE_INFINITY : exp * 1000
      last = {
        ring,
        text,
        freshUntil: Math.min(at + maxAgeSeconds * 1000, until),
        usableUntil: Math.min(at + Math.max(maxAgeSeconds, staleIfErrorSeconds) * 1000, until),
      }
      failures = 0
    } catch (error) {
      failure = error
      failures++
    }
  }

  /** One reading at a time, and one per cool-down: a flood of unknown key ids must not become a flood of requests. */
  const look = async (): Promise<void> => {
    closing.signal.throwIfAborted()
    const waited = Math.abs(now() - attemptedAt)
    const cooldown = Math.max(cooldownSeconds, Math.min(cooldownSeconds * 2 ** Math.max(failures - 1, 0), 300)) * 1000
    if (reading === undefined && waited >= cooldown) {
      attemptedAt = now()
      reading = attempt().finally(() => {
        reading = undefined
      })
    }
    await reading
  }

  const current = async (): Promise<KeyRing> => {
    if (last === undefined || now() >= last.freshUntil) await look()
    if (last !== undefined && now() < last.usableUntil) return last.ring
    throw new SilentAuthError('GATE_UNAVAILABLE', 'the keys of the gate cannot be read', { cause: failure })
  }

  return {
    current,
    async with(work) {
      const ring = await current()
      try {
        return await work(ring)
      } catch (error) {
        if (!isSilentAuthError(error) || error.code !== 'PERMIT_KID_UNKNOWN') throw error
        if (last?.ring === ring) await look()
        const newer = await current()
        if (newer === ring) throw error
        return work(newer)
      }
    },
    async [Symbol.asyncDispose]() {
      closing.abort(new TypeError('the permit keys were disposed'))
      await reading
    },
  }
}

/** A set is good as a whole or not at all. The same keys keep their ring, and with it what was imported for it. */
function parseSet(text: string, last: Reading | undefined): { ring: KeyRing; exp: number | undefined } {
  let set: unknown
  try {
    set = JSON.parse(text)
  } catch {
    throw new SilentAuthError('KEY_REJECTED', 'the key set is not JSON')
  }
  if (typeof set !== 'object' || set === null || !('keys' in set) || !Array.isArray(set.keys)) {
    throw new SilentAuthError('KEY_REJECTED', 'a key set has a list of keys', { field: 'keys' })
  }
  const exp = 'exp' in set ? set.exp : undefined
  if (exp !== undefined && !Number.isSafeInteger(exp)) {
    throw new SilentAuthError('KEY_REJECTED', 'exp of a key set is in whole seconds', { field: 'exp' })
  }
  const ring = keyRing(set.keys)
  const same = last !== undefined && canonicalJson(ring.keys) === canonicalJson(last.ring.keys)
  return { ring: same ? last.ring : ring, exp: exp as number | undefined }
}

async function readUrl(url: URL, get: typeof fetch, signal: AbortSignal): Promise<string> {
  const response = await get(url, { headers: { accept: 'application/json' }, redirect: 'error', signal })
  if (response.status !== 200) {
    await response.body?.cancel()
    throw new SilentAuthError('GATE_UNAVAILABLE', `the key set was answered with HTTP ${response.status}`)
  }
  return cappedText(response.body, MAX_SET_BYTES, tooLarge)
}

async function readFile(path: string | URL): Promise<string> {
  // Not imported above, so that the module loads where there are no files.
  const { open } = await import('node:fs/promises')
  await using file = await open(path)
  const { size } = await file.stat()
  if (size > MAX_SET_BYTES) throw tooLarge()
  return file.readFile('utf8')
}

const MAX_SET_BYTES = 65_536

function tooLarge(): SilentAuthError {
  return new SilentAuthError('KEY_REJECTED', 'a key set is at most 64 KB', { field: 'keys' })
}
