import {
  type PermitClaims,
  type PublicJwk,
  revocationClaims,
  secretRing,
  secretSigner,
  signPermit,
  signRevocationList,
} from '@silentauth/core'
import { describe, expect, it, vi } from 'vitest'
import { permitVerifier } from '../src/permit-verifier.js'
import type { SingleUseStore } from '../src/single-use.js'
import { ACTION, aKey, aPermit, claimsOf, ISSUER, NOW, PARAMS, PROJECT, verifierFor } from './a-permit.js'
import { answerJson, loopback } from './loopback.js'

const [key, next] = [await aKey(), await aKey()]
const ABOUT_LISTS = { issuer: ISSUER, projectId: PROJECT } as const
const expected = { action: ACTION, params: PARAMS }

const common = { issuer: ISSUER, projectId: PROJECT, keys: { keys: [key.jwk] }, revocations: 'off' } as const
const aVerifier = (changes: object = {}) => verifierFor(key, changes)

describe('a verified permit', () => {
  it('has the params that were compared, frozen', async () => {
    const params = { ...PARAMS }
    const permit = await aVerifier().verify(await aPermit(key), { action: ACTION, params })
    params.amount = 2500
    expect([permit.params, Object.isFrozen(permit.params), Object.isFrozen(permit)]).toEqual([PARAMS, true, true])
  })

  it('says what was not checked', async () => {
    const verifier = aVerifier()
    const permit = await verifier.verify(await aPermit(key), expected)
    for (const says of [verifier, permit]) expect(says).toMatchObject({ singleUse: 'per-process', revocations: 'off' })
  })

  it('says which revocation list was looked at (P5)', async () => {
    const list = await signRevocationList(
      revocationClaims({ permits: [], agents: [], keys: [] }, { ...ABOUT_LISTS, kids: [], number: NOW, now: NOW }),
      next.signer,
    )
    await using verifier = aVerifier({ revocations: { keys: { keys: [next.jwk] }, read: async () => list } })
    const permit = await verifier.verify(await aPermit(key), expected)
    expect([verifier.revocations, permit.revocations, permit.revocationsAt]).toEqual(['checked', 'checked', NOW])
  })

  it('names the intent, and is no replay', async () => {
    const token = await aPermit(key, PARAMS, { intent_id: 'int_7' })
    await expect(aVerifier().verify(token, expected)).resolves.toMatchObject({ intentId: 'int_7', replayed: false })
  })
})

describe('who presents a permit', () => {
  const token = () => aPermit(key, PARAMS, { sub: 'agent:agt_7', declared_by: 'agent:agt_7' })

  it('is compared where it is said, and not counted as a use when it is somebody else', async () => {
    const verifier = aVerifier()
    const permit = await token()
    await expect(verifier.verify(permit, { ...expected, subject: 'agent:agt_8' })).rejects.toMatchObject({
      code: 'PERMIT_CLAIMS',
    })
    await expect(verifier.verify(permit, { ...expected, subject: 'agent:agt_7' })).resolves.toMatchObject({
      replayed: false,
    })
  })

  it.each(['', 7, null])('is a text, or nothing is accepted: %j', async (subject) => {
    await expect(aVerifier().verify(await token(), { ...expected, subject } as never)).rejects.toThrow(TypeError)
  })
})

