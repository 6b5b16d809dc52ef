/**
 * The approval setting of AI SDK 7 for gated tools. It only signals: the SDK shows a request, or a denial, and `execute` asks
 * the gate whatever was signalled. It never throws, because that would break a stream.
 *
 * @module
 */
import { isSilentAuthError, type NotExecuted, refusalText } from '@silentauth/core'
import { keptBy } from './gate-tool.js'
import type { Gatekeeper } from './gated-call.js'
import { type HistoryMessage, isReplay } from './history.js'
import { isPending } from './pending-look.js'
import type { ExecuteOptions } from './tool-call.js'

/** What `toolApproval` of AI SDK 7 answers. The reason of a request is given too, but types of its first releases know none. */
export type ApprovalStatus =
  | undefined
  | 'not-applicable'
  | 'approved'
  | 'denied'
  | 'user-approval'
  | { readonly type: 'not-applicable'; readonly reason?: never }
  | { readonly type: 'approved' | 'denied'; readonly reason?: string }
  | { readonly type: 'user-approval' }

type OwnStatus = ApprovalStatus | { readonly type: 'user-approval'; readonly reason?: string }

/** What it is told. */
export interface ApprovalQuestion {
  readonly toolCall: { readonly toolName: string; readonly toolCallId: string; readonly input: unknown }
  readonly messages: readonly HistoryMessage[]
  readonly toolsContext?: unknown
  readonly runtimeContext?: unknown
}

/** The app's own setting, as a function. It stays in force, and can only make a gated call stricter. */
export type OwnApproval = (question: never) => OwnStatus | PromiseLike<OwnStatus>

export type GateApproval = (question: ApprovalQuestion) => Promise<ApprovalStatus>

export function gateApproval(tools: Readonly<Record<string, unknown>>, own: OwnApproval | undefined): GateApproval {
  return async (question) => {
    const { toolCall, messages } = question
    const tool = Object.hasOwn(tools, toolCall.toolName) ? tools[toolCall.toolName] : undefined
    const kept = keptBy(tool)
    if (!kept) return own ? own(question as never) : ownWish(tool, question)
    try {
      const wish = typeOf(own ? await own(question as never) : await ownWish(kept.original, question))
      return await signal(kept.keep, question, wish, isReplay(messages, toolCall.toolCallId))
    } catch (error) {
      return {
        type: 'denied',
        reason: isSilentAuthError(error) ? refusalText(error) : 'Not executed: it cannot be asked for.',
      }
    }
  }
}

async function signal(
  keep: Gatekeeper,
  { toolCall, messages, toolsContext }: ApprovalQuestion,
  wish: string | undefined,
  replayed: boolean,
): Promise<ApprovalStatus> {
  const { toolName, toolCallId, input } = toolCall
  if (wish === 'denied') return { type: 'denied' }
  const asks = wish === 'user-approval'
  // execute declares and waits.
  if (keep.wait === 'hold' && !asks && !replayed) return undefined
  const context = (toolsContext as Record<string, unknown> | undefined)?.[toolName]
  const given: ExecuteOptions = { toolCallId, messages, context }
  const seen = await keep.look(input, given)
  if (seen === undefined) return asks && !replayed ? 'user-approval' : undefined
  if (isPending(keep, seen)) {
    // On a replay the SDK executes whatever is not denied.
    if (replayed) return { type: 'denied', reason: refusalText(seen as NotExecuted) }
    // Shown to users, too: it says what makes the run go on.
    const where = seen.type === 'pending' ? `: it goes on once that is decided at ${seen.intent.approvalUrl}` : ''
    const request: OwnStatus = { type: 'user-approval', reason: `Waits for a person's approval${where}` }
    return request
  }
  if (seen.type === 'refused') {
    return replayed || keep.routeOf(seen) === 'message' ? { type: 'denied', reason: refusalText(seen) } : undefined
  }
  return asks && !replayed ? 'user-approval' : undefined
}

/** What the tool asks for by itself, which an approval setting would otherwise switch off. */
async function ownWish(tool: unknown, { toolCall, messages, toolsContext }: ApprovalQuestion): Promise<ApprovalStatus> {
  const { needsApproval } = (tool ?? {}) as { needsApproval?: unknown }
  const { toolName, toolCallId, input } = toolCall
  const context = (toolsContext as Record<string, unknown> | undefined)?.[toolName]
  const asks =
    typeof needsApproval === 'function'
      ? await needsApproval.call(tool, input, { toolCallId, messages, context })
      : needsApproval
  return asks ? 'user-approval' : undefined
}

function typeOf(status: OwnStatus): string | undefined {
  return typeof status === 'object' ? status.type : status
}
