/**
 * Approval of tools that OpenAI calls on a remote MCP server. They run there, so a permit cannot be enforced: what the gate
 * decides is whether OpenAI is told to go on, and no more than once.
 *
 * @module
 */
import type { RunContext, RunToolApprovalItem } from '@openai/agents'
import { decideRemote, parsed } from './gate-mcp-approval.js'
import type { GateMethodOptions } from './gate-methods.js'
import { checkOptions } from './gate-options.js'
import { GATED } from './gate-tool.js'
import { heldScope } from './run-scope.js'

export interface HostedMcpApproval {
  requireApproval: 'always'
  onApproval(context: RunContext<unknown>, item: RunToolApprovalItem): Promise<{ approve: boolean; reason?: string }>
}

/** To spread into `hostedMcpTool({ …, ...gateHostedMcp(options) })`. The process waits. @throws TypeError for options that make no sense */
export function gateHostedMcp(options: GateMethodOptions): HostedMcpApproval {
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

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
