/**
 * The options of a gated LangChain tool: those of every adapter, where functions are told of LangChain's call.
 *
 * @module
 */
import { type AdapterAbilities, checkGateOptions, type GatedToolOptions } from '@silentauth/core'
import type { CallInfo } from './tool-call.js'

/** `Args` are the tool's arguments as its schema parsed them. */
export interface GateToolOptions<Args = unknown> extends Omit<GatedToolOptions<Args, CallInfo>, 'onDenied'> {
  /** When people or policy did not approve: tell the model, or throw a `SilentAuthError`. @default 'message' */
  onDenied?: 'message' | 'throw' | undefined
}

/** LangChain hands no tool a way to end its run, which a middleware could go around. */
const ABILITIES: AdapterAbilities = { waits: ['hold', 'suspend'], ends: false }

/** What `gateTool` refuses to be made with. @throws TypeError */
export function checkOptions(name: string, options: GateToolOptions<never>): void {
  checkGateOptions(name, options, ABILITIES)
}
