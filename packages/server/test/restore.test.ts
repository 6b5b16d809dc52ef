import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { generateSigningKey, type KeyPrincipal, privateKeySigner, randomToken } from '@silentauth/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { heldFileName } from '../src/held-file.js'
import { restoreServer } from '../src/restore.js'
import { secretHash } from '../src/secret.js'
import { serveGate } from '../src/serve.js'
import { type RunningServer, startServer } from '../src/start-server.js'

let folder: string
let data: { dataDir: string; stateDir: string }
let servers: RunningServer[]
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'silentauth-restore-'))
  data = { dataDir: path.join(folder, 'data'), stateDir: path.join(folder, 'state') }
  servers = []
})
afterEach(async () => {
  for (const server of servers) await server.close()
  await rm(folder, { recursive: true, force: true })
})

async function start(options: Parameters<typeof startServer>[0] = {}): Promise<RunningServer> {
  const server = await startServer({ port: 0, dashboardDir: false, ...data, ...options })
  servers.push(server)
  return server
}

/** Approved by the owner, not begun. */
async function approved(server: RunningServer) {
  const agent = server.localGate.gateFor(await principalOf(server))
  const { id } = await agent.declare({ action: 'issue_refund', params: { amount: 250 }, delivery: 'claim' })
  const { desk, projectId } = server.localGate
  const ann = { type: 'person', id: server.owner.id, projectId, via: 'session' } as const
  const { intentHash } = await desk.read(ann, id)
  await desk.vote(ann, id, { verdict: 'approve', intentHash })
  return { id, agent, attempt: { executionId: 'e', attemptId: randomToken() } }
}

async function principalOf({ store, secretKey, projectId }: RunningServer): Promise<KeyPrincipal> {
  const key = await store.keyBySecretHash(secretHash(secretKey))
  return { type: 'key', id: key?.id ?? 'key_none', projectId }
}

function backUp(): string {
  const copy = path.join(folder, 'backup.db')
  const live = new DatabaseSync(path.join(data.dataDir, 'gate.db'), { readOnly: true })
  live.exec(`vacuum into '${copy}'`)
  live.close()
  return copy
}

async function putBack(copy: string): Promise<void> {
  const live = path.join(data.dataDir, 'gate.db')
  for (const end of ['', '-wal', '-shm']) await rm(live + end, { force: true })
  await cp(copy, live)
}

/** An approval is backed up, executed, and the backup put back. */
async function lostAnExecution() {
  const server = await start()
  const { id, agent, attempt } = await approved(server)
  await server.log.settle()
  const copy = backUp()
  const claim = await agent.claim(id, attempt)
  await agent.report(id, attempt, { status: 'succeeded' })
  await server.close()
  await putBack(copy)
  return { id, issuer: server.issuer, permit: claim.type === 'granted' ? claim.permit : '' }
}

const keyIn = async (name: string) => JSON.parse(await readFile(path.join(data.dataDir, name), 'utf8'))

