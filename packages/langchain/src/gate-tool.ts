/**
 * Gated tools: a LangChain tool whose every call is asked of the gate first. It is the tool itself, seen through an
 * object that overrides what runs it, so that class, fields, schema, streaming and traces stay as they are.
 *
 * @module
 */
import { type Runnable, type RunnableConfig, RunnableLambda, type RunnableToolLike } from '@langchain/core/runnables'
import { isRunnableToolLike, ToolInputParsingException } from '@langchain/core/tools'
import type { InferInteropZodOutput, InteropZodType } from '@langchain/core/utils/types'
import { checkOptions, type GateToolOptions } from './gate-options.js'
import { type GateableTool, type Gatekeeper, gatekeeper } from './gated-call.js'
import { configOf, type ModelCall, modelCallOf } from './tool-call.js'
import { parserOf } from './tool-schema.js'

/** A tool that runs in this process: what `tool()` makes, a class, a runnable as a tool. Those of a provider have no `invoke`. */
export interface ClientTool {
  readonly name: string
  readonly schema: unknown
  invoke(input: never, config?: never): Promise<unknown>
}

/** A tool's arguments as its schema parses them. */
export type ArgumentsOf<Tool> = Tool extends { schema: infer Schema }
  ? Schema extends InteropZodType
    ? InferInteropZodOutput<Schema>
    : unknown
  : unknown

/**
 * Gates every call of a tool, whoever makes it: an agent, a graph, another tool, or your own code.
 *
 * @returns a tool of the same type; a tool that is gated already as it is
 * @throws TypeError for what is no tool of this process, and for options that make no sense
 */
export function gateTool<Tool extends ClientTool>(tool: Tool, options: GateToolOptions<ArgumentsOf<Tool>>): Tool {
  if (isGated(tool)) return tool
  requireTool(tool)
  checkOptions(tool.name, options as GateToolOptions<never>)
  return guarded(tool, gatekeeper(tool, options as GateToolOptions))
}

/** Also true for the gated tools of other loaded copies of this package. */
export function isGated(tool: unknown): boolean {
  return typeof tool === 'object' && tool !== null && GATED in tool
}

const GATED = Symbol.for('silentauth.gated')

/** A tool that a gatekeeper answers for. */
export function guarded<Tool extends ClientTool>(tool: Tool, keep: Gatekeeper): Tool {
  const gated = isRunnableToolLike(tool) ? guardedRunnable(tool, keep) : guardedStructured(tool, keep)
  return Object.defineProperty(gated, GATED, { value: true }) as Tool
}

/** @throws TypeError for tools that a provider runs, and for anything else without a body to guard */
export function requireTool(tool: unknown): asserts tool is ClientTool & GateableTool {
  const isTool = isRunnableToolLike(tool) || typeof (tool as Partial<StructuredTool> | null)?._call === 'function'
  if (!isTool) {
    const name = (tool as { name?: unknown } | null)?.name
    throw new TypeError(
      `${typeof name === 'string' ? name : 'a tool'}: cannot be gated, because it does not run in this process`,
    )
  }
}

/** The fields and methods of `StructuredTool` that are overridden or called here. */
interface StructuredTool extends GateableTool {
  invoke(input: unknown, config?: unknown): Promise<unknown>
  call(arg: unknown, ...rest: readonly unknown[]): Promise<unknown>
  _call(args: unknown, runManager: unknown, config: unknown): unknown
}

/**
 * `invoke` and `call` only learn the call and its arguments as given; `_call`, which LangChain reaches on every way with
 * parsed arguments, is what is guarded.
 */
function guardedStructured(original: object, keep: Gatekeeper): object {
  const tool = original as StructuredTool
  const gated: StructuredTool = Object.create(tool, forwardedAccessors(tool))

  const guardedCall = (own: ModelCall | undefined, raw: unknown) => {
    return (parsed: unknown, runManager: unknown, given: unknown): Promise<unknown> => {
      const config = configOf(given)
      return keep({
        own,
        raw,
        parsed,
        config,
        toolCallId: own?.id ?? config.toolCall?.id,
        // On the tool itself: on an object derived from it, #private fields cannot be read.
        run: (args) => tool._call(args, runManager, given),
      })
    }
  }
  /** Sees one call: `own` is what an agent handed over, and is believed only for the arguments that came with it. */
  const forOneCall = (own: ModelCall | undefined): StructuredTool => {
    const seen: StructuredTool = Object.create(gated, {
      call: {
        value: (arg: unknown, ...rest: readonly unknown[]) => {
          const call = modelCallOf(arg) ?? (own?.args === arg ? own : undefined)
          const raw = modelCallOf(arg)?.args ?? arg
          const called = Object.create(seen, { _call: { value: guardedCall(call, raw) } })
          return tool.call.call(called, arg, ...rest)
        },
      },
    })
    return seen
  }
  return Object.defineProperties(gated, {
    invoke: {
      value: (input: unknown, config?: unknown) => tool.invoke.call(forOneCall(modelCallOf(input)), input, config),
    },
    call: { value: (arg: unknown, ...rest: readonly unknown[]) => forOneCall(undefined).call(arg, ...rest) },
    _call: {
      value: (parsed: unknown, runManager: unknown, config: unknown) =>
        guardedCall(undefined, parsed)(parsed, runManager, config),
    },
  })
}

/** Getters of a class may read #private fields, which only the tool itself has. */
function forwardedAccessors(tool: object): PropertyDescriptorMap {
  const forwarded: PropertyDescriptorMap = {}
  const seen = new Set<string>()
  for (let level = tool; level && level !== Object.prototype; level = Object.getPrototypeOf(level)) {
    for (const [name, { get, set }] of Object.entries(Object.getOwnPropertyDescriptors(level))) {
      if (seen.has(name)) continue
      seen.add(name)
      if (!get) continue
      forwarded[name] = {
        configurable: true,
        get: () => Reflect.get(tool, name),
        ...(set && { set: (value: unknown) => void Reflect.set(tool, name, value) }),
      }
    }
  }
  return forwarded
}

/** A runnable as a tool: everything that runs it goes through `bound`. */
function guardedRunnable(tool: RunnableToolLike, keep: Gatekeeper): object {
  const inner = tool.bound as Runnable<unknown, unknown>
  const parse = async (args: unknown): Promise<unknown> => {
    try {
      return await parserOf(tool)(args)
    } catch {
      throw new ToolInputParsingException('Received tool input did not match expected schema')
    }
  }
  const bound = RunnableLambda.from(async (input: unknown, given?: RunnableConfig) => {
    const own = modelCallOf(input)
    const raw = own ? own.args : input
    return keep({
      own,
      raw,
      // What comes without a call is handed to the runnable as it is.
      parsed: own ? await parse(raw) : raw,
      config: configOf(given),
      toolCallId: own?.id,
      // Without the call around it, so that what was parsed here is not parsed again.
      run: (args) => inner.invoke(args, given),
    })
  }).withConfig({ runName: `${tool.name}:gate` })
  return Object.create(tool, { bound: { value: bound, writable: true, configurable: true } })
}
