/**
 * The text of a stream, up to a size: who sends more is not read to the end.
 *
 * @module
 */

/**
 * @param tooLarge makes the error for a stream of more than `maxBytes`
 * @throws what `tooLarge` made; TypeError for what is not UTF-8
 */
export async function cappedText(
  stream: ReadableStream<Uint8Array> | null,
  maxBytes: number,
  tooLarge: () => Error,
): Promise<string> {
  if (stream === null) return ''
  // A byte order mark stays in the text, where JSON refuses it.
  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  const reader = stream.getReader()
  let text = ''
  let bytes = 0
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return text + utf8.decode()
      bytes += value.byteLength
      if (bytes > maxBytes) throw tooLarge()
      text += utf8.decode(value, { stream: true })
    }
  } finally {
    // Frees the connection of a stream that is left unread; of one at its end it does nothing.
    await reader.cancel().catch(() => undefined)
  }
}
