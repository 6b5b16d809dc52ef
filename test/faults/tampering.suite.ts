/**
 * Tampering: whoever can write to the database changes every column of every row of the log, one after the other, drops rows, swaps
 * and repeats them, cuts the tail off, forks the tree, or puts an older backup in its place. What is exported afterwards is verified
 * as an auditor would, with one fingerprint and one checkpoint from outside, and the gate opens its log again.
 *
 * @module
 */
import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import {
  acceptRestore,
  canonicalJson,
  exportAudit,
  generateSigningKey,
  growTree,
  heldInMemory,
  isSilentAuthError,
  LOG_RESTORED,
  leafHash,
  logName,
  logOrigin,
  type NoteSigner,
  noteSigner,
  type ProjectId,
  privateKeySigner,
  readEdge,
  type Sequencer,
  type Store,
  sequencer,
  signCheckpoint,
  treeRoot,
  verifyAudit,
  vkeyFingerprint,
} from '@silentauth/core'
import { fakeClock, testGate } from '@silentauth/core/testing'
import { sqliteStore } from '@silentauth/store/sqlite'
import { DEFAULT_POLICIES, SCENARIOS } from './scenarios.ts'
import type { Counter, Suite } from './suite.ts'

const ISSUER = 'urn:silentauth:test'
const TABLES = ['audit_leaves', 'audit_payloads', 'audit_nodes', 'audit_checkpoints', 'audit_epochs'] as const
type Table = (typeof TABLES)[number]
type Row = Readonly<Record<string, SQLInputValue>>

/**
 * What nobody is given and nothing follows from: in which order leaves waited that have their places, when a checkpoint was signed,
 * and the gate's own copies of checkpoints that a later one contains. A change of these must leave every byte of evidence as it is.
 */
const SAYS_NOTHING = /^audit_leaves\.arrived$|^audit_checkpoints\.at$|^audit_checkpoints\.\w+ \(older\)$/

/** A log that was signed twice, and what is known of it elsewhere. */
interface Scene {
  readonly file: string
  readonly db: DatabaseSync
  readonly store: Store
  readonly projectId: ProjectId
  readonly signer: NoteSigner
  readonly trust: string
  /** Kept outside, as the gate holds it and an auditor has it. */
  readonly early: string
  readonly last: string
}

/** What somebody finds who looks. */
interface Look {
  /** Named as a leaf's place and field, or as a part of what came with the leaves. */
  readonly found: readonly string[]
  /** Everything that was handed out. */
  readonly evidence: string
}

interface Tally {
  readonly tried: Map<string, number>
  readonly undetected: string[]
  readonly unnamed: string[]
  withoutEffect: number
}