describe('a permit', () => {
  it.each([
    ['itself', { permits: [{ id: 'pmt_7', intentId: 'int_7', withdrawn: false, expiresAt: NOW + 1 }] }, []],
    ['its intent', { permits: [{ id: 'pmt_6', intentId: 'int_7', withdrawn: true, expiresAt: NOW + 1 }] }, []],
    ['its agent', { agents: ['agt_7'] }, []],
    ['its key', { keys: ['key_7'] }, []],
    ['the key that signed it', {}, [key.signer.kid]],
  ] as const)('is refused, and not used, when the revocation list names %s (P4)', async (_, stored, kids) => {
    const all = { permits: [], agents: [], keys: [], ...stored }
    const list = await signRevocationList(
      revocationClaims(all, { ...ABOUT_LISTS, kids, number: NOW, now: NOW }),
      next.signer,
    )
    const store = aStore()
    const read = async () => list
    await using verifier = aVerifier({ singleUse: store, revocations: { keys: { keys: [next.jwk] }, read } })
    const claims = { jti: 'pmt_7', intent_id: 'int_7', sub: 'agent:agt_7', declared_by: 'key:key_7' } as const
    const token = await aPermit(key, PARAMS, claims)
    await expect(verifier.verify(token, expected)).rejects.toMatchObject({ code: 'PERMIT_REVOKED' })
    expect(store.take).not.toHaveBeenCalled()
  })

  it('is refused, and not used, while there is no revocation list (P5)', async () => {
    const store = aStore()
    const read = () => Promise.reject(new Error('away'))
    await using verifier = aVerifier({ singleUse: store, revocations: { keys: { keys: [next.jwk] }, read } })
    await expect(verifier.verify(await aPermit(key), expected)).rejects.toMatchObject({ code: 'GATE_UNAVAILABLE' })
    expect(store.take).not.toHaveBeenCalled()
  })

  it.each<[string, string, Partial<PermitClaims>, object, object]>([
    [
      'for another action',
      'PERMIT_ACTION',
      {},
      { action: 'close_account', audience: 'urn:silentauth:prj_test:issue_refund' },
      {},
    ],
    ['for other params', 'PERMIT_PARAMS', {}, { params: { ...PARAMS, amount: 2500 } }, {}],
    ['with params that are no JSON', 'PARAMS_NOT_CANONICAL', {}, { params: { amount: Number.NaN } }, {}],
    ['without params', 'PARAMS_NOT_CANONICAL', {}, { params: undefined }, {}],
    ['for another audience', 'PERMIT_AUDIENCE', {}, { audience: 'urn:payments:prod' }, {}],
    ['for another audience than the verifier', 'PERMIT_AUDIENCE', {}, {}, { audience: 'urn:payments:prod' }],
    ['of another issuer', 'PERMIT_ISSUER', { iss: 'https://evil.example.com' }, {}, {}],
    ['of another project', 'PERMIT_PROJECT', { project_id: 'prj_other' }, {}, {}],
    ['that is over', 'PERMIT_EXPIRED', {}, {}, { now: () => NOW + 305_000 }],
    ['that begins later', 'PERMIT_NOT_YET_VALID', {}, {}, { now: () => NOW - 6_000 }],
    ['that lives longer than allowed', 'PERMIT_LIFETIME', { exp: NOW / 1000 + 301 }, {}, {}],
    ['that a policy approved, where a person is demanded', 'PERMIT_APPROVALS', {}, {}, { requireHuman: true }],
    ['that is bound to a key, without proof', 'PERMIT_POP', { cnf: { jkt: 'A'.repeat(43) } }, {}, {}],
    ['that is bound to no key, where one is demanded', 'PERMIT_POP', {}, {}, { requireProof: true }],
  ])('%s is refused, and not used', async (_, code, claims, changes, options) => {
    const store = aStore()
    const verifier = aVerifier({ singleUse: store, ...options })
    const token = await aPermit(key, PARAMS, claims)
    await expect(verifier.verify(token, { ...expected, ...changes })).rejects.toMatchObject({ code })
    expect(store.take).not.toHaveBeenCalled()
  })

  it.each([
    ['another key', async () => aPermit(next), 'PERMIT_KID_UNKNOWN'],
    ['nobody', async () => `${(await aPermit(key)).slice(0, -8)}AAAAAAAA`, 'PERMIT_SIGNATURE'],
    ['a text', async () => 'permit', 'PERMIT_MALFORMED'],
    ['bytes', async () => Buffer.from(await aPermit(key)) as never, 'PERMIT_MALFORMED'],
  ])('of %s is refused', async (_, token, code) => {
    await expect(aVerifier().verify(await token(), expected)).rejects.toMatchObject({ code })
  })

  it('for the audience of the call is accepted', async () => {
    const token = await aPermit(key, PARAMS, { aud: 'urn:payments:prod' })
    const verifier = aVerifier({ audience: 'urn:payments:test' })
    await expect(verifier.verify(token, { ...expected, audience: 'urn:payments:prod' })).resolves.toBeDefined()
  })

  it('of a rotated key is accepted after one look at the source', async () => {
    const set = { keys: [key.jwk] as PublicJwk[] }
    await using jwks = await loopback((_, response) => answerJson(response, 200, set))
    let now = NOW
    await using verifier = aVerifier({ keys: jwks.url, now: () => now })
    await verifier.verify(await aPermit(key), expected)
    set.keys = [key.jwk, next.jwk]
    now += 30_000
    await expect(verifier.verify(await aPermit(next), expected)).resolves.toBeDefined()
  })

  it('is refused while there are no keys', async () => {
    await using jwks = await loopback((_, response) => answerJson(response, 500, {}))
    await using verifier = aVerifier({ keys: jwks.url })
    await expect(verifier.verify(await aPermit(key), expected)).rejects.toMatchObject({ code: 'GATE_UNAVAILABLE' })
  })
})

