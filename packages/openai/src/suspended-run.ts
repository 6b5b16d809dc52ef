/**
 * The suspended run: the envelope in which a run waits without a process. It is authenticated, because whoever could change
 * it would change what is executed; and encrypted where it says so, because it has every argument and the run's context.
 *
 * @module
 */
import { canonicalJson, derivedKeyOf, deriveKey, type Gate, SilentAuthError } from '@silentauth/core'
import type { PendingCall } from './pending-call.js'
import type { ListedCall } from './run-scope.js'

/** JSON, to be kept anywhere. It is not a secret key, and says so itself when it is encrypted. */
export interface SuspendedRun {
  readonly type: 'silentauth.openai-run/v1'
  /** For a user interface. */
  readonly pending: readonly PendingCall[]
  /** How to go on. */
  readonly resume: string
  readonly encryption: 'none' | 'A256GCM'
  /** Of the run, as JSON text or as ciphertext in base64url. */
  readonly body: string
  /** HMAC-SHA256 over all other members, in base64url. */
  readonly mac: string
}

/** What is inside. */
export interface RunRecord {
  readonly runKey: string
  readonly agentVersion: string | undefined
  /** The SDK's own. */
  readonly state: string
  readonly calls: readonly ListedCall[]
}

export interface EnvelopeOptions {
  gate: Gate
  /**
   * The current key first, then previous ones, which only open: 32 random bytes or more, or a text of as many.
   *
   * @default derived from the gate's secret key
   */
  envelopeKeys?: readonly (Uint8Array | string)[] | undefined
  /** Hides state and context from whoever keeps the envelope. @default false */
  encrypt?: boolean | undefined
}

const TYPE = 'silentauth.openai-run/v1'
const RESUME = 'runWithGate(agent, suspended, …) of @silentauth/openai/agents goes on, at any time and in any process'
const LABEL = 'openai-run/v1'
const MIN_KEY_BYTES = 32

export function isSuspendedRun(value: unknown): value is SuspendedRun {
  return typeof value === 'object' && value !== null && 'type' in value && value.type === TYPE
}

/** Of a run that can be suspended. @throws TypeError without keys, or with one that is too short */
export async function envelopeKeys({ gate, envelopeKeys: given }: EnvelopeOptions): Promise<readonly Uint8Array[]> {
  if (given === undefined) {
    const derived = await derivedKeyOf(gate, LABEL)
    if (derived) return [derived]
    throw new TypeError('this gate derives no key for suspended runs: give some with the option envelopeKeys')
  }
  const keys = given.map((key) => (typeof key === 'string' ? new TextEncoder().encode(key) : key))
  if (keys.length === 0 || keys.some((key) => key.length < MIN_KEY_BYTES)) {
    throw new TypeError(`envelopeKeys: at least one, and each of ${MIN_KEY_BYTES} bytes or more`)
  }
  return keys
}

export async function seal(
  record: RunRecord,
  pending: readonly PendingCall[],
  { keys, encrypt }: { keys: readonly Uint8Array[]; encrypt: boolean },
): Promise<SuspendedRun> {
  const [key] = keys as [Uint8Array]
  const text = JSON.stringify(record)
  const body = encrypt ? await encrypted(key, text) : text
  const rest = { type: TYPE, pending, resume: RESUME, encryption: encrypt ? 'A256GCM' : 'none', body } as const
  return { ...rest, mac: base64url(await sign(key, rest)) }
}

/** @throws SilentAuthError `FORBIDDEN` when it was changed, or made with another key */
export async function open(run: SuspendedRun, keys: readonly Uint8Array[]): Promise<RunRecord> {
  const { mac, ...rest } = run
  for (const key of keys) {
    if (!(await isSigned(key, rest, mac))) continue
    const text = run.encryption === 'A256GCM' ? await decrypted(key, run.body) : run.body
    return JSON.parse(text) as RunRecord
  }
  throw new SilentAuthError('FORBIDDEN', 'the suspended run was changed, or sealed with another key')
}

async function macKey(key: Uint8Array) {
  const derived = await subkey(key, 'authenticate')
  return crypto.subtle.importKey('raw', derived, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify'])
}

function signedBytes(rest: Omit<SuspendedRun, 'mac'>): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(canonicalJson(rest as never))
}

async function sign(key: Uint8Array, rest: Omit<SuspendedRun, 'mac'>): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.sign('HMAC', await macKey(key), signedBytes(rest)))
}

async function isSigned(key: Uint8Array, rest: Omit<SuspendedRun, 'mac'>, mac: unknown): Promise<boolean> {
  if (typeof mac !== 'string') return false
  try {
    return await crypto.subtle.verify('HMAC', await macKey(key), bytesOf(mac), signedBytes(rest))
  } catch {
    // Members that are no JSON, or a mac that is no base64url.
    return false
  }
}

const IV_BYTES = 12

async function encrypted(key: Uint8Array, text: string): Promise<string> {
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES))
  const cipher = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, await aesKey(key), new TextEncoder().encode(text))
  return base64url(Uint8Array.from([...iv, ...new Uint8Array(cipher)]))
}

async function decrypted(key: Uint8Array, body: string): Promise<string> {
  const bytes = bytesOf(body)
  const iv = bytes.slice(0, IV_BYTES)
  const plain = await crypto.subtle.decrypt({ name: 'AES-GCM', iv }, await aesKey(key), bytes.slice(IV_BYTES))
  return new TextDecoder().decode(plain)
}

async function aesKey(key: Uint8Array) {
  return crypto.subtle.importKey('raw', await subkey(key, 'encrypt'), 'AES-GCM', false, ['encrypt', 'decrypt'])
}

/** One key for each purpose (RFC 5869). */
async function subkey(key: Uint8Array, purpose: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await deriveKey(key, `${LABEL}/${purpose}`))
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url')
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(text, 'base64url'))
}
