/**
 * Once per approval, over two processes of a backend that share a single-use store: whichever asks second does not run the tool.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parsePolicy } from '@silentauth/core'
import { SilentAuth } from '@silentauth/sdk'
import { type RunningServer, startServer } from '@silentauth/server'
import { sqliteSingleUse } from '@silentauth/store/single-use'
import { embeddedGate, type PermitVerifier, permitVerifier } from '@silentauth/verify'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

const REFUND = { action: 'issue_refund', params: { customer_id: 'cust_4821', amount: 250 } }
const AUTO = parsePolicy({ name: 'refunds', match: {}, decision: 'auto_approve', any_params: true })

let folder: string
let gate: RunningServer
let sdk: SilentAuth
const refund = vi.fn()
beforeEach(async () => {
  refund.mockClear()
  folder = await mkdtemp(path.join(tmpdir(), 'silentauth-once-'))
  gate = await startServer({ dataDir: path.join(folder, 'gate'), port: 0, policies: [AUTO] })
  sdk = new SilentAuth({ dataFolder: path.join(folder, 'gate') })
})
afterEach(async () => {
  await sdk[Symbol.asyncDispose]()
  await gate.close()
  await rm(folder, { recursive: true, force: true })
})

async function aBackend(): Promise<{ verifier: PermitVerifier } & AsyncDisposable> {
  const singleUse = await sqliteSingleUse({ file: path.join(folder, 'backend', 'uses.db') })
  const verifier = permitVerifier({ ...(await embeddedGate(path.join(folder, 'gate'))), singleUse })
  return {
    verifier,
    async [Symbol.asyncDispose]() {
      await verifier[Symbol.asyncDispose]()
      await singleUse[Symbol.asyncDispose]()
    },
  }
}
/** @returns the code of the refusal */
async function act(verifier: PermitVerifier, token: string): Promise<string | undefined> {
  try {
    const { params } = await verifier.verify(token, REFUND)
    refund(params)
    return undefined
  } catch (error) {
    return (error as { code: string }).code
  }
}
const aToken = async () => (await sdk.createIntent(REFUND)).permit?.token ?? ''

describe('two processes of a backend', () => {
  it('run the tool once for one approval, however many requests come together (P3, P5)', async () => {
    await using one = await aBackend()
    await using other = await aBackend()
    const token = await aToken()
    const codes = await Promise.all(
      Array.from({ length: 20 }, (_, index) => act((index % 2 ? one : other).verifier, token)),
    )
    expect(codes.filter((code) => code === undefined)).toHaveLength(1)
    expect(codes.filter((code) => code === 'PERMIT_REPLAYED')).toHaveLength(19)
    expect(refund).toHaveBeenCalledTimes(1)
  })

  it('say that the store is shared', async () => {
    await using one = await aBackend()
    expect(await one.verifier.verify(await aToken(), REFUND)).toMatchObject({
      singleUse: 'shared',
      revocations: 'checked',
    })
  })

  it('do not run the tool while the store is down', async () => {
    const token = await aToken()
    const broken = await sqliteSingleUse({ file: path.join(folder, 'backend', 'uses.db') })
    await broken[Symbol.asyncDispose]()
    await using closed = permitVerifier({ ...(await embeddedGate(path.join(folder, 'gate'))), singleUse: broken })
    expect(await act(closed, token)).toBe('DB_ERROR')
    expect(refund).not.toHaveBeenCalled()
  })
})
