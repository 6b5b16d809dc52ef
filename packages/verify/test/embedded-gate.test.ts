import { chmod, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { embeddedGate } from '../src/embedded-gate.js'

const DEV = {
  url: 'http://127.0.0.1:4747',
  issuer: 'urn:silentauth:embedded:1',
  project_id: 'prj_1',
  revocations_url: 'http://127.0.0.1:4747/.well-known/silentauth-revocations',
}
let folder: string
const file = () => path.join(folder, 'dev.json')

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'silentauth-embedded-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

describe('an embedded gate', () => {
  it('is found by its data folder, with the keys that it left there', async () => {
    await writeFile(file(), JSON.stringify({ ...DEV, secret_key: 'not for here' }), { mode: 0o600 })
    expect(await embeddedGate(folder)).toEqual({
      issuer: DEV.issuer,
      projectId: DEV.project_id,
      keys: path.join(folder, 'public.jwks.json'),
      revocations: { url: DEV.revocations_url, keys: path.join(folder, 'revocations.jwks.json') },
    })
  })

  it.each<[string, () => Promise<unknown>]>([
    ['no file', async () => undefined],
    ['a file that is no JSON', () => writeFile(file(), 'gate', { mode: 0o600 })],
    ['a file that names no list', () => writeFile(file(), '{"issuer":"a","project_id":"b"}', { mode: 0o600 })],
    ['a file that others can write', () => writeFile(file(), JSON.stringify(DEV)).then(() => chmod(file(), 0o666))],
    [
      'a link',
      async () => {
        await writeFile(path.join(folder, 'elsewhere'), JSON.stringify(DEV), { mode: 0o600 })
        await symlink(path.join(folder, 'elsewhere'), file())
      },
    ],
  ])('is not found by %s', async (_, make) => {
    await make()
    await expect(embeddedGate(folder)).rejects.toThrow(TypeError)
  })

  it('is told without what is in a damaged file, which is a key', async () => {
    await writeFile(file(), 'sk_secret', { mode: 0o600 })
    await expect(embeddedGate(folder)).rejects.toThrow(expect.not.objectContaining({ cause: expect.anything() }))
  })
})
