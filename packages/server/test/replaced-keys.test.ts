import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { generateSigningKey, type PublicJwk, privateKeySigner } from '@silentauth/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type DataFolder, dataFolder } from '../src/data-folder.js'
import { addReplacedKey, replacedKeys } from '../src/replaced-keys.js'

const NOW = 1_773_662_400_000
let folder: DataFolder
beforeEach(async () => {
  folder = await dataFolder(await mkdtemp(path.join(tmpdir(), 'silentauth-replaced-')))
})
afterEach(() => rm(folder.path, { recursive: true }))

const aKey = async () => (await privateKeySigner(await generateSigningKey('EdDSA'))).publicJwk as PublicJwk

describe('replaced keys', () => {
  it.each([
    ['until the last permit is over', 3_659_999, 1],
    ['and no longer', 3_660_000, 0],
  ])('are shown %s', async (_, later, count) => {
    await addReplacedKey(folder, await aKey(), NOW)
    expect(await replacedKeys(folder, NOW + later)).toHaveLength(count)
  })

  it('do not pile up', async () => {
    await addReplacedKey(folder, await aKey(), NOW)
    const second = await aKey()
    await addReplacedKey(folder, second, NOW + 3_660_000)
    await addReplacedKey(folder, second, NOW + 3_660_000)
    expect((await folder.read('replaced-keys.json')) as { keys: unknown[] }).toMatchObject({ keys: [{ jwk: second }] })
  })
})
