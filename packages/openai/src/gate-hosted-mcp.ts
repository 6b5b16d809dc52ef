/**
 * Approval of tools that OpenAI calls on a remote MCP server. They run there, so a permit cannot be enforced: what the gate
 * decides is whether OpenAI is told to go on, and no more than once.
 *
 * @module
 */
import type { HostedMCPTool, RunContext, RunToolApprovalItem } from '@openai/agents'
import { gateRefusal, isSilentAuthError, look } from '@silentauth/core'
import { tellLook } from './call-events.js'
import { bindRemote, decideRemote, NO_JSON, parsed, tellProvider } from './gate-mcp-approval.js'
import type { GateMethodOptions } from './gate-methods.js'
import { checkOptions, type GateToolOptions } from './gate-options.js'
import { GATED, type GateHook, isGated } from './gate-tool.js'
import { heldScope, type ModelCall, mayDeclare } from './run-scope.js'
import { spendApproval } from './spend-approval.js'

export interface HostedMcpApproval {
  requireApproval: 'always'
  onApproval(context: RunContext<unknown>, item: RunToolApprovalItem): Promise<{ approve: boolean; reason?: string }>
}

export interface HostedMcpOptions extends GateMethodOptions {
  /** `suspend` only in `runWithGate` and `streamWithGate`. @default 'hold' */
  wait?: 'hold' | 'suspend' | undefined
}

/**
 * With a tool: a copy of it, whose every call is asked for. Alone: to spread into `hostedMcpTool({ …, ...gateHostedMcp(options) })`,
 * where the process waits.
 *
 * @throws TypeError for options that make no sense, and for what is no hosted MCP server
 */
export function gateHostedMcp(options: GateMethodOptions): HostedMcpApproval
export function gateHostedMcp<Context>(tool: HostedMCPTool<Context>, options: HostedMcpOptions): HostedMCPTool<Context>
export function gateHostedMcp(
  given: HostedMCPTool | GateMethodOptions,
  options?: HostedMcpOptions,
): HostedMCPTool | HostedMcpApproval {
  if (options === undefined) return heldApproval(given as GateMethodOptions)
  const tool = given as HostedMCPTool
  if (isGated(tool)) return tool
  if (tool.type !== 'hosted_tool' || tool.providerData?.type !== 'mcp') {
    throw new TypeError('only what hostedMcpTool() makes is a hosted MCP server')
  }
  checkOptions(tool.providerData.server_label, options as GateToolOptions<never>)
  const suspends = options.wait === 'suspend'
  const { onApproval, requireApproval } = suspends
    ? { onApproval: undefined, requireApproval: 'always' as const }
    : heldApproval(options)
  // Without a callback the SDK interrupts the run.
  const providerData = { ...tool.providerData, require_approval: requireApproval, on_approval: onApproval }
  const copy = { ...tool, providerData: providerData as HostedMCPTool['providerData'] }
  return Object.defineProperty(copy, GATED, { value: suspends ? remoteHook(options as GateToolOptions) : true })
}

function heldApproval(options: GateMethodOptions): HostedMcpApproval {
  checkOptions('hosted MCP', options as never, 'hold')
  const approval: HostedMcpApproval = {
    requireApproval: 'always',
    async onApproval(context, { rawItem }) {
      const { providerData = {} } = rawItem as { providerData?: Record<string, unknown> }
      const raw = { ...providerData, ...rawItem } as Record<string, unknown>
      const args = text(raw.arguments) ?? text(providerData.arguments)
      // A realtime session names it otherwise.
      const callId = text(providerData.id) ?? text(providerData.itemId) ?? text(raw.id)
      const name = text(raw.name) ?? text(providerData.name)
      const server = text(providerData.server_label) ?? text(providerData.serverLabel)
      if (callId === undefined || name === undefined || server === undefined) {
        return { approve: false, reason: 'the request does not say what it is for' }
      }
      const call = { server, name, args: parsed(args ?? ''), callId, run: heldScope(context).runKey, signal: undefined }
      return decideRemote(call, options as never)
    },
  }
  Object.defineProperty(approval.onApproval, GATED, { value: true })
  return approval
}

/** A call that a run was interrupted for. */
export interface RemoteModelCall extends ModelCall {
  readonly server: string
  readonly tool: string
}

/** Undefined: it does not say what it is for. Only what the provider said counts, because that is what it will run. */
export function remoteCallOf(request: Record<string, unknown> | undefined): RemoteModelCall | undefined {
  const [callId, tool, server] = [text(request?.id), text(request?.name), text(request?.server_label)]
  if (callId === undefined || tool === undefined || server === undefined) return undefined
  return { callId, server, tool, name: `${server}_${tool}`, arguments: text(request?.arguments) ?? '' }
}

function remoteHook(options: GateToolOptions): GateHook {
  return {
    options,
    outputsAreTyped: false,
    async look(scope, _, call) {
      const { server, tool: name, callId, arguments: json } = call as RemoteModelCall
      const key = `${server}:${callId}`
      const nothing = { key, looked: undefined, ownApproval: false }
      const args = parsed(json)
      if (args === undefined) return { ...nothing, unreadable: NO_JSON }
      const remote = { server, name, args, callId, run: scope.runKey, signal: undefined }
      const bound = await bindRemote(remote, options as never).catch((error: unknown) => {
        if (isSilentAuthError(error)) return error
        throw error
      })
      if (bound === undefined) return nothing
      if (isSilentAuthError(bound)) return { ...nothing, unreadable: gateRefusal(bound).text }
      const create = mayDeclare(scope, call.name, callId, bound.asked.snapshot.digest)
      const seen = await look(options.gate, bound.asked, { create })
      if (seen.type === 'pending' && create) tellLook(seen, options)
      return { key: bound.asked.key, looked: { call: bound, seen }, ownApproval: false }
    },
    async spend({ looked, unreadable }, { signal }) {
      if (unreadable !== undefined) return { reject: unreadable }
      if (!looked) return 'approve'
      const begun = await spendApproval(looked, options, signal)
      if (begun === 'wait' || 'reject' in begun) return begun
      const { approve, reason } = await tellProvider(begun.execution, options as never)
      return approve ? 'approve' : { reject: reason }
    },
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
