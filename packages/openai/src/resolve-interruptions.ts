/**
 * The interruptions of a run, looked up at the gate: what was decided goes on, what was not waits. An approval of the SDK is
 * never given for anything but a decision of the gate, and is no more than the end of a pause: the tool asks again.
 *
 * @module
 */
import type { Agent, RunState, RunToolApprovalItem, Tool } from '@openai/agents'
import { type Gate, type Look, refusalRoute, refusalText, waitsForLater } from '@silentauth/core'
import { remoteCallOf } from './gate-hosted-mcp.js'
import { type GateHook, hookOf, type WaitingCall } from './gate-tool.js'
import { type PendingCall, pendingOf } from './pending-call.js'
import {
  callIdsIn,
  contextOf,
  continuesOf,
  type ListedCall,
  type ModelCall,
  markAnswered,
  newScope,
  placeOf,
  type RunScope,
} from './run-scope.js'

/** An agent of any context and output. */
// biome-ignore lint/suspicious/noExplicitAny: the SDK's own bound for agents and states
export type AnyAgent = Agent<any, any>
// biome-ignore lint/suspicious/noExplicitAny: as above
export type AnyState = RunState<any, AnyAgent>

/** What was interrupted: the result of a run, or a state that was restored. */
export interface Interrupted {
  readonly state: AnyState
  readonly interruptions: readonly RunToolApprovalItem[]
}

/** One interruption of a gated tool. */
export interface Found {
  readonly item: RunToolApprovalItem
  readonly call: ModelCall
  readonly hook: GateHook
  readonly waiting: WaitingCall
}

/** Looks at every interruption. `foreign`: not of a gated tool, or its tool is gone. */
export async function findings(
  { state, interruptions }: Interrupted,
  scope: RunScope,
): Promise<{ readonly found: readonly Found[]; readonly foreign: readonly RunToolApprovalItem[] }> {
  const runContext = contextOf(state)
  const found: Found[] = []
  const foreign: RunToolApprovalItem[] = []
  for (const item of interruptions) {
    const asked = askedOf(item)
    const tools = asked ? await item.agent.getAllTools(runContext as never) : []
    const hook = asked && hookOf(asked.toolIn(tools))
    if (!hook) foreign.push(item)
    else found.push({ item, call: asked.call, hook, waiting: await hook.look(scope, runContext, asked.call) })
  }
  return { found, foreign }
}

/** Undefined: of a kind that is not gated here. */
function askedOf({
  rawItem: raw,
  toolName,
}: RunToolApprovalItem): { call: ModelCall; toolIn(tools: readonly Tool[]): Tool | undefined } | undefined {
  if (raw.type === 'function_call') {
    return { call: raw, toolIn: (tools) => tools.find((tool) => tool.type === 'function' && tool.name === raw.name) }
  }
  if (raw.type === 'shell_call' || raw.type === 'apply_patch_call') {
    const [type, name, given] =
      raw.type === 'shell_call' ? ['shell', 'shell', raw.action] : ['apply_patch', raw.operation.type, raw.operation]
    const call = { callId: raw.callId, name, arguments: JSON.stringify(given) }
    return { call, toolIn: (tools) => tools.find((tool) => tool.type === type && tool.name === toolName) }
  }
  const call = raw.type === 'hosted_tool_call' ? remoteCallOf(raw.providerData) : undefined
  const isOf = (tool: Tool) => tool.type === 'hosted_tool' && tool.providerData?.server_label === call?.server
  // Of two with one label the SDK takes the last.
  return call && { call, toolIn: (tools) => tools.findLast(isOf) }
}

/** It has to go on waiting. */
export function waits({ waiting: { looked }, hook }: Found): boolean {
  return looked !== undefined && waitsForLater(looked.seen, hook.options)
}

/** Ends the pause of what was decided. @returns false: it cannot begin now, and waits on */
export async function settle(
  { item, call, hook, waiting }: Found,
  state: AnyState,
  { scope, signal }: { readonly scope: RunScope; readonly signal?: AbortSignal | undefined },
): Promise<boolean> {
  if (hook.spend) {
    const answer = await hook.spend(waiting, { scope, call, signal })
    if (answer === 'wait') return false
    if (answer === 'approve') state.approve(item)
    else state.reject(item, { message: answer.reject })
    return true
  }
  const refusal = waiting.looked && refusalIn(waiting.looked.seen)
  // A typed output takes no text: the tool answers in its own way. An error is the tool's to throw.
  if (refusal && !hook.outputsAreTyped && refusalRoute(refusal, hook.options) !== 'throw') {
    state.reject(item, { message: refusalText(refusal) })
    markAnswered(scope, call.name, call.callId, call)
    return true
  }
  scope.driven?.resuming.add(waiting.key)
  state.approve(item)
  return true
}

function refusalIn(seen: Look): Extract<Look, { type: 'refused' }> | undefined {
  return seen.type === 'refused' ? seen : undefined
}

/** What a user interface is shown. */
export function pendingCall({ item, call, hook, waiting: { looked } }: Found): PendingCall {
  const seen = looked?.seen
  const intent = seen && 'intent' in seen ? seen.intent : undefined
  const of = { tool: call.name, callId: call.callId, agent: item.agent.name }
  if (intent) return pendingOf(of, intent)
  return { ...of, action: looked?.call.asked.draft.action ?? String(hook.options.action ?? call.name) }
}

/** What an envelope says of it. Undefined: there is nothing to declare of it. */
export function listedCall({ call, waiting: { key, looked } }: Found, scope: RunScope): ListedCall | undefined {
  if (!looked) return undefined
  const { seen } = looked
  const { name: tool, callId } = call
  return {
    tool,
    callId,
    occurrence: scope.calls.get(placeOf(tool, callId))?.occurrence ?? 0,
    // What could not be asked may exist all the same: then the declaration finds it.
    declared: !(seen.type === 'refused' && seen.intent === undefined),
    digest: looked.call.asked.snapshot.digest,
    continues: continuesOf(scope, key),
  }
}

export interface ResolveOptions {
  /** As given to `withGateRun`. */
  runKey: string
  gate?: Gate | undefined
}

export interface ResolvedInterruptions {
  /** How many of them can go on: run the state again when there are any. */
  readonly resolved: number
  readonly pending: readonly PendingCall[]
  /** Of tools that are not gated; yours to decide. */
  readonly foreign: readonly RunToolApprovalItem[]
}

/**
 * For loops of your own over `run()`: ends the pause of every call that was decided. It only reads, because a state that was
 * kept without an envelope may have been changed.
 */
export async function resolveInterruptions(
  interrupted: Interrupted,
  { runKey }: ResolveOptions,
): Promise<ResolvedInterruptions> {
  const nothing = { listed: new Map(), callIds: new Set(callIdsIn(interrupted.state.toString())) }
  const scope = newScope(runKey, { restored: nothing })
  const { found, foreign } = await findings(interrupted, scope)
  const waiting = found.filter(waits)
  let resolved = 0
  for (const call of found.filter((call) => !waits(call))) {
    if (call.waiting.ownApproval || (await settle(call, interrupted.state, { scope }))) resolved++
    else waiting.push(call)
  }
  return { resolved, pending: waiting.map(pendingCall), foreign }
}
