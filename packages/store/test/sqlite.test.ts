import { spawn } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync, StatementSync } from 'node:sqlite'
import { type IntentId, newId, type Policy, type Project, type Store } from '@silentauth/core'
import { describeStore } from '@silentauth/core/contracts'
import { testGate } from '@silentauth/core/testing'
import { sqliteStore } from '@silentauth/store/sqlite'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'

const folder = mkdtempSync(path.join(tmpdir(), 'silentauth-store-'))
afterAll(() => rmSync(folder, { recursive: true }))
let files = 0
const newFile = () => path.join(folder, `${++files}.db`)

const template = newFile()
beforeAll(async () => (await sqliteStore({ file: template }))[Symbol.asyncDispose]())

describeStore('sqliteStore in a file', async () => {
  const file = newFile()
  // Making the schema takes longer than most tests.
  copyFileSync(template, file)
  return sqliteStore({ file })
})
describeStore('sqliteStore in memory', () => sqliteStore({ file: ':memory:' }))

describe('sqliteStore', () => {
  it('has after a restart what it had before', async () => {
    const file = newFile()
    {
      await using store = await sqliteStore({ file })
      await put(store, aProject('prj_kept'))
    }
    await using store = await sqliteStore({ file })
    expect(await store.projects()).toEqual([aProject('prj_kept')])
  })

  it('makes its file for the owner alone, in a folder for the owner alone', async () => {
    const file = path.join(folder, 'made', 'by', 'it.db')
    await using store = await sqliteStore({ file })
    await put(store, aProject('prj_a'))
    const modes = [file, `${file}-wal`, `${file}-shm`, path.dirname(file)].map((made) => statSync(made).mode & 0o777)
    expect(modes).toEqual([0o600, 0o600, 0o600, 0o700])
  })

  it('begins every transaction by taking the write lock', async () => {
    const prepare = vi.spyOn(DatabaseSync.prototype, 'prepare')
    await using store = await sqliteStore({ file: newFile() })
    await put(store, aProject('prj_a'))
    const begins = prepare.mock.calls.map(([text]) => text).filter((text) => text.startsWith('begin'))
    prepare.mockRestore()
    expect(new Set(begins)).toEqual(new Set(['begin immediate']))
  })

  it('reads what was committed last while another process holds the write lock', async () => {
    const file = newFile()
    await using store = await sqliteStore({ file })
    await put(store, aProject('prj_a'))
    using other = new DatabaseSync(file)
    other.exec('begin immediate; delete from projects')
    expect(await store.projects()).toEqual([aProject('prj_a')])
    other.exec('commit')
    expect(await store.projects()).toEqual([])
  })

  it('waits for the write lock of another process', async () => {
    const file = newFile()
    await using store = await sqliteStore({ file, timeoutMs: 60_000 })
    using other = new DatabaseSync(file)
    other.exec('begin immediate')
    const written = put(store, aProject('prj_a'))
    // Its waiting leaves the loop free, so that this is reached.
    await new Promise((resolve) => setTimeout(resolve, 30))
    other.exec('commit')
    await written
    expect(await store.projects()).toEqual([aProject('prj_a')])
  })

  it('gives up with DB_ERROR and the cause when the write lock stays taken, and works again afterwards', async () => {
    const file = newFile()
    await using store = await sqliteStore({ file, timeoutMs: 20 })
    using other = new DatabaseSync(file)
    other.exec('begin immediate')
    await expect(put(store, aProject('prj_a'))).rejects.toMatchObject({ code: 'DB_ERROR', cause: { errcode: 5 } })
    other.exec('commit')
    await put(store, aProject('prj_b'))
    expect(await store.projects()).toEqual([aProject('prj_b')])
  })

  it('cannot change anything when the leaf cannot be written: AUDIT_UNAVAILABLE, with the cause', async () => {
    const file = newFile()
    await using test = await gateOver(file)
    spoil(file, 'drop table audit_leaves')
    const declared = test.gate.declare({ action: 'issue_refund', params: {}, idempotencyKey: 'k' })
    await expect(declared).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE', cause: { code: 'ERR_SQLITE_ERROR' } })
    expect(await test.store.intentByIdempotencyKey(test.key.lineage, 'k')).toBeUndefined()
  })

  it('answers DB_ERROR when the database fails, keeps the cause, and quotes no value', async () => {
    const file = newFile()
    await using test = await gateOver(file)
    spoil(file, 'drop table intents')
    const params = { iban: 'DE02120300000000202051' }
    const error: unknown = await test.gate.declare({ action: 'issue_refund', params }).catch((thrown) => thrown)
    expect(error).toMatchObject({ code: 'DB_ERROR', cause: { code: 'ERR_SQLITE_ERROR' } })
    expect(`${error} ${(error as Error).cause}`).not.toContain(params.iban)
  })

  it('comes up on a file that is up to date while another process holds the write lock', async () => {
    const file = newFile()
    await using first = await sqliteStore({ file })
    using other = new DatabaseSync(file)
    other.exec('begin immediate')
    await using second = await sqliteStore({ file, timeoutMs: 0 })
    expect([await first.projects(), await second.projects()]).toEqual([[], []])
  })

  it('refuses a schema that is newer than itself, and leaves the file alone', async () => {
    const file = newFile()
    await (await sqliteStore({ file }))[Symbol.asyncDispose]()
    spoil(file, "insert into kysely_migration values ('9999_later', '2030-01-01T00:00:00.000Z')")
    await expect(sqliteStore({ file })).rejects.toThrow('newer schema (9999_later)')
    expect(statSync(`${file}-wal`, { throwIfNoEntry: false })).toBeUndefined()
  })

  it('refuses a file that is not a database', async () => {
    const file = path.join(import.meta.dirname, 'sources.mjs')
    await expect(sqliteStore({ file })).rejects.toMatchObject({ errcode: 26, message: expect.stringContaining(file) })
  })

  it('refuses a folder in place of the file', async () => {
    const file = path.dirname(newFile())
    await expect(sqliteStore({ file })).rejects.toMatchObject({
      code: 'EISDIR',
      message: expect.stringContaining(file),
    })
  })

  it('runs the transactions of one turn of the loop in one commit', async () => {
    const file = newFile()
    await using store = await sqliteStore({ file })
    using other = new DatabaseSync(file)
    const version = () => (other.prepare('pragma data_version').get() as { data_version: number }).data_version
    const projects = Array.from({ length: 10 }, () => aProject(newId('prj')))
    const seen = new Set([version()])
    await Promise.all(projects.map((project) => put(store, project).then(() => seen.add(version()))))
    expect([seen.size, (await store.projects()).length]).toEqual([2, 10])
  })

  it('uses the same policies and directory for every reader until they change', async () => {
    await using test = await gateOver(newFile())
    await test.policies([{ name: 'reads', match: { action_pattern: 'read_*' }, decision: 'require_approval' }])
    const [first, second] = [await test.store.policies(test.project.id), await test.store.policies(test.project.id)]
    expect(second.policies).toBe(first.policies)
    expect(Object.isFrozen(first.policies[0]?.match)).toBe(true)
  })

  it('forgets policies that were read before a commit that failed', async () => {
    await using store = await sqliteStore({ file: newFile() })
    const [undone, kept] = [aPolicy('undone'), aPolicy('kept')]
    const run = StatementSync.prototype.run
    vi.spyOn(StatementSync.prototype, 'run').mockImplementation(function (this: StatementSync, ...args) {
      if (this.sourceSQL === 'commit') throw new Error('disk full')
      return run.apply(this, args)
    })
    const outcomes = await Promise.allSettled([
      store.transaction((tx) => tx.putPolicies('prj_a', [undone])),
      // In the same group: what it reads was never committed.
      store.transaction((tx) => tx.policies('prj_a')),
    ])
    vi.restoreAllMocks()
    expect(outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason.code)).toEqual([
      'DB_ERROR',
      'DB_ERROR',
    ])
    await store.transaction((tx) => tx.putPolicies('prj_a', [kept]))
    expect((await store.policies('prj_a')).policies).toEqual([kept])
  })

  it('sees policies and people that another process has changed', async () => {
    const file = newFile()
    await using test = await gateOver(file)
    await using other = await sqliteStore({ file })
    const { id } = test.project
    await Promise.all([other.policies(id), other.directory(id)])
    await test.policies([{ name: 'reads', match: { action_pattern: 'read_*' }, decision: 'require_approval' }])
    await test.person({ email: 'new@example.com' })
    expect((await other.policies(id)).policies).toHaveLength(1)
    expect((await other.directory(id)).people.map(({ email }) => email)).toContain('new@example.com')
  })
})

