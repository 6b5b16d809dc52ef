import { createHash } from 'node:crypto'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { digestAnywhere, digestOf, isDigest } from '../src/digest.js'

const known = 'sha-256:RBNvo1WzZ4oRRq0W9-hknpT7T8If536DEMBg9hyq_4o' // of {}

describe('digestOf', () => {
  it('is SHA-256 of the UTF-8, in base64url', () => {
    expect(digestOf('{}')).toBe(known)
  })

  it('takes letters beyond ASCII as UTF-8', () => {
    expect(digestOf('\u20ac')).toBe(`sha-256:${createHash('sha256').update('\u20ac', 'utf8').digest('base64url')}`)
  })
})

describe('digestAnywhere', () => {
  it('gives the same', async () => {
    await expect(digestAnywhere('{}')).resolves.toBe(known)
  })
})

describe('without node:crypto', () => {
  afterEach(() => {
    vi.restoreAllMocks()
    vi.resetModules()
  })

  /** As in a browser: the module is evaluated where nothing built in is to be had. */
  const loadElsewhere = async (): Promise<typeof import('../src/digest.js')> => {
    vi.resetModules()
    vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined as never)
    return import('../src/digest.js')
  }

  it('digestOf says what it needs', async () => {
    const elsewhere = await loadElsewhere()
    expect(() => elsewhere.digestOf('{}')).toThrow(TypeError)
  })

  it('digestAnywhere uses WebCrypto', async () => {
    const elsewhere = await loadElsewhere()
    await expect(elsewhere.digestAnywhere('{}')).resolves.toBe(known)
  })
})

describe('isDigest', () => {
  it.each<[string, unknown, boolean]>([
    ['a digest', known, true],
    ['another algorithm', known.replace('sha-256', 'sha-512'), false],
    ['hex', `sha-256:${'0'.repeat(64)}`, false],
    ['padding', `${known}=`, false],
    ['stray bits in the last character', `${known.slice(0, -1)}p`, false],
    ['a line feed at the end', `${known}\n`, false],
    ['no text', 1, false],
  ])('%s', (_, value, answer) => {
    expect(isDigest(value)).toBe(answer)
  })
})