describe('single use', () => {
  it('is one use', async () => {
    const [verifier, token] = [aVerifier(), await aPermit(key)]
    await verifier.verify(token, expected)
    await expect(verifier.verify(token, expected)).rejects.toMatchObject({ code: 'PERMIT_REPLAYED' })
  })

  it('is one of two that come together', async () => {
    const [verifier, token] = [aVerifier(), await aPermit(key)]
    const results = await Promise.allSettled([verifier.verify(token, expected), verifier.verify(token, expected)])
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  })

  it('is of the intent, not of the permit', async () => {
    const verifier = aVerifier()
    await verifier.verify(await aPermit(key, PARAMS, { intent_id: 'int_7' }), expected)
    const renewed = await aPermit(key, PARAMS, { intent_id: 'int_7', jti: 'pmt_renewed', exp: NOW / 1000 + 200 })
    await expect(verifier.verify(renewed, expected)).rejects.toMatchObject({ code: 'PERMIT_REPLAYED' })
  })

  it('is of the issuer too', async () => {
    const store = aStore()
    const other = 'https://other.example.com'
    await aVerifier({ singleUse: store }).verify(await aPermit(key, PARAMS, { intent_id: 'int_7' }), expected)
    const verifier = aVerifier({ singleUse: store, issuer: other })
    await expect(
      verifier.verify(await aPermit(key, PARAMS, { intent_id: 'int_7', iss: other }), expected),
    ).resolves.toBeDefined()
  })

  it('holds over two processes that share a store', async () => {
    const [store, token] = [aStore(), await aPermit(key)]
    await aVerifier({ singleUse: store }).verify(token, expected)
    await expect(aVerifier({ singleUse: store }).verify(token, expected)).rejects.toMatchObject({
      code: 'PERMIT_REPLAYED',
    })
  })

  it('does not hold over two processes that say so', async () => {
    const token = await aPermit(key)
    await aVerifier().verify(token, expected)
    await expect(aVerifier().verify(token, expected)).resolves.toMatchObject({ singleUse: 'per-process' })
  })

  it('is remembered until no verifier could accept a permit of the intent', async () => {
    const store = aStore()
    await aVerifier({ singleUse: store }).verify(await aPermit(key, PARAMS, { intent_id: 'int_7' }), expected)
    expect(store.take).toHaveBeenCalledWith(`int_7 ${ISSUER}`, NOW + 3_600_000 + 60_000)
  })

  it('is not spent by a refused permit', async () => {
    const [verifier, token] = [aVerifier(), await aPermit(key)]
    await verifier.verify(token, { ...expected, params: { ...PARAMS, amount: 2500 } }).catch(() => undefined)
    await expect(verifier.verify(token, expected)).resolves.toBeDefined()
  })

  it('is handed on as replayed to what may run again', async () => {
    const [verifier, token] = [aVerifier(), await aPermit(key)]
    const uses = [
      await verifier.verify(token, { ...expected, idempotent: true }),
      await verifier.verify(token, { ...expected, idempotent: true }),
    ]
    expect(uses.map(({ replayed }) => replayed)).toEqual([false, true])
  })

  it.each<[string, () => unknown, object]>([
    ['fails', () => Promise.reject(new Error('disk full')), { code: 'DB_ERROR' }],
    ['answers something else', () => 1, { name: 'TypeError' }],
    ['answers nothing', () => undefined, { name: 'TypeError' }],
  ])('is refused when its store %s', async (_, take, error) => {
    const verifier = aVerifier({ singleUse: { scope: 'shared', take } })
    await expect(verifier.verify(await aPermit(key), expected)).rejects.toMatchObject(error)
  })
})

