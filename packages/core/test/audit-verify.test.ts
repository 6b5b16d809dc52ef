import { beforeAll, describe, expect, it } from 'vitest'
import { auditLeaf, leafHash } from '../src/audit.js'
import { type AuditLine, auditLine, completedBy, WITHHELD } from '../src/audit-line.js'
import { type AuditVerdict, type ExportedAudit, VALUES_ERASED, verifyAudit } from '../src/audit-verify.js'
import { canonicalJson } from '../src/canonical-json.js'
import { logOrigin, signCheckpoint } from '../src/checkpoint.js'
import { newId } from '../src/id.js'
import { LOG_RESTORED, restoreEventData } from '../src/log-restore.js'
import { EMPTY_TREE, growTree, treeRoot } from '../src/merkle-tree.js'
import { type NoteSigner, vkeyFingerprint } from '../src/signed-note.js'
import { testGate } from '../src/testing.js'
import { aBusyGate, aNoteSigner, changedLine, declared, exported, logOf, signedNow, type Writable } from './a-log.js'

let signer: NoteSigner
let trust: string
let early: string
let whole: ExportedAudit & { readonly lines: readonly string[] }

beforeAll(async () => {
  const { test } = await aBusyGate()
  signer = await aNoteSigner(logOf(test))
  trust = await vkeyFingerprint(signer.vkey)
  early = await signedNow(test, signer)
  await declared(test, { action: 'read_mail' })
  await declared(test, { action: 'read_post' })
  const last = await signedNow(test, signer)
  whole = await exported(test, signer, last)
})

function verify(change: Partial<ExportedAudit> = {}, older: readonly string[] = [early]): Promise<AuditVerdict> {
  return verifyAudit({ ...whole, ...change }, { trust, olderCheckpoints: older })
}

/** Every line once, one of them changed. */
function withLine(index: number, change: (line: Writable<AuditLine>) => void): readonly string[] {
  return whole.lines.map((line, at) => (at === index ? changedLine(line, change) : line))
}

describe('a log', () => {
  it('that nobody touched is whole', async () => {
    const verdict = await verify()
    expect(verdict).toMatchObject({ exitCode: 0, findings: [], found: 0, erased: 0, leaves: whole.lines.length })
    expect(verdict.checkpoint?.size).toBe(whole.lines.length)
    expect(whole.lines.length).toBeGreaterThan(25)
  })

  it('is trusted by the text form of its key too', async () => {
    expect((await verifyAudit({ ...whole, vkeys: [] }, { trust: signer.vkey })).exitCode).toBe(0)
  })

  it('is nothing without the trusted key', async () => {
    const other = await aNoteSigner(signer.name)
    const verdict = await verifyAudit(whole, { trust: await vkeyFingerprint(other.vkey) })
    expect(verdict).toMatchObject({ exitCode: 1, checkpoint: undefined, findings: [{ field: 'vkey' }] })
  })

  it.each(['', 'sha-256:short', 'gate.example.com/prj_1', 'a+b+c'])(
    'is not looked at under the trust %j',
    async (trust) => {
      await expect(verifyAudit(whole, { trust })).rejects.toThrow(TypeError)
    },
  )

  it('that another key signed is tampered with', async () => {
    const other = await aNoteSigner(signer.name)
    const verdict = await verifyAudit({ ...whole, vkeys: [other.vkey] }, { trust: other.vkey })
    expect(verdict).toMatchObject({ exitCode: 1, findings: [{ field: 'checkpoint/signer' }] })
  })

  it('may end with empty lines, and with nothing behind them', async () => {
    expect((await verify({ lines: [...whole.lines, '', ''] })).exitCode).toBe(0)
    const behind = await verify({ lines: [...whole.lines.slice(0, -1), '', whole.lines.at(-1) ?? ''] })
    expect(behind.exitCode).toBe(1)
  })
})

