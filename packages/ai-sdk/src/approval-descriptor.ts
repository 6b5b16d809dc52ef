/**
 * Approval descriptors: what a client is shown of a call that waits, in the place that the AI SDK's messages have for it.
 *
 * @module
 */
import type { Intent, RiskTier } from '@silentauth/core'
import { keptBy } from './gate-tool.js'
import type { GateRun } from './tool-call.js'

/** `part.approval.descriptor`. No arguments, no permit. */
export interface ApprovalDescriptor {
  readonly type: 'silentauth.gate/v1'
  readonly intentId: string
  readonly action: string
  /** Where people decide. */
  readonly approvalUrl: string
  readonly riskTier: RiskTier
  /** RFC 3339. */
  readonly expiresAt: string
}

export function descriptorOf({ id, action, approvalUrl, riskTier, expiresAt }: Intent): ApprovalDescriptor {
  return {
    type: 'silentauth.gate/v1',
    intentId: id,
    action,
    approvalUrl,
    riskTier,
    expiresAt: new Date(expiresAt).toISOString(),
  }
}

export interface DescriptorOptions {
  /** The gated tools of the run. */
  tools: Readonly<Record<string, unknown>>
  run: GateRun
}

/** What of a chunk of a UI message stream is read. */
interface Chunk {
  readonly type: string
  readonly toolCallId?: string
  readonly toolName?: string
}

/**
 * Puts the approval link of each request into a UI message stream:
 * `result.toUIMessageStream().pipeThrough(withApprovalDescriptors({ tools, run }))`.
 */
export function withApprovalDescriptors<UiChunk extends { readonly type: string }>({
  tools,
  run,
}: DescriptorOptions): TransformStream<UiChunk, UiChunk> {
  const names = new Map<string, string>()
  return new TransformStream({
    transform(chunk, controller) {
      const { type, toolCallId, toolName } = chunk as Chunk
      if (toolCallId !== undefined && toolName !== undefined) names.set(toolCallId, toolName)
      const name = type === 'tool-approval-request' && toolCallId !== undefined ? names.get(toolCallId) : undefined
      const tool = name !== undefined && Object.hasOwn(tools, name) ? tools[name] : undefined
      const intent = tool && toolCallId !== undefined ? keptBy(tool)?.keep.askedFor(run, toolCallId) : undefined
      controller.enqueue(intent ? { ...chunk, approvalDescriptor: descriptorOf(intent) } : chunk)
    },
  })
}
