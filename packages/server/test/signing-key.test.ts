import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type DataFolder, dataFolder } from '../src/data-folder.js'
import { secretKey, signingKey } from '../src/signing-key.js'

let folder: DataFolder
beforeEach(async () => {
  folder = await dataFolder(await mkdtemp(path.join(tmpdir(), 'silentauth-key-')))
})
afterEach(() => rm(folder.path, { recursive: true }))

describe('the signing key', () => {
  it('is made once, and is RS256 by default', async () => {
    const [first, second] = [await signingKey(folder, 'RS256'), await signingKey(folder, 'ES256')]
    expect([first.alg, second.alg, second.kid]).toEqual(['RS256', 'RS256', first.kid])
  })

  it('leaves its public half, and nothing more, for verifiers to pin', async () => {
    const signer = await signingKey(folder, 'EdDSA')
    expect(await folder.read('public.jwks.json')).toEqual({ keys: [signer.publicJwk] })
  })

  it('is refused when the file holds another kind of thing', async () => {
    await folder.write('permit-key.json', { kty: 'oct', k: 'c2VjcmV0', alg: 'HS256', kid: 'x' })
    await expect(signingKey(folder, 'RS256')).rejects.toMatchObject({ code: 'KEY_REJECTED' })
  })
})

describe('EXECUTION_SECRET', () => {
  it('signs with what nobody can guess', () => {
    expect(secretKey(randomBytes(32).toString('base64url')).alg).toBe('HS256')
  })

  it.each([
    ['empty', ''],
    ['short', randomBytes(12).toString('hex')],
    ['one character', 'a'.repeat(64)],
    ['a few characters', 'abababababababababababababababababab'],
    ['a placeholder', 'your-256-bit-execution-key-goes-here'],
    ['changeme', `changeme${randomBytes(20).toString('hex')}`],
    ['what an example shows', 'EXAMPLE-0123456789abcdef0123456789abcdef'],
    ['the word itself', 'my-super-Secret-value-0123456789abcdef'],
  ])('is refused when it is %s, and not repeated', (_, secret) => {
    expect(() => secretKey(secret)).toThrow(TypeError)
    try {
      secretKey(secret)
    } catch (error) {
      expect(secret.length > 0 && String(error).includes(secret)).toBe(false)
    }
  })
})
