import path from 'node:path'
import {
  callKey,
  currentPermit,
  type GateCall,
  type GateEvent,
  guard,
  type Intent,
  type IntentId,
  type JsonObject,
  snapshot,
} from '@silentauth/core'
import { permitVerifier } from '@silentauth/verify'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { SilentAuth } from '../src/silent-auth.js'
import { type EmbeddedServer, embeddedServer } from './embedded-server.js'

const PARAMS = { customer_id: 'cust_4821', amount: 250 }

describe('a client of an embedded gate', () => {
  let gate: EmbeddedServer
  let client: SilentAuth
  beforeAll(async () => {
    gate = await embeddedServer()
    client = gate.client()
  })
  afterAll(() => gate[Symbol.asyncDispose]())

  const refund = (changes: JsonObject = {}) =>
    client.createIntent({ action: 'issue_refund', params: { ...PARAMS, ...changes } })
  const call = (run: string, params: JsonObject = PARAMS): GateCall => ({
    key: callKey({ scope: 'test', run, occurrence: 0 }),
    snapshot: snapshot(params),
    draft: { action: 'issue_refund' },
  })
  /** Decides as soon as somebody waits. */
  const decide =
    (verdict: Parameters<EmbeddedServer['vote']>[1]) =>
    (event: GateEvent): void => {
      if (event.type === 'pending') void gate.vote(event.intent.id, verdict)
    }

  it('finds it by its data folder, and its keys without asking', async () => {
    const { issuer, projectId, keys } = await client.trust()
    expect([issuer, projectId, keys?.keys.length]).toEqual([gate.server.issuer, gate.server.projectId, 1])
  })

  it('waits for a person, gets the permit, and a backend accepts it once', async () => {
    const intent = await refund()
    const waiting = intent.waitForApproval()
    await gate.vote(intent.id, 'approve')
    const permit = await waiting
    expect([permit.approvedBy, permit.intentId, permit.action]).toEqual(['you@localhost', intent.id, 'issue_refund'])

    await using verifier = permitVerifier({
      issuer: gate.server.issuer,
      projectId: gate.server.projectId,
      keys: path.join(gate.folder, 'public.jwks.json'),
      singleUse: 'per-process',
      revocations: 'off',
    })
    const expected = { action: 'issue_refund', params: PARAMS } as const
    await expect(verifier.verify(permit.token, expected)).resolves.toMatchObject({ approvedBy: ['you@localhost'] })
    await expect(verifier.verify(permit.token, expected)).rejects.toMatchObject({ code: 'PERMIT_REPLAYED' })
  })

  it('gets the permit at once where a policy approves', async () => {
    const { decision, permit } = await client.createIntent({ action: 'read_balance', params: {} })
    expect([decision, permit?.approvedBy]).toEqual(['auto_approve', undefined])
    await expect(
      client.validatePermit(permit?.token ?? '', { action: 'read_balance', params: {} }),
    ).resolves.toMatchObject({ valid: true })
  })

  it.each([
    ['deny', 'INTENT_DENIED'],
    ['request_changes', 'CHANGES_REQUESTED'],
  ] as const)('hears of a person who chose to %s', async (verdict, code) => {
    const intent = await refund({ amount: verdict.length })
    await gate.vote(intent.id, verdict)
    await expect(intent.waitForApproval()).rejects.toMatchObject({ code, intentId: intent.id })
  })

  it('hears of a denial by policy', async () => {
    const intent = await client.createIntent({ action: 'close_account', params: {} })
    expect([intent.status, intent.decision]).toEqual(['denied', 'auto_deny'])
    await expect(intent.waitForApproval()).rejects.toMatchObject({ code: 'INTENT_DENIED' })
  })

  it('asks the gate about a permit, which knows what was revoked', async () => {
    const intent = await refund({ amount: 7 })
    await gate.vote(intent.id, 'approve')
    const { token } = await intent.waitForApproval()
    const expected = { action: 'issue_refund', params: { ...PARAMS, amount: 7 }, online: true }
    await expect(client.validatePermit(token, expected)).resolves.toMatchObject({
      valid: true,
      revocationChecked: true,
    })
    await client.cancel(intent.id, 'changed my mind')
    await expect(client.validatePermit(token, expected)).resolves.toMatchObject({
      valid: false,
      error: 'PERMIT_REVOKED',
    })
    await expect(client.validatePermit(token, { ...expected, online: false })).resolves.toMatchObject({ valid: true })
  })

  it('has an approval used once over all backends, when they ask the gate', async () => {
    const intent = await refund({ amount: 8 })
    await gate.vote(intent.id, 'approve')
    const { token } = await intent.waitForApproval()
    await using verifier = permitVerifier({
      issuer: gate.server.issuer,
      projectId: gate.server.projectId,
      keys: path.join(gate.folder, 'public.jwks.json'),
      gate: { url: gate.server.url, secretKey: gate.server.secretKey },
      revocations: 'off',
    })
    const uses = await Promise.allSettled(
      [1, 2].map(() => verifier.verify(token, { action: 'issue_refund', params: { ...PARAMS, amount: 8 } })),
    )
    expect(uses.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(uses.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'PERMIT_REPLAYED' } })
  })

  it('logs what came of a permit', async () => {
    const intent = await refund({ amount: 9 })
    await gate.vote(intent.id, 'approve')
    const { permitId } = await intent.waitForApproval()
    await expect(client.logExecution({ permitId, status: 'completed' })).resolves.toMatchObject({
      intentId: intent.id,
      state: 'succeeded',
    })
  })

  it('runs a guarded step with its permit, and reports it', async () => {
    const tool = vi.fn(() => currentPermit()?.headers())
    const headers = await guard(client, call('approved'), tool, { onEvent: decide('approve') })
    expect(headers?.['silentauth-permit']).toMatch(/^eyJ/)
    expect((await client.read({ idempotencyKey: call('approved').key })).execution.state).toBe('succeeded')
  })

  it('does not run a guarded step that was denied', async () => {
    const tool = vi.fn()
    const params = { ...PARAMS, amount: 11 }
    await expect(guard(client, call('denied', params), tool, { onEvent: decide('deny') })).rejects.toMatchObject({
      code: 'INTENT_DENIED',
    })
    expect(tool).not.toHaveBeenCalled()
  })

  it('does not run a guarded step with arguments that changed after the approval', async () => {
    const tool = vi.fn()
    await guard(client, call('changed'), () => 'done', { onEvent: decide('approve') })
    await expect(guard(client, call('changed', { ...PARAMS, amount: 2500 }), tool)).rejects.toMatchObject({
      code: 'IDEMPOTENCY_MISMATCH',
    })
    expect(tool).not.toHaveBeenCalled()
  })

  it('does not run a guarded step with the keys of another gate', async () => {
    const tool = vi.fn()
    await using other = await embeddedServer()
    const keys = path.join(other.folder, 'public.jwks.json')
    const misled = gate.client({ keys, issuer: gate.server.issuer })
    const params = { ...PARAMS, amount: 12 }
    await expect(guard(misled, call('misled', params), tool, { onEvent: decide('approve') })).rejects.toMatchObject({
      code: 'PERMIT_KID_UNKNOWN',
    })
    expect(tool).not.toHaveBeenCalled()
  })

  it('hears of a decision that was made while the gate restarted', async () => {
    const intent = await refund({ amount: 13 })
    const waiting = client.wait(intent.id)
    await gate.vote(intent.id, 'approve')
    await gate.restart()
    await expect(waiting).resolves.toMatchObject({ status: 'approved' })
  })

  it('goes on waiting over a restart, and hears of the decision that comes after it', async () => {
    const intent = await refund({ amount: 14 })
    const waiting = client.wait(intent.id)
    await gate.restart()
    await gate.vote(intent.id, 'approve')
    await expect(waiting).resolves.toMatchObject({ status: 'approved' })
  })

  it('declares and claims while the gate restarts, once', async () => {
    const draft = { action: 'issue_refund', params: { ...PARAMS, amount: 15 }, idempotencyKey: 'over-a-restart' }
    let declared: Promise<Intent> | undefined
    await gate.restart(async () => {
      declared = client.declare(draft)
    })
    const { id } = (await declared) as Intent
    await gate.vote(id, 'approve')
    const attempt = { executionId: 'over-a-restart', attemptId: 'attempt-1' }
    const first = await client.claim(id, attempt)
    let repeated: ReturnType<SilentAuth['claim']> | undefined
    await gate.restart(async () => {
      repeated = client.claim(id, attempt)
    })
    await expect(repeated).resolves.toEqual(first)
    await expect(client.claim(id, { ...attempt, attemptId: 'attempt-2' })).resolves.toMatchObject({ type: 'running' })
  })

  it('reports what came of an execution while the gate is away', async () => {
    const params = { ...PARAMS, amount: 16 }
    const { id } = await client.declare({ action: 'issue_refund', params })
    await gate.vote(id, 'approve')
    const attempt = { executionId: 'reported-late', attemptId: 'attempt-1' }
    await client.claim(id, attempt)
    let reported: Promise<void> | undefined
    await gate.restart(async () => {
      reported = client.report(id, attempt, { status: 'succeeded' })
    })
    await reported
    expect((await client.read(id)).execution.state).toBe('succeeded')
  })

  it('is told when its key is not one', async () => {
    const stranger = gate.client({
      dataFolder: undefined,
      baseUrl: gate.server.url,
      projectId: gate.server.projectId,
      secretKey: 'sk_nobody',
    })
    await expect(stranger.read('int_7' as IntentId)).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
  })

  it('is told when its project is another', async () => {
    const stranger = gate.client({
      dataFolder: undefined,
      baseUrl: gate.server.url,
      projectId: 'prj_other',
      secretKey: gate.server.secretKey,
      profile: 'hs256',
    })
    await expect(stranger.declare({ action: 'issue_refund', params: {} })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})

describe('a client of an embedded gate with a shared secret', () => {
  it('runs a guarded step without keys of its own', async () => {
    const executionSecret = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64url')
    await using gate = await embeddedServer({ executionSecret })
    const client = gate.client({ profile: 'hs256' })
    const tool = vi.fn(() => 'done')
    const call: GateCall = {
      key: callKey({ scope: 'test', run: 'hs256', occurrence: 0 }),
      snapshot: snapshot({}),
      draft: { action: 'read_balance' },
    }
    await expect(guard(client, call, tool)).resolves.toBe('done')
    expect(tool).toHaveBeenCalledOnce()
  })
})
