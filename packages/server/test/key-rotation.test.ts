import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import {
  defaultAudience,
  type KeyPrincipal,
  keyRing,
  newId,
  parsePolicy,
  randomToken,
  readRevocationList,
  snapshot,
} from '@silentauth/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { rotatePermitKey } from '../src/key-rotation.js'
import { type RunningServer, startServer } from '../src/start-server.js'

const DRAFT = { action: 'issue_refund', params: { amount: 250 } } as const
const AUTO = parsePolicy({ name: 'all', match: {}, decision: 'auto_approve', any_params: true })

let dataDir: string
let gate: RunningServer
beforeEach(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), 'silentauth-rotate-'))
  await start()
})
afterEach(async () => {
  await gate.close()
  await rm(dataDir, { recursive: true, force: true })
})

async function start(): Promise<void> {
  gate = await startServer({
    dataDir,
    port: 0,
    dashboardDir: false,
    alg: 'EdDSA',
    policies: [AUTO],
    stateDir: path.join(dataDir, 'state'),
  })
}
async function rotate(options?: { compromised: boolean }) {
  await gate.close()
  const rotation = await rotatePermitKey(dataDir, options)
  await start()
  return rotation
}
async function agentKey(): Promise<KeyPrincipal> {
  const [key] = await gate.store.keys(gate.projectId)
  return { type: 'key', id: key?.id ?? 'key_', projectId: gate.projectId }
}
async function aPermit() {
  const { id, permitToken = '' } = await gate.localGate
    .gateFor(await agentKey())
    .declare({ ...DRAFT, delivery: 'token', idempotencyKey: newId('call') })
  const { kid } = JSON.parse(Buffer.from(permitToken.split('.')[0] ?? '', 'base64url').toString())
  return { id, token: permitToken, kid: kid as string }
}
const redeem = async (token: string) =>
  gate.localGate.counter.redeem(await agentKey(), {
    token,
    redemptionId: randomToken(),
    action: DRAFT.action,
    paramsDigest: snapshot(DRAFT.params).digest,
    audience: defaultAudience(gate.projectId, DRAFT.action),
  })
const kidsIn = ({ keys }: { keys: { kid: string }[] }) => keys.map(({ kid }) => kid)
const shown = async () => kidsIn((await (await fetch(gate.jwksUrl)).json()) as never)
const pinned = async () => kidsIn(JSON.parse(await readFile(path.join(dataDir, 'public.jwks.json'), 'utf8')))
async function list() {
  const { keys } = JSON.parse(await readFile(path.join(dataDir, 'revocations.jwks.json'), 'utf8'))
  const { issuer, projectId } = gate
  return readRevocationList(await (await fetch(gate.revocationsUrl)).text(), { keys: keyRing(keys), issuer, projectId })
}
const permitOf = (kid: string) => ({
  kid,
  jti: 'pmt_forged' as const,
  intentId: 'int_forged' as const,
  sub: 'key:key_forged',
  declaredBy: 'key:key_forged',
})

describe('a permit key that is rotated', () => {
  it('signs no more, is shown beside the new one, and what it signed is still good', async () => {
    const before = await aPermit()
    const { replaced, kid } = await rotate()
    const after = await aPermit()
    expect([before.kid, after.kid]).toEqual([replaced, kid])
    expect([await shown(), await pinned()]).toEqual([
      [kid, replaced],
      [kid, replaced],
    ])
    await expect(redeem(before.token)).resolves.toEqual({ replayed: false })
    await expect(redeem(after.token)).resolves.toEqual({ replayed: false })
    expect((await list()).isRevoked(permitOf(replaced))).toBe(false)
  })

  it('leaves nothing that could sign with it', async () => {
    const key = JSON.parse(await readFile(path.join(dataDir, 'permit-key.json'), 'utf8'))
    await rotate()
    for (const file of ['permit-key.json', 'replaced-keys.json']) {
      expect(await readFile(path.join(dataDir, file), 'utf8')).not.toContain(key.d)
    }
  })

  it('keeps its algorithm', async () => {
    const { kid } = await rotate()
    const { alg } = JSON.parse(await readFile(path.join(dataDir, 'permit-key.json'), 'utf8'))
    expect([alg, await shown()]).toEqual(['EdDSA', [kid, expect.any(String)]])
  })
})

describe('a permit key that somebody else may have', () => {
  it('is shown no more, stands in the list, and redeems nothing (P4)', async () => {
    const before = await aPermit()
    const { replaced, kid } = await rotate({ compromised: true })
    expect([await shown(), await pinned()]).toEqual([[kid], [kid]])
    expect((await list()).isRevoked(permitOf(replaced))).toBe(true)
    await expect(redeem(before.token)).rejects.toMatchObject({ code: 'PERMIT_KID_UNKNOWN' })
  })

  it('takes those before it along, which were still shown', async () => {
    const first = await rotate()
    const second = await rotate({ compromised: true })
    expect(await shown()).toEqual([second.kid])
    const revoked = await list()
    expect([first.replaced, first.kid].map((kid) => revoked.isRevoked(permitOf(kid)))).toEqual([true, true])
  })

  it('stays on the list over later rotations', async () => {
    const { replaced } = await rotate({ compromised: true })
    await rotate()
    expect((await list()).isRevoked(permitOf(replaced))).toBe(true)
  })

  it('leaves what was approved approved: its permit is handed out again, under the new key', async () => {
    const key = await agentKey()
    const draft = { ...DRAFT, delivery: 'token', idempotencyKey: 'call-1' } as const
    const before = await gate.localGate.gateFor(key).declare(draft)
    await rotate({ compromised: true })
    const after = await gate.localGate.gateFor(key).declare(draft)
    expect(after.id).toBe(before.id)
    await expect(redeem(after.permitToken ?? '')).resolves.toEqual({ replayed: false })
  })
})

describe('rotating', () => {
  it('is refused where no gate has signed', async () => {
    await expect(rotatePermitKey(path.join(dataDir, 'nobody'))).rejects.toThrow(TypeError)
  })
})
