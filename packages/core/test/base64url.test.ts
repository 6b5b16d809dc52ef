import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { decodeBase64url, encodeBase64url } from '../src/base64url.js'

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31)

describe('decodeBase64url', () => {
  it(`decodes what encodeBase64url wrote (seed ${seed})`, () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 100 }), (bytes) => {
        expect(Uint8Array.from(decodeBase64url(encodeBase64url(bytes)) ?? [])).toEqual(bytes)
      }),
      { seed },
    )
  })

  const refusals: [string, string][] = [
    ['nothing', ''],
    ['padding', 'AA=='],
    ['the other alphabet', '+/+/'],
    ['whitespace', 'AA AA'],
    ['a line feed at the end', 'AAAA\n'],
    ['a junk character', 'AA!A'],
    ['stray bits', 'AB'],
    ['a length that no bytes have', 'AAAAA'],
    ['a letter that looks like another', 'АAAA'],
    ['a letter whose low byte is in the alphabet', '\u0141AAA'],
    ['NUL', 'AAAA\u0000'],
  ]
  // PA-2: decoders are lenient, and never throw.
  it.each(refusals)('refuses %s', (_, text) => {
    expect(decodeBase64url(text)).toBeUndefined()
  })

  describe('without Buffer', () => {
    const original = globalThis.Buffer
    afterEach(() => {
      globalThis.Buffer = original
      vi.resetModules()
    })
    const loadElsewhere = async (): Promise<typeof import('../src/base64url.js')> => {
      vi.resetModules()
      const loading = import('../src/base64url.js')
      globalThis.Buffer = undefined as never
      return loading
    }

    it.each(refusals)('refuses %s', async (_, text) => {
      const elsewhere = await loadElsewhere()
      expect(elsewhere.decodeBase64url(text)).toBeUndefined()
    })

    it('decodes the same', async () => {
      const elsewhere = await loadElsewhere()
      expect([...(elsewhere.decodeBase64url('-_-_') ?? [])]).toEqual([...(decodeBase64url('-_-_') ?? [])])
    })
  })
})