describe('a change is found at its leaf and field', () => {
  it.each<[string, (line: Writable<AuditLine>) => void]>([
    ['id', (line) => (line.id = newId('leaf'))],
    ['at', (line) => (line.at = '2020-01-01T00:00:00.000Z')],
    ['intent_id', (line) => (line.intent_id = newId('int'))],
    ['body', (line) => (line.body = line.body.replace('agent', 'agemt').replace('key:', 'kez:'))],
    ['body', (line) => (line.body = `${line.body} `)],
    ['hash', (line) => (line.hash = leafHash('another'))],
    ['hash', (line) => (line.hash = '')],
    ['payloads/params', (line) => (line.payloads = { ...line.payloads, params: { salt: 'x', json: '{}' } })],
    ['payloads/params', (line) => (line.payloads = { ...line.payloads, params: null })],
    ['payloads/params', (line) => (line.payloads = {})],
    ['payloads/extra', (line) => (line.payloads = { ...line.payloads, extra: { salt: 'x', json: '{}' } })],
    ['payloads/__proto', (line) => (line.payloads = { ...line.payloads, __proto: null })],
    ['nodes', (line) => (line.nodes = [...line.nodes, leafHash('one more')])],
  ])('%s', async (field, change) => {
    for (const [index, line] of whole.lines.entries()) {
      if (!('params' in (JSON.parse(line) as AuditLine).payloads)) continue
      const { exitCode, findings } = await verify({ lines: withLine(index, change) })
      expect(exitCode).toBe(1)
      expect(findings.map((each) => [each.sequence, each.field])).toContainEqual([index, field])
    }
  })

  it('nodes', async () => {
    for (const [index, line] of whole.lines.entries()) {
      const { nodes } = JSON.parse(line) as AuditLine
      for (const level of nodes.keys()) {
        const lines = withLine(index, (changed) => (changed.nodes = nodes.with(level, leafHash('x'))))
        const { exitCode, findings } = await verify({ lines })
        expect(exitCode).toBe(1)
        expect(findings).toMatchObject([{ sequence: index, field: `nodes/${level}` }])
      }
    }
  })

  it('a body together with its hash: the leaf, or its pair', async () => {
    for (const index of whole.lines.keys()) {
      const lines = withLine(index, (line) => {
        const body = JSON.parse(line.body) as { actor: string }
        line.body = canonicalJson({ ...body, actor: 'system:clock' })
        line.hash = leafHash(line.body)
      })
      if (lines[index] === whole.lines[index]) continue
      const { exitCode, findings } = await verify({ lines })
      expect(exitCode).toBe(1)
      const places = findings.filter(({ field }) => field === 'body').map(({ sequence }) => sequence)
      expect(places).toContain(index % 2 === 0 ? Math.min(index + 1, whole.lines.length - 1) : index)
    }
  })

  it.each([
    ['is not JSON', (line: string) => line.slice(0, -1), ''],
    ['has a member twice', (line: string) => line.replace('{"at"', '{"at":"x","at"'), 'at'],
    ['has a space', (line: string) => line.replace('{"at":', '{"at": '), ''],
    ['has a member more', (line: string) => line.replace('{"at"', '{"a":1,"at"'), ''],
    ['lacks a member', (line: string) => line.replace(/"hash":"[^"]*",/, ''), 'hash'],
    ['has no place', (line: string) => line.replace(/"sequence":\d+/, '"sequence":null'), 'sequence'],
    ['has a place below 0', (line: string) => line.replace(/"sequence":\d+/, '"sequence":-1'), 'sequence'],
  ])('a line that %s', async (_, change, field) => {
    const { exitCode, findings } = await verify({ lines: whole.lines.map((l, at) => (at === 3 ? change(l) : l)) })
    expect(exitCode).toBe(1)
    expect(findings).toContainEqual(expect.objectContaining({ sequence: 3, field }))
  })
})

describe('the order of a log', () => {
  it('dropped: each entry', async () => {
    for (const index of whole.lines.keys()) {
      const { exitCode, findings } = await verify({ lines: whole.lines.toSpliced(index, 1) })
      expect(exitCode).toBe(1)
      const last = index === whole.lines.length - 1
      expect(findings).toContainEqual(
        expect.objectContaining(
          last
            ? { field: 'checkpoint/size' }
            : { sequence: index + 1, field: 'sequence', reason: '1 missing before it' },
        ),
      )
    }
  })

  it('swapped: each pair of neighbours', async () => {
    for (const index of whole.lines.keys()) {
      const [one, other] = whole.lines.slice(index, index + 2)
      if (one === undefined || other === undefined) continue
      const { exitCode, findings } = await verify({ lines: whole.lines.toSpliced(index, 2, other, one) })
      expect(exitCode).toBe(1)
      expect(findings).toContainEqual(expect.objectContaining({ sequence: index + 1, field: 'sequence' }))
    }
  })

  it('swapped with their places: each pair of neighbours', async () => {
    const at = (line: string, place: AuditLine) =>
      changedLine(line, (changed) => Object.assign(changed, { sequence: place.sequence, nodes: place.nodes }))
    for (const index of whole.lines.keys()) {
      const [one, other] = whole.lines.slice(index, index + 2)
      if (one === undefined || other === undefined) continue
      const swapped = [at(other, JSON.parse(one)), at(one, JSON.parse(other))]
      const { exitCode, findings } = await verify({ lines: whole.lines.toSpliced(index, 2, ...swapped) })
      expect(exitCode).toBe(1)
      expect(findings).toContainEqual(expect.objectContaining({ field: 'checkpoint/root' }))
    }
  })

  it('duplicated: each entry', async () => {
    for (const [index, line] of whole.lines.entries()) {
      const { exitCode, findings } = await verify({ lines: whole.lines.toSpliced(index, 0, line) })
      expect(exitCode).toBe(1)
      expect(findings).toContainEqual(expect.objectContaining({ sequence: index, field: 'sequence' }))
    }
  })

  it('its tail cut off, the checkpoint an older one', async () => {
    const { size } = (await verify({ checkpoint: early }, [])).checkpoint ?? { size: 0 }
    const lines = whole.lines.slice(0, size)
    expect(await verify({ lines, checkpoint: early }, [])).toMatchObject({ exitCode: 0 })
    expect(await verify({ lines, checkpoint: early }, [whole.checkpoint])).toMatchObject({
      exitCode: 1,
      findings: [{ field: 'older_checkpoint/size' }],
    })
  })

  it('leaves that nobody signed make it incomplete', async () => {
    expect(await verify({ checkpoint: early }, [])).toMatchObject({
      exitCode: 3,
      findings: [{ kind: 'incomplete', field: 'checkpoint/size' }],
    })
  })

  it('a fork is found against a kept checkpoint', async () => {
    const forked = await signed(whole.lines.map((line) => (JSON.parse(line) as AuditLine).body).with(4, 'forked'))
    const { findings, exitCode } = await verify({ ...forked }, [early])
    expect(exitCode).toBe(1)
    expect(findings).toContainEqual(expect.objectContaining({ field: 'older_checkpoint/root' }))
  })

  it('a checkpoint of another log, another epoch, or nobody', async () => {
    for (const [note, field] of [
      [early.replace('/0\n', '/1\n'), 'checkpoint/signature'],
      ['', 'checkpoint/note'],
      [
        await signCheckpoint({ origin: logOrigin(signer.name, 1), size: 1, root: leafHash('x') }, signer),
        'checkpoint/root',
      ],
    ] as const) {
      const { exitCode, findings } = await verify({ checkpoint: note }, [])
      expect(exitCode).toBe(1)
      expect(findings.map((finding) => finding.field)).toContain(field)
    }
  })
})

/** A log of these bodies, signed whatever they say: what a gate that lies could make. */
async function signed(bodies: readonly string[], epoch = 0): Promise<ExportedAudit> {
  const hashes = bodies.map(leafHash)
  const { tree, nodes } = growTree(EMPTY_TREE, hashes)
  const lines = bodies.map((body, sequence) => {
    const { id, at, intent_id } = readable(body)
    const places = completedBy(sequence)
    const of = nodes.filter((node) => places.some(({ level, index }) => level === node.level && index === node.index))
    return canonicalJson({
      sequence,
      id,
      at,
      intent_id,
      body,
      hash: leafHash(body),
      nodes: of.map(({ hash }) => hash),
      payloads: {},
    })
  })
  const origin = logOrigin(signer.name, epoch)
  const checkpoint = await signCheckpoint({ origin, size: bodies.length, root: treeRoot(tree) }, signer)
  return { lines, checkpoint, vkeys: [signer.vkey] }
}

function readable(body: string): { id: string; at: string; intent_id: string | null } {
  try {
    return JSON.parse(body)
  } catch {
    return { id: 'leaf_x', at: 'x', intent_id: null }
  }
}

type Event = { readonly type: string; readonly data?: Record<string, unknown> }

/** Bodies of one intent, a leaf for each event. */
function bodiesOf(events: readonly Event[], actor = 'user:usr_ann'): readonly string[] {
  const projectId = signer.name.slice(signer.name.lastIndexOf('/') + 1) as `prj_${string}`
  return events.map(({ type, data = {} }) => {
    const intentId = type === LOG_RESTORED ? undefined : ('int_1' as const)
    const event = { type, intentId, data: data as never }
    return auditLeaf({ projectId, actor, intentId, events: [event], values: {} }, 1e12).body
  })
}

const CREATED = {
  type: 'intent.created',
  data: { decision: 'require_approval', approvals_required: 1, declared_by: 'key:key_1', intent_hash: 'h' },
}
const BY_POLICY = {
  type: 'intent.created',
  data: { decision: 'auto_approve', approvals_required: 0, declared_by: 'key:key_1', intent_hash: 'h' },
}
const VOTED = {
  type: 'approval.recorded',
  data: { by: 'user:usr_ann', verdict: 'approve', edited: false, intent_hash: 'h' },
}
const APPROVED = { type: 'intent.approved', data: { by: 'person', approvals: ['user:usr_ann'] } }
const AUTOMATIC = { type: 'intent.approved', data: { by: 'policy', approvals: [] } }
const ISSUED = { type: 'permit.issued', data: { permit_id: 'pmt_1' } }
const REDEEMED = { type: 'permit.redeemed', data: { permit_id: 'pmt_1', replayed: false } }

describe('a gate that lies is contradicted by its own log', () => {
  it.each<[string, readonly Event[], string]>([
    ['an approval without votes', [CREATED, APPROVED], 'data/approvals'],
    [
      'an approval that counts nobody',
      [CREATED, VOTED, { ...APPROVED, data: { by: 'person', approvals: [] } }],
      'data/approvals',
    ],
    [
      'one person counted twice',
      [CREATED, VOTED, { ...APPROVED, data: { by: 'person', approvals: ['user:usr_ann', 'user:usr_ann'] } }],
      'data/approvals',
    ],
    [
      'fewer approvals than are required',
      [{ ...CREATED, data: { ...CREATED.data, approvals_required: 2 } }, VOTED, APPROVED],
      'data/approvals',
    ],
    [
      'a denial counted as an approval',
      [CREATED, { ...VOTED, data: { ...VOTED.data, verdict: 'deny' } }, APPROVED],
      'data/approvals',
    ],
    [
      'an edit counted as an approval',
      [CREATED, { ...VOTED, data: { ...VOTED.data, edited: true } }, APPROVED],
      'data/approvals',
    ],
    ['a vote by somebody else', [CREATED, { ...VOTED, data: { ...VOTED.data, by: 'user:usr_bob' } }], 'data/by'],
    [
      'a vote by who declared it',
      [{ ...CREATED, data: { ...CREATED.data, declared_by: 'user:usr_ann' } }, VOTED],
      'data/by',
    ],
    ['two votes of one person', [CREATED, VOTED, VOTED], 'data/by'],
    ['a vote on another view', [CREATED, { ...VOTED, data: { ...VOTED.data, intent_hash: 'x' } }], 'data/intent_hash'],
    ['a vote after the end', [CREATED, { type: 'intent.expired' }, VOTED], 'type'],
    ['a policy that asked people', [CREATED, AUTOMATIC], 'data/by'],
    ['people where policy decided', [BY_POLICY, VOTED, APPROVED], 'data/by'],
    ['a second approval', [BY_POLICY, AUTOMATIC, AUTOMATIC], 'type'],
    ['a permit without approval', [CREATED, ISSUED], 'type'],
    ['a permit twice', [BY_POLICY, AUTOMATIC, ISSUED, ISSUED], 'data/permit_id'],
    ['a redemption of no permit', [BY_POLICY, AUTOMATIC, REDEEMED], 'data/permit_id'],
    ['two first redemptions', [BY_POLICY, AUTOMATIC, ISSUED, REDEEMED, REDEEMED], 'data/replayed'],
    ['an execution without approval', [CREATED, { type: 'execution.started' }], 'type'],
    ['a permit after it was abandoned', [BY_POLICY, AUTOMATIC, { type: 'execution.abandoned' }, ISSUED], 'type'],
    ['an intent that was never declared', [VOTED], 'intent_id'],
    ['an intent declared twice', [CREATED, CREATED], 'intent_id'],
    ['no verdict', [{ ...CREATED, data: { ...CREATED.data, decision: 'yes' } }], 'data/decision'],
    ['no quorum', [{ ...CREATED, data: { ...CREATED.data, approvals_required: -1 } }], 'data/approvals_required'],
    ['a denial by nobody', [CREATED, { type: 'intent.denied', data: { by: 'person' } }], 'data/by'],
    ['a denial by a policy that asked', [CREATED, { type: 'intent.denied', data: { by: 'policy' } }], 'data/by'],
    ['changes that nobody asked for', [CREATED, { type: 'intent.changes_requested' }], 'type'],
    ['an edit by nobody', [CREATED, { type: 'intent.superseded' }], 'type'],
  ])('%s', async (_, events, member) => {
    const { exitCode, findings } = await verifyAudit(await signed(bodiesOf(events)), { trust })
    expect(exitCode).toBe(1)
    expect(findings).toMatchObject([{ field: `events/0/${member}`, kind: 'tampered' }])
  })

  it('an event of an intent that names none', async () => {
    const [body = ''] = bodiesOf([CREATED])
    const nameless = body.replaceAll('"int_1"', 'null')
    const { findings } = await verifyAudit(await signed([nameless]), { trust })
    expect(findings).toMatchObject([{ field: 'events/0/intent_id' }])
  })

  it('a leaf of another project', async () => {
    const [body = ''] = bodiesOf([CREATED])
    const elsewhere = body.replace(/"prj_[^"]*"/, '"prj_elsewhere"')
    const { findings } = await verifyAudit(await signed([elsewhere]), { trust })
    expect(findings).toMatchObject([{ field: 'body', reason: 'it is of another project' }])
  })
})

describe('a restore', () => {
  const held = { epoch: 0, size: 3, root: leafHash('what was lost') }
  const restored = (record = { epoch: 1, restoredSize: 1, held }) => [
    CREATED,
    { type: LOG_RESTORED, data: restoreEventData(record) },
  ]
  const keptNote = (size = 3, root = held.root) =>
    signCheckpoint({ origin: logOrigin(signer.name, 0), size, root }, signer)

  it('makes a log incomplete, and says how many leaves it lost (R2)', async () => {
    const { exitCode, findings } = await verifyAudit(await signed(bodiesOf(restored()), 1), { trust })
    expect(exitCode).toBe(3)
    expect(findings).toMatchObject([
      { sequence: 1, field: 'events/0/data/held', reason: 'a restore lost 2 leaves here' },
    ])
  })

  it('that lost nothing known makes it incomplete too', async () => {
    const log = await signed(bodiesOf(restored({ epoch: 1, restoredSize: 1, held: { ...held, size: 1 } })), 1)
    expect((await verifyAudit(log, { trust })).exitCode).toBe(3)
  })

  it('has on its chain the checkpoint that it gave up (R2)', async () => {
    const log = await signed(bodiesOf(restored()), 1)
    expect((await verifyAudit(log, { trust, olderCheckpoints: [await keptNote()] })).exitCode).toBe(3)
    expect((await verifyAudit(log, { trust, olderCheckpoints: [await keptNote(2)] })).exitCode).toBe(3)
  })

  it.each([
    ['more than it owns up to', 4, held.root, 'older_checkpoint/size'],
    ['other leaves than it owns up to', 3, leafHash('other'), 'older_checkpoint/size'],
    ['other leaves than were restored', 1, leafHash('other'), 'older_checkpoint/root'],
  ])('does not have on its chain a checkpoint over %s (R2)', async (_, size, root, field) => {
    const log = await signed(bodiesOf(restored()), 1)
    const { exitCode, findings } = await verifyAudit(log, { trust, olderCheckpoints: [await keptNote(size, root)] })
    expect(exitCode).toBe(1)
    expect(findings.map((finding) => finding.field)).toContain(field)
  })

  it.each([
    ['under a checkpoint of the epoch before', 0, { epoch: 1, restoredSize: 1, held }, 'checkpoint/origin'],
    ['that skips an epoch', 2, { epoch: 2, restoredSize: 1, held }, 'events/0/data/epoch'],
    ['that does not say how many leaves it had', 1, { epoch: 1, restoredSize: 0, held }, 'events/0/data/restored_size'],
  ])('%s is tampered with', async (_, epoch, record, field) => {
    const { exitCode, findings } = await verifyAudit(await signed(bodiesOf(restored(record)), epoch), { trust })
    expect(exitCode).toBe(1)
    expect(findings.map((finding) => finding.field)).toContain(field)
  })

  it.each([{}, { epoch: 1 }, { epoch: 1, restored_size: 1, held: {} }, { epoch: -1, restored_size: 1, held: null }])(
    'that says %j is no record of one',
    async (data) => {
      const log = await signed(bodiesOf([CREATED, { type: LOG_RESTORED, data }]), 0)
      const { findings } = await verifyAudit(log, { trust })
      expect(findings).toMatchObject([{ field: 'events/0/data' }])
    },
  )

  it('is not hidden by an older backup: the checkpoint that was kept says so', async () => {
    const log = await signed(bodiesOf([CREATED]), 0)
    const { exitCode } = await verifyAudit(log, { trust, olderCheckpoints: [await keptNote()] })
    expect(exitCode).toBe(1)
    const later = await signCheckpoint({ origin: logOrigin(signer.name, 1), size: 1, root: leafHash('x') }, signer)
    const { findings } = await verifyAudit(log, { trust, olderCheckpoints: [later] })
    expect(findings).toMatchObject([{ field: 'older_checkpoint/origin' }])
  })
})

describe('withheld values', () => {
  it('are counted, and are whole where all are withheld', async () => {
    const hide = (line: Writable<AuditLine>) => {
      line.payloads = Object.fromEntries(Object.keys(line.payloads).map((field) => [field, WITHHELD]))
    }
    const lines = whole.lines.map((line) => changedLine(line, hide))
    const verdict = await verify({ lines })
    expect(verdict).toMatchObject({ exitCode: 0, findings: [] })
    expect(verdict.withheld).toBeGreaterThan(10)
  })

  it('among others are found', async () => {
    const hide = (line: Writable<AuditLine>) => {
      line.payloads = { ...line.payloads, params: WITHHELD }
    }
    for (const [index, line] of whole.lines.entries()) {
      if (!('params' in (JSON.parse(line) as AuditLine).payloads)) continue
      const { exitCode, findings } = await verify({ lines: withLine(index, hide) })
      expect(exitCode).toBe(1)
      expect(findings[0]).toMatchObject({ field: expect.stringMatching(/^payloads\//) })
    }
  })
})

describe('erased values', () => {
  it('are counted, and are whole where a leaf says that they were erased', async () => {
    const test = await testGate()
    const own = await aNoteSigner(logOf(test))
    const { id } = await declared(test, {})
    await test.store.transaction((tx) => tx.erasePayloads(test.project.id, id))
    const silent = await exported(test, own, await signedNow(test, own))
    const found = await verifyAudit(silent, { trust: own.vkey })
    expect(found).toMatchObject({ exitCode: 1, erased: 1, findings: [{ field: 'payloads/params' }] })

    const leaf = { projectId: test.project.id, actor: 'system:setup', intentId: id, values: {} }
    const events = [{ type: VALUES_ERASED, intentId: id, data: {} }]
    await test.store.transaction((tx) => tx.appendLeaf(auditLeaf({ ...leaf, events }, test.clock.now())))
    const said = await exported(test, own, await signedNow(test, own))
    expect(await verifyAudit(said, { trust: own.vkey })).toMatchObject({ exitCode: 0, erased: 1 })
  })
})

it('exports what nobody should have written, for the verifier to judge', () => {
  const leaf = auditLeaf(
    { projectId: 'prj_1', actor: 'a', intentId: undefined, events: [], values: { params: 1 } },
    1e12,
  )
  const payloads = [{ field: 'params', salt: 'x', value: '\ud800' }]
  expect(() => auditLine({ ...leaf, payloads, at: Number.NaN, sequence: 0 }, [])).not.toThrow()
})
