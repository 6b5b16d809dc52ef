/**
 * The run of a tool itself, once its call may run: by the SDK, which keeps to the tool's own timeout and error texts.
 *
 * @module
 */
import { type FunctionTool, invokeFunctionTool, type RunContext } from '@openai/agents'
import { boundCopy, currentPermit, isTimeout, type Permit } from '@silentauth/core'
import { ToolFailure } from './gated-call.js'
import type { ModelCall } from './run-scope.js'

/** The fields of the details of a call that are read here. */
export interface Details {
  readonly toolCall?: ModelCall | undefined
  readonly signal?: AbortSignal | undefined
  /** Of an agent in a tool that is gone on with. Somebody may have written it. */
  readonly resumeState?: string | undefined
}

/** One call of the tool itself. */
export interface InnerCall {
  readonly runContext: RunContext<unknown>
  readonly input: string
  readonly details: Details | undefined
}

/** Under its own timeout. */
export function runTool(tool: FunctionTool, { runContext, input, details }: InnerCall): Promise<unknown> {
  return invokeFunctionTool({ tool, runContext, input, ...(details && { details: details as never }) })
}

/**
 * Runs the tool, and finds out whether it failed: the SDK makes a text of an error before anybody else sees it.
 *
 * @throws ToolFailure with that text
 */
export async function runReporting(tool: FunctionTool, call: InnerCall): Promise<unknown> {
  const seen = { failed: false, timedOut: false }
  const watched = boundCopy(tool, {
    timeoutErrorFunction: async (...args: Parameters<NonNullable<FunctionTool['timeoutErrorFunction']>>) => {
      seen.timedOut = true
      return tool.timeoutErrorFunction?.(...args) ?? `Tool '${tool.name}' timed out after ${tool.timeoutMs}ms.`
    },
  })
  const output = await runTool(watched, { ...call, details: call.details && watchedDetails(call.details, seen) })
  if (seen.timedOut) throw new ToolFailure(output, true)
  const permit = currentPermit()
  if (seen.failed || output === DEFAULT_ERROR) throw new ToolFailure(output, isTimeout(permit && thrown.get(permit)))
  return output
}

/** What functions of this package's own have thrown, by the permit that they ran with. */
const thrown = new WeakMap<Permit, unknown>()

/** For a function that throws: what the SDK makes of it does not say whether it gave up waiting. */
export async function noteThrown<Result>(permit: Permit, execute: () => Result): Promise<Awaited<Result>> {
  try {
    return await execute()
  } catch (error) {
    thrown.set(permit, error)
    throw error
  }
}

/** What the SDK says for a tool without an `errorFunction`. */
const DEFAULT_ERROR = 'An error occurred while running the tool. Please try again.'
/** Of the SDK's own mark, which it reads only to tell a tool's `errorFunction` about an error. */
const READ_ON_ERROR = 'functionToolTraceIncludeSensitiveData'

function watchedDetails(details: object, seen: { failed: boolean }): Details {
  const watched: Details = Object.create(Object.getPrototypeOf(details), configurable(details))
  const mark = Object.getOwnPropertySymbols(details).find(({ description }) => description === READ_ON_ERROR)
  if (mark === undefined) return watched
  const { value, get: other } = Object.getOwnPropertyDescriptor(details, mark) as PropertyDescriptor
  // A tool that calls a tool hands its own details on; asking them would say that it failed.
  const marked: unknown = other ? marks.get(other) : value
  const get = (): unknown => {
    seen.failed = true
    return marked
  }
  marks.set(get, marked)
  return Object.defineProperty(watched, mark, { get })
}

const marks = new WeakMap<() => unknown, unknown>()

function configurable(details: object): PropertyDescriptorMap {
  const descriptors = Object.getOwnPropertyDescriptors(details)
  const all = Reflect.ownKeys(descriptors).map((name) => [
    name,
    { ...Reflect.get(descriptors, name), configurable: true },
  ])
  return Object.fromEntries(all)
}
