/**
 * UI messages of a suspended run: as a database or a client holds them, brought in line with what the gate decided. What a
 * client answered is dropped.
 *
 * @module
 */
import type { DescriptorOptions } from './approval-stream.js'
import { contentOf, type HistoryMessage } from './history.js'
import {
  asReplayed,
  type DecidedApproval,
  decidedApproval,
  keeperFor,
  type OpenRequest,
  type PendingApproval,
  type Resolved,
  type ResolvedApprovals,
  type ResolveOptions,
  resolved,
} from './resolve-approvals.js'

/** What of a UI message is read and changed. */
export interface ChatMessage {
  readonly role: string
  readonly parts: readonly object[]
}

/** What of a part that is about a tool is read and changed. */
interface ToolPart {
  readonly type: string
  readonly toolName?: string
  readonly toolCallId: string
  readonly state: string
  readonly input?: unknown
  readonly approval?: { readonly id: string; readonly approved?: boolean; readonly isAutomatic?: boolean } | undefined
}

/**
 * Answers the open requests of UI messages from what the gate decided. Before `convertToModelMessages`, at each request of a
 * client; with what is `pending`, answer with `pendingUIChunks` and do not go on.
 *
 * @throws what a function of the tools' options throws
 */
export async function reconcileUIMessages<Message extends ChatMessage>(
  messages: readonly Message[],
  { tools }: ResolveOptions,
): Promise<ResolvedApprovals<Message>> {
  const pending: PendingApproval[] = []
  const decided: DecidedApproval[] = []
  const reconciled = await Promise.all(
    messages.map(async (message, index) => {
      if (message.role !== 'assistant') return message
      const before = historyOf(messages.slice(0, index + 1))
      const isLast = index === messages.length - 1
      const parts = await Promise.all(
        message.parts.map(async (part) => {
          const request = openRequest(part)
          if (!request) return part
          const history = asReplayed(before, [request])
          if (!isLast) return superseded(part as ToolPart, request, tools, history)
          const answer = await resolved(tools, request, history)
          if (answer.type === 'pending') pending.push(answer.approval)
          if (answer.type === 'decided' && !answer.unknown) decided.push(decidedApproval(request, answer))
          const { approvalId, toolCallId, toolName } = request
          const isUnanswered = (part as ToolPart).approval?.approved === undefined
          if (answer.type === 'ungated' && isUnanswered) pending.push({ approvalId, toolCallId, toolName })
          return inLine(part as ToolPart, answer)
        }),
      )
      return { ...message, parts }
    }),
  )
  return { ready: pending.length === 0, pending, decided, messages: reconciled }
}

/** A part as the gate would have it. */
function inLine(part: ToolPart, answer: Resolved): object {
  const { approved: _, reason: __, ...approval } = (part.approval ?? {}) as Record<string, unknown>
  switch (answer.type) {
    case 'ungated':
      return part
    case 'pending': {
      const { descriptor } = answer.approval
      return { ...part, state: 'approval-requested', approval: { ...approval, ...(descriptor && { descriptor }) } }
    }
    case 'decided': {
      const { approved, reason, unknown } = answer
      if (unknown) return failed(part, reason ?? '')
      return {
        ...part,
        state: 'approval-responded',
        approval: { ...approval, approved, ...(reason !== undefined && { reason }) },
      }
    }
  }
}

/** The user has said something else since: the call is cancelled, and says so in the history. */
async function superseded(
  part: ToolPart,
  { toolName, toolCallId, input }: OpenRequest,
  tools: ResolveOptions['tools'],
  messages: readonly HistoryMessage[],
): Promise<object> {
  const refusal = await keeperFor(tools, toolName)?.letGo(input, { toolCallId, messages })
  return refusal ? failed(part, `${refusal.text} The user has sent another message since.`) : part
}

function failed({ approval: _, ...part }: ToolPart, errorText: string): object {
  return { ...part, state: 'output-error', errorText }
}

/**
 * The chunks of a UI message stream that answer while something is pending. Without the requests in it, `useChat` would take
 * its own answer for a decision and ask again at once.
 *
 * @param messageId of the last message, which these continue
 * @param options as those of `withApprovalDescriptors`
 */
export function pendingUIChunks(
  pending: readonly PendingApproval[],
  messageId: string,
  { inRequests = true }: Pick<DescriptorOptions, 'inRequests'> = {},
): PendingChunk[] {
  return [
    { type: 'start', messageId },
    ...pending.map(
      ({ approvalId, toolCallId, descriptor }): PendingChunk => ({
        type: 'tool-approval-request',
        approvalId,
        toolCallId,
        ...(descriptor && inRequests && { approvalDescriptor: descriptor }),
      }),
    ),
    { type: 'data-gate', transient: true, data: { status: 'pending', pending } },
    { type: 'finish' },
  ]
}

