/**
 * Tool inputs, parsed by the tool's own schema: the SDK keeps the schema to itself, so it is the SDK that is asked. A run of
 * its own, with a model that makes this one call of a copy of the tool that always needs approval: it parses, and stops
 * before anything could run.
 *
 * @module
 */
import { Agent, type FunctionTool, type Model, Runner, Usage } from '@openai/agents'
import { boundCopy } from '@silentauth/core'

export type ParsedInput =
  | { readonly type: 'valid'; readonly value: unknown }
  | { readonly type: 'invalid'; readonly error: unknown }

/** `input`: JSON text. Never runs the tool, whatever it is made of. */
export async function parseInput(tool: FunctionTool, input: string): Promise<ParsedInput> {
  let asked: ParsedInput = { type: 'invalid', error: new TypeError('the input is no JSON object') }
  const probe = boundCopy(tool, {
    deferLoading: false,
    isEnabled: async () => true,
    needsApproval: async (_: unknown, value: unknown) => {
      asked = { type: 'valid', value }
      return true
    },
  })
  const agent = new Agent({ name: 'parse', tools: [probe], model: callingModel(tool.name, input) })
  try {
    const { state } = await new Runner({ tracingDisabled: true }).run(agent, 'parse')
    return preparedIn(state, agent) ?? asked
  } catch (error) {
    return { type: 'invalid', error }
  }
}

const CALL_ID = 'parse'

function callingModel(name: string, input: string): Model {
  return {
    getResponse: async () => ({
      usage: new Usage(),
      output: [{ type: 'function_call', callId: CALL_ID, name, arguments: input, status: 'completed' }],
    }),
    getStreamedResponse() {
      throw new TypeError('is not streamed')
    },
  }
}

/** What the SDK keeps of a call that waits for approval; a policy is asked about arguments that the schema refuses, too. */
interface Pending {
  readonly preparedInput?: {
    readonly result?:
      | { readonly success: true; readonly value: unknown }
      | { readonly success: false; readonly error: unknown }
  }
}

/** Undefined where the tool has no schema that the SDK parses with. */
function preparedIn(state: object, agent: object): ParsedInput | undefined {
  const { _pendingFunctionToolApprovals: pending } = state as {
    _pendingFunctionToolApprovals?: ReadonlyMap<object, ReadonlyMap<string, Pending>>
  }
  const result = pending?.get(agent)?.get(CALL_ID)?.preparedInput?.result
  if (result === undefined) return undefined
  return result.success ? { type: 'valid', value: result.value } : { type: 'invalid', error: result.error }
}
