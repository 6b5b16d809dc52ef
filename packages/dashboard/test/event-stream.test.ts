import { describe, expect, it } from 'vitest'
import { readEvents, type StreamEvent } from '../src/event-stream.ts'

async function read(...chunks: string[]): Promise<{ events: StreamEvent[]; bytes: number }> {
  const events: StreamEvent[] = []
  let bytes = 0
  const body = new Response(
    new ReadableStream({
      start(controller) {
        for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk))
        controller.close()
      },
    }),
  ).body as ReadableStream<Uint8Array>
  await readEvents(body, { onEvent: (event) => events.push(event), onBytes: () => bytes++ })
  return { events, bytes }
}

describe('readEvents', () => {
  it.each([
    ['an event', ['event: inbox\ndata: {}\n\n'], [{ type: 'inbox', data: '{}' }]],
    ['an event without a name', ['data: x\n\n'], [{ type: 'message', data: 'x' }]],
    ['several lines of data', ['data: a\ndata: b\n\n'], [{ type: 'message', data: 'a\nb' }]],
    ['an event in pieces', ['eve', 'nt: inbox\nda', 'ta: {}\n', '\n'], [{ type: 'inbox', data: '{}' }]],
    ['a CRLF that is cut in two', ['data: a\r', '\n\r', '\n'], [{ type: 'message', data: 'a' }]],
    ['data without a space', ['data:x\n\n'], [{ type: 'message', data: 'x' }]],
    ['nothing for comments', [': heartbeat\n\n'], []],
    ['nothing for an event without data', ['event: inbox\n\n'], []],
    ['nothing for half an event at the end', ['data: x\n'], []],
  ])('gives %s', async (_, chunks, expected) => {
    expect((await read(...chunks)).events).toEqual(expected)
  })

  it('counts a heartbeat as a sign of life', async () => {
    expect((await read(': heartbeat\n\n')).bytes).toBe(1)
  })

  it('gives up on a line without end', async () => {
    await expect(read('data: ', 'x'.repeat(300_000))).rejects.toThrow(TypeError)
  })

  it('reads characters that are cut in two', async () => {
    const bytes = new TextEncoder().encode('data: é\n\n')
    const events: StreamEvent[] = []
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(bytes.slice(0, 7))
        controller.enqueue(bytes.slice(7))
        controller.close()
      },
    })
    await readEvents(body, { onEvent: (event) => events.push(event), onBytes: () => undefined })
    expect(events).toEqual([{ type: 'message', data: 'é' }])
  })
})
