/**
 * The options of a gated tool: what is asked of the gate for each of its calls, and what becomes of a call that was not
 * granted. They have the same names, defaults and meaning in every adapter.
 *
 * @module
 */
import type { Gate, GateEvent, JsonObject, RiskTier } from '@silentauth/core'
import type { CallInfo } from './tool-call.js'

/** `Args` are the tool's arguments as its schema parsed them. */
export interface GateToolOptions<Args = unknown> {
  /** `new SilentAuth()` of the SDK, or a `localGate`. */
  gate: Gate
  /** What is asked for; policies match on it. @default the tool's name in snake_case */
  action?: string | ((args: Args, info: CallInfo) => string) | undefined
  /**
   * What approvers see and the permit is bound to, instead of the arguments: recomputed before the tool runs, when it
   * must come out the same.
   *
   * @default the arguments as parsed by the tool's schema; as the model gave them where parsing makes no plain JSON
   */
  params?: ((args: Args) => JsonObject) | undefined
  /** A claim, which can only make policy stricter. @default 'medium' */
  riskTier?: RiskTier | ((args: Args, info: CallInfo) => RiskTier) | undefined
  /** Shown to approvers as claimed by the agent, beside thread, run, model, reasoning and the tool's name. */
  context?: JsonObject | ((args: Args, info: CallInfo) => JsonObject | Promise<JsonObject>) | undefined
  /** Group names or e-mails; they narrow whom policy allows. */
  approvers?: readonly string[] | undefined
  /** False: this call runs without the gate. What it throws is thrown, and nothing runs. @default every call is gated */
  when?: ((args: Args, info: CallInfo) => boolean | Promise<boolean>) | undefined
  /** `hold`: the process waits inside of the call. @default 'hold' */
  wait?: 'hold' | undefined
  /** How long a call waits for the decision; then its intent is cancelled. @default until the intent expires */
  timeoutMs?: number | undefined
  /** An approver may change the arguments; the tool's schema parses them again. Not together with `params`. @default false */
  allowEdits?: boolean | undefined
  /** When people or policy did not approve: tell the model, or throw a `SilentAuthError`. @default 'message' */
  onDenied?: 'message' | 'throw' | undefined
  /** When the gate could not be asked or did not grant; the tool never runs then. @default 'message' */
  onGateError?: 'message' | 'throw' | undefined
  /** When this very call was executed before: answer with what was recorded of it, or throw `ALREADY_EXECUTED`. @default 'recorded' */
  replay?: 'recorded' | 'error' | undefined
  /** The tool may run again after it failed, with `currentPermit().intentId` as its own idempotency key. @default false */
  idempotent?: boolean | undefined
  /** Fingerprint of the agent. @default what the gate was made with */
  source?: string | undefined
  /** Waiting is never silent: `terminalReporter()` prints these. */
  onEvent?: ((event: GateEvent) => void) | undefined
}

/** What `gateTool` refuses to be made with. @throws TypeError */
export function checkOptions(name: string, options: GateToolOptions<never>): void {
  if (typeof options.gate?.declare !== 'function') throw new TypeError(`${name}: options.gate is not a gate`)
  if ((options.wait ?? 'hold') !== 'hold') {
    throw new TypeError(`${name}: wait: '${options.wait}' is not in this version, which waits with 'hold' only`)
  }
  if (options.params && options.allowEdits) {
    throw new TypeError(`${name}: params is a projection, which cannot be edited back into arguments: drop allowEdits`)
  }
  const { timeoutMs } = options
  if (timeoutMs !== undefined && !(timeoutMs > 0)) throw new TypeError(`${name}: timeoutMs must be a positive number`)
}
