import { type ErrorCode, type IntentId, keyRing, readRevocationList } from '@silentauth/core'
import { afterEach, describe, expect, it } from 'vitest'
import { type TestApp, testApp } from './test-app.js'

const PATH = '/.well-known/silentauth-revocations'

let test: TestApp
afterEach(() => test?.[Symbol.asyncDispose]())

async function list() {
  const { text } = await test.ask('GET', PATH)
  return readRevocationList(text, {
    keys: keyRing([test.listSigner.publicJwk]),
    issuer: test.gate.local.issuer,
    projectId: test.gate.project.id,
    now: test.gate.clock.now,
  })
}
const claimed = async (headers: Record<string, string> = test.agent) => {
  const id = (await test.declare({}, headers)).id as IntentId
  await test.approve(id)
  const answer = await test.ask('POST', `/api/intents/${id}/claim`, {
    headers,
    body: { execution_id: 'a', attempt_id: 'b' },
  })
  const claims = JSON.parse(Buffer.from(answer.json.data.permit_token.split('.')[1], 'base64url').toString())
  const { jti, sub, declared_by: declaredBy } = claims
  return { id, permit: { jti, kid: test.gate.signer.kid, sub, intentId: id, declaredBy } }
}

describe('the revocation list of a gate', () => {
  it('is a compact JWS that no cache keeps', async () => {
    test = await testApp()
    const { status, headers, text } = await test.ask('GET', PATH)
    expect([status, headers.get('content-type'), headers.get('cache-control'), text.split('.').length]).toEqual([
      200,
      'application/jwt',
      'no-store',
      3,
    ])
  })

  it('does not name a permit that is good', async () => {
    test = await testApp()
    const { permit } = await claimed()
    expect((await list()).isRevoked(permit)).toBe(false)
  })

  it.each<[string, (id: string) => Promise<unknown>]>([
    [
      'reported (E9)',
      (id) =>
        test.ask('POST', `/api/intents/${id}/report`, {
          headers: test.agent,
          body: { execution_id: 'a', attempt_id: 'b', status: 'succeeded' },
        }),
    ],
    [
      'withdrawn (E15)',
      async (id) => {
        const { headers } = await test.signIn({ roles: ['admin'] })
        return test.ask('POST', `/api/inbox/${id}/withdraw`, { headers, body: { reason: 'stop' } })
      },
    ],
    ['of a key that was disabled (P4)', async () => disableKey()],
    [
      'of an agent that was paused (P4)',
      async () => test.addAgent({ fingerprint: 'refund-agent-v1', status: 'paused' }),
    ],
    [
      'of an agent that was revoked (P4)',
      async () => test.addAgent({ fingerprint: 'refund-agent-v1', status: 'revoked' }),
    ],
  ])('names a permit that was %s', async (_, revoke) => {
    test = await testApp()
    const { id, permit } = await claimed()
    const answer = (await revoke(id)) as { code?: ErrorCode } | undefined
    expect(answer?.code).toBeUndefined()
    expect((await list()).isRevoked(permit)).toBe(true)
  })

  it('is not there while the store cannot be read', async () => {
    test = await testApp()
    const { createGateApp } = await import('../src/gate-app.js')
    const revocations = { list: () => Promise.reject(new Error('gone')) }
    using app = createGateApp({
      gate: test.gate.local,
      store: test.gate.store,
      publicUrl: 'http://127.0.0.1',
      revocations,
    })
    expect((await app.request(PATH)).status).toBe(500)
  })

  it('is not there where none is signed', async () => {
    test = await testApp({ app: { revocations: undefined } })
    expect(await test.ask('GET', PATH)).toMatchObject({ status: 503, code: 'GATE_UNAVAILABLE' })
  })
})

async function disableKey(): Promise<void> {
  const { store, project } = test.gate
  await store.transaction(async (tx) => {
    for (const key of await tx.keys(project.id)) await tx.putKey({ ...key, status: 'disabled' })
  })
}
