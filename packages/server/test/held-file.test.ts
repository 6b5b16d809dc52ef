import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import {
  EMPTY_ROOT,
  generateSigningKey,
  logName,
  logOrigin,
  type NoteSigner,
  noteSigner,
  privateKeySigner,
  signCheckpoint,
} from '@silentauth/core'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type DataFolder, dataFolder } from '../src/data-folder.js'
import { heldFile, heldFileName } from '../src/held-file.js'
import { stateFolder } from '../src/state-folder.js'

let where: string
let folder: DataFolder
let signer: NoteSigner
beforeEach(async () => {
  where = await mkdtemp(path.join(tmpdir(), 'silentauth-held-'))
  folder = await dataFolder(path.join(where, 'state'))
  const key = await privateKeySigner(await generateSigningKey('EdDSA'))
  signer = await noteSigner(logName('urn:silentauth:test', 'prj_1'), key)
})
afterEach(() => rm(where, { recursive: true, force: true }))

const note = (epoch: number, size: number) =>
  signCheckpoint({ origin: logOrigin(signer.name, epoch), size, root: EMPTY_ROOT }, signer)

it('holds what was written last, in one file per log', async () => {
  const held = heldFile(folder, 'prj_1')
  expect(await held.read()).toBeUndefined()
  await held.write(await note(0, 1))
  await held.write(await note(0, 2))
  expect(await heldFile(folder, 'prj_1').read()).toBe(await note(0, 2))
  expect(await heldFile(folder, 'prj_2').read()).toBeUndefined()
  expect(await readdir(folder.path)).toEqual([heldFileName('prj_1')])
})

it('is not taken back by a slower process, and moves on to the next epoch', async () => {
  const held = heldFile(folder, 'prj_1')
  await held.write(await note(0, 9))
  await held.write(await note(0, 8))
  expect(await held.read()).toBe(await note(0, 9))
  await held.write(await note(1, 3))
  await held.write(await note(0, 10))
  expect(await held.read()).toBe(await note(1, 3))
})

it.each([
  ['others can read it', '{"checkpoint":"x"}', 0o644],
  ['it is no JSON', '{', 0o600],
  ['it holds something else', '{"checkpoint":1}', 0o600],
])('is not believed when %s', async (_, content, mode) => {
  const file = folder.fileIn(heldFileName('prj_1'))
  await writeFile(file, content)
  await chmod(file, mode)
  await expect(heldFile(folder, 'prj_1').read()).rejects.toThrow()
})

it.each([
  ['the one that is named', 'named', { SILENTAUTH_STATE: 'b', XDG_STATE_HOME: 'c' }, 'named'],
  ['SILENTAUTH_STATE', undefined, { SILENTAUTH_STATE: 'b', XDG_STATE_HOME: 'c' }, 'b'],
  ['that of the user', undefined, { XDG_STATE_HOME: 'c' }, path.join('c', 'silentauth')],
])('lies in the state folder: %s', async (_, named, names, expected) => {
  const env = Object.fromEntries(Object.entries(names).map(([name, value]) => [name, path.join(where, value)]))
  const found = await stateFolder(named && path.join(where, named), env)
  expect(found.path).toBe(path.join(where, expected))
})

it('says how to name another folder when this one cannot be used', async () => {
  const file = path.join(where, 'file')
  await writeFile(file, '')
  await expect(stateFolder(path.join(file, 'below'))).rejects.toThrow('SILENTAUTH_STATE')
})
