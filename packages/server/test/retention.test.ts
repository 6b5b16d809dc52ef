import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import {
  generateSigningKey,
  type IntentId,
  localGate,
  newId,
  type ProjectId,
  type ProjectKey,
  privateKeySigner,
  type Store,
} from '@silentauth/core'
import { postgresStore } from '@silentauth/store/postgres'
import { sqliteStore } from '@silentauth/store/sqlite'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startPostgres, type TestPostgres } from '../../../test/support/postgres.js'
import { pruneData } from '../src/retention.js'
import { newProjectKey, secretHash } from '../src/secret.js'
import { type ServedGate, serveGate } from '../src/serve.js'
import { startServer } from '../src/start-server.js'

const DAY_SECONDS = 86_400
const OPTIONS = { port: 0, dashboardDir: false, alg: 'EdDSA' } as const

let dataDir: string
beforeEach(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), 'silentauth-retention-'))
})
afterEach(() => rm(dataDir, { recursive: true, force: true }))

const fortyDaysAgo = () => Date.now() - 40 * DAY_SECONDS * 1000

interface Asked {
  readonly store: Store
  readonly projectId: ProjectId
  readonly issuer: string
  readonly key: Pick<ProjectKey, 'id'>
}

/** Of a store whose clock is forty days behind: over a minute later. */
async function anIntent({ store, projectId, issuer, key }: Asked, idempotencyKey?: string): Promise<IntentId> {
  const signer = await privateKeySigner(await generateSigningKey('EdDSA'))
  const unheard = { publicUrl: 'http://127.0.0.1:1', sweepMs: 0, pollMs: 0 }
  await using gate = localGate({ store, signer, projectId, issuer, ...unheard })
  const draft = { action: 'issue_refund', params: { amount: 250 }, expiresInSeconds: 60, idempotencyKey }
  return (await gate.gateFor({ type: 'key', id: key.id, projectId }).declare(draft)).id
}

/** An intent that expired forty days ago. */
async function anOldIntent(): Promise<IntentId> {
  const { issuer, projectId, secretKey, close } = await startServer({ ...OPTIONS, dataDir })
  await close()
  await using store = await sqliteStore({ file: path.join(dataDir, 'gate.db'), now: fortyDaysAgo })
  const key = await store.keyBySecretHash(secretHash(secretKey))
  if (!key) throw new Error('the key is gone')
  return await anIntent({ store, projectId, issuer, key })
}

describe('pruneData', () => {
  it('takes away what is over, also while the gate runs, whose log stays whole', async () => {
    const id = await anOldIntent()
    const first = await startServer({ ...OPTIONS, dataDir })
    try {
      await first.localGate.sweep()
      expect(await pruneData({ dataDir, olderThanSeconds: 50 * DAY_SECONDS })).toBe(0)
      expect(await pruneData({ dataDir, olderThanSeconds: 30 * DAY_SECONDS })).toBe(1)
      expect(await first.store.intent(id)).toBeUndefined()
      const leaves = await first.store.leaves({ projectId: first.projectId, from: 0, limit: 100 })
      expect(leaves.map((leaf) => JSON.stringify(leaf)).join('\n')).toMatch(new RegExp(`${id}[^]*intents.pruned`))
    } finally {
      await first.close()
    }
    // A log that had lost something would not start.
    await (await startServer({ ...OPTIONS, dataDir })).close()
  })

  it('makes no gate where there is none', async () => {
    await expect(pruneData({ dataDir, olderThanSeconds: 30 * DAY_SECONDS })).rejects.toThrow('holds no gate')
  })

  it('takes no time shorter than a day', async () => {
    await anOldIntent()
    await expect(pruneData({ dataDir, olderThanSeconds: DAY_SECONDS - 1 })).rejects.toThrow(TypeError)
  })
})

