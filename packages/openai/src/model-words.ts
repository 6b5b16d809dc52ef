/**
 * The words of a model beside its calls: reasoning and messages, as the Agents SDK, the Responses API and the Chat Completions
 * API spell them. Approvers are shown them.
 *
 * @module
 */

/** Of one turn. Undefined: it said nothing. */
export function wordsIn(items: readonly object[]): string | undefined {
  const said = items.flatMap((item) => {
    const { type, content, rawContent, summary } = item as Spoken
    // A message of Chat Completions has no type.
    const speaks = type === 'reasoning' || type === 'message' || type === undefined
    return speaks ? [summary, content, rawContent].flatMap(textsIn) : []
  })
  return said.length > 0 ? said.join('\n') : undefined
}

interface Spoken {
  readonly type?: unknown
  readonly content?: unknown
  readonly rawContent?: unknown
  readonly summary?: unknown
}

function textsIn(content: unknown): string[] {
  if (!Array.isArray(content)) return [textOf(content) ?? []].flat()
  return content.flatMap((part: { text?: unknown } | null) => textOf(part?.text) ?? [])
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
