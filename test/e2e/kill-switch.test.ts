/**
 * The kill switch as a backend meets it: a real server, a real backend behind `requirePermit`, and the signed list between
 * them. What is stopped at the gate does not run here.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type Agent, type IntentId, type Principal, parsePolicy } from '@silentauth/core'
import { SilentAuth } from '@silentauth/sdk'
import { type RunningServer, startServer } from '@silentauth/server'
import { embeddedGate, type PermitVerifier, permitVerifier, requirePermit } from '@silentauth/verify'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

const REFUND = { customer_id: 'cust_4821', amount: 250 }
const FINGERPRINT = 'refund-agent-v1'
/** A list is signed anew after two seconds at most. */
const SOON = { timeout: 10_000, interval: 50 }

const AUTO = parsePolicy({ name: 'refunds', match: {}, decision: 'auto_approve', any_params: true })

const refund = vi.fn()
let dataDir: string
let gate: RunningServer
let sdk: SilentAuth
let agent: Agent
let verifier: PermitVerifier
let now: () => number

beforeEach(async () => {
  refund.mockClear()
  now = Date.now
  dataDir = await mkdtemp(path.join(tmpdir(), 'silentauth-kill-'))
  gate = await startServer({ dataDir, port: 0, policies: [AUTO] })
  agent = await gate.addAgent({ fingerprint: FINGERPRINT })
  sdk = new SilentAuth({ dataFolder: dataDir, source: FINGERPRINT })
  const found = await embeddedGate(dataDir)
  verifier = permitVerifier({
    ...found,
    revocations: { ...found.revocations, pollMs: 50 },
    singleUse: 'per-process',
    now: () => now(),
  })
})
afterEach(async () => {
  await verifier[Symbol.asyncDispose]()
  await sdk[Symbol.asyncDispose]()
  await gate.close()
  await rm(dataDir, { recursive: true, force: true })
})

describe('a backend behind requirePermit', () => {
  it('runs the tool for a permit that nobody took back, and says when the list was signed', async () => {
    const { token } = await aPermit()
    await expect(call(token)).resolves.toBe(200)
    expect(refund).toHaveBeenCalledExactlyOnceWith(REFUND)
  })

  it.each<[string, (ids: readonly IntentId[]) => Promise<unknown>]>([
    ['its agent was paused', () => setAgent('paused')],
    ['its agent was revoked', () => setAgent('revoked')],
    ['its key was disabled', () => disableKeys()],
    ['a person withdrew the approval (E15)', (ids) => Promise.all(ids.map((id) => withdraw(id)))],
  ])('does not run the tool once the list says that %s (P4)', async (_, stop) => {
    const [probe, permit] = [await aPermit(), await aPermit()]
    await stop([probe.id, permit.id])
    // Until it hears of it, another permit may pass: that is the bound, and no permit of this test is to be in it.
    const asked = { action: 'issue_refund', params: REFUND, idempotent: true }
    await vi.waitFor(() => expect(verifier.verify(probe.token, asked)).rejects.toThrow(), SOON)
    await expect(call(permit.token)).resolves.toBe('PERMIT_REVOKED')
    expect(refund).not.toHaveBeenCalled()
  })

  it('runs the tool while the gate is away and the last list is good (P5)', async () => {
    const [first, second] = [await aPermit(), await aPermit()]
    await call(first.token)
    await gate.close()
    await expect(call(second.token)).resolves.toBe(200)
  })

  it('does not run the tool when the gate was away for 120 s plus skew (P5)', async () => {
    const [first, second] = [await aPermit(), await aPermit()]
    await call(first.token)
    await gate.close()
    refund.mockClear()
    now = () => Date.now() + 126_000
    await expect(call(second.token)).resolves.toBe('GATE_UNAVAILABLE')
    expect(refund).not.toHaveBeenCalled()
  })
})

/** Approved by the policy, and handed out. */
async function aPermit(): Promise<{ id: IntentId; token: string }> {
  const { id, permit } = await sdk.createIntent({ action: 'issue_refund', params: REFUND })
  if (!permit) throw new Error('the policy approves it')
  return { id: id as IntentId, token: permit.token }
}

/** @returns the status, or the code of the refusal */
async function call(token: string): Promise<number | string> {
  const handler = requirePermit({ verifier, action: 'issue_refund', params: (_, body) => body }, (permit) => {
    refund(permit.params)
    return new Response()
  })
  const headers = { 'content-type': 'application/json', 'silentauth-permit': token }
  const request = new Request('http://127.0.0.1/refunds', { method: 'POST', headers, body: JSON.stringify(REFUND) })
  const response = await handler(request)
  return response.ok ? response.status : ((await response.json()) as { error: { code: string } }).error.code
}

const owner = (): Principal => ({ type: 'person', id: gate.owner.id, projectId: gate.projectId, via: 'session' })

function setAgent(status: Agent['status']): Promise<unknown> {
  return gate.localGate.registrar.setAgentStatus(owner(), agent.id, status)
}

async function disableKeys(): Promise<void> {
  for (const { id } of await gate.store.keys(gate.projectId)) await gate.localGate.registrar.disableKey(owner(), id)
}

function withdraw(id: IntentId): Promise<unknown> {
  return gate.localGate.desk.withdraw(owner(), id, 'stop')
}
