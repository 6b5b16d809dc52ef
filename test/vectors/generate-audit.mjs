/**
 * Writes audit.json: a small export of a log, and what a verifier must say of it once something in it is changed. Independent of the
 * packages on purpose, made from docs/audit-format.md alone. Ed25519 is deterministic, so the file is the same each time.
 * `node test/vectors/generate-audit.mjs`.
 *
 * @module
 */
import { createHash, createHmac, createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { writeFileSync } from 'node:fs'

const sha = (...parts) => createHash('sha256').update(Buffer.concat(parts.map((part) => Buffer.from(part)))).digest()
const canonical = (value) => {
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  return `{${Object.keys(value).sort().map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(',')}}`
}
const root = (hashes) => {
  if (hashes.length === 1) return hashes[0]
  let width = 1
  while (width * 2 < hashes.length) width *= 2
  return sha([1], root(hashes.slice(0, width)), root(hashes.slice(width)))
}

const PROJECT = 'prj_01h455vb4pex5vsknk084sn02r'
const NAME = `gate.example.com/${PROJECT}`
const key = createPrivateKey({
  key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), sha('audit log')]),
  format: 'der',
  type: 'pkcs8',
})
const pub = Buffer.from(createPublicKey(key).export({ format: 'jwk' }).x, 'base64url')
const id = sha(NAME, '\n', [1], pub).subarray(0, 4)
const vkey = `${NAME}+${id.toString('hex')}+${Buffer.concat([Buffer.from([1]), pub]).toString('base64')}`
const fingerprint = `sha-256:${sha(vkey).toString('base64url')}`
const checkpointOf = (hashes, epoch = 0) => {
  const text = `${NAME}/${epoch}\n${hashes.length}\n${root(hashes).toString('base64')}\n`
  return `${text}\n\u2014 ${NAME} ${Buffer.concat([id, sign(null, Buffer.from(text), key)]).toString('base64')}\n`
}

/** Leaves as [actor, events, values]. */
const INTENT = 'int_01h455vb4pex5vsknk084sn02r'
const story = [
  ['key:key_1', [['intent.created', { decision: 'require_approval', approvals_required: 1, declared_by: 'key:key_1', intent_hash: 'sha-256:view', action: 'issue_refund', policy: null, risk_tier: 'high' }]], { params: { amount: 250, customer_id: 'cust_4821\u2028' } }],
  ['user:usr_1', [['approval.recorded', { by: 'user:usr_1', verdict: 'approve', via: 'session', intent_hash: 'sha-256:view', unseen: [], edited: false }], ['intent.approved', { by: 'person', approvals: ['user:usr_1'] }]], { comment: 'fine' }],
  ['key:key_1', [['execution.started', { continuations: 0, grants: 1 }], ['permit.issued', { permit_id: 'pmt_1' }]], { permit: { jti: 'pmt_1' } }],
  ['key:key_2', [['permit.redeemed', { permit_id: 'pmt_1', by: 'key_2', replayed: false }]], {}],
  ['key:key_1', [['execution.reported', { by: 'agent', status: 'succeeded' }]], {}],
]
const hashes = []
const linesOf = (leaves) => {
  hashes.length = 0
  return leaves.map(([actor, events, values], sequence) => {
    const at = new Date(1_773_664_496_000 + sequence * 1000).toISOString()
    const leaf = `leaf_${sequence}`
    const payloads = Object.fromEntries(
      Object.entries(values).map(([field, value]) => [field, { salt: `salt of ${field}`, json: canonical(value) }]),
    )
    const commit = Object.fromEntries(
      Object.entries(payloads).map(([field, { salt, json }]) => [field, `hmac-sha-256:${createHmac('sha256', salt).update(json).digest('base64url')}`]),
    )
    const body = canonical({ v: 1, id: leaf, at, project: PROJECT, actor, intent_id: INTENT, events: events.map(([type, data]) => ({ type, intent_id: INTENT, data })), commit })
    hashes.push(sha([0], body))
    const nodes = []
    for (let width = 2; (sequence + 1) % width === 0; width *= 2) nodes.push(root(hashes.slice(-width)).toString('base64url'))
    return { sequence, id: leaf, at, intent_id: INTENT, body, hash: hashes.at(-1).toString('base64url'), nodes, payloads }
  })
}

