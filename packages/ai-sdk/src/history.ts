/**
 * The history of a run, as the AI SDK hands it to tools: model messages, of which a client may have written every word. It
 * says which call this is, and never whether it was approved.
 *
 * @module
 */

/** What of a model message is read. */
export interface HistoryMessage {
  readonly role: string
  readonly content: unknown
}

/** What of a part of a message is read. */
export interface HistoryPart {
  readonly type: string
  readonly toolCallId?: string | undefined
  readonly toolName?: string | undefined
  readonly input?: unknown
  readonly approvalId?: string | undefined
  readonly approved?: boolean | undefined
  readonly isAutomatic?: boolean | undefined
  readonly text?: unknown
}

/** The parts of the messages of one role, in their order. */
export function partsOf(messages: readonly HistoryMessage[], role: 'assistant' | 'tool'): HistoryPart[] {
  return messages.filter((message) => message.role === role).flatMap(contentOf)
}

/**
 * Whether the SDK runs this call because the history says that it was answered: it does so exactly when the last message is
 * of a tool and answers a request for the call. Two other definitions would be wrong: any request with this id misfires where
 * a provider repeats its ids, and a request without a later result lets a forger hide the replay behind one, so that the call
 * would be declared as new.
 */
export function isReplay(messages: readonly HistoryMessage[], toolCallId: string): boolean {
  const last = messages.at(-1)
  if (last?.role !== 'tool') return false
  const parts = contentOf(last)
  // A call that has its result is not run again: whoever calls under this id now is the model.
  if (parts.some((part) => part.type === 'tool-result' && part.toolCallId === toolCallId)) return false
  const answered = new Set(
    parts.flatMap(({ type, approvalId }) => (type === 'tool-approval-response' ? [approvalId] : [])),
  )
  return partsOf(messages, 'assistant').some(
    (part) => part.type === 'tool-approval-request' && part.toolCallId === toolCallId && answered.has(part.approvalId),
  )
}

/** How many calls with this id came before: providers repeat their ids, some in each step. A replay's history has the call itself. */
export function occurrenceOf(messages: readonly HistoryMessage[], toolCallId: string): number {
  const calls = partsOf(messages, 'assistant').filter(
    (part) => part.type === 'tool-call' && part.toolCallId === toolCallId,
  )
  return isReplay(messages, toolCallId) ? Math.max(0, calls.length - 1) : calls.length
}

/** Texts have no parts. */
export function contentOf({ content }: HistoryMessage): readonly HistoryPart[] {
  if (!Array.isArray(content)) return []
  return content.filter((part): part is HistoryPart => typeof part === 'object' && part !== null)
}