export const suite: Suite = {
  name: 'tampering',
  async run({ full }) {
    const folder = await mkdtemp(path.join(tmpdir(), 'silentauth-tampering-'))
    const tally: Tally = { tried: new Map(), undetected: [], unnamed: [], withoutEffect: 0 }
    try {
      const backup = path.join(folder, 'backup.db')
      const scene = await aScene(path.join(folder, 'gate.db'), backup, full)
      const whole = await look(scene)
      await columns(scene, whole, tally)
      await rows(scene, whole, tally)
      await order(scene, whole, tally)
      await tails(scene, tally)
      await forks(scene, tally)
      await olderBackup(scene, backup, tally)
      const after = await look(scene)
      scene.db.close()
      await scene.store[Symbol.asyncDispose]()
      for (const each of [...tally.undetected, ...tally.unnamed]) console.error(`  ${each}`)
      return [
        told('leaves', JSON.parse(whole.evidence).lines.length),
        ...[...tally.tried].map(([name, value]) => told(`tried: ${name}`, value)),
        must('found in the log before anybody touched it', whole.found.length, 0),
        must('undetected', tally.undetected.length, 0),
        must('detected, and not named', tally.unnamed.length, 0),
        told('without effect on any evidence', tally.withoutEffect),
        // Each change was taken back: else one could hide behind another.
        must('found in the log afterwards', after.found.length, 0),
        must('evidence that differs afterwards', Number(after.evidence !== whole.evidence), 0),
      ]
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  },
}

async function aScene(file: string, backup: string, full: boolean): Promise<Scene> {
  const clock = fakeClock()
  const store = await sqliteStore({ file, now: clock.now })
  const test = await testGate({ store, clock, policies: DEFAULT_POLICIES })
  const scenarios = SCENARIOS.filter(({ policies }) => policies === undefined)
  for (const { arrange } of full ? scenarios : scenarios.filter((_, index) => index % 3 === 0)) {
    const call = await arrange(test)
    await call()
    // A denial is remembered for its time.
    clock.advance(3600_000)
  }
  const projectId = test.project.id
  const name = logName(ISSUER, projectId)
  const signer = await noteSigner(name, await privateKeySigner(await generateSigningKey('EdDSA')))
  const log = await sequencer({ store, projectId, issuer: ISSUER, signer, intervalMs: 0 })
  await log.settle()
  const early = noteOf(log)
  const db = new DatabaseSync(file)
  db.exec(`vacuum into '${backup}'`)
  // Three more: the tree over an odd number of leaves has a leaf without a neighbour.
  for (const action of ['read_mail', 'read_post', 'read_news']) await test.gate.declare({ action, params: { action } })
  await log.settle()
  await log[Symbol.asyncDispose]()
  // A restore that lost nothing: its epoch has rows and leaves of its own.
  await acceptRestore({ store, projectId, issuer: ISSUER, signer, held: heldInMemory(noteOf(log)) })
  const last = (await store.lastCheckpoint(projectId))?.note
  if (last === undefined) throw new Error('the restore signed nothing')
  await test[Symbol.asyncDispose]()
  return { file, db, store, projectId, signer, trust: await vkeyFingerprint(signer.vkey), early, last }
}

function noteOf(log: Sequencer): string {
  const note = log.head()?.note
  if (note === undefined) throw new Error('nothing was signed')
  return note
}

/** Exports what the database says of itself, verifies it, and opens the log as a gate does. */
async function look(scene: Scene, checkpoint?: string): Promise<Look> {
  const { store, projectId, signer, trust, early, last } = scene
  const found: string[] = []
  const stored = await store.lastCheckpoint(projectId)
  const note = checkpoint ?? stored?.note ?? ''
  const lines: string[] = []
  for await (const line of exportAudit(store, { projectId, size: (stored?.size ?? 0) + 1 })) lines.push(line)
  const verdict = await verifyAudit(
    { lines, checkpoint: note, vkeys: [signer.vkey] },
    { trust, olderCheckpoints: [early, last] },
  )
  for (const { kind, sequence, field } of verdict.findings) {
    // That there was a restore is no tampering.
    if (kind === 'incomplete' && field === 'events/0/data/held') continue
    found.push(sequence === undefined ? field : `${sequence}:${field}`)
  }
  try {
    // Not disposed: it has no timer, and must not write.
    await sequencer({ store, projectId, issuer: ISSUER, signer, held: heldInMemory(last), intervalMs: 0 })
  } catch (error) {
    if (isSilentAuthError(error) && error.code === 'LOG_REWRITTEN') found.push(`LOG_REWRITTEN:${error.field ?? ''}`)
    // A gate that cannot read its epochs does not start.
    else if (isSilentAuthError(error) && error.cause instanceof SyntaxError) found.push('UNREADABLE:epoch')
    else throw error
  }
  return { found, evidence: JSON.stringify({ lines, note }) }
}

/** One change, what it leads to, and the change back. */
async function tamper(
  scene: Scene,
  kind: string,
  what: string,
  expected: RegExp,
  change: () => void,
  undo: () => void,
  tally: Tally,
  whole?: Look,
): Promise<void> {
  tally.tried.set(kind, (tally.tried.get(kind) ?? 0) + 1)
  change()
  try {
    const { found, evidence } = await look(scene)
    if (found.length === 0) {
      if (whole && evidence === whole.evidence && SAYS_NOTHING.test(what.replace(/ of row .*$/, '')))
        tally.withoutEffect++
      else tally.undetected.push(`${kind}: ${what}`)
    } else if (!found.some((name) => expected.test(name))) {
      tally.unnamed.push(`${kind}: ${what} was told as ${found.slice(0, 3).join(', ')}, not as ${expected}`)
    }
  } finally {
    undo()
  }
}

async function columns(scene: Scene, whole: Look, tally: Tally): Promise<void> {
  for (const table of TABLES) {
    for (const row of rowsOf(scene, table)) {
      for (const column of Object.keys(row)) {
        for (const value of otherValues(scene, table, column, row[column] as SQLInputValue)) {
          const older = isOlder(scene, table, row) ? ' (older)' : ''
          const what = `${table}.${column}${older} of row ${nameOf(table, row)}`
          const changed = { ...row, [column]: value }
          await tamper(
            scene,
            `columns of ${table}`,
            what,
            placeOf(scene, table, column, row),
            () => replace(scene, table, row, changed),
            () => replace(scene, table, changed, row),
            tally,
            whole,
          )
        }
      }
    }
  }
}

async function rows(scene: Scene, whole: Look, tally: Tally): Promise<void> {
  for (const table of TABLES) {
    for (const row of rowsOf(scene, table)) {
      const older = isOlder(scene, table, row) ? ' (older)' : ''
      await tamper(
        scene,
        `rows dropped from ${table}`,
        `${table}.row${older} of row ${nameOf(table, row)}`,
        placeOf(scene, table, 'row', row),
        () => remove(scene, table, row),
        () => insert(scene, table, row),
        tally,
        whole,
      )
    }
  }
}

/** Leaves swapped, and written twice. */
async function order(scene: Scene, whole: Look, tally: Tally): Promise<void> {
  const leaves = rowsOf(scene, 'audit_leaves')
  for (const [index, one] of leaves.entries()) {
    const other = leaves[index + 1]
    if (!other) continue
    const swapped = [
      { ...one, sequence: other.sequence as SQLInputValue },
      { ...other, sequence: one.sequence as SQLInputValue },
    ]
    await tamper(
      scene,
      'neighbours swapped',
      `leaves ${one.sequence} and ${other.sequence}`,
      new RegExp(`^(?:${one.sequence}|${other.sequence}):(?:body|nodes)|^checkpoint/root$`),
      () => put(scene, 'audit_leaves', [one, other], swapped),
      () => put(scene, 'audit_leaves', swapped, [one, other]),
      tally,
      whole,
    )
  }
  const size = leaves.length
  for (const one of leaves) {
    // In its place, and everything behind it one place further.
    const behind = leaves.filter(({ sequence }) => Number(sequence) > Number(one.sequence))
    const moved = behind.map((row) => ({ ...row, sequence: Number(row.sequence) + 1 }))
    const copy = { ...one, id: `${one.id}x`, sequence: Number(one.sequence) + 1 }
    await tamper(
      scene,
      'leaves written twice, in place',
      `leaf ${one.sequence}`,
      new RegExp(`^${copy.sequence}:(?:id|body|nodes)|^checkpoint/root$`),
      () => put(scene, 'audit_leaves', behind, [copy, ...moved]),
      () => put(scene, 'audit_leaves', [copy, ...moved], behind),
      tally,
      whole,
    )
    const last = { ...one, id: `${one.id}x`, sequence: size }
    await tamper(
      scene,
      'leaves written twice, at the end',
      `leaf ${one.sequence}`,
      new RegExp(`^${size}:`),
      () => insert(scene, 'audit_leaves', last),
      () => remove(scene, 'audit_leaves', last),
      tally,
      whole,
    )
  }
}

/** The last leaves are gone, with all that was made of them: the tree and the checkpoint are of what is left, by the log's own key. */
async function tails(scene: Scene, tally: Tally): Promise<void> {
  const leaves = rowsOf(scene, 'audit_leaves')
  for (let size = 1; size < leaves.length; size++) {
    await rewritten(scene, leaves.slice(0, size), async () => {
      const { found } = await look(scene)
      judge(tally, 'tails cut off, signed again', `after ${size} leaves`, found, /^older_checkpoint\/(?:size|origin)$/)
    })
  }
}

/** A leaf is another one, and the whole tree and the checkpoint are made anew, by the log's own key. */
async function forks(scene: Scene, tally: Tally): Promise<void> {
  const leaves = rowsOf(scene, 'audit_leaves')
  for (const at of leaves.keys()) {
    const forked = leaves.map((row, index) => {
      if (index !== at) return row
      const body = canonicalJson({ ...JSON.parse(String(row.body)), actor: 'system:fork' })
      return { ...row, body, hash: leafHash(body) }
    })
    await rewritten(scene, forked, async () => {
      const { found } = await look(scene)
      judge(tally, 'forked trees, signed again', `at leaf ${at}`, found, /^older_checkpoint\/root$/)
    })
  }
}

async function olderBackup(scene: Scene, backup: string, tally: Tally): Promise<void> {
  const file = `${backup}.restored`
  await copyFile(backup, file)
  const store = await sqliteStore({ file })
  const { found } = await look({ ...scene, store })
  judge(tally, 'older backups restored', 'whole', found, /^older_checkpoint\/(?:size|origin)$/)
  judge(tally, 'older backups restored', 'by the gate', found, /^LOG_REWRITTEN:held$/)
  const passedOff = await look({ ...scene, store }, scene.last)
  judge(tally, 'older backups restored', 'under the newer checkpoint', passedOff.found, /:checkpoint\/size$/)
  await store[Symbol.asyncDispose]()
}

function judge(tally: Tally, kind: string, what: string, found: readonly string[], expected: RegExp): void {
  tally.tried.set(kind, (tally.tried.get(kind) ?? 0) + 1)
  if (found.length === 0) tally.undetected.push(`${kind}: ${what}`)
  else if (!found.some((name) => expected.test(name))) {
    tally.unnamed.push(`${kind}: ${what} was told as ${found.slice(0, 3).join(', ')}, not as ${expected}`)
  }
}

/** The log is these leaves for as long as `work` runs; whoever has the key of the log can do this. */
async function rewritten(scene: Scene, leaves: readonly Row[], work: () => Promise<void>): Promise<void> {
  const { projectId, signer, store } = scene
  const before = new Map(TABLES.map((table) => [table, rowsOf(scene, table)]))
  const grown = growTree(
    await readEdge(0, (places) => store.treeHashes(projectId, places)),
    leaves.map(({ hash }) => String(hash)),
  )
  const size = leaves.length
  const root = treeRoot(grown.tree)
  const restores = leaves.filter(({ body }) => String(body).includes(LOG_RESTORED)).length
  const note = await signCheckpoint({ origin: logOrigin(signer.name, restores), size, root }, signer)
  const nodes = grown.nodes.map(({ level, index, hash }) => ({ project_id: projectId, level, place: index, hash }))
  const ids = new Set(leaves.map(({ id }) => id))
  const after = new Map<Table, readonly Row[]>([
    ['audit_leaves', leaves],
    ['audit_payloads', (before.get('audit_payloads') ?? []).filter((row) => ids.has(row.leaf_id))],
    ['audit_nodes', nodes],
    ['audit_checkpoints', [{ project_id: projectId, epoch: restores, size, root, note, at: Date.now() }]],
    ['audit_epochs', restores > 0 ? (before.get('audit_epochs') ?? []) : []],
  ])
  for (const table of TABLES) put(scene, table, before.get(table) ?? [], after.get(table) ?? [])
  try {
    await work()
  } finally {
    for (const table of TABLES) put(scene, table, after.get(table) ?? [], before.get(table) ?? [])
  }
}

/** How a change of this column must be told. */
function placeOf(scene: Scene, table: Table, column: string, row: Row): RegExp {
  switch (table) {
    case 'audit_leaves': {
      const at = Number(row.sequence)
      if (column === 'project_id' || column === 'sequence' || column === 'row') {
        // Missing where it was: told by the leaf behind it, or by the checkpoint that it was the last of.
        return new RegExp(`^(?:${at}|${at + 1}):sequence$|^${at}:checkpoint/size$`)
      }
      return new RegExp(`^${at}:${column}$`)
    }
    case 'audit_payloads': {
      const leaf = rowsOf(scene, 'audit_leaves').find(({ id }) => id === row.leaf_id)
      return new RegExp(`^${leaf?.sequence}:payloads/${row.field}$`)
    }
    case 'audit_nodes': {
      const completes = (Number(row.place) + 1) * 2 ** Number(row.level) - 1
      return new RegExp(`^${completes}:nodes`)
    }
    case 'audit_checkpoints':
      return /^(?:older_)?checkpoint\/|^LOG_REWRITTEN:(?:checkpoint|held|tree|epoch)$|:checkpoint\/size$/
    case 'audit_epochs':
      return /:epoch$/
  }
}

/** Others of the same kind: one that looks like the true one, and none at all where the column allows it. */
function otherValues(scene: Scene, table: Table, column: string, value: SQLInputValue): SQLInputValue[] {
  const values: SQLInputValue[] = []
  if (typeof value === 'number' || typeof value === 'bigint') values.push(Number(value) + 1_000_003)
  else if (typeof value === 'string' && value.length > 0) {
    for (const at of [Math.floor(value.length / 2), value.length - 1]) {
      const other = value[at] === '1' ? '2' : '1'
      values.push(value.slice(0, at) + other + value.slice(at + 1))
    }
  } else values.push(columnType(scene, table, column).startsWith('int') ? 1 : 'int_1')
  if (table === 'audit_epochs' && column === 'body') values.push(...otherEpochs(String(value)))
  if (value !== null && !isRequired(scene, table, column)) values.push(null)
  return values
}

/** Of what a restore wrote down, each member changed; when it was is in its leaf. */
function otherEpochs(body: string): readonly string[] {
  const epoch = JSON.parse(body)
  const others = [
    { epoch: epoch.epoch + 1 },
    { restoredSize: epoch.restoredSize - 1 },
    { held: null },
    { held: { ...epoch.held, size: epoch.held.size - 1 } },
    { cautiousUntil: epoch.at },
  ]
  return others.map((other) => JSON.stringify({ ...epoch, ...other }))
}

function isOlder({ last }: Scene, table: Table, row: Row): boolean {
  return table === 'audit_checkpoints' && row.note !== last
}

function rowsOf({ db, projectId }: Scene, table: Table): readonly Row[] {
  const ordered = db.prepare(`select * from ${table}`).all() as Row[]
  const own = ordered.filter((row) => row.project_id === undefined || row.project_id === projectId)
  return table === 'audit_leaves' ? own.sort((one, other) => Number(one.sequence) - Number(other.sequence)) : own
}

function nameOf(table: Table, row: Row): string {
  return String(
    table === 'audit_leaves'
      ? row.sequence
      : table === 'audit_payloads'
        ? `${row.leaf_id} ${row.field}`
        : JSON.stringify(row).slice(0, 120),
  )
}

interface Column {
  readonly name: string
  readonly type: string
  readonly notnull: number
  readonly pk: number
}

function columnsOf({ db }: Scene, table: Table): readonly Column[] {
  return db.prepare(`select name, type, "notnull", pk from pragma_table_info('${table}')`).all() as unknown as Column[]
}

function isRequired(scene: Scene, table: Table, column: string): boolean {
  const found = columnsOf(scene, table).find(({ name }) => name === column)
  return found === undefined || found.notnull !== 0 || found.pk !== 0
}

function columnType(scene: Scene, table: Table, column: string): string {
  return (columnsOf(scene, table).find(({ name }) => name === column)?.type ?? '').toLowerCase()
}

function replace(scene: Scene, table: Table, from: Row, to: Row): void {
  put(scene, table, [from], [to])
}

function put(scene: Scene, table: Table, from: readonly Row[], to: readonly Row[]): void {
  scene.db.exec('begin immediate')
  for (const row of from) remove(scene, table, row)
  for (const row of to) insert(scene, table, row)
  scene.db.exec('commit')
}

function insert({ db }: Scene, table: Table, row: Row): void {
  const names = Object.keys(row)
  const marks = names.map(() => '?').join(', ')
  db.prepare(`insert into ${table} (${names.join(', ')}) values (${marks})`).run(
    ...names.map((name) => row[name] as SQLInputValue),
  )
}

function remove({ db }: Scene, table: Table, row: Row): void {
  const names = Object.keys(row)
  const same = names.map((name) => `${name} is ?`).join(' and ')
  const { changes } = db
    .prepare(`delete from ${table} where ${same}`)
    .run(...names.map((name) => row[name] as SQLInputValue))
  if (Number(changes) !== 1) throw new Error(`${changes} rows of ${table} are this one`)
}

function told(name: string, value: number): Counter {
  return { name, value, must: 'told' }
}

function must(name: string, value: number, be: number): Counter {
  return { name, value, must: { be } }
}