describe('several processes on one file', { timeout: 120_000 }, () => {
  it('all come up on a fresh file, at the same moment', async () => {
    const file = newFile()
    const startAt = Date.now() + 500
    const said = await Promise.all([1, 2, 3, 4].map(() => linesOf(storeProcess({ job: 'open', file, startAt }))))
    expect(said).toEqual(Array.from({ length: 4 }, () => [{ projects: 0 }]))
  })

  it('decide each intent once, whoever votes at the same moment, and log it once', async () => {
    const file = newFile()
    await using test = await gateOver(file)
    const people = await Promise.all([1, 2, 3, 4].map(() => test.person()))
    const intents: IntentId[] = []
    for (let count = 0; count < 40; count++) {
      intents.push((await test.gate.declare({ action: 'issue_refund', params: { count } })).id)
    }
    const startAt = Date.now() + 1000
    const projectId = test.project.id
    const said = await Promise.all(
      people.map(({ id: person }, index) => {
        const verdict = index % 2 === 0 ? 'approve' : 'deny'
        return linesOf(storeProcess({ job: 'vote', file, startAt, projectId, person, verdict, intents }))
      }),
    )
    const outcomes = said.flat().map(({ outcome }) => outcome)
    expect(outcomes.filter((outcome) => outcome === 'counted')).toHaveLength(intents.length)
    expect(new Set(outcomes)).toEqual(new Set(['counted', 'ALREADY_RESOLVED']))

    expect(await test.store.settledAmong(intents)).toHaveLength(intents.length)
    const leaves = await test.store.leaves({ projectId, from: 0, limit: 10_000 })
    const decided = leaves.flatMap(({ body, intentId }) =>
      /"type":"intent\.(approved|denied)"/.test(body) ? [intentId] : [],
    )
    expect(decided.toSorted()).toEqual(intents.toSorted())
    expect(leaves.map(({ sequence }) => sequence)).toEqual(leaves.map((_, index) => index))
  })

  it.each([1, 9, 40])(
    'lose nothing that was answered, and double nothing, when killed after %i answers',
    async (after) => {
      const file = newFile()
      await using test = await gateOver(file)
      const task = { projectId: test.project.id, keyId: test.key.id, prefix: 'k' }
      const child = storeProcess({ job: 'declare', file, ...task })
      const asked: string[] = []
      const answered = new Map<string, string>()
      for await (const line of linesFrom(child)) {
        if (line.asked) asked.push(line.asked)
        if (line.answered && line.id) answered.set(line.answered, line.id)
        if (answered.size === after) child.kill('SIGKILL')
      }
      expect(answered.size).toBeGreaterThanOrEqual(after)

      const again = new Map<string, string>()
      for (const [count, key] of asked.entries()) {
        const intent = await test.gate.declare({ action: 'issue_refund', params: { count }, idempotencyKey: key })
        again.set(key, intent.id)
      }
      expect([...answered].filter(([key, id]) => again.get(key) !== id)).toEqual([])
      const { items } = await test.store.intents({ projectId: test.project.id, limit: 10_000 })
      expect(items).toHaveLength(asked.length)
      const leaves = await test.store.leaves({ projectId: test.project.id, from: 0, limit: 10_000 })
      expect(leaves.filter(({ body }) => body.includes('"intent.created"'))).toHaveLength(asked.length)
    },
  )
})

