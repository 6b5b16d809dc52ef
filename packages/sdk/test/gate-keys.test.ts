import { describe, expect, it } from 'vitest'
import { type ConnectionOptions, connectionOf } from '../src/connection.js'
import { type GateKeys, gateKeys } from '../src/gate-keys.js'
import { aKey, aPermit, ISSUER, PARAMS } from './a-permit.js'

const key = await aKey()
const keysOf = (options: ConnectionOptions): GateKeys =>
  gateKeys(
    connectionOf(
      { projectId: 'prj_test', secretKey: 'sk_test', baseUrl: 'http://127.0.0.1:9', ...options },
      { SILENTAUTH_DATA: '/nowhere' },
    ),
    {},
  )
const pinned = { issuer: ISSUER, keys: { keys: [key.jwk] } }

describe('pinned keys', () => {
  it('are what adapters verify with', async () => {
    const { keys, ...trust } = await keysOf(pinned).trust()
    expect([trust, keys?.keys.map(({ kid }) => kid)]).toEqual([
      { issuer: ISSUER, projectId: 'prj_test' },
      [key.jwk.kid],
    ])
  })

  it.each<[string, object]>([
    ['nothing', {}],
    ['action', { action: 'issue_refund' }],
    ['everything', { action: 'issue_refund', params: PARAMS, audience: 'urn:silentauth:prj_test:issue_refund' }],
  ])('read a permit, comparing %s', async (_, compare) => {
    await expect(keysOf(pinned).read(await aPermit(key), compare)).resolves.toMatchObject({ intent_id: 'int_7' })
  })

  it.each<[string, object, string]>([
    ['action', { action: 'close_account' }, 'PERMIT_ACTION'],
    ['params', { params: { ...PARAMS, amount: 2500 } }, 'PERMIT_PARAMS'],
    ['audience', { audience: 'urn:payments' }, 'PERMIT_AUDIENCE'],
  ])('refuse a permit for another %s', async (_, compare, code) => {
    await expect(keysOf(pinned).read(await aPermit(key), compare)).rejects.toMatchObject({ code })
  })

  it('refuse a permit of another key', async () => {
    await expect(keysOf(pinned).read(await aPermit(await aKey()))).rejects.toMatchObject({ code: 'PERMIT_KID_UNKNOWN' })
  })

  it('accept what the longest policy allows', async () => {
    const exp = Math.floor(Date.now() / 1000) + 3600
    const token = await aPermit(key, { exp, use_until: exp })
    await expect(keysOf(pinned).read(token)).resolves.toBeDefined()
  })
})

describe('a gate on this machine whose keys are not pinned', () => {
  it.each<[string, (keys: GateKeys) => unknown]>([
    ['trusted', (keys) => keys.trust()],
    ['required', async (keys) => keys.requireTrust()],
    ['asked to read a permit', async (keys) => keys.read(await aPermit(key))],
  ])('is refused with what to do, when its keys are %s', async (_, use) => {
    await expect(use(keysOf({}))).rejects.toMatchObject({
      code: 'GATE_UNAVAILABLE',
      message: expect.stringMatching(/dataFolder.*SILENTAUTH_DATA.*keys/),
    })
  })

  it('cannot be verified', () => {
    expect(keysOf({})).toMatchObject({ canVerify: false, onlineOnly: false })
  })
})

describe('an hs256 project', () => {
  it('gives adapters no keys', async () => {
    const keys = keysOf({ profile: 'hs256' })
    keys.requireTrust()
    await expect(keys.trust()).resolves.toMatchObject({ projectId: 'prj_test', keys: undefined })
    expect(keys).toMatchObject({ canVerify: false, onlineOnly: true })
  })
})

describe('published keys', () => {
  it('are not there while the gate is away', async () => {
    const keys = gateKeys(
      connectionOf({ projectId: 'prj_test', secretKey: 'sk_test', baseUrl: 'https://gate.example.com' }, {}),
      { fetch: () => Promise.reject(new TypeError('fetch failed')) },
    )
    await expect(keys.trust()).rejects.toMatchObject({ code: 'GATE_UNAVAILABLE' })
  })

  it('are fetched from the gate', async () => {
    const asked: string[] = []
    const keys = gateKeys(
      connectionOf({ projectId: 'prj_test', secretKey: 'sk_test', baseUrl: 'https://gate.example.com' }, {}),
      {
        fetch: async (url) => {
          asked.push(String(url))
          return Response.json({ keys: [key.jwk] })
        },
      },
    )
    await keys.trust()
    expect(asked).toEqual(['https://gate.example.com/.well-known/jwks.json'])
  })
})
