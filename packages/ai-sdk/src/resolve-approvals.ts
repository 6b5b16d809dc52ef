/**
 * Approvals of a suspended run, answered on the server: from what the gate decided, never from what a client says. Nothing is
 * declared here, because a client may have written the history.
 *
 * @module
 */
import { type ErrorCode, type Intent, type Look, passesByItself, refusalText } from '@silentauth/core'
import { type ApprovalDescriptor, descriptorOf } from './approval-descriptor.js'
import { keptBy } from './gate-tool.js'
import type { Gatekeeper } from './gated-call.js'
import { contentOf, type HistoryMessage, type HistoryPart } from './history.js'
import { isPending } from './pending-look.js'

/** Tool sets are looked up by own names only: `constructor` is no tool. */
export type GatedTools = Readonly<Record<string, unknown>>

export interface ResolveOptions {
  /** The gated tools of the run, made as for the run itself. */
  tools: GatedTools
}

/** A call that nobody has decided yet, or that another process runs now. */
export interface PendingApproval {
  readonly approvalId: string
  readonly toolCallId: string
  readonly toolName: string
  /** Missing when the gate could not be asked, and for a request of the app's own. */
  readonly descriptor?: ApprovalDescriptor
}

/** What the gate says of a call, as the messages now have it. */
export interface DecidedApproval {
  readonly approvalId: string
  readonly toolCallId: string
  readonly approved: boolean
  /** Why not, in the words that the model reads. */
  readonly reason?: string
}

export interface ResolvedApprovals<Message> {
  /** Everything is decided: go on with `messages`. Otherwise nothing must run: the SDK would run a part, and lose its result. */
  readonly ready: boolean
  readonly pending: readonly PendingApproval[]
  /** Those of the last step that the gate has answered; also while others are pending. */
  readonly decided: readonly DecidedApproval[]
  readonly messages: Message[]
}

/** A request of the server that has no result yet. */
export interface OpenRequest {
  readonly approvalId: string
  readonly toolCallId: string
  readonly toolName: string
  readonly input: unknown
}

/** What the gate says of an open request. */
export type Resolved =
  | { readonly type: 'pending'; readonly approval: PendingApproval }
  | {
      readonly type: 'decided'
      readonly approved: boolean
      readonly reason: string | undefined
      /** Nobody was ever asked for this. */
      readonly unknown: boolean
    }
  /** The gate has nothing to say: the tool is not gated, or this call is not. */
  | { readonly type: 'ungated' }

/**
 * Answers the open requests of model messages.
 *
 * @throws what a function of the tools' options throws
 */
export async function resolveApprovals<Message extends HistoryMessage>(
  messages: readonly Message[],
  { tools }: ResolveOptions,
): Promise<ResolvedApprovals<Message>> {
  const isGatedCall = (toolName: string | undefined) => keeperFor(tools, toolName) !== undefined
  const { superseded, open } = requestsOf(messages)
  const gatedIds = new Set(
    [...superseded, ...open].flatMap(({ approvalId, toolName }) => (isGatedCall(toolName) ? [approvalId] : [])),
  )
  const clean = withoutAnswers(messages, gatedIds)
  const history = asReplayed(clean, open)

  const answers = await Promise.all(open.map((request) => resolved(tools, request, history)))
  const clientSaid = clientAnswers(messages)
  const pending: PendingApproval[] = []
  const decided: DecidedApproval[] = []
  const responses: object[] = []
  answers.forEach((answer, index) => {
    const { approvalId, toolCallId, toolName } = open[index] as OpenRequest
    switch (answer.type) {
      case 'pending':
        pending.push(answer.approval)
        return
      case 'decided': {
        const its = decidedApproval(open[index] as OpenRequest, answer)
        const { toolCallId: _, ...said } = its
        decided.push(its)
        responses.push({ type: 'tool-approval-response', ...said })
        return
      }
      case 'ungated':
        // The app's own request is for the app's own client to answer.
        if (clientSaid.has(approvalId)) responses.push(clientSaid.get(approvalId) as object)
        else pending.push({ approvalId, toolCallId, toolName })
    }
  })
  const left = await lettingGo(clean, superseded, tools)
  const isReady = pending.length === 0
  const withResponses = [...withoutAnswers(left, new Set(open.map(({ approvalId }) => approvalId)))]
  if (isReady && responses.length > 0) withResponses.push({ role: 'tool', content: responses } as unknown as Message)
  return { ready: isReady, pending, decided, messages: isReady ? withResponses : left }
}

/** Looks at one open request, as the SDK's replay of it would. */
export async function resolved(
  tools: GatedTools,
  request: OpenRequest,
  history: readonly HistoryMessage[],
): Promise<Resolved> {
  const keep = keeperFor(tools, request.toolName)
  if (!keep) return { type: 'ungated' }
  const seen = await keep.look(request.input, { toolCallId: request.toolCallId, messages: history })
  if (seen === undefined) return { type: 'ungated' }
  if (waits(keep, seen)) return { type: 'pending', approval: pendingApproval(request, seen.intent) }
  if (seen.type !== 'refused') return { type: 'decided', approved: true, reason: undefined, unknown: false }
  return { type: 'decided', approved: false, reason: refusalText(seen), unknown: UNKNOWN.has(seen.code) }
}

