import { chmod, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { dataFolder } from '../src/data-folder.js'

let base: string
beforeEach(async () => {
  base = await mkdtemp(path.join(tmpdir(), 'silentauth-data-'))
})
afterEach(() => rm(base, { recursive: true }))

const modeOf = async (file: string): Promise<number> => (await stat(file)).mode & 0o777

describe('the data folder', () => {
  it('is its owner’s alone, and so is every file in it', async () => {
    const folder = await dataFolder(path.join(base, 'a', 'gate'))
    await folder.write('key.json', { d: 'private' })
    expect([await modeOf(folder.path), await modeOf(folder.fileIn('key.json'))]).toEqual([0o700, 0o600])
    expect(await folder.read('key.json')).toEqual({ d: 'private' })
  })

  it('is tightened when it was open', async () => {
    const open = path.join(base, 'gate')
    await mkdir(open)
    await chmod(open, 0o755)
    await dataFolder(open)
    expect(await modeOf(open)).toBe(0o700)
  })

  it('is no link, and no file', async () => {
    await mkdir(path.join(base, 'elsewhere'))
    await symlink(path.join(base, 'elsewhere'), path.join(base, 'link'))
    await writeFile(path.join(base, 'file'), '')
    await expect(dataFolder(path.join(base, 'link'))).rejects.toThrow()
    await expect(dataFolder(path.join(base, 'file'))).rejects.toThrow()
  })

  it('gives nothing for a file that is not there', async () => {
    expect(await (await dataFolder(base)).read('key.json')).toBeUndefined()
  })

  it.each([
    ['that others can read', async (file: string) => writeFile(file, '{}').then(() => chmod(file, 0o644))],
    ['that is a link', async (file: string) => symlink('/etc/hostname', file)],
    ['that is damaged', async (file: string) => writeFile(file, '{"d":"correct horse', { mode: 0o600 })],
  ])('reads no file %s, and does not quote it', async (_, make) => {
    const folder = await dataFolder(base)
    await make(folder.fileIn('key.json'))
    const refusal = await folder.read('key.json').catch((error: Error) => error)
    expect(refusal).toBeInstanceOf(Error)
    expect(String(refusal)).not.toContain('horse')
  })

  it('makes a file once, whoever asks at the same time, and never over one that is there', async () => {
    const folders = await Promise.all([dataFolder(base), dataFolder(base), dataFolder(base)])
    const got = await Promise.all(folders.map((folder, d) => folder.readOrMake('key.json', async () => ({ d }))))
    expect(new Set(got.map((one) => JSON.stringify(one))).size).toBe(1)
    expect(await folders[0].readOrMake('key.json', () => expect.fail('there is one'))).toEqual(got[0])
    expect([await readdir(base), await modeOf(path.join(base, 'key.json'))]).toEqual([['key.json'], 0o600])
  })

  it('takes nothing for the file that was made but what stands under its name, after a crash too', async () => {
    const folder = await dataFolder(base)
    await writeFile(path.join(base, '.key.json.crashed'), '{"d":"ha', { mode: 0o600 })
    expect(await folder.readOrMake('key.json', () => ({ d: 'whole' }))).toEqual({ d: 'whole' })
  })

  it('keeps no half of a file that could not be written', async () => {
    const folder = await dataFolder(base)
    await expect(
      folder.write('key.json', {
        toJSON: () => {
          throw new Error('no')
        },
      }),
    ).rejects.toThrow()
    expect(await readdir(base)).toEqual([])
  })
})