const good = linesOf(story)
const checkpoint = checkpointOf(hashes)
const early = checkpointOf(hashes.slice(0, 3))
const elsewhere = checkpointOf([...hashes.slice(0, 2), sha('another leaf')])
const longer = checkpointOf([...hashes, sha('a leaf that was cut off')])
const lied = linesOf([story[0], ['user:usr_1', [['intent.approved', { by: 'person', approvals: ['user:usr_1'] }]], {}]])
const lies = checkpointOf(hashes)

const text = (lines) => lines.map(canonical)
const changed = (index, change) => text(good.map((line, at) => (at === index ? { ...line, ...change } : line)))
const found = (field, sequence = null) => ({ field, sequence })
const cases = [
  ['nobody touched it', text(good), 0, []],
  ['it contains an older checkpoint', text(good), 0, [], { older: [early] }],
  ['its values are withheld', text(good.map((line) => ({ ...line, payloads: Object.fromEntries(Object.keys(line.payloads).map((field) => [field, 'withheld'])) }))), 0, []],
  ['one value is withheld', changed(1, { payloads: { comment: 'withheld' } }), 1, [found('payloads/comment', 1)]],
  ['a value is gone', changed(0, { payloads: { params: null } }), 1, [found('payloads/params', 0)]],
  ['a value is another', changed(0, { payloads: { params: { salt: 'salt of params', json: '{"amount":2500,"customer_id":"cust_4821\u2028"}' } } }), 1, [found('payloads/params', 0)]],
  ['a salt is another', changed(1, { payloads: { comment: { salt: 'salt', json: '"fine"' } } }), 1, [found('payloads/comment', 1)]],
  ['a body is another', changed(1, { body: good[1].body.replace('"session"', '"cli"') }), 1, [found('body', 1)]],
  ['a hash is another', changed(1, { hash: good[0].hash }), 1, [found('hash', 1)]],
  ['a subtree is another', changed(3, { nodes: [good[3].nodes[0], good[1].nodes[0]] }), 1, [found('nodes/1', 3)]],
  ['a time is another', changed(2, { at: good[1].at }), 1, [found('at', 2)]],
  ['a leaf is of another intent', changed(2, { intent_id: null }), 1, [found('intent_id', 2)]],
  ['a leaf is dropped', text(good.toSpliced(2, 1)), 1, [found('sequence', 3)]],
  ['two leaves are swapped', text([good[0], good[2], good[1], ...good.slice(3)]), 1, [found('sequence', 2), found('sequence', 1)]],
  ['the tail is cut off', text(good.slice(0, 4)), 1, [found('checkpoint/size', 4)]],
  ['an older checkpoint covers more', text(good), 1, [found('older_checkpoint/size')], { older: [longer] }],
  ['an older checkpoint covers something else', text(good), 1, [found('older_checkpoint/root')], { older: [elsewhere] }],
  ['leaves are behind the checkpoint', text(good), 3, [found('checkpoint/size', 3)], { checkpoint: early }],
  ['the checkpoint was changed', text(good), 1, [found('checkpoint/signature')], { checkpoint: checkpoint.replace('\n5\n', '\n4\n') }],
  ['an approval has no vote', text(lied), 1, [found('events/0/data/approvals', 1)], { checkpoint: lies }],
  ['a line has a space', text(good).with(1, text(good)[1].replace('":', '": ')), 1, [found('', 1)]],
].map(([name, lines, exitCode, findings, { older = [], checkpoint: note = checkpoint } = {}]) => ({ name, lines, checkpoint: note, older, exitCode, findings }))

writeFileSync(
  new URL('audit.json', import.meta.url),
  `${JSON.stringify({ about: 'TEST KEY, public by intent. Exports of an audit log (docs/audit-format.md), the exit code of their verification, and findings that must be among those told.', vkey, fingerprint, cases }, null, 2)}\n`,
)