const UNKNOWN: ReadonlySet<ErrorCode> = new Set(['NOT_FOUND', 'IDEMPOTENCY_MISMATCH'])

export function keeperFor(tools: GatedTools, name: string | undefined): Gatekeeper | undefined {
  return name !== undefined && Object.hasOwn(tools, name) ? keptBy(tools[name])?.keep : undefined
}

/** A history in which every request is answered, as the SDK gets it when it goes on: it makes the calls the ones that were asked for. */
export function asReplayed<Message extends HistoryMessage>(
  messages: readonly Message[],
  open: readonly OpenRequest[],
): readonly HistoryMessage[] {
  const content = open.map(({ approvalId }) => ({ type: 'tool-approval-response', approvalId, approved: true }))
  return [...messages, { role: 'tool', content }]
}

function waits(keep: Gatekeeper, seen: Look): boolean {
  return (
    seen.type === 'running' ||
    isPending(keep, seen) ||
    (seen.type === 'refused' && keep.wait === 'hold' && passesByItself(seen))
  )
}

function pendingApproval(request: OpenRequest, intent: Intent | undefined): PendingApproval {
  const { approvalId, toolCallId, toolName } = request
  return { approvalId, toolCallId, toolName, ...(intent && { descriptor: descriptorOf(intent) }) }
}

export function decidedApproval(
  { approvalId, toolCallId }: OpenRequest,
  { approved, reason }: Extract<Resolved, { type: 'decided' }>,
): DecidedApproval {
  return { approvalId, toolCallId, approved, ...(reason !== undefined && { reason }) }
}

interface PlacedRequest extends OpenRequest {
  /** Of the message that has it. */
  readonly index: number
}

/** Requests without a result: `superseded`, when somebody said something else since; else `open`. */
function requestsOf(messages: readonly HistoryMessage[]): { superseded: PlacedRequest[]; open: PlacedRequest[] } {
  const superseded: PlacedRequest[] = []
  const open: PlacedRequest[] = []
  messages.forEach((message, index) => {
    if (message.role !== 'assistant') return
    const parts = contentOf(message)
    for (const part of parts) {
      const { type, approvalId, toolCallId, isAutomatic } = part
      if (type !== 'tool-approval-request' || approvalId === undefined || toolCallId === undefined || isAutomatic)
        continue
      const call = parts.findLast((other) => other.type === 'tool-call' && other.toolCallId === toolCallId)
      const later = messages.slice(index + 1)
      const next = later.findIndex(({ role }) => role === 'assistant' || role === 'user')
      const answers = next < 0 ? later : later.slice(0, next)
      const hasResult = answers.some((answer) =>
        contentOf(answer).some((other) => other.type === 'tool-result' && other.toolCallId === toolCallId),
      )
      if (!call || hasResult) continue
      const request = { approvalId, toolCallId, toolName: call.toolName ?? '', input: call.input, index }
      if (next < 0) open.push(request)
      else superseded.push(request)
    }
  })
  return { superseded, open }
}

function clientAnswers(messages: readonly HistoryMessage[]): ReadonlyMap<string, HistoryPart> {
  const parts = messages.filter(({ role }) => role === 'tool').flatMap(contentOf)
  // The first answer counts, as in the SDK.
  return new Map(
    parts
      .filter(({ type }) => type === 'tool-approval-response')
      .map((part): [string, HistoryPart] => [part.approvalId ?? '', part])
      .toReversed(),
  )
}

/** Without the answers to these requests, whoever gave them. */
function withoutAnswers<Message extends HistoryMessage>(
  messages: readonly Message[],
  requests: ReadonlySet<string>,
): Message[] {
  return messages.flatMap((message) => {
    if (message.role !== 'tool') return [message]
    const parts = contentOf(message)
    const kept = parts.filter(
      ({ type, approvalId }) => type !== 'tool-approval-response' || !requests.has(approvalId ?? ''),
    )
    if (kept.length === parts.length) return [message]
    return kept.length > 0 ? [{ ...message, content: kept }] : []
  })
}

/** Calls that somebody has talked past: they are cancelled, and answered, because providers refuse calls without an answer. */
async function lettingGo<Message extends HistoryMessage>(
  messages: readonly Message[],
  superseded: readonly PlacedRequest[],
  tools: GatedTools,
): Promise<Message[]> {
  let left = [...messages]
  for (const request of superseded) {
    const { approvalId, toolCallId, toolName, input } = request
    const keep = keeperFor(tools, toolName)
    const at = left.findIndex((message) =>
      contentOf(message).some((part) => part.type === 'tool-approval-request' && part.approvalId === approvalId),
    )
    if (!keep || at < 0) continue
    const before = left.slice(0, at + 1)
    const refusal = await keep.letGo(input, { toolCallId, messages: asReplayed(before, [request]) })
    if (!refusal) continue
    const value = `${refusal.text} The user has sent another message since.`
    const result = { type: 'tool-result', toolCallId, toolName, output: { type: 'error-text', value } }
    left = [...before, { role: 'tool', content: [result] } as unknown as Message, ...left.slice(at + 1)]
  }
  return left
}
