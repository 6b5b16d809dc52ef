/**
 * A gated call, in the part that all frameworks share: what is asked of the gate for one call of a tool, and how a granted
 * one is run and reported.
 *
 * @module
 */
import { actionName } from './action-name.js'
import { type BoundArguments, bindProjection } from './bound-arguments.js'
import { isSilentAuthError } from './errors.js'
import type { Begun, GateCall, Refusal } from './gate.js'
import { type GatedToolOptions, needsGate } from './gate-options.js'
import { inSteps, isGenerator } from './generator-steps.js'
import type { Execution } from './granted-execution.js'
import type { Edits } from './intent.js'
import type { Json, JsonObject } from './json.js'
import type { NotExecuted } from './refusal.js'

/** One call, as an adapter hands it over. */
export interface AskedCall<Args, Info> {
  /** `callKey(…)`; asked for once, of a call that is asked for. */
  key(): string
  /** As the tool's schema parsed them. */
  readonly args: Args
  /** Binds them; not asked for a call whose options project them. */
  bind(): Promise<BoundArguments>
  readonly info: Info
  /** `knownContext(…)`. */
  readonly known: JsonObject
  readonly edits: Edits
  readonly continues?: GateCall['continues']
}

/** What is asked, and what the tool gets. */
export interface BoundCall {
  readonly asked: GateCall
  readonly bound: BoundArguments
}

/**
 * What the options say about this call.
 *
 * @throws SilentAuthError `PARAMS_NOT_CANONICAL`; what a function of the options throws: nothing was asked then
 */
export async function bindCall<Args, Info>(
  toolName: string,
  options: GatedToolOptions<Args, Info>,
  { key, bind, args, info, known, edits, continues }: AskedCall<Args, Info>,
): Promise<BoundCall> {
  const { action, riskTier, context, approvers, source, idempotent = false, reenters = false, timeoutMs } = options
  const bound = options.params ? bindProjection(args, options.params as (args: unknown) => JsonObject) : await bind()
  const claimed = typeof context === 'function' ? await context(args, info) : context
  const asked: GateCall = {
    key: key(),
    snapshot: bound.snapshot,
    continues,
    draft: {
      action: typeof action === 'function' ? action(args, info) : (action ?? actionName(toolName)),
      edits,
      idempotent,
      reenters,
      context: { ...known, ...claimed },
      approvers,
      source,
      riskTier: typeof riskTier === 'function' ? riskTier(args, info) : riskTier,
      // While nobody's process waits, only the gate can end the wait.
      ...(options.wait === 'suspend' && timeoutMs !== undefined && { expiresInSeconds: Math.ceil(timeoutMs / 1000) }),
    },
  }
  return { asked, bound }
}

/** What a call came to. */
export type CallAnswer =
  /** `when` lets it through without the gate. */
  | { readonly type: 'passed' }
  | { readonly type: 'output'; readonly output: unknown }
  | { readonly type: 'refused'; readonly refusal: NotExecuted }

export interface AnsweredCall<Args, Info> extends AskedCall<Args, Info>, Omit<Running, 'toolName' | 'bound'> {
  /** Waits for the decision, in the way of its framework, and begins what was approved. */
  begin(asked: GateCall): Promise<NotExecuted | Begun>
}

/**
 * One call of a gated tool: asked, waited for, run with its permit.
 *
 * @throws what the tool and functions of the options throw; the signal's reason
 */
export async function answerCall<Args, Info>(
  toolName: string,
  options: GatedToolOptions<Args, Info>,
  call: AnsweredCall<Args, Info>,
): Promise<CallAnswer> {
  if (!(await needsGate(options, call.args, call.info))) return { type: 'passed' }
  let ready: BoundCall
  try {
    ready = await bindCall(toolName, options, call)
  } catch (error) {
    if (isSilentAuthError(error)) return { type: 'refused', refusal: error }
    throw error
  }
  return answerBegun(await call.begin(ready.asked), { ...call, toolName, bound: ready.bound })
}

/** A call that was begun, or was not. @throws as `answerCall` */
export async function answerBegun(
  begun: NotExecuted | Begun,
  running: Running,
): Promise<Exclude<CallAnswer, { type: 'passed' }>> {
  if (isSilentAuthError(begun) || begun.type !== 'begun') return { type: 'refused', refusal: begun }
  const ran = await runGranted(begun.execution, running)
  return ran.type === 'output' ? ran : { type: 'refused', refusal: ran }
}

/** How a granted call is run. */
export interface Running {
  readonly toolName: string
  readonly bound: BoundArguments
  readonly signal: AbortSignal | undefined
  run(args: unknown, execution: Execution): unknown
  /** What the tool gave, as its caller gets it. */
  finish(output: unknown, execution: Execution): unknown
  /** With `recordResult`: what of the output the gate is told. */
  record?: ((output: unknown) => Json | undefined) | undefined
  /** The error by which a framework leaves a tool that is entered again when the run is resumed. */
  isPause(error: unknown): boolean
}

type Ran = { readonly type: 'output'; readonly output: unknown } | Refusal

/**
 * Runs the tool with its permit and reports what became of it. A generator is given back as one, and reported at its end.
 *
 * @throws what the tool throws; the signal's reason
 */
async function runGranted(execution: Execution, running: Running): Promise<Ran> {
  const { bound, signal, toolName } = running
  let args: unknown
  try {
    args = await bound.argumentsOf(execution)
    signal?.throwIfAborted()
  } catch (error) {
    await execution.notStarted()
    signal?.throwIfAborted()
    return notGranted(execution, error)
  }

  let entered = false
  const enter = <Result>(step: () => Result): Result =>
    execution.run(() => {
      entered = true
      return step()
    })
  const failed = async (error: unknown): Promise<never> => {
    if (running.isPause(error)) {
      if (execution.intent.reenters) {
        await execution.suspend()
        throw error
      }
      await execution.fail(error)
      throw new Error(`${toolName}: a gated tool that pauses itself needs the option reenters`, { cause: error })
    }
    // Frameworks let go of a tool's function when the signal fires, and the function goes on: nobody knows what it did.
    // Without a report the gate shows the execution as unknown, for a person to look at.
    if (!signal?.aborted) await execution.fail(error)
    throw error
  }
  const finished = async (output: unknown): Promise<unknown> => {
    await execution.succeed(running.record?.(output))
    return running.finish(output, execution)
  }

  let output: unknown
  try {
    output = await enter(() => running.run(args, execution))
  } catch (error) {
    if (entered) return failed(error)
    await execution.notStarted()
    return notGranted(execution, error)
  }
  return {
    type: 'output',
    output: isGenerator(output) ? inSteps(output, { enter, finished, failed }) : await finished(output),
  }
}

/** A grant that came to nothing. What the tool's own schema says of an approver's edits is no mistake of the model. */
function notGranted({ intent }: Execution, cause: unknown): Refusal {
  const code = isSilentAuthError(cause) ? cause.code : 'EDITS_NOT_ACCEPTED'
  return { type: 'refused', code, intent, closed: undefined, cause }
}
