import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type DataFolder, dataFolder } from '../src/data-folder.js'
import { resultKey } from '../src/result-key.js'

let folder: DataFolder
beforeEach(async () => {
  folder = await dataFolder(await mkdtemp(path.join(tmpdir(), 'silentauth-key-')))
})
afterEach(() => rm(folder.path, { recursive: true }))

describe('the result key', () => {
  it('is made once, of 32 random bytes, in a file that only its owner can read', async () => {
    const [first, second] = [await resultKey(folder), await resultKey(folder)]
    const { mode } = await stat(folder.fileIn('result-key.json'))
    expect([first.length, Buffer.from(second).equals(first), mode & 0o777]).toEqual([32, true, 0o600])
    await folder.remove('result-key.json')
    expect(Buffer.from(await resultKey(folder)).equals(first)).toBe(false)
  })

  it.each<[string, unknown]>([
    ['nothing', {}],
    ['a key that is too short', { kty: 'oct', alg: 'A256GCM', k: 'c2hvcnQ' }],
    ['a key of another kind', { kty: 'oct', alg: 'HS256', k: 'A'.repeat(43) }],
  ])('is not taken from a file that holds %s', async (_, content) => {
    await folder.write('result-key.json', content)
    await expect(resultKey(folder)).rejects.toThrow(TypeError)
    expect(await folder.read('result-key.json')).toEqual(content)
  })
})
