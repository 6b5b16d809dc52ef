/**
 * The options of a gated function of the plain client: those of every adapter, where functions are told of its call.
 *
 * @module
 */
import { type AdapterAbilities, checkGateOptions, type GatedToolOptions } from '@silentauth/core'

/** What `when`, `context` and the other functions of the options are told about a call. */
export interface PlainCallInfo {
  readonly toolName: string
  /** Undefined where the client does not say which call it is. */
  readonly toolCallId: string | undefined
  readonly signal: AbortSignal | undefined
}

/** `Args` are the function's arguments as it gets them. */
export interface PlainGateOptions<Args = unknown>
  extends Omit<GatedToolOptions<Args, PlainCallInfo>, 'onDenied' | 'onGateError' | 'wait' | 'reenters'> {
  /** When people or policy did not approve: tell the model, or throw a `SilentAuthError`. @default 'message' */
  onDenied?: 'message' | 'throw' | undefined
  /** When the gate could not be asked or did not grant; nothing runs then. @default 'message' */
  onGateError?: 'message' | 'throw' | undefined
  /** Of one logical run, random: with it calls are the same ones after a restart. @default a new one for each runner */
  runKey?: string | undefined
}

const ABILITIES: AdapterAbilities = { waits: ['hold', 'suspend'], ends: false }

/** @throws TypeError */
export function checkPlainOptions(name: string, options: object): void {
  checkGateOptions(name, options as GatedToolOptions<never, never>, ABILITIES)
  const { runKey } = options as { runKey?: unknown }
  if (runKey === '') throw new TypeError(`${name}: runKey must not be empty`)
}
