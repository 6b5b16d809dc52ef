/**
 * The options of a gated tool of the Agents SDK: those of every adapter, where functions are told of the SDK's call.
 *
 * @module
 */
import type { RunContext } from '@openai/agents'
import { type AdapterAbilities, checkGateOptions, type GatedToolOptions } from '@silentauth/core'

/** What `when`, `context` and the other functions of the options are told about a call. */
export interface CallInfo {
  readonly toolName: string
  /** Undefined for a call that another tool makes. */
  readonly toolCallId: string | undefined
  /** Where the tool was gated with its agent. */
  readonly agentName: string | undefined
  readonly runContext: RunContext<unknown> | undefined
  readonly signal: AbortSignal | undefined
}

/** `Args` are the tool's arguments as its schema parsed them. */
export interface GateToolOptions<Args = unknown> extends Omit<GatedToolOptions<Args, CallInfo>, 'onDenied'> {
  /** When people or policy did not approve: tell the model, or end the run with a `SilentAuthError`. @default 'message' */
  onDenied?: 'message' | 'throw' | undefined
}

/** The SDK hands no tool a way to end its run but an error. */
const ABILITIES: AdapterAbilities = { waits: ['hold', 'suspend'], ends: false }
const HOLD_ONLY: AdapterAbilities = { waits: ['hold'], ends: false }

/** What `gateTool` refuses to be made with. @throws TypeError */
export function checkOptions(name: string, options: GateToolOptions<never>, only?: 'hold'): void {
  checkGateOptions(name, options, only === 'hold' ? HOLD_ONLY : ABILITIES)
}
