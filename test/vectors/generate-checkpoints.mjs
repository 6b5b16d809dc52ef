/**
 * Writes checkpoints.json: keys of logs, their text form, signed checkpoints, and what must be refused. Independent of the
 * packages on purpose. Ed25519 is deterministic, so the file is the same each time. `node test/vectors/generate-checkpoints.mjs`.
 *
 * @module
 */
import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { writeFileSync } from 'node:fs'

/** PKCS #8 around a seed. */
const keyOf = (seed) =>
  createPrivateKey({ key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]), format: 'der', type: 'pkcs8' })
const sha = (...parts) => createHash('sha256').update(Buffer.concat(parts.map((part) => Buffer.from(part)))).digest()

const makeKey = (name, word) => {
  const key = keyOf(sha(word))
  const { x, d } = key.export({ format: 'jwk' })
  const pub = Buffer.from(createPublicKey(key).export({ format: 'jwk' }).x, 'base64url')
  const id = sha(name, '\n', [1], pub).subarray(0, 4)
  const vkey = `${name}+${id.toString('hex')}+${Buffer.concat([Buffer.from([1]), pub]).toString('base64')}`
  const fingerprint = `sha-256:${sha(vkey).toString('base64url')}`
  return { name, key, id, vkey, fingerprint, jwk: { kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', use: 'sig', kid: word, x, d } }
}
const line = ({ name, id, key }, text) =>
  `\u2014 ${name} ${Buffer.concat([id, sign(null, Buffer.from(text), key)]).toString('base64')}\n`
const note = (text, ...keys) => `${text}\n${keys.map((key) => line(key, text)).join('')}`

const log = makeKey('gate.example.com/prj_01h455vb4pex5vsknk084sn02r', 'log')
const twin = makeKey('gate.example.com/prj_01h455vb4pex5vsknk084sn02r', 'twin')
const witness = makeKey('witness.example.org', 'witness')
const origin = `${log.name}/1`
const root = sha([0], 'leaf')
const text = `${origin}\n1\n${root.toString('base64')}\n`
const good = note(text, log)
const changed = (from, to) => good.replace(from, to)

const refused = [
  ['another signer of this name', note(text, twin), 'signer'],
  ['a witness alone', note(text, witness), 'signer'],
  ['no signature', `${text}\n`, 'signature'],
  ['no empty line', text, 'note'],
  ['another size than was signed', changed('\n1\n', '\n2\n'), 'signature'],
  ['another origin than was signed', changed('/1\n', '/2\n'), 'signature'],
  ['another root than was signed', changed(root.toString('base64'), sha('x').toString('base64')), 'signature'],
  ['no last line feed', good.slice(0, -1), 'note'],
  ['a line feed more', `${good}\n`, 'signature'],
  ['carriage returns', good.replaceAll('\n', '\r\n'), 'note'],
  ['a hyphen for the dash', changed('\u2014', '-'), 'signature'],
  ['a space more', changed('\u2014 ', '\u2014  '), 'signature'],
  ['a signature in base64url', changed(/[+/](?=[^ ]*\n$)/, '-'), 'signature'],
  ['a signature without padding', good.replace(/=+\n$/, '\n'), 'signature'],
  ['size 0', note(`${origin}\n0\n${root.toString('base64')}\n`, log), 'size'],
  ['a size with a zero before', note(`${origin}\n01\n${root.toString('base64')}\n`, log), 'size'],
  ['a size in words', note(`${origin}\none\n${root.toString('base64')}\n`, log), 'size'],
  ['a size beyond what can be counted', note(`${origin}\n9999999999999999\n${root.toString('base64')}\n`, log), 'size'],
  ['a root of 31 bytes', note(`${origin}\n1\n${root.subarray(1).toString('base64')}\n`, log), 'root'],
  ['a root in base64url', note(`${origin}\n1\n${Buffer.alloc(32, 255).toString('base64url')}\n`, log), 'root'],
  ['a line more', note(`${text}extension\n`, log), 'note'],
  ['an origin without epoch', note(`${log.name}\n1\n${root.toString('base64')}\n`, log), 'origin'],
  ['an epoch with a zero before', note(`${log.name}/01\n1\n${root.toString('base64')}\n`, log), 'origin'],
  ['the origin of another log', note(`gate.example.com/prj_2/1\n1\n${root.toString('base64')}\n`, log), 'origin'],
].map(([name, given, field]) => ({ name, note: given, field }))

const key = ({ name, vkey, fingerprint, jwk }) => ({ name, vkey, fingerprint, jwk })
writeFileSync(
  new URL('checkpoints.json', import.meta.url),
  `${JSON.stringify(
    {
      about: 'TEST KEYS, public by intent. Checkpoints of C2SP tlog-checkpoint in signed notes, and their refusals by field.',
      log: key(log),
      witness: key(witness),
      accepted: [
        { name: 'signed by the log', note: good, origin, size: 1, root: root.toString('base64url') },
        { name: 'with a witness beside', note: note(text, log, witness), origin, size: 1, root: root.toString('base64url') },
        { name: 'with an unknown key of the same name before', note: note(text, twin, log), origin, size: 1, root: root.toString('base64url') },
        { name: 'signed twice by the same', note: note(text, log, log), origin, size: 1, root: root.toString('base64url') },
      ],
      refused,
    },
    null,
    2,
  )}\n`,
)