describe('a server whose database is an older backup', () => {
  it('R1 does not start, and says what to do', async () => {
    await lostAnExecution()
    await expect(start()).rejects.toMatchObject({
      code: 'LOG_REWRITTEN',
      field: 'held',
      hint: expect.stringContaining('silentauth restore --accept'),
    })
    expect(await restoreServer(data)).toMatchObject({ type: 'behind', stored: { epoch: 0 } })
    await expect(start()).rejects.toMatchObject({ code: 'LOG_REWRITTEN' })
  })

  it('R1 does not start when the database is gone either', async () => {
    const server = await start()
    await server.log.settle()
    await server.close()
    for (const end of ['', '-wal', '-shm']) await rm(path.join(data.dataDir, `gate.db${end}`), { force: true })
    await expect(start()).rejects.toMatchObject({ code: 'LOG_REWRITTEN', field: 'held' })
  })

  it('R2 starts again once that is accepted, and executes nothing twice', async () => {
    const { id, permit } = await lostAnExecution()
    const old = (await keyIn('permit-key.json')).kid
    expect(await restoreServer({ ...data, accept: true })).toMatchObject({
      type: 'accepted',
      report: { epoch: 1, abandoned: 1, keysDisabled: 1 },
    })
    const server = await start()
    const agent = server.localGate.gateFor(await principalOf(server))
    await expect(agent.claim(id, { executionId: 'e', attemptId: randomToken() })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
    expect((await server.store.intent(id))?.execution).toMatchObject({ state: 'abandoned' })

    expect((await keyIn('permit-key.json')).kid).not.toBe(old)
    const jwks = (await (await fetch(server.jwksUrl)).json()) as { keys: { kid: string }[] }
    expect(jwks.keys.map(({ kid }) => kid)).not.toContain(old)
    const list = await (await fetch(server.revocationsUrl)).text()
    expect(JSON.parse(Buffer.from(list.split('.')[1] ?? '', 'base64url').toString()).kids).toEqual([old])
    const audience = `urn:silentauth:${server.projectId}:issue_refund`
    const used = server.localGate.counter.verify(await principalOf(server), {
      token: permit,
      action: 'issue_refund',
      params: { amount: 250 },
      audience,
    })
    await expect(used).rejects.toMatchObject({ code: 'PERMIT_KID_UNKNOWN' })
    expect(await restoreServer(data)).toMatchObject({ type: 'whole' })
  })

  it.each(['as it is', 'of an earlier restore'])(
    'R2 does not start with a copy of the data folder of before, %s, whose permit key was retired elsewhere',
    async (which) => {
      const server = await start()
      await server.log.settle()
      await server.close()
      const of = (name: string) => ({ dataDir: path.join(folder, name), database: `sqlite:${data.dataDir}/gate.db` })
      if (which === 'of an earlier restore') await restoreServer({ ...data, accept: true })
      await cp(data.dataDir, path.join(folder, 'other'), { recursive: true })
      await restoreServer({ ...data, accept: true })
      await expect(start(of('other'))).rejects.toThrow('a restore was accepted')
      await cp(data.dataDir, path.join(folder, 'copied'), { recursive: true })
      expect((await start(of('copied'))).issuer).toBe(server.issuer)
    },
  )

  it('R2 does not take the shared secret again that a restore retired', async () => {
    const executionSecret = randomToken(48)
    const server = await start({ executionSecret })
    await server.log.settle()
    await server.close()
    await restoreServer({ ...data, accept: true, executionSecret })
    await expect(start({ executionSecret })).rejects.toThrow(TypeError)
    await start({ executionSecret: randomToken(48) })
  })

  it('R1 is held to what a running server wrote, however it ended', async () => {
    const server = await start()
    await approved(server)
    await server.log.settle()
    const { checkpoint } = JSON.parse(await readFile(path.join(data.stateDir, heldFileName(server.projectId)), 'utf8'))
    expect(checkpoint).toBe(server.log.head()?.note)
    expect(checkpoint).toBe((await server.store.lastCheckpoint(server.projectId))?.note)
  })

  it.each(['never', 'before'])(
    'R2 is restored in production too where it is one file, and an embedded gate was %s in its folder',
    async (when) => {
      if (when === 'before') await (await start()).close()
      const production = { publicUrl: 'https://gate.example.com' }
      const database = `sqlite:${path.join(folder, 'production.db')}`
      const common = { ...data, ...production, database, port: 0, dashboardDir: false } as const
      const { projectId, log, close } = await serveGate({ ...common, firstOwner: 'owner@example.com' })
      await log.settle()
      const held = log.head()
      await close()
      await expect(restoreServer({ ...data, database, production: undefined })).rejects.toThrow()
      expect(await restoreServer({ ...data, database, production })).toMatchObject({
        type: 'whole',
        held: { size: held?.size, root: held?.root },
      })
      expect(await restoreServer({ ...data, database, production, accept: true })).toMatchObject({ type: 'accepted' })
      expect((await readdir(data.stateDir)).includes(heldFileName(projectId))).toBe(true)
    },
  )

  it('is not restored from a folder that has no key of a log', async () => {
    await expect(restoreServer({ ...data, accept: true })).rejects.toThrow('log-key.json')
  })
})

describe('the key of the log', () => {
  it('is refused when it signs permits or revocations too', async () => {
    const jwk = await generateSigningKey('EdDSA')
    await (await start()).close()
    for (const name of ['revocation-key.json', 'permit-key.json']) {
      const other = await keyIn(name)
      if (other.alg !== 'EdDSA') continue
      const logSigner = await privateKeySigner({ ...other, kid: 'another-name' })
      await expect(start({ logSigner })).rejects.toThrow(TypeError)
    }
    const first = await mkdtemp(path.join(folder, 'other-'))
    const logSigner = await privateKeySigner(jwk)
    const server = await start({ dataDir: first, logSigner })
    await server.log.settle()
    expect(server.log.vkey).toBe(
      (JSON.parse(await readFile(path.join(first, 'log-vkey.json'), 'utf8')) as { vkey: string }).vkey,
    )
  })

  it('must be the one that signed before', async () => {
    const server = await start()
    await server.log.settle()
    await server.close()
    const logSigner = await privateKeySigner(await generateSigningKey('EdDSA'))
    await expect(start({ logSigner })).rejects.toMatchObject({ code: 'LOG_REWRITTEN' })
  })
})
