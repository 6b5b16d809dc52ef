import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type DataFolder, dataFolder } from '../src/data-folder.js'
import { revocationKey } from '../src/revocation-key.js'
import { signingKey } from '../src/signing-key.js'

let folder: DataFolder
beforeEach(async () => {
  folder = await dataFolder(await mkdtemp(path.join(tmpdir(), 'silentauth-key-')))
})
afterEach(() => rm(folder.path, { recursive: true }))

describe('the revocation key', () => {
  it('is made once, Ed25519, in a file that only its owner can read', async () => {
    const [first, second] = [await revocationKey(folder, 'other'), await revocationKey(folder, 'other')]
    const { mode } = await stat(folder.fileIn('revocation-key.json'))
    expect([first.alg, second.kid, mode & 0o777]).toEqual(['EdDSA', first.kid, 0o600])
  })

  it('is another one than the permit key, and is pinned in another place', async () => {
    const permits = await signingKey(folder, 'EdDSA')
    const lists = await revocationKey(folder, permits.kid)
    expect(await folder.read('public.jwks.json')).toEqual({ keys: [permits.publicJwk] })
    expect(await folder.read('revocations.jwks.json')).toEqual({ keys: [lists.publicJwk] })
  })

  it('cannot be the permit key', async () => {
    const permits = await signingKey(folder, 'EdDSA')
    await folder.write('revocation-key.json', await folder.read('permit-key.json'))
    await expect(revocationKey(folder, permits.kid)).rejects.toThrow(TypeError)
  })
})
