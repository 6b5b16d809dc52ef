import { describe, expect, it } from 'vitest'
import vectors from '../../../test/vectors/checkpoints.json' with { type: 'json' }
import { noteSigner, openNote, parseVkey, signNote, vkeyFingerprint } from '../src/signed-note.js'
import { generateSigningKey, type PrivateJwk, privateKeySigner } from '../src/signer.js'

const signerOf = async (name: string) => noteSigner(name, await privateKeySigner(await generateSigningKey('EdDSA')))

describe('a key of notes', () => {
  it.each([vectors.log, vectors.witness])(
    'is spelled as others spell it: $name',
    async ({ name, jwk, vkey, fingerprint }) => {
      const signer = await noteSigner(name, await privateKeySigner(jwk as PrivateJwk))
      expect(signer.vkey).toBe(vkey)
      expect(await vkeyFingerprint(signer.vkey)).toBe(fingerprint)
      expect(await parseVkey(vkey)).toMatchObject({ name, id: signer.id, publicKey: signer.publicKey })
    },
  )

  it('has a fingerprint of its own under each name', async () => {
    const signer = await privateKeySigner(await generateSigningKey('EdDSA'))
    const [one, other] = await Promise.all(['one', 'other'].map((name) => noteSigner(name, signer)))
    expect(await vkeyFingerprint(one?.vkey ?? '')).not.toBe(await vkeyFingerprint(other?.vkey ?? ''))
  })

  it.each([
    ['another name', (vkey: string) => `x${vkey}`],
    ['another id', (vkey: string) => vkey.replace(/\+[0-9a-f]{8}\+/, '+00000000+')],
    ['an id in capitals', (vkey: string) => vkey.replace(/\+([0-9a-f]{8})\+/, (_, id) => `+${id.toUpperCase()}x+`)],
    ['another type', (vkey: string) => vkey.replace(/\+A(?=[^+]{43}$)/, '+B')],
    ['a byte less', (vkey: string) => vkey.slice(0, -4)],
    ['no key', () => 'name'],
    ['nothing', () => ''],
  ])('is refused with %s', async (_, change) => {
    await expect(parseVkey(change(vectors.log.vkey))).rejects.toMatchObject({ code: 'KEY_REJECTED' })
  })

  it.each(['', 'two words', 'a+b', 'line\nfeed'])('cannot be named %j', async (name) => {
    await expect(signerOf(name)).rejects.toMatchObject({ code: 'KEY_REJECTED' })
  })

  it('is no key for anything but Ed25519', async () => {
    const es256 = await privateKeySigner(await generateSigningKey('ES256'))
    await expect(noteSigner('log', es256)).rejects.toMatchObject({ code: 'KEY_REJECTED' })
  })
})

describe('a note', () => {
  it('is opened by each key that signed it', async () => {
    const [one, other] = [await signerOf('one'), await signerOf('other')]
    const note = await signNote('first\n\nthird\n', [one, other])
    expect(await openNote(note, [other])).toMatchObject({ text: 'first\n\nthird\n', signedBy: [{ name: 'other' }] })
    expect((await openNote(note, [one, other])).signedBy).toHaveLength(2)
  })

  it('is refused when one known signature is wrong, whatever stands beside', async () => {
    const [one, other] = [await signerOf('one'), await signerOf('other')]
    const [mine, its] = await Promise.all([signNote('mine\n', [one]), signNote('its\n', [other])])
    const mixed = mine + its.slice(its.lastIndexOf('\n\n') + 2)
    await expect(openNote(mixed, [one, other])).rejects.toMatchObject({ code: 'INVALID_FIELD', field: 'signature' })
    expect(await openNote(mixed, [one])).toMatchObject({ text: 'mine\n' })
  })

  it.each(['no line feed', 'tab\t\n', 'bell\u0007\n', 'half \ud800\n', 'return\r\n', ''])(
    'cannot be of %j',
    async (text) => {
      await expect(signNote(text, [await signerOf('one')])).rejects.toThrow(TypeError)
    },
  )

  it('is signed by somebody', async () => {
    await expect(signNote('text\n', [])).rejects.toThrow(TypeError)
  })

  it('has a bounded number of signatures', async () => {
    const one = await signerOf('one')
    const note = await signNote('text\n', [one])
    const line = note.slice(note.lastIndexOf('\n\n') + 2)
    await expect(openNote(note + line.repeat(100), [one])).rejects.toMatchObject({ field: 'note' })
  })
})

it('opens the example of golang.org/x/mod/sumdb/note', async () => {
  const key = await parseVkey('PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW')
  const text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
  const signature = 'x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM='
  expect(await openNote(`${text}\n— PeterNeumann ${signature}\n`, [key])).toMatchObject({ text })
})
