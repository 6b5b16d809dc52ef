import { beforeAll, describe, expect, it } from 'vitest'
import vectors from '../../../test/vectors/checkpoints.json' with { type: 'json' }
import { logName, logOrigin, openCheckpoint, parseOrigin, readCheckpoint, signCheckpoint } from '../src/checkpoint.js'
import { EMPTY_ROOT } from '../src/merkle-tree.js'
import { type NoteKey, type NoteSigner, noteSigner, parseVkey } from '../src/signed-note.js'
import { type PrivateJwk, privateKeySigner } from '../src/signer.js'

let log: NoteSigner
let witness: NoteSigner
let keys: readonly NoteKey[]
beforeAll(async () => {
  const own = async ({ name, jwk }: typeof vectors.log) => noteSigner(name, await privateKeySigner(jwk as PrivateJwk))
  log = await own(vectors.log)
  witness = await own(vectors.witness)
  keys = [await parseVkey(vectors.log.vkey)]
})

describe('a checkpoint', () => {
  it.each(vectors.accepted)('is opened: $name', async ({ note, origin, size, root }) => {
    expect(await openCheckpoint(note, keys)).toMatchObject({ origin, size, root, log: vectors.log.name, epoch: 1 })
    expect(readCheckpoint(note)).toMatchObject({ origin, size, root })
  })

  it.each(vectors.refused)('is refused with $name', async ({ note, field }) => {
    await expect(openCheckpoint(note, keys)).rejects.toMatchObject({ code: 'INVALID_FIELD', field })
  })

  it('is the same bytes as elsewhere, alone and with a witness', async () => {
    const [plain, witnessed] = vectors.accepted
    const { origin = '', size = 0, root = '' } = plain ?? {}
    expect(await signCheckpoint({ origin, size, root }, log)).toBe(plain?.note)
    expect(await signCheckpoint({ origin, size, root }, log, witness)).toBe(witnessed?.note)
  })

  it('changes with every byte', async () => {
    const note = vectors.accepted[0]?.note ?? ''
    for (let at = 0; at < note.length; at++) {
      const flipped = note.slice(0, at) + String.fromCharCode(note.charCodeAt(at) ^ 1) + note.slice(at + 1)
      await expect(openCheckpoint(flipped, keys), `byte ${at}`).rejects.toMatchObject({ code: 'INVALID_FIELD' })
    }
  })

  it.each([
    ['of nothing', { size: 0 }],
    ['of half a leaf', { size: 1.5 }],
    ['with no root', { root: 'root' }],
    ['with no origin', { origin: 'log' }],
    ['of another log', { origin: 'gate.example.com/prj_2/1' }],
  ])('is not signed %s', async (_, change) => {
    const good = { origin: `${log.name}/1`, size: 1, root: EMPTY_ROOT }
    await expect(signCheckpoint({ ...good, ...change }, log)).rejects.toThrow(TypeError)
  })

  it('is not signed by a witness alone', async () => {
    await expect(signCheckpoint({ origin: `${log.name}/1`, size: 1, root: EMPTY_ROOT }, witness)).rejects.toThrow(
      TypeError,
    )
  })
})

describe('the name of a log', () => {
  it.each([
    ['https://gate.example.com', 'gate.example.com/prj_1'],
    ['https://gate.example.com/', 'gate.example.com/prj_1'],
    ['https://example.com:8443/gate', 'example.com:8443/gate/prj_1'],
    ['urn:silentauth:embedded:abc', 'urn:silentauth:embedded:abc/prj_1'],
  ])('of %s is %s', (issuer, name) => {
    expect(logName(issuer, 'prj_1')).toBe(name)
    expect(parseOrigin(logOrigin(name, 12))).toEqual({ log: name, projectId: 'prj_1', epoch: 12 })
  })

  it.each(['', 'https://', 'a b', 'a+b'])('is not made of the issuer %j', (issuer) => {
    expect(() => logName(issuer, 'prj_1')).toThrow(TypeError)
  })

  it.each([-1, 1.5, Number.NaN])('has no epoch %d', (epoch) => {
    expect(() => logOrigin('gate/prj_1', epoch)).toThrow(TypeError)
  })
})
