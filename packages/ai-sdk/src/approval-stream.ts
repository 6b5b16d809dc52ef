/**
 * Approvals in a UI message stream: each request gets the link to where people decide, and what was decided is told, too.
 *
 * @module
 */
import { descriptorOf } from './approval-descriptor.js'
import { keptBy } from './gate-tool.js'
import type { DecidedApproval, PendingApproval } from './resolve-approvals.js'
import type { GateRun } from './tool-call.js'

export interface DescriptorOptions {
  /** The gated tools of the run. */
  tools: Readonly<Record<string, unknown>>
  run: GateRun
  /**
   * What `reconcileUIMessages` found decided: the client, which otherwise learns that a call was denied but not why, is told. For
   * AI SDK 7; streams of AI SDK 6 have no place for it, only the kept messages do.
   */
  decided?: readonly DecidedApproval[] | undefined
  /** False for clients before AI SDK 7.0.87 and 6.0.274, which refuse requests with more in them: a `data-gate` part tells it. @default true */
  inRequests?: boolean | undefined
}

/** What of a chunk of a UI message stream is read. */
interface Chunk {
  readonly type: string
  readonly approvalId?: string
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
  decided = [],
  inRequests = true,
}: DescriptorOptions): TransformStream<UiChunk, UiChunk> {
  const names = new Map<string, string>()
  return new TransformStream({
    transform(chunk, controller) {
      const { type, approvalId = '', toolCallId, toolName } = chunk as Chunk
      if (toolCallId !== undefined && toolName !== undefined) names.set(toolCallId, toolName)
      const name = type === 'tool-approval-request' && toolCallId !== undefined ? names.get(toolCallId) : undefined
      const tool = name !== undefined && Object.hasOwn(tools, name) ? tools[name] : undefined
      const intent = tool && toolCallId !== undefined ? keptBy(tool)?.keep.askedFor(run, toolCallId) : undefined
      const descriptor = intent && descriptorOf(intent)
      controller.enqueue(descriptor && inRequests ? { ...chunk, approvalDescriptor: descriptor } : chunk)
      if (descriptor && !inRequests && name !== undefined && toolCallId !== undefined) {
        const pending: PendingApproval[] = [{ approvalId, toolCallId, toolName: name, descriptor }]
        controller.enqueue({
          type: 'data-gate',
          transient: true,
          data: { status: 'pending', pending },
        } as unknown as UiChunk)
      }
      if (type !== 'start') return
      for (const { toolCallId: _, ...said } of decided) {
        controller.enqueue({ type: 'tool-approval-response', ...said } as unknown as UiChunk)
      }
    },
  })
}
