import {
  type AuditLeaf,
  auditLeaf,
  consistencyProof,
  EMPTY_TREE,
  generateSigningKey,
  growTree,
  heldInMemory,
  isConsistent,
  logName,
  logOrigin,
  type NoteSigner,
  newId,
  noteSigner,
  openCheckpoint,
  type ProjectId,
  privateKeySigner,
  type SequencerOptions,
  type Store,
  sequencer,
  signCheckpoint,
  treeRoot,
} from '@silentauth/core'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { DURABLE, LOG_STORES, logStores } from './log-stores.js'

const PROJECT: ProjectId = 'prj_log'
const ISSUER = 'urn:silentauth:test'
const stores = logStores()
let signer: NoteSigner
let stranger: NoteSigner
beforeAll(async () => {
  const key = async () =>
    noteSigner(logName(ISSUER, PROJECT), await privateKeySigner(await generateSigningKey('EdDSA')))
  signer = await key()
  stranger = await key()
})
afterAll(() => stores[Symbol.asyncDispose]())

describe.each(LOG_STORES)('the sequencer over %s', (kind) => {
  it('gives every leaf its place in the order of arrival, and signs the tree over them', async () => {
    await using store = await (await stores.make(kind)).open()
    await using log = await open(store)
    const leaves = await append(store, 7)
    await log.settle()
    const stored = await store.leaves({ projectId: PROJECT, from: 0, limit: 100 })
    expect(stored.map(({ id, sequence }) => [id, sequence])).toEqual(leaves.map(({ id }, index) => [id, index]))
    const checkpoint = await openCheckpoint(log.head()?.note ?? '', [signer])
    expect(checkpoint).toMatchObject({ size: 7, epoch: 0, root: rootOf(leaves), log: signer.name })
    expect(await store.lastCheckpoint(PROJECT)).toMatchObject({ size: 7, note: log.head()?.note })
  })

  it('works in batches, each with a checkpoint that begins with the one before', async () => {
    await using store = await (await stores.make(kind)).open()
    const notes: string[] = []
    await using log = await open(store, { batch: 3 })
    log.onCheckpoint(({ note }) => notes.push(note))
    await append(store, 10)
    await log.settle()
    await append(store, 1)
    await log.settle()
    const heads = await Promise.all(notes.map((note) => openCheckpoint(note, [signer])))
    expect(heads.map(({ size }) => size)).toEqual([3, 6, 9, 10, 11])
    await expectChain(store, heads)
  })

  it('signs nothing when nothing happened', async () => {
    await using store = await (await stores.make(kind)).open()
    const sign = vi.fn(signer.sign)
    await using log = await open(store, { signer: { ...signer, sign } })
    await log.settle()
    expect(log.head()).toBeUndefined()
    await append(store, 1)
    await log.settle()
    await log.settle()
    expect(sign).toHaveBeenCalledTimes(1)
  })

  it('is run by several nodes at once: one chain, no place twice, no leaf left out', async () => {
    const data = await stores.make(kind)
    await using first = await data.open()
    await using second = kind.includes('memory') ? unshared(first) : await data.open()
    await using one = await open(first, { batch: 4 })
    await using other = await open(second, { batch: 5 })
    for (let turn = 0; turn < 8; turn++) {
      await Promise.all([append(first, 2), append(second, 3), one.settle(), other.settle(), append(first, 1)])
    }
    await Promise.all([one.settle(), other.settle()])
    const stored = await first.leaves({ projectId: PROJECT, from: 0, limit: 100 })
    expect(stored.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 48 }, (_, index) => index))
    expect(one.head()).toEqual(other.head())
    expect(one.head()).toMatchObject({ size: 48, root: rootOf(stored) })
  })

  it('goes on where the last process ended, also when that ended between places and signature', async () => {
    const data = await stores.make(kind)
    const store = await data.open()
    const away = await open(store, { signer: { ...signer, sign: () => Promise.reject(new Error('away')) } })
    await append(store, 5)
    await expect(away.settle()).rejects.toThrow('away')
    await expect(away.settle()).rejects.toThrow('away')
    expect([await store.lastCheckpoint(PROJECT), await store.logSize(PROJECT)]).toEqual([undefined, 5])
    await away[Symbol.asyncDispose]()
    await using log = await open(store)
    await append(store, 1)
    await log.settle()
    expect(log.head()).toMatchObject({ size: 6 })
    await store[Symbol.asyncDispose]()
  })

  it('relies on a checkpoint only once it is held outside', async () => {
    await using store = await (await stores.make(kind)).open()
    const held = heldInMemory()
    const full = vi
      .fn<(note: string) => Promise<void>>()
      .mockRejectedValueOnce(new Error('no space'))
      .mockImplementation(held.write)
    await using log = await open(store, { held: { read: held.read, write: full } })
    const [leaf] = await append(store, 1)
    await expect(log.settle()).rejects.toThrow('no space')
    const placed = await store.leavesOf(PROJECT, leaf?.intentId as never)
    expect([log.head(), log.covers(placed)]).toEqual([undefined, false])
    await log.settle()
    expect([log.head()?.size, log.covers(placed), await held.read()]).toEqual([1, true, log.head()?.note])
  })

  it('tells who signs for another log', async () => {
    await using store = await (await stores.make(kind)).open()
    await expect(open(store, { issuer: 'urn:silentauth:other' })).rejects.toThrow(TypeError)
  })

  it('does not open with a held checkpoint that another key signed, or of a log that is gone', async () => {
    const data = await stores.make(kind)
    await using store = await data.open()
    await using log = await open(store)
    await append(store, 2)
    await log.settle()
    const note = log.head()?.note ?? ''
    const forged = open(store, { signer: stranger, held: heldInMemory(note) })
    await expect(forged).rejects.toMatchObject({ code: 'LOG_REWRITTEN', field: 'held' })
    await using empty = await (await stores.make(kind)).open()
    const gone = open(empty, { held: heldInMemory(note) })
    await expect(gone).rejects.toMatchObject({ code: 'LOG_REWRITTEN', field: 'held' })
  })
})

