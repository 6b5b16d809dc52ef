import { keyRing, verifyPermit } from '@silentauth/core'
import { afterEach, describe, expect, it } from 'vitest'
import { createGateApp } from '../src/gate-app.js'
import { AUDIENCE, type TestApp, testApp } from './test-app.js'

let test: TestApp
afterEach(() => test[Symbol.asyncDispose]())

describe('operation routes', () => {
  it('publish the keys by which the permits of this gate verify, and nothing private', async () => {
    test = await testApp()
    const { json, text } = await test.ask('GET', '/.well-known/jwks.json')
    const { id } = await test.declare()
    await test.approve(id)
    const claim = await test.ask('POST', `/api/intents/${id}/claim`, {
      headers: test.agent,
      body: { execution_id: 'a', attempt_id: 'b' },
    })
    const permit = await verifyPermit(claim.json.data.permit_token, {
      keys: keyRing(json.keys),
      issuer: 'urn:silentauth:test',
      projectId: test.gate.project.id,
      action: 'issue_refund',
      params: { customer_id: 'cust_4821', amount: 250 },
      audience: AUDIENCE(test, 'issue_refund'),
      now: test.gate.clock.now,
    })
    expect([permit.claims.intent_id, /"d"/.test(text)]).toEqual([id, false])
  })

  it('say that the gate is alive and ready', async () => {
    test = await testApp()
    expect([(await test.ask('GET', '/healthz')).json.data, (await test.ask('GET', '/readyz')).json.data]).toEqual([
      { status: 'ok' },
      { status: 'ok' },
    ])
  })

  it('R3 say that it is not ready while a failover could lose commits, and why', async () => {
    test = await testApp()
    const faults: string[] = ['commits do not wait for a standby']
    const store = { ...test.gate.store, faults: async () => faults }
    using app = createGateApp({ gate: test.gate.local, store, publicUrl: 'http://127.0.0.1:4747' })
    const refused = await app.request('/readyz')
    expect([refused.status, await refused.json()]).toMatchObject([
      503,
      { error: { code: 'GATE_UNAVAILABLE', message: expect.stringContaining('commits do not wait') } },
    ])
    faults.pop()
    expect((await app.request('/readyz')).status).toBe(200)
  })

  it('say that it is not ready when the store does not answer', async () => {
    test = await testApp()
    const store = { ...test.gate.store, project: () => Promise.reject(new Error('gone')) }
    using app = createGateApp({ gate: test.gate.local, store, publicUrl: 'http://127.0.0.1:4747' })
    expect((await app.request('/readyz')).status).toBe(500)
  })
})
