/**
 * The options of a gated tool: what is asked of the gate for each of its calls, and what becomes of a call that was not
 * granted. They have the same names, defaults and meaning in every adapter.
 *
 * @module
 */
import { type ErrorCode, isSilentAuthError, SilentAuthError } from './errors.js'
import { type Begun, type Gate, type GateEvent, type Look, refusalError } from './gate.js'
import type { Json, JsonObject } from './json.js'
import { type GateRefusal, gateRefusal, type NotExecuted, refusalCode } from './refusal.js'
import type { RiskTier } from './risk.js'

/** `Args` are the tool's arguments as its schema parsed them; `Info` is what the framework knows of a call. */
export interface GatedToolOptions<Args = unknown, Info = unknown> {
  /** `new SilentAuth()` of the SDK, or a `localGate`. */
  gate: Gate
  /** What is asked for; policies match on it. @default the tool's name in snake_case */
  action?: string | ((args: Args, info: Info) => string) | undefined
  /**
   * What approvers see and the permit is bound to, instead of the arguments: recomputed before the tool runs, when it
   * must come out the same.
   *
   * @default the arguments as parsed by the tool's schema; as the model gave them where parsing makes no plain JSON
   */
  params?: ((args: Args) => JsonObject) | undefined
  /** A claim, which can only make policy stricter. @default 'medium' */
  riskTier?: RiskTier | ((args: Args, info: Info) => RiskTier) | undefined
  /** Shown to approvers as claimed by the agent, beside thread, run, model, reasoning and the tool's name. */
  context?: JsonObject | ((args: Args, info: Info) => JsonObject | Promise<JsonObject>) | undefined
  /** Group names or e-mails; they narrow whom policy allows. */
  approvers?: readonly string[] | undefined
  /** False: this call runs without the gate; anything else does not. What it throws is thrown, and nothing runs. @default every call is gated */
  when?: ((args: Args, info: Info) => boolean | Promise<boolean>) | undefined
  /**
   * `hold`: the process waits inside of the call. `suspend`: the framework keeps the run, the process may end, and the call
   * goes on where the run is resumed.
   *
   * @default 'hold'
   */
  wait?: 'hold' | 'suspend' | undefined
  /**
   * How long a call waits for the decision. With `hold` its intent is cancelled then; with `suspend` it expires, after whole
   * seconds.
   *
   * @default until the intent expires
   */
  timeoutMs?: number | undefined
  /** An approver may change the arguments; the tool's schema parses them again. Not together with `params`. @default false */
  allowEdits?: boolean | undefined
  /** When people or policy did not approve: tell the model, throw a `SilentAuthError`, or end the run. @default 'message' */
  onDenied?: 'message' | 'throw' | 'end' | undefined
  /**
   * When the gate could not be asked or did not grant; the tool never runs then. `pending`, only with `suspend`: what may
   * pass by itself, such as a gate that is away, leaves the call suspended; the model is told the rest.
   *
   * @default 'pending' with `suspend`, 'message' with `hold`
   */
  onGateError?: 'message' | 'throw' | 'pending' | undefined
  /** When this very call was executed before: answer with what was recorded of it, or throw `ALREADY_EXECUTED`. @default 'recorded' */
  replay?: 'recorded' | 'error' | undefined
  /**
   * The gate keeps the result, JSON of at most 16 KB, encrypted, so that this very call gets it when it comes again. A gate without a
   * `resultKey` keeps none.
   *
   * @default false
   */
  recordResult?: boolean | undefined
  /** The tool may run again after it failed, with `currentPermit().intentId` as its own idempotency key. @default false */
  idempotent?: boolean | undefined
  /** The tool may pause itself, as agents in tools do, and be entered again under its approval, at most 20 times. @default false */
  reenters?: boolean | undefined
  /** Fingerprint of the agent. @default what the gate was made with */
  source?: string | undefined
  /** Waiting is never silent: `terminalReporter()` prints these. */
  onEvent?: ((event: GateEvent) => void) | undefined
}

/**
 * Whether a call is asked of the gate. Only false lets it through without: a condition that forgets to answer, or answers with
 * a member that is missing, must not.
 *
 * @throws what `when` throws
 */
export async function needsGate<Args, Info>(
  { when }: Pick<GatedToolOptions<Args, Info>, 'when'>,
  args: Args,
  info: Info,
): Promise<boolean> {
  return !when || (await when(args, info)) !== false
}

/** What an adapter's framework can do with a call. */
export interface AdapterAbilities {
  readonly waits: readonly ('hold' | 'suspend')[]
  /** It has a way to end the run from within a tool. */
  readonly ends: boolean
}