/** Each breaks the log in its own way; what the sequencer says is wrong. */
const TAMPERED = [
  [
    'a stored node was altered',
    'tree',
    `update audit_nodes set hash = '${'A'.repeat(43)}' where level = 2 and place = 0`,
  ],
  ['a stored node is gone', 'tree', 'delete from audit_nodes where level = 2'],
  ['a signed leaf is gone', 'tree', 'delete from audit_leaves where sequence = 4'],
  [
    'two leaves changed places',
    'tree',
    `update audit_leaves set sequence = case sequence when 3 then 900 when 4 then 3 end where sequence in (3, 4);
    update audit_leaves set sequence = 4 where sequence = 900`,
  ],
  ['the checkpoint is gone', 'held', 'delete from audit_checkpoints'],
  ['the checkpoint says another size', 'checkpoint', 'update audit_checkpoints set size = 4'],
  ['the checkpoint says another epoch', 'checkpoint', 'update audit_checkpoints set epoch = 1'],
  ['the note was altered', 'checkpoint', `update audit_checkpoints set note = replace(note, '/0', '/1')`],
  [
    'an epoch came from nowhere',
    'epoch',
    `insert into audit_epochs (project_id, epoch, body) values ('${PROJECT}', 1, '{"projectId":"${PROJECT}","epoch":1,"restoredSize":2,"at":0,"cautiousUntil":0}')`,
  ],
] as const