export type PendingChunk =
  | { type: 'start'; messageId: string }
  | { type: 'tool-approval-request'; approvalId: string; toolCallId: string; approvalDescriptor?: unknown }
  | { type: 'data-gate'; transient: true; data: { status: 'pending'; pending: readonly PendingApproval[] } }
  | { type: 'finish' }

/**
 * For routes that take the whole history from a client, UI messages or model messages: without the answers of that client to
 * requests of gated tools, and without requests that this server never makes. A client can still write any text and any result
 * into such a history: keep chats on the server, and take only the new message from the client.
 */
export function sanitizeClientMessages<Message extends ChatMessage | HistoryMessage>(
  messages: readonly Message[],
  { tools }: ResolveOptions,
): Message[] {
  return messages.map((message) =>
    'parts' in message
      ? { ...message, parts: message.parts.flatMap((part) => sanitizedPart(part, tools)) }
      : sanitizedMessage(message as Message & HistoryMessage, messages as readonly HistoryMessage[], tools),
  )
}

function sanitizedPart(part: object, tools: ResolveOptions['tools']): object[] {
  const request = openRequest(part)
  if (!request) return [part]
  if (keeperFor(tools, request.toolName)) {
    const { approved: _, reason: __, ...approval } = (part as ToolPart).approval as Record<string, unknown>
    return [{ ...part, state: 'approval-requested', approval }]
  }
  return asksItself(tools, request.toolName) ? [part] : []
}

function sanitizedMessage<Message extends HistoryMessage>(
  message: Message,
  messages: readonly HistoryMessage[],
  tools: ResolveOptions['tools'],
): Message {
  if (!Array.isArray(message.content)) return message
  const nameOf = (toolCallId: string | undefined): string | undefined =>
    messages.flatMap(contentOf).findLast((part) => part.type === 'tool-call' && part.toolCallId === toolCallId)
      ?.toolName
  const askedOf = (approvalId: string | undefined): string | undefined =>
    nameOf(
      messages
        .flatMap(contentOf)
        .findLast((part) => part.type === 'tool-approval-request' && part.approvalId === approvalId)?.toolCallId,
    )
  const content = contentOf(message).filter((part) => {
    if (part.type === 'tool-approval-response') return asksItself(tools, askedOf(part.approvalId))
    if (part.type !== 'tool-approval-request') return true
    const name = nameOf(part.toolCallId)
    return keeperFor(tools, name) !== undefined || asksItself(tools, name)
  })
  return { ...message, content }
}

/** An ungated tool whose own approvals are for the app's client to answer. */
function asksItself(tools: ResolveOptions['tools'], name: string | undefined): boolean {
  if (name === undefined || !Object.hasOwn(tools, name) || keeperFor(tools, name)) return false
  const { needsApproval } = (tools[name] ?? {}) as { needsApproval?: unknown }
  return needsApproval !== undefined && needsApproval !== false
}

/** A request that has no result yet, answered or not. */
function openRequest(part: object): OpenRequest | undefined {
  if (!isToolPart(part) || !part.approval || part.approval.isAutomatic) return undefined
  if (part.state !== 'approval-requested' && part.state !== 'approval-responded') return undefined
  const { toolCallId, input } = part
  return { approvalId: part.approval.id, toolCallId, toolName: nameOfPart(part), input }
}

function isToolPart(part: object): part is ToolPart {
  const { type, toolCallId } = part as Partial<ToolPart>
  return typeof toolCallId === 'string' && (type === 'dynamic-tool' || type?.startsWith('tool-') === true)
}

function nameOfPart({ type, toolName }: ToolPart): string {
  return type === 'dynamic-tool' ? (toolName ?? '') : type.slice('tool-'.length)
}

/** The calls of a chat in the order in which the SDK makes model messages of them: enough to tell calls with one id apart. */
function historyOf(messages: readonly ChatMessage[]): HistoryMessage[] {
  return messages.map(({ role, parts }) => ({
    role,
    content: parts.flatMap((part) => {
      if (!isToolPart(part) || part.state === 'input-streaming') return []
      const { toolCallId, input, approval } = part
      const call = { type: 'tool-call', toolCallId, toolName: nameOfPart(part), input }
      return approval ? [call, { type: 'tool-approval-request', toolCallId, approvalId: approval.id }] : [call]
    }),
  }))
}