describe('pruneData over PostgreSQL', () => {
  let postgres: TestPostgres
  beforeAll(async () => {
    postgres = await startPostgres()
  })
  afterAll(() => postgres?.stop())

  let database: string
  let node: ServedGate
  let key: ProjectKey
  const olderThanSeconds = 30 * DAY_SECONDS

  beforeEach(async () => {
    database = (await postgres.createDatabase()).url
    const stateDir = path.join(dataDir, 'state')
    node = await serveGate({
      ...OPTIONS,
      dataDir: path.join(dataDir, 'keys'),
      stateDir,
      database,
      publicUrl: 'https://gate.example.com',
      firstOwner: 'owner@example.com',
    })
    const id = newId('key')
    key = {
      id,
      lineage: id,
      projectId: node.projectId,
      kind: 'agent',
      name: 'refunds',
      agents: [],
      environment: 'production',
      createdBy: node.firstOwner?.id ?? 'usr_nobody',
      status: 'active',
      secretHash: secretHash(newProjectKey()),
      createdAt: fortyDaysAgo(),
    }
    await node.store.transaction((tx) => tx.putKey(key))
  })
  afterEach(() => node.close())

  async function anOldOne(idempotencyKey: string): Promise<IntentId> {
    await using store = await postgresStore({ url: database, now: fortyDaysAgo })
    const id = await anIntent({ store, projectId: node.projectId, issuer: node.issuer, key }, idempotencyKey)
    await node.localGate.sweep()
    return id
  }

  it('takes away what is over while a node runs, keeps the log whole, and the idempotency key taken', async () => {
    const { projectId, store, log } = node
    const old = await anOldOne('call-1')
    const gate = node.localGate.gateFor({ type: 'key', id: key.id, projectId })
    const draft = { action: 'issue_refund', params: { amount: 250 } }
    const pending = await gate.declare(draft)
    await log.settle()
    const before = await store.leaves({ projectId, from: 0, limit: 100 })

    expect(await pruneData({ database, olderThanSeconds })).toBe(1)

    expect([await store.intent(old), (await store.intent(pending.id))?.status]).toEqual([undefined, 'pending'])
    await log.settle()
    const after = await store.leaves({ projectId, from: 0, limit: 100 })
    expect(after.slice(0, before.length)).toEqual(before)
    expect(after.slice(before.length).map(({ body }) => JSON.parse(body).events[0].type)).toEqual(['intents.pruned'])
    expect(log.head()?.size).toBe(after.length)
    await expect(gate.declare({ ...draft, idempotencyKey: 'call-1' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(await pruneData({ database, olderThanSeconds })).toBe(0)
  })

  it('prunes the project that is named, and chooses none of several', async () => {
    const { projectId, store } = node
    const old = await anOldOne('call-1')
    const project = await store.project(projectId)
    if (!project) throw new Error('no project')
    await store.transaction((tx) => tx.putProject({ ...project, id: 'prj_other' }))
    await expect(pruneData({ database, olderThanSeconds })).rejects.toThrow(/SILENTAUTH_PROJECT/)
    await expect(pruneData({ database, olderThanSeconds, projectId: 'prj_nobody' })).rejects.toThrow(/prj_nobody/)
    expect(await pruneData({ database, olderThanSeconds, projectId: 'prj_other' })).toBe(0)
    expect((await store.intent(old))?.status).toBe('expired')
    expect(await pruneData({ database, olderThanSeconds, projectId })).toBe(1)
  })
})

describe('pruneData of a database that is named', () => {
  it('makes no database where there is none, and says no password', async () => {
    const file = path.join(dataDir, 'gate.db')
    const olderThanSeconds = DAY_SECONDS
    await expect(pruneData({ database: `sqlite:${file}`, olderThanSeconds })).rejects.toThrow(/no such file/)
    await expect(pruneData({ database: 'mysql://ada:hunter2@db/gate', olderThanSeconds })).rejects.toThrow(
      /^(?!.*hunter2).*postgres:/,
    )
  })
})
