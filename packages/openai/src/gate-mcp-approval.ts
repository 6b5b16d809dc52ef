/**
 * Approval of calls that a provider makes on a remote MCP server. The call runs there, so a permit cannot be enforced: what
 * the gate decides is whether the provider is told to go on, and no more than once.
 *
 * @module
 */
import {
  actionName,
  type BoundCall,
  bindCall,
  callKey,
  type Execution,
  type GatedToolOptions,
  gateRefusal,
  hold,
  isSilentAuthError,
  knownContext,
  type NotExecuted,
  needsGate,
  refusalAnswer,
  type SilentAuthError,
} from '@silentauth/core'
import { askedCall } from './gated-call.js'
import { checkPlainOptions, type PlainCallInfo, type PlainGateOptions } from './plain-options.js'

/** The fields of `mcp_approval_request`. */
export interface McpApprovalRequest {
  readonly id: string
  readonly name: string
  readonly arguments: string
  readonly server_label: string
}

export type McpGateOptions = Omit<
  PlainGateOptions,
  'allowEdits' | 'onDenied' | 'onGateError' | 'recordResult' | 'replay'
>

/** For `approveMcp` of `ResponsesToolRunner`. @throws TypeError for options that make no sense */
export function gateMcpApproval(options: McpGateOptions): (request: McpApprovalRequest) => Promise<boolean> {
  checkPlainOptions('an MCP server', options)
  const run = options.runKey ?? crypto.randomUUID()
  return async ({ id, name, arguments: text, server_label: server }) => {
    const args: unknown = parsed(text)
    const answer = await decideRemote({ server, name, args, callId: id, run, signal: undefined }, options)
    return answer.approve
  }
}

export interface RemoteCall {
  readonly server: string
  readonly name: string
  /** Undefined: they could not be read, and nothing is approved. */
  readonly args: unknown
  readonly callId: string
  readonly run: string
  readonly signal: AbortSignal | undefined
}

/**
 * Asks, waits, and spends the approval. The action is `<server>_<tool>` in snake_case, unless the options say otherwise.
 *
 * @throws by the options, where a refusal is to be thrown
 */
export async function decideRemote(
  call: RemoteCall,
  options: GatedToolOptions<unknown, never>,
): Promise<{ approve: boolean; reason: string }> {
  const { gate, timeoutMs, onEvent } = options
  if (call.args === undefined) return { approve: false, reason: NO_JSON }
  const bound = await bindRemote(call, options).catch(refusalOrThrow)
  if (!bound) return { approve: true, reason: 'not gated' }
  if (isSilentAuthError(bound)) return notApproved(bound, options)
  const begun = await hold(gate, bound.asked, { signal: call.signal, timeoutMs, onEvent })
  if (begun.type !== 'begun') return notApproved(begun, options)
  return tellProvider(begun.execution, options)
}

/**
 * What the provider makes of it is not seen here; that it was told to go on is.
 *
 * @throws by the options, where a refusal is to be thrown
 */
export async function tellProvider(
  execution: Execution,
  options: GatedToolOptions<unknown, never>,
): Promise<{ approve: boolean; reason: string }> {
  try {
    execution.run(() => undefined)
  } catch (error) {
    await execution.notStarted()
    return notApproved(refusalOrThrow(error), options)
  }
  await execution.succeed()
  return { approve: true, reason: execution.intent.id }
}

/** @throws by the options, where a refusal is to be thrown */
function notApproved(
  refusal: NotExecuted,
  options: GatedToolOptions<unknown, never>,
): { approve: false; reason: string } {
  const answer = refusalAnswer(refusal, options)
  if (answer.type === 'thrown') throw answer.error
  return { approve: false, reason: gateRefusal(refusal).text }
}

function refusalOrThrow(error: unknown): SilentAuthError {
  if (isSilentAuthError(error)) return error
  throw error
}

export const NO_JSON = 'the arguments are no JSON'

/** Undefined: not gated. @throws SilentAuthError when its arguments cannot be bound */
export async function bindRemote(
  { server, name, args, callId, run, signal }: RemoteCall,
  options: GatedToolOptions<unknown, never>,
): Promise<BoundCall | undefined> {
  const toolName = `${server}_${name}`
  const info: PlainCallInfo = { toolName, toolCallId: callId, signal }
  if (!(await needsGate(options, args, info as never))) return undefined
  return bindCall(
    options.action === undefined ? actionName(toolName) : toolName,
    options,
    askedCall({
      key: callKey({ scope: '', run, agent: `mcp:${toolName}`, callId, occurrence: 0 }),
      raw: args,
      parsed: args,
      parse: async (again) => again,
      info: info as never,
      known: knownContext({ tool: name, tool_call_id: callId, server }),
      edits: false,
    }),
  )
}

export function parsed(text: string): unknown {
  try {
    return JSON.parse(text === '' ? '{}' : text)
  } catch {
    return undefined
  }
}
