import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { generateSigningKey, localGate, privateKeySigner } from '@silentauth/core'
import { sqliteStore } from '@silentauth/store/sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { pruneData } from '../src/retention.js'
import { secretHash } from '../src/secret.js'
import { startServer } from '../src/start-server.js'

const DAY_SECONDS = 86_400
const OPTIONS = { port: 0, dashboardDir: false, alg: 'EdDSA' } as const

let dataDir: string
beforeEach(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), 'silentauth-retention-'))
})
afterEach(() => rm(dataDir, { recursive: true, force: true }))

/** An intent that expired forty days ago. */
async function anOldIntent(): Promise<`int_${string}`> {
  const { issuer, projectId, secretKey, close } = await startServer({ ...OPTIONS, dataDir })
  await close()
  const now = () => Date.now() - 40 * DAY_SECONDS * 1000
  await using store = await sqliteStore({ file: path.join(dataDir, 'gate.db'), now })
  const signer = await privateKeySigner(await generateSigningKey('EdDSA'))
  await using gate = localGate({
    store,
    signer,
    projectId,
    issuer,
    publicUrl: 'http://127.0.0.1:1',
    sweepMs: 0,
    pollMs: 0,
  })
  const key = await store.keyBySecretHash(secretHash(secretKey))
  if (!key) throw new Error('the key is gone')
  const draft = { action: 'issue_refund', params: { amount: 250 }, expiresInSeconds: 60 }
  return (await gate.gateFor({ type: 'key', id: key.id, projectId }).declare(draft)).id
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
