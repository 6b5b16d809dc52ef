/**
 * Gated functions for `ResponsesToolRunner` of `openai/helpers/responses-tool-runner`: the process waits in the call.
 *
 * @module
 */
import { actionName, callKey, type JsonObject, knownContext } from '@silentauth/core'
import { heldCall } from './gated-call.js'
import { checkPlainOptions, type PlainGateOptions } from './plain-options.js'

/** What the runner takes, and `runnerFunction()` makes. */
export interface RunnerFunctionLike {
  readonly tool: { readonly name: string }
  execute(args: Record<string, unknown>, options?: { signal: AbortSignal | undefined }): unknown
}

/** Gates every call of a function. @throws TypeError for options that make no sense */
export function gateRunnerFunction<Gated extends RunnerFunctionLike>(gated: Gated, options: PlainGateOptions): Gated {
  const { tool } = gated
  const { name, parameters } = tool as { name: string; parameters?: JsonObject }
  checkPlainOptions(name, options)
  if (options.action === undefined) actionName(name)
  const run = options.runKey ?? crypto.randomUUID()
  // The runner does not say which call it is; it makes one at a time.
  let occurrence = 0
  const execute = async (
    args: Record<string, unknown>,
    given?: { signal: AbortSignal | undefined },
  ): Promise<unknown> => {
    const signal = given?.signal
    return heldCall({
      toolName: name,
      options,
      key: callKey({ scope: '', run, agent: `tool:${name}`, occurrence: occurrence++ }),
      raw: args,
      parsed: args,
      parse: async (again) => again,
      info: { toolName: name, toolCallId: undefined, signal },
      known: knownContext({ tool: name }),
      edits: options.allowEdits ? { schema: structuredClone(parameters ?? {}) } : false,
      signal,
      passed: () => gated.execute(args, given),
      run: (_, { params }) => gated.execute(options.params ? args : params, given),
    })
  }
  return { ...gated, execute }
}
