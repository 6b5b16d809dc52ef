/**
 * Server-sent events, read from a fetch response: an EventSource could not send the session's secret in a header.
 *
 * @module
 */

export interface StreamEvent {
  /** @default 'message' */
  readonly type: string
  readonly data: string
}

export interface StreamHandlers {
  readonly onEvent: (event: StreamEvent) => void
  /** Anything arrived, a heartbeat comment too: the stream is alive. */
  readonly onBytes: () => void
}

/** Resolves when the stream ends; rejects when it breaks. Half an event at its end is dropped, as the standard says. */
export async function readEvents(body: ReadableStream<Uint8Array>, handlers: StreamHandlers): Promise<void> {
  const decoder = new TextDecoder()
  let rest = ''
  let type = ''
  let data: string[] = []
  const line = (text: string): void => {
    if (text === '') {
      if (data.length > 0) handlers.onEvent({ type: type || 'message', data: data.join('\n') })
      type = ''
      data = []
      return
    }
    const colon = text.indexOf(':')
    const field = colon < 0 ? text : text.slice(0, colon)
    const value = colon < 0 ? '' : text.slice(colon + 1).replace(/^ /, '')
    if (field === 'event') type = value
    if (field === 'data') data.push(value)
  }
  const reader = body.getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      handlers.onBytes()
      rest += decoder.decode(value, { stream: true })
      // A CR at the end may be half of a CRLF: it waits for what follows.
      const complete = rest.endsWith('\r') ? rest.slice(0, -1) : rest
      const lines = complete.split(/\r\n|\n|\r/)
      rest = (lines.pop() ?? '') + rest.slice(complete.length)
      for (const text of lines) line(text)
      if (rest.length > LONGEST_LINE) throw new TypeError('a line of the stream is too long')
    }
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}

/** Hints are small; whatever is not must not fill the memory of a tab. */
const LONGEST_LINE = 262_144