describe('single use at the gate', () => {
  it.each([
    [
      'is one use',
      { data: { replayed: false }, error: null },
      {},
      { replayed: false, singleUse: 'gate', revocations: 'gate' },
    ],
    [
      'is a replay for what may run again',
      { data: { replayed: true }, error: null },
      { idempotent: true },
      { replayed: true },
    ],
  ])('%s', async (_, body, changes, result) => {
    await using gate = await loopback((_, response) => answerJson(response, 200, body))
    await using verifier = aVerifier({ singleUse: undefined, gate: { url: gate.url, secretKey: 'sk_verifier' } })
    await expect(verifier.verify(await aPermit(key), { ...expected, ...changes })).resolves.toMatchObject(result)
  })

  it('is not handed on as a replay to what may not', async () => {
    await using gate = await loopback((_, response) =>
      answerJson(response, 200, { data: { replayed: true }, error: null }),
    )
    await using verifier = aVerifier({ singleUse: undefined, gate: { url: gate.url, secretKey: 'sk_verifier' } })
    await expect(verifier.verify(await aPermit(key), expected)).rejects.toMatchObject({ code: 'PERMIT_REPLAYED' })
  })

  it('is not asked about a permit that was refused', async () => {
    let requests = 0
    await using gate = await loopback((_, response) => {
      requests++
      response.end()
    })
    await using verifier = aVerifier({ singleUse: undefined, gate: { url: gate.url, secretKey: 'sk_verifier' } })
    await verifier.verify(await aPermit(next), expected).catch(() => undefined)
    expect(requests).toBe(0)
  })
})

describe('params that differ', () => {
  const wrong = { ...expected, params: { ...PARAMS, amount: '250' } }

  it('are named to developers, never their values', async () => {
    const error = await aVerifier({ explain: true })
      .verify(await aPermit(key), wrong)
      .catch((error: Error) => error)
    expect(error).toMatchObject({ code: 'PERMIT_PARAMS', message: expect.stringContaining('"amount" is a text') })
    expect(`${error}`).not.toContain('250')
  })

  it.each([
    ['explain is off', { explain: false }, 'test'],
    ['NODE_ENV is production', {}, 'production'],
  ])('are not named when %s', async (_, options, environment) => {
    vi.stubEnv('NODE_ENV', environment)
    const verifier = aVerifier(options)
    vi.unstubAllEnvs()
    const error = await verifier.verify(await aPermit(key), wrong).catch((error: Error) => error)
    expect(error).toMatchObject({ code: 'PERMIT_PARAMS', message: expect.not.stringContaining('amount') })
  })
})

describe('a verifier of the HS256 profile', () => {
  const secret = crypto.getRandomValues(new Uint8Array(32))
  const verifier = () =>
    permitVerifier({
      ...common,
      keys: secretRing(secret),
      profile: 'hs256',
      singleUse: 'per-process',
      now: () => NOW,
    })

  it('accepts a permit of its secret, once', async () => {
    const token = await signPermit(claimsOf(), secretSigner(secret))
    const own = verifier()
    await own.verify(token, expected)
    await expect(own.verify(token, expected)).rejects.toMatchObject({ code: 'PERMIT_REPLAYED' })
  })

  it('refuses a permit of another secret', async () => {
    const other = secretSigner(crypto.getRandomValues(new Uint8Array(32)))
    await expect(verifier().verify(await signPermit(claimsOf(), other), expected)).rejects.toMatchObject({
      code: 'PERMIT_SIGNATURE',
    })
  })

  it('refuses a permit of a key pair', async () => {
    await expect(verifier().verify(await aPermit(key), expected)).rejects.toMatchObject({ code: 'PERMIT_KID_UNKNOWN' })
  })
})

describe('P5: a verifier', () => {
  it('says in its result what it was told of single use and revocations', async () => {
    const permits = await Promise.all(
      (['per-process', aStore()] as const).map(async (singleUse) =>
        aVerifier({ singleUse }).verify(await aPermit(key), expected),
      ),
    )
    expect(permits).toMatchObject([
      { singleUse: 'per-process', revocations: 'off' },
      { singleUse: 'shared', revocations: 'off' },
    ])
  })

  it.each<[string, object]>([
    ['without a word on revocations', { revocations: undefined }],
    ['with revocations that this build does not read', { revocations: 'https://gate.example.com/revocations' }],
    ['without a word on single use', { singleUse: undefined }],
    ['with two places for single use', { gate: { url: 'https://gate.example.com', secretKey: 'sk_1' } }],
    ['with a store that does not say whose it is', { singleUse: { take: () => true } }],
    ['without issuer', { issuer: undefined }],
    ['without project', { projectId: '' }],
    [
      'of the HS256 profile, with a gate',
      { profile: 'hs256', singleUse: undefined, gate: { url: 'https://a.example', secretKey: 'sk_1' } },
    ],
  ])('%s is refused', (_, changes) => {
    expect(() => aVerifier(changes)).toThrow(TypeError)
  })
})

/** A store of two processes, as a database would be. */
function aStore() {
  const used = new Set<string>()
  return {
    scope: 'shared',
    take: vi.fn(async (use: string) => !used.has(use) && Boolean(used.add(use))),
  } satisfies SingleUseStore
}
