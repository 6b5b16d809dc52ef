/**
 * A gated call: asked of the gate, waited for, and run with its permit, or answered with what the gate said. This
 * translates; what is asked, decided and proved is core's.
 *
 * @module
 */
import {
  type Begun,
  type BoundArguments,
  bindArguments,
  bindProjection,
  type Edits,
  type Execution,
  type GateCall,
  type GatedToolOptions,
  gateCallOf,
  gateRefusal,
  hold,
  isSilentAuthError,
  type Json,
  type JsonObject,
  type NotExecuted,
  type Parse,
  refusalError,
  refusalRoute,
  runGranted,
  snapshot,
} from '@silentauth/core'

/** One call on its way, with its arguments parsed. */
export interface AskedTool<Info> {
  readonly toolName: string
  readonly options: GatedToolOptions<unknown, Info>
  /** `callKey(…)`. */
  readonly key: string
  /** As the model gave them. */
  readonly raw: unknown
  /** As the tool's schema parsed them. */
  readonly parsed: unknown
  readonly parse: Parse
  readonly info: Info
  /** Shown to approvers. */
  readonly known: JsonObject
  readonly edits: Edits
  readonly continues?: GateCall['continues']
}

export interface BoundCall {
  readonly asked: GateCall
  readonly bound: BoundArguments
}

/** @throws SilentAuthError `PARAMS_NOT_CANONICAL`; what a function of the options throws: nothing was asked then */
export async function boundCall<Info>(call: AskedTool<Info>): Promise<BoundCall> {
  const { toolName, options, key, raw, parsed, parse, info, known, edits, continues } = call
  const bound = options.params ? bindProjection(parsed, options.params) : await bindArguments(raw, parsed, parse)
  const asked = await gateCallOf(toolName, options, { key, bound, args: parsed, info, known, edits, continues })
  return { asked, bound }
}

/** How a granted call is run. */
export interface GrantedRun {
  readonly toolName: string
  readonly bound: BoundArguments
  readonly options: GatedToolOptions<never, never>
  readonly signal: AbortSignal | undefined
  /** Gives a refusal the form of this tool's output. @default the text for the model */
  readonly shape?: ((text: string) => unknown) | undefined
  /** Throws `ToolFailure` for a failure that its framework has already made an output of. */
  run(args: unknown, execution: Execution): unknown
}

/** A failure of the tool that its framework has put into words for the model. */
export class ToolFailure extends Error {
  readonly output: unknown
  /** Nobody knows whether it goes on: nothing is reported, and a person looks. */
  readonly letGo: boolean
  constructor(output: unknown, letGo: boolean) {
    super('the tool failed')
    this.output = output
    this.letGo = letGo
  }
}

/** Runs what was granted, or answers with what the gate said. @throws by the options; what the tool throws; the signal's reason */
export async function answerOf(begun: Begun, granted: GrantedRun): Promise<unknown> {
  const { toolName, bound, options, signal } = granted
  if (begun.type !== 'begun') return refused(begun, options, granted.shape)
  const { execution } = begun
  const leaving = new AbortController()
  try {
    const ran = await runGranted(execution, {
      toolName,
      bound,
      signal: signal ? AbortSignal.any([signal, leaving.signal]) : leaving.signal,
      async run(args) {
        try {
          return await granted.run(args, execution)
        } catch (error) {
          if (error instanceof ToolFailure && error.letGo) leaving.abort(error)
          throw error
        }
      },
      finish: (output) => (execution.edited ? withEditNotice(output, execution.intent.params) : output),
      record: options.recordResult ? (output) => output as Json : undefined,
      isPause: () => false,
    })
    return ran.type === 'output' ? ran.output : refused(ran, options, granted.shape)
  } catch (error) {
    if (error instanceof ToolFailure) return error.output
    throw error
  }
}

/** Nothing ran now: the model is told, or the caller gets the error. */
export function refused(
  refusal: NotExecuted,
  options: GatedToolOptions<never, never>,
  shape: (text: string) => unknown = (text) => text,
): unknown {
  if (refusalRoute(refusal, options) === 'throw') throw errorOf(refusal)
  if (!isSilentAuthError(refusal) && refusal.type === 'recorded') {
    const { outcome } = refusal
    if (outcome.status === 'succeeded' && outcome.resultRecorded) return outcome.result
  }
  return shape(gateRefusal(refusal).text)
}

function errorOf(refusal: NotExecuted): unknown {
  if (isSilentAuthError(refusal)) return refusal
  return refusal.type === 'pending' ? new TypeError('a call that waits is no error') : refusalError(refusal)
}

/**
 * Says in front of a text that an approver changed the arguments, for a model that would otherwise see a result that its
 * own call cannot have.
 */
function withEditNotice(output: unknown, params: JsonObject): unknown {
  const notice = `[A reviewer changed the arguments; this ran with ${snapshot(params).canonical}]`
  return typeof output === 'string' ? `${notice}\n${output}` : output
}

/** What approvers are shown beside the params; stores keep no U+0000 and no lone surrogate. */
export function knownOf(known: Readonly<Record<string, string | undefined>>): JsonObject {
  const entries = Object.entries(known).filter((entry): entry is [string, string] => !!entry[1])
  return Object.fromEntries(entries.map(([name, value]) => [name, value.replaceAll('\0', '').toWellFormed()]))
}

export interface HeldCall<Info> extends AskedTool<Info>, Pick<GrantedRun, 'signal' | 'shape' | 'run'> {
  /** Of a call that `when` lets through without the gate. */
  passed(): unknown
}

/** One call that a process waits for: asked, waited for, run. @throws as `answerOf` */
export async function heldCall<Info>(call: HeldCall<Info>): Promise<unknown> {
  const { toolName, options, signal, shape, run } = call
  if (options.when && !(await options.when(call.parsed, call.info))) return call.passed()
  let bound: BoundCall
  try {
    bound = await boundCall(call)
  } catch (error) {
    if (isSilentAuthError(error)) return refused(error, options, shape)
    throw error
  }
  const { gate, timeoutMs, onEvent } = options
  const begun = await hold(gate, bound.asked, { signal, timeoutMs, onEvent })
  return answerOf(begun, { toolName, bound: bound.bound, options, signal, shape, run })
}
