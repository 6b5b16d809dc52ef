/**
 * Gated tools: an AI SDK tool whose every call is asked of the gate first, in `execute`, which no path goes around: the model's
 * calls, replayed approvals, agents, code mode, direct calls.
 *
 * @module
 */
import { boundCopy } from '@silentauth/core'
import type { InferToolInput, Tool } from 'ai'
import { checkOptions, type GateToolOptions } from './gate-options.js'
import { type Answer, type Gatekeeper, gatekeeper, type RunTool, type Surroundings } from './gated-call.js'
import { isReplay } from './history.js'
import { asksPeople } from './pending-look.js'
import type { ExecuteOptions } from './tool-call.js'
import { modelOutputOf, type ToModelOutput } from './tool-output.js'
import { showing, type WaitingOutput } from './waiting-steps.js'

/** A tool's input as its schema parses it. */
export type InputOf<Gated> = Gated extends Tool ? InferToolInput<Gated> : unknown

/** What of a tool is overridden or called here. */
export interface SdkTool {
  readonly inputSchema?: unknown
  readonly outputSchema?: unknown
  readonly type?: unknown
  readonly providerOptions?: Readonly<Record<string, unknown>> | undefined
  readonly execute?: Execute | undefined
  readonly toModelOutput?: ToModelOutput | undefined
  readonly needsApproval?: boolean | NeedsApproval | undefined
}
export type Execute = (this: unknown, input: unknown, options?: ExecuteOptions) => unknown
export type NeedsApproval = (this: unknown, input: unknown, options: ExecuteOptions) => boolean | PromiseLike<boolean>

/**
 * Gates every call of a tool, whoever makes it.
 *
 * @param name the tool's name in the tool set
 * @returns a tool of the same type; a tool that is gated already as it is
 * @throws TypeError for a tool that does not run in this process, and for options that make no sense
 */
export function gateTool<Gated extends object>(
  name: string,
  tool: Gated,
  options: GateToolOptions<InputOf<Gated>>,
): Gated {
  return gatedTool(name, tool, options as GateToolOptions, {})
}

/** Also true for the gated tools of other loaded copies of this package; not for one that was given another `execute` since. */
export function isGated(tool: unknown): boolean {
  if (typeof tool !== 'object' || tool === null || !(GATED in tool)) return false
  return tool[GATED] === (tool as SdkTool).execute
}

const GATED = Symbol.for('silentauth.gated')

/** On a gated tool, and on what a layer makes of it: who is asked about its calls. It lets nothing run. */
const KEEPER = Symbol.for('silentauth.keeper')

interface Kept {
  readonly keep: Gatekeeper
  /** The tool that was gated, whose own wishes still count. */
  readonly original: SdkTool
}

export function keptBy(tool: unknown): Kept | undefined {
  const isKept = typeof tool === 'object' && tool !== null && KEEPER in tool
  return isKept ? (tool[KEEPER] as Kept) : undefined
}

export function gatedTool<Gated extends object>(
  name: string,
  tool: Gated,
  options: GateToolOptions,
  surroundings: Surroundings,
): Gated {
  if (isGated(tool)) return tool
  requireExecute(name, tool)
  checkOptions(name, options as GateToolOptions<never>)
  if (tool.needsApproval && options.run === undefined) {
    throw new TypeError(
      `${name}: asks for approvals by itself, so it needs the option run, by which its resume finds the call`,
    )
  }
  const keep = gatekeeper(name, tool, options, surroundings)
  return guarded(tool, keep) as Gated
}

/** @throws TypeError for tools that run in a browser or at a provider */
export function requireExecute(name: string, tool: unknown): asserts tool is SdkTool & { execute: Execute } {
  if (typeof (tool as SdkTool | null)?.execute !== 'function') {
    throw new TypeError(`${name}: cannot be gated, because it does not run in this process (it has no execute)`)
  }
}