interface Line {
  readonly projects?: number
  readonly id?: string
  readonly outcome?: string
  readonly asked?: string
  readonly answered?: string
}

function storeProcess(task: Readonly<Record<string, unknown>>) {
  const here = (name: string) => path.join(import.meta.dirname, name)
  const sources = process.env.SA_DIST ? [] : ['--conditions=@silentauth/source', '--import', here('sources.mjs')]
  return spawn(process.execPath, [...sources, here('store-process.mjs'), JSON.stringify(task)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

async function* linesFrom(child: ReturnType<typeof storeProcess>): AsyncGenerator<Line> {
  for await (const line of createInterface(child.stdout)) yield JSON.parse(line) as Line
}

/** Of a process that ends by itself. */
async function linesOf(child: ReturnType<typeof storeProcess>): Promise<Line[]> {
  const ended = new Promise((resolve) => child.once('close', resolve))
  const lines: Line[] = []
  for await (const line of linesFrom(child)) lines.push(line)
  expect(await ended).toBe(0)
  return lines
}

/** A gate on a file by the clock of the wall, as the other processes have it. */
async function gateOver(file: string) {
  const store = await sqliteStore({ file })
  const clock = { now: Date.now, advance: () => undefined }
  const test = await testGate({ store, clock, maxPendingPerKey: 1_000_000 })
  const dispose = async () => {
    await test[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
  }
  return { ...test, store, [Symbol.asyncDispose]: dispose }
}

function spoil(file: string, statement: string): void {
  using database = new DatabaseSync(file)
  database.exec(statement)
}

function aProject(id: Project['id']): Project {
  return {
    id,
    name: 'a project',
    timezone: 'UTC',
    actionTiers: {},
    requireRegisteredAgents: false,
    approverLabels: 'email',
  }
}

function aPolicy(name: string): Policy {
  const match = { actionPattern: 'read_*' }
  const rule = { enabled: true, mode: 'enforce', priority: 0, decision: 'require_approval' } as const
  return { id: newId('pol'), version: 1, createdAt: 0, name, match, ...rule }
}

async function put(store: Store, project: Project): Promise<void> {
  await store.transaction((tx) => tx.putProject(project))
}