/** What a gated tool refuses to be made with. @throws TypeError */
export function checkGateOptions(name: string, options: GatedToolOptions<never, never>, can: AdapterAbilities): void {
  if (typeof options.gate?.declare !== 'function') throw new TypeError(`${name}: options.gate is not a gate`)
  const { wait = 'hold', timeoutMs } = options
  const allowed: { [option in 'wait' | 'onDenied' | 'onGateError' | 'replay']: readonly string[] } = {
    wait: can.waits,
    onDenied: ['message', 'throw', ...(can.ends ? ['end'] : [])],
    onGateError: ['message', 'throw', ...(wait === 'suspend' ? ['pending'] : [])],
    replay: ['recorded', 'error'],
  }
  for (const [option, values] of Object.entries(allowed)) {
    const value = options[option as keyof typeof allowed]
    if (value !== undefined && !values.includes(value)) {
      throw new TypeError(`${name}: ${option} is ${JSON.stringify(value)}, and can be ${values.join(' or ')} here`)
    }
  }
  if (options.params && options.allowEdits) {
    throw new TypeError(`${name}: params is a projection, which cannot be edited back into arguments: drop allowEdits`)
  }
  if (timeoutMs !== undefined && !(timeoutMs > 0)) throw new TypeError(`${name}: timeoutMs must be a positive number`)
}

/**
 * What becomes of a call that does not run. A call that was executed before is an error only where `replay` says so;
 * otherwise it is answered with what is known of it.
 */
export function refusalRoute(
  refusal: NotExecuted,
  options: GatedToolOptions<never, never>,
): 'message' | 'throw' | 'end' | 'pending' {
  const code = refusalCode(refusal)
  if (code === 'ALREADY_EXECUTED') return options.replay === 'error' ? 'throw' : 'message'
  if (DECISIONS.has(code)) return options.onDenied ?? 'message'
  const { onGateError = options.wait === 'suspend' ? 'pending' : 'message' } = options
  if (onGateError !== 'pending') return onGateError
  return passesByItself(refusal) ? 'pending' : 'message'
}

/** In a suspended run: nobody decided, or what keeps the call from running may pass and the options say to wait for that. */
export function waitsForLater(answer: Look | Begun, options: GatedToolOptions<never, never>): boolean {
  switch (answer.type) {
    case 'pending':
      return true
    case 'approved':
    case 'finished':
    case 'begun':
      return false
    case 'recorded':
    case 'running':
    case 'unknown':
    case 'refused':
      return passesByItself(answer) && refusalRoute(answer, options) === 'pending'
  }
}

/** What the caller of a call gets that did not run now: an error, what was recorded of the call, or words for the model. */
export type RefusalAnswer =
  | { readonly type: 'thrown'; readonly error: SilentAuthError }
  | { readonly type: 'recorded'; readonly result: Json | undefined }
  | { readonly type: 'told'; readonly refusal: GateRefusal }

export function refusalAnswer(refusal: NotExecuted, options: GatedToolOptions<never, never>): RefusalAnswer {
  if (refusalRoute(refusal, options) === 'throw') return { type: 'thrown', error: errorOf(refusal) }
  if (!isSilentAuthError(refusal) && refusal.type === 'recorded') {
    const { outcome } = refusal
    if (outcome.status === 'succeeded' && outcome.resultRecorded) return { type: 'recorded', result: outcome.result }
  }
  return { type: 'told', refusal: gateRefusal(refusal) }
}

function errorOf(refusal: NotExecuted): SilentAuthError {
  if (isSilentAuthError(refusal)) return refusal
  if (refusal.type === 'pending')
    return new SilentAuthError('NOT_APPROVED', `${refusal.intent.id}: waits for a decision`)
  return refusalError(refusal)
}

/** Somebody decided, or nobody did in time; every other code says that the gate did not grant. */
const DECISIONS: ReadonlySet<ErrorCode> = new Set([
  'INTENT_DENIED',
  'CHANGES_REQUESTED',
  'INTENT_EXPIRED',
  'INTENT_CANCELLED',
  'INTENT_SUPERSEDED',
  'WAIT_TIMEOUT',
])

/** The same call may be answered otherwise later, without anybody asking for it anew. */
export function passesByItself(refusal: NotExecuted): boolean {
  if (isSilentAuthError(refusal)) return TRANSIENT.has(refusal.code)
  switch (refusal.type) {
    case 'pending':
    case 'running':
      return true
    case 'refused':
      // Another process has just continued it: what it comes to is to be seen.
      return TRANSIENT.has(refusal.code) || refusal.closed === 'suspended_elsewhere'
    case 'recorded':
    case 'unknown':
      return false
  }
}

const TRANSIENT: ReadonlySet<ErrorCode> = new Set([
  'GATE_UNAVAILABLE',
  'DB_ERROR',
  'AUDIT_UNAVAILABLE',
  'TOO_MANY_WAITERS',
  'RATE_LIMITED',
  'NOT_SEQUENCED',
])