/** The mark by which `gateMiddleware` knows the tools whose `execute` asks; it takes it off before the provider sees it. */
export const STAMP = 'silentauth'

/** A copy of a tool, for which a gatekeeper answers. */
export function guarded(tool: SdkTool & { execute: Execute }, keep: Gatekeeper): SdkTool {
  const { execute: original } = tool
  // Private fields live on the original, and nowhere else is `this` ours to change.
  const self = (that: unknown) => (that === gated ? tool : that)
  const isGenerator = Object.prototype.toString.call(original) === '[object AsyncGeneratorFunction]'

  const runOf = (that: unknown, given: ExecuteOptions | undefined): RunTool =>
    isGenerator
      ? (args) => lastStep(original.call(self(that), args, given) as AsyncGenerator)
      : async (args) => drained(await original.call(self(that), args, given))

  const execute: Execute =
    isGenerator || keep.preliminary
      ? async function* (this: unknown, input, given) {
          const run = runOf(this, given)
          const answer = keep.preliminary
            ? yield* shown(keep, input, given, run)
            : await keep.execute(input, given, run)
          if (answer.type === 'output') yield answer.output
          else yield* settled(answer.steps)
        }
      : async function (this: unknown, input, given) {
          const answer = await keep.execute(input, given, runOf(this, given))
          return answer.type === 'output' ? answer.output : drained(answer.steps)
        }

  const own = tool.needsApproval
  const needsApproval: NeedsApproval = async (input, given) => {
    // AI SDK 6 denies the replay otherwise; execute decides.
    if (isReplay(given.messages ?? [], given.toolCallId ?? '')) return true
    const isOwn = typeof own === 'function' ? await own.call(tool, input, given) : own === true
    if (keep.wait === 'hold' && !isOwn) return false
    // Whoever is asked is asked by the gate: without an intent its replay would find nothing.
    return (await asksPeople(keep, input, given)) || isOwn
  }
  const asksFirst = keep.wait === 'suspend' || own !== undefined
  const toModelOutput = modelOutputOf(tool.toModelOutput?.bind(tool))
  const providerOptions = { ...tool.providerOptions, [STAMP]: { gated: true } }
  const gated = boundCopy<SdkTool>(tool, {
    execute,
    toModelOutput,
    providerOptions,
    ...(asksFirst && { needsApproval }),
    [GATED]: execute,
    [KEEPER]: { keep, original: tool } satisfies Kept,
  })
  return gated
}

/** Each thing that a call waits for as a step. Where nobody takes the steps any more, nobody waits. */
function shown(
  keep: Gatekeeper,
  input: unknown,
  given: ExecuteOptions | undefined,
  run: RunTool,
): AsyncGenerator<WaitingOutput, Answer> {
  return showing((show, left) => {
    const abortSignal = given?.abortSignal ? AbortSignal.any([given.abortSignal, left]) : left
    return keep.execute(input, { ...given, abortSignal }, run, show)
  })
}

/** The SDK takes the last step of a generator for its result, so that is what is reported. */
async function* lastStep(steps: AsyncIterable<unknown>): AsyncGenerator {
  let last: unknown
  for await (const step of steps) {
    last = step
    yield step
  }
  return last
}

/** Its steps, and what became of the last one, if that is something else. */
async function* settled(steps: AsyncGenerator): AsyncGenerator {
  let last: unknown
  try {
    for (;;) {
      const step = await steps.next()
      if (step.done) {
        if (step.value !== last) yield step.value
        return
      }
      last = step.value
      yield last
    }
  } finally {
    await steps.return(undefined)
  }
}

/** A plain function may give back an iterable, whose last value is the result: out of a promise, the SDK would not read it. */
async function drained(output: unknown): Promise<unknown> {
  const isIterable = typeof output === 'object' && output !== null && Symbol.asyncIterator in output
  if (!isIterable) return output
  let last: unknown
  for await (const value of output as AsyncIterable<unknown>) last = value
  return last
}
