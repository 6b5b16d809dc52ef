/**
 * The options of a gated AI SDK tool: those of every adapter, where functions are told of the AI SDK's call, and the run that
 * a call belongs to.
 *
 * @module
 */
import { type AdapterAbilities, checkGateOptions, type GatedToolOptions } from '@silentauth/core'
import type { GateWriter } from './announcement.js'
import type { CallInfo, GateRun } from './tool-call.js'

/** `Args` are the tool's input as its schema parsed it. */
export interface GateToolOptions<Args = unknown> extends Omit<GatedToolOptions<Args, CallInfo>, 'onDenied'> {
  /** When people or policy did not approve: tell the model, or fail the call with a `SilentAuthError`. @default 'message' */
  onDenied?: 'message' | 'throw' | undefined
  /**
   * The run that a call belongs to, such as a chat: what makes it the same call in another process. From the session and the
   * database; what a request says of itself would let its sender name the runs of others. Required to suspend.
   *
   * @default with `hold` each step of each run is a run of its own
   */
  run?: GateRun | ((call: CallInfo) => GateRun) | undefined
  /** A UI message stream's writer: it is told as a transient `data-gate` part that a call waits, and where to decide. */
  writer?: GateWriter | undefined
  /**
   * A held call shows that it waits, and where to decide, as preliminary results (`WaitingOutput`), which no model reads. The
   * tool's `execute` is a generator then, which some direct callers do not expect. Nothing to do with `suspend`.
   *
   * @default false
   */
  preliminary?: boolean | undefined
}

/** Whatever a tool throws becomes an error that the model is told of: there is no way to end the run. */
const ABILITIES: AdapterAbilities = { waits: ['hold', 'suspend'], ends: false }

/** What `gateTool` refuses to be made with. @throws TypeError */
export function checkOptions(name: string, options: GateToolOptions<never>): void {
  checkGateOptions(name, options, ABILITIES)
  const { run, wait } = options
  if (wait === 'suspend' && run === undefined) {
    throw new TypeError(`${name}: wait: 'suspend' needs the option run, by which another process finds the call again`)
  }
  if (run === '' || (typeof run === 'object' && run.id === '')) throw new TypeError(`${name}: run must not be empty`)
}
