import { describe, expect, it } from 'vitest'
import { cappedText } from '../src/capped-text.js'

const streamOf = (...chunks: Uint8Array[]) =>
  new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk)
      controller.close()
    },
  })
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const tooLarge = () => new RangeError('too large')

describe('the text of a stream', () => {
  it('is whole, also where a character lies in two chunks', async () => {
    const [euro1, euro2] = [bytes('€').slice(0, 1), bytes('€').slice(1)]
    await expect(cappedText(streamOf(bytes('10 '), euro1, euro2), 6, tooLarge)).resolves.toBe('10 €')
  })

  it('is empty where there is no stream', async () => {
    await expect(cappedText(null, 6, tooLarge)).resolves.toBe('')
  })

  it('is not read beyond the limit', async () => {
    let sent = 0
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        sent++
        controller.enqueue(bytes('x'))
      },
    })
    await expect(cappedText(endless, 6, tooLarge)).rejects.toThrow(RangeError)
    expect(sent).toBeLessThan(10)
  })

  it('is refused when it is not UTF-8', async () => {
    await expect(cappedText(streamOf(new Uint8Array([0xff])), 6, tooLarge)).rejects.toThrow(TypeError)
  })

  it('keeps a byte order mark, for the parser to refuse', async () => {
    await expect(cappedText(streamOf(bytes('\uFEFF{}')), 6, tooLarge)).resolves.toBe('\uFEFF{}')
  })
})