describe.each(DURABLE)('a log in %s that somebody wrote to', (kind) => {
  it.each(TAMPERED)('is signed no more, and does not open: %s', async (_, field, sql) => {
    const data = await stores.make(kind)
    await using store = await data.open()
    const held = heldInMemory()
    const sign = vi.fn(signer.sign)
    await using log = await open(store, { held, signer: { ...signer, sign } })
    await append(store, 5)
    await log.settle()
    await data.tamper(sql)
    await append(store, 1)
    await expect(log.settle()).rejects.toMatchObject({ code: 'LOG_REWRITTEN', field })
    await expect(open(store, { held })).rejects.toMatchObject({ code: 'LOG_REWRITTEN', field })
    expect(sign).toHaveBeenCalledTimes(1)
  })

  it.each(TAMPERED)('R1 is relied on by nobody once the sequencer has seen it: %s', async (_, __, sql) => {
    const data = await stores.make(kind)
    await using store = await data.open()
    await using log = await open(store)
    await append(store, 5)
    await log.settle()
    await data.tamper(sql)
    await expect(log.settle()).rejects.toMatchObject({ code: 'LOG_REWRITTEN' })
    await expect(store.transaction((tx) => log.requireWhole(tx))).rejects.toMatchObject({ code: 'LOG_REWRITTEN' })
  })

  it('R1 is relied on again once a round finds it as it was', async () => {
    const data = await stores.make(kind)
    await using store = await data.open()
    await using log = await open(store)
    await append(store, 5)
    await log.settle()
    await data.tamper('update audit_nodes set place = place + 100')
    await expect(log.settle()).rejects.toMatchObject({ code: 'LOG_REWRITTEN' })
    await data.tamper('update audit_nodes set place = place - 100')
    await log.settle()
    await expect(store.transaction((tx) => log.requireWhole(tx))).resolves.toBeUndefined()
  })

  it.each([
    [
      'its body',
      `update audit_leaves set body = replace(body, '"v":1', '"v":2') where sequence = 5 or sequence is null`,
    ],
    ['its hash', `update audit_leaves set hash = '${'A'.repeat(43)}' where sequence = 5 or sequence is null`],
    ['its id', `update audit_leaves set id = 'leaf_other' where sequence = 5 or sequence is null`],
  ])('is not signed over a leaf that was changed before: %s', async (_, sql) => {
    const data = await stores.make(kind)
    await using store = await data.open()
    await using log = await open(store)
    await append(store, 5)
    await log.settle()
    await append(store, 1)
    await data.tamper(sql)
    await expect(log.settle()).rejects.toMatchObject({ code: 'LOG_REWRITTEN', field: 'leaf' })
    expect(log.head()?.size).toBe(5)
  })

  it('is not what another node relies on either', async () => {
    const data = await stores.make(kind)
    await using store = await data.open()
    await using log = await open(store)
    await append(store, 3)
    await log.settle()
    await expect(store.transaction((tx) => log.requireWhole(tx))).resolves.toBeUndefined()
    await data.tamper('update audit_checkpoints set size = 2')
    await expect(store.transaction((tx) => log.requireWhole(tx))).rejects.toMatchObject({ code: 'LOG_REWRITTEN' })
  })
})

it('finds checkpoints of another node on its own chain, and an impostor with a key of his own not', async () => {
  const data = await stores.make('SQLite')
  await using store = await data.open()
  await using one = await open(store)
  await using other = await open(store)
  await append(store, 3)
  await other.settle()
  await expect(store.transaction((tx) => one.requireWhole(tx))).resolves.toBeUndefined()
  await append(store, 1)
  await one.settle()
  const forged = `update audit_checkpoints set note = '${await forgedNote(store)}' where size = 4`
  await data.tamper(forged)
  await append(store, 1)
  await expect(other.settle()).rejects.toMatchObject({ code: 'LOG_REWRITTEN', field: 'checkpoint' })
})

function open(store: Store, options: Partial<SequencerOptions> = {}) {
  return sequencer({ store, projectId: PROJECT, issuer: ISSUER, signer, intervalMs: 0, ...options })
}

/** Its end is that of the store that it shows. */
function unshared(store: Store): Store {
  return { ...store, [Symbol.asyncDispose]: async () => undefined }
}

async function append(store: Store, count: number): Promise<readonly AuditLeaf[]> {
  const leaves: AuditLeaf[] = []
  for (let at = 0; at < count; at++) {
    const intentId = newId('int')
    const event = { type: 'intent.created', intentId, data: {} }
    const leaf = auditLeaf(
      { projectId: PROJECT, actor: 'system:setup', intentId, events: [event], values: {} },
      Date.now(),
    )
    await store.transaction((tx) => tx.appendLeaf(leaf))
    leaves.push(leaf)
  }
  return leaves
}

function rootOf(leaves: readonly { readonly hash: string }[]): string {
  return treeRoot(
    growTree(
      EMPTY_TREE,
      leaves.map(({ hash }) => hash),
    ).tree,
  )
}

async function expectChain(store: Store, heads: readonly { size: number; root: string }[]): Promise<void> {
  for (const [at, { size: oldSize, root: oldRoot }] of heads.slice(0, -1).entries()) {
    const { size, root } = heads[at + 1] as { size: number; root: string }
    const proof = await consistencyProof(oldSize, size, (places) => store.treeHashes(PROJECT, places))
    expect(isConsistent({ oldSize, oldRoot, size, root, proof })).toBe(true)
  }
}

async function forgedNote(store: Store): Promise<string> {
  const last = await store.lastCheckpoint(PROJECT)
  return signCheckpoint({ origin: logOrigin(stranger.name, 0), size: 4, root: last?.root ?? '' }, stranger)
}
