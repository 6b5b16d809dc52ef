import fc from 'fast-check'
import { decodeProtectedHeader, jwtVerify } from 'jose'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import type { IntentId } from '../src/id.js'
import { keyRing, secretRing } from '../src/key-ring.js'
import { type VerifySyncOptions, verifyPermitSync } from '../src/node.js'
import { snapshot } from '../src/params.js'
import { readPermit, signPermit, type VerifiedPermit, type VerifyOptions, verifyPermit } from '../src/permit.js'
import { defaultAudience, type PermitClaims } from '../src/permit-claims.js'
import { generateSigningKey, privateKeySigner, type Signer, secretSigner } from '../src/signer.js'

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31)
const issuedAt = 1_800_000_000_000
const params = { customer_id: 'cust_4821', amount: 50 }
const hash = 'A'.repeat(43)

function aPermit(change: Partial<PermitClaims> = {}): PermitClaims {
  const iat = issuedAt / 1000
  return {
    iss: 'https://gate.example.com',
    aud: defaultAudience('prj_1', 'issue_refund'),
    sub: 'agent:agt_1',
    jti: 'pmt_1',
    iat,
    exp: iat + 300,
    use_until: iat + 3600,
    ver: 1,
    intent_id: 'int_1',
    project_id: 'prj_1',
    action: 'issue_refund',
    params_digest: snapshot(params).digest,
    risk_tier: 'high',
    decision: { kind: 'human', policy: null, quorum: 1 },
    approvals: [{ at: iat - 60, by: 'user:usr_1', ref: hash, via: 'session' }],
    uses: 1,
    declared_by: 'agent:agt_1',
    approved_by: ['ada@example.com'],
    context_digest: `sha-256:${hash}`,
    ...change,
  }
}

let signer: Signer
let expected: VerifyOptions<'issue_refund'>
let token: string
beforeAll(async () => {
  signer = await privateKeySigner(await generateSigningKey('EdDSA'))
  expected = {
    keys: keyRing([signer.publicJwk]),
    issuer: 'https://gate.example.com',
    projectId: 'prj_1',
    action: 'issue_refund',
    audience: 'urn:silentauth:prj_1:issue_refund',
    params,
    now: () => issuedAt,
  }
  token = await signPermit(aPermit(), signer)
})

describe('signPermit', () => {
  it('writes the header that verifiers look up', () => {
    expect(decodeProtectedHeader(token)).toEqual({ alg: 'EdDSA', kid: signer.kid, typ: 'permit+jwt' })
  })

  it('makes a JWT that other libraries take', async () => {
    const { payload } = await jwtVerify(
      token,
      (await import('jose')).createLocalJWKSet({ keys: [{ ...signer.publicJwk }] } as never),
      {
        typ: 'permit+jwt',
        issuer: 'https://gate.example.com',
        currentDate: new Date(issuedAt),
      },
    )
    expect(payload).toEqual(aPermit())
  })

  it.each<[string, string, Partial<Record<keyof PermitClaims | 'scope', unknown>>]>([
    ['a claim of an unknown name', 'PERMIT_CLAIMS', { scope: 'admin' }],
    [
      'a life of more than an hour',
      'PERMIT_LIFETIME',
      { exp: issuedAt / 1000 + 3601, use_until: issuedAt / 1000 + 3601 },
    ],
    ['milliseconds', 'PERMIT_LIFETIME', { iat: issuedAt }],
    ['no quorum', 'PERMIT_APPROVALS', { approvals: [], approved_by: ['ada@example.com'] }],
    ['an action that is a pattern', 'PERMIT_ACTION', { action: 'issue_*' }],
    ['no issuer', 'PERMIT_CLAIMS', { iss: '' }],
    ['no project', 'PERMIT_CLAIMS', { project_id: '' }],
    ['labels without end', 'PERMIT_TOO_LARGE', { approved_by: ['a'.repeat(8000)] }],
    ['labels that are no text', 'PARAMS_NOT_CANONICAL', { approved_by: ['\ud800'] }],
  ])('does not sign %s', async (_, code, change) => {
    await expect(signPermit({ ...aPermit(), ...change } as PermitClaims, signer)).rejects.toMatchObject({ code })
  })
})

type Verify = (token: string, options: VerifyOptions) => Promise<VerifiedPermit>

describe.each<[string, Verify]>([
  ['verifyPermit', (permit, options) => verifyPermit(permit, options)],
  ['verifyPermitSync', async (permit, options) => verifyPermitSync(permit, options as VerifySyncOptions)],
])('%s', (_name, verify) => {
  it('gives what was approved', async () => {
    await expect(verify(token, expected)).resolves.toEqual({
      action: 'issue_refund',
      params,
      approvedBy: ['ada@example.com'],
      claims: aPermit(),
      kid: signer.kid,
      unbound: false,
    })
  })

  it('names nobody when a policy decided', async () => {
    const {
      approved_by: _,
      context_digest: __,
      ...claims
    } = aPermit({ decision: { kind: 'policy', policy: 'pol_1@1', quorum: 0 }, approvals: [] })
    await expect(verify(await signPermit(claims, signer), expected)).resolves.toMatchObject({ approvedBy: [] })
  })

  it.each([
    ['another action', 'PERMIT_ACTION', { action: 'delete_account' }],
    ['a changed amount', 'PERMIT_PARAMS', { params: { customer_id: 'cust_4821', amount: 5000 } }],
    ['another audience', 'PERMIT_AUDIENCE', { audience: 'urn:silentauth:prj_1:delete_account' }],
    ['another project', 'PERMIT_PROJECT', { projectId: 'prj_2' }],
    ['another issuer', 'PERMIT_ISSUER', { issuer: 'https://gate.example.com/' }],
    ['the last second', 'PERMIT_EXPIRED', { now: () => issuedAt + 305_000 }],
    ['another presenter', 'PERMIT_CLAIMS', { subject: 'agent:agt_2' }],
  ])('refuses %s', async (_, code, change) => {
    await expect(verify(token, { ...expected, ...change })).rejects.toMatchObject({ code })
  })

  it('takes the millisecond before', async () => {
    await expect(verify(token, { ...expected, now: () => issuedAt + 304_999 })).resolves.toMatchObject({
      action: 'issue_refund',
    })
  })

  // A check that did not happen because an option was missing would be an open door.
  it.each<[string, Record<string, unknown>]>([
    ['keys', { keys: undefined }],
    ['keys of another type', { keys: secretRing(crypto.getRandomValues(new Uint8Array(32))) }],
    ['issuer', { issuer: undefined }],
    ['an empty issuer', { issuer: '' }],
    ['projectId', { projectId: undefined }],
    ['action', { action: undefined }],
    ['an action that is no text', { action: /issue/ }],
    ['audience', { audience: undefined }],
    ['audiences', { audience: ['urn:silentauth:prj_1:issue_refund'] }],
    ['a clock that does not tell the time', { now: () => Number.NaN }],
    ['a skew of more than a minute', { skewSeconds: 61 }],
    ['a skew that is no number', { skewSeconds: Number.NaN }],
    ['a skew below zero', { skewSeconds: -1 }],
    ['a lifetime of more than an hour', { maxLifetimeSeconds: 3601 }],
    ['an endless lifetime', { maxLifetimeSeconds: Infinity }],
    ['a demand that is a text', { requireHuman: 'true' }],
    ['a demand for proof that is a number', { requireProof: 1 }],
    ['channels that are a text', { allowedVia: 'webauthn' }],
    ['channels by tier that are a text', { allowedVia: () => 'session' }],
    ['channels by tier that are nothing', { allowedVia: () => undefined }],
    ['an unknown profile', { profile: 'none' }],
    ['unboundParams outside of its profile', { unboundParams: true }],
    ['params limits beyond the caps', { paramsLimits: { maxDepth: 65 } }],
  ])('is a TypeError for %s', async (_, change) => {
    await expect(verify(token, { ...expected, ...change } as never)).rejects.toThrow(TypeError)
  })

  it('refuses params that were left out', async () => {
    const { params: _, ...rest } = expected
    await expect(verify(token, rest as never)).rejects.toMatchObject({ code: 'PARAMS_NOT_CANONICAL' })
  })

  // PA-13: what is compared is what the handler gets.
  it('gives a frozen snapshot, not the object that was passed in', async () => {
    const mine = { customer_id: 'cust_4821', amount: 50 }
    const permit = await verify(token, { ...expected, params: mine })
    mine.amount = 5000
    expect([permit.params, Object.isFrozen(permit.params), Object.isFrozen(permit)]).toEqual([params, true, true])
  })

  it('reads a getter once: the first answer is compared and given on', async () => {
    let reads = 0
    const shifty = {
      customer_id: 'cust_4821',
      get amount() {
        return reads++ === 0 ? 50 : 5000
      },
    }
    await expect(verify(token, { ...expected, params: shifty })).resolves.toMatchObject({ params })
  })

  it('refuses a Map, which has no members', async () => {
    await expect(verify(token, { ...expected, params: new Map() })).rejects.toMatchObject({
      code: 'PARAMS_NOT_CANONICAL',
    })
  })

  // PA-1
  it.each<[string, () => unknown]>([
    ['bytes', () => Buffer.from(token)],
    ['a String object', () => new String(token)],
    ['a list of one', () => [token]],
    ['an object that turns into it', () => ({ toString: () => token })],
    ['undefined', () => undefined],
    ['null', () => null],
  ])('refuses %s', async (_, thing) => {
    await expect(verify(thing() as string, expected)).rejects.toMatchObject({ code: 'PERMIT_MALFORMED' })
  })

  it('says nothing of the token or the params in what it throws', async () => {
    const error = await verify(token, { ...expected, params: { customer_id: 'cust_4821', amount: 987_654 } }).catch(
      (thrown: Error) => thrown,
    )
    expect(JSON.stringify([String(error), error])).not.toMatch(/987654|eyJ|cust_4821/)
  })

  it(`refuses a token with any character changed (seed ${seed})`, async () => {
    const alphabet = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n\u0000\u0141']
    await fc.assert(
      fc.asyncProperty(fc.nat(token.length - 1), fc.constantFrom(...alphabet), async (at, other) => {
        fc.pre(token[at] !== other)
        await expect(verify(token.slice(0, at) + other + token.slice(at + 1), expected)).rejects.toMatchObject({
          code: expect.stringMatching(/^PERMIT_/),
        })
      }),
      { seed, numRuns: 250 },
    )
  })

  it(`refuses a token with any byte of a segment changed, encoded again (seed ${seed})`, async () => {
    const segments = token.split('.').map((segment) => Buffer.from(segment, 'base64url'))
    await fc.assert(
      fc.asyncProperty(fc.nat(2), fc.nat(), fc.integer({ min: 1, max: 255 }), async (which, at, flip) => {
        const changed = segments.map((bytes) => Buffer.from(bytes))
        const bytes = changed[which] as Buffer
        bytes[at % bytes.length] = (bytes[at % bytes.length] as number) ^ flip
        await expect(
          verify(changed.map((part) => part.toString('base64url')).join('.'), expected),
        ).rejects.toMatchObject({
          code: expect.stringMatching(/^PERMIT_/),
        })
      }),
      { seed, numRuns: 250 },
    )
  })

  it(`refuses a token cut or lengthened anywhere (seed ${seed})`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(token.length),
        fc.string({ minLength: 1, maxLength: 4 }),
        fc.boolean(),
        async (at, more, cut) => {
          fc.pre(!cut || at < token.length)
          await expect(
            verify(cut ? token.slice(0, at) : token.slice(0, at) + more + token.slice(at), expected),
          ).rejects.toMatchObject({
            code: expect.stringMatching(/^PERMIT_/),
          })
        },
      ),
      { seed, numRuns: 250 },
    )
  })

  it(`refuses params with anything changed (seed ${seed})`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.stringMatching(/^[a-z_]{1,12}$/), fc.jsonValue(), async (name, value) => {
        const changed = { ...params, [name]: value }
        fc.pre(JSON.stringify(changed) !== JSON.stringify(params))
        await expect(verify(token, { ...expected, params: changed })).rejects.toMatchObject({
          code: expect.stringMatching(/^(PERMIT_PARAMS|PARAMS_NOT_CANONICAL)$/),
        })
      }),
      { seed, numRuns: 200 },
    )
  })

  describe('revocation', () => {
    it('is asked with everything by which a permit can be revoked', async () => {
      const isRevoked = vi.fn(() => false)
      await verify(token, { ...expected, isRevoked })
      expect(isRevoked.mock.calls).toEqual([
        [{ jti: 'pmt_1', kid: signer.kid, sub: 'agent:agt_1', intentId: 'int_1', declaredBy: 'agent:agt_1' }],
      ])
    })

    it.each<[string, unknown]>([
      ['true', true],
      ['nothing', undefined],
      ['null', null],
      ['0', 0],
    ])('refuses when the answer is %s', async (_, answer) => {
      await expect(verify(token, { ...expected, isRevoked: () => answer as boolean })).rejects.toMatchObject({
        code: 'PERMIT_REVOKED',
      })
    })

    it('refuses with what it throws', async () => {
      const isRevoked = () => {
        throw new Error('list expired')
      }
      await expect(verify(token, { ...expected, isRevoked })).rejects.toThrow('list expired')
    })

    it('is not asked about a permit that nobody signed', async () => {
      const isRevoked = vi.fn(() => false)
      const stranger = await privateKeySigner({ ...(await generateSigningKey('EdDSA')), kid: signer.kid })
      await verify(await signPermit(aPermit(), stranger), { ...expected, isRevoked }).catch(() => undefined)
      expect(isRevoked).not.toHaveBeenCalled()
    })
  })

  describe('proof of possession', () => {
    const bound = { cnf: { jkt: hash } }

    it('is checked over the claims and the text of the permit', async () => {
      const verifyProof = vi.fn(() => undefined)
      const permit = await signPermit(aPermit(bound), signer)
      await verify(permit, { ...expected, verifyProof })
      expect(verifyProof.mock.calls).toEqual([[aPermit(bound), permit]])
    })

    it('is not asked for when the permit is not bound', async () => {
      const verifyProof = vi.fn(() => undefined)
      await verify(token, { ...expected, verifyProof })
      expect(verifyProof).not.toHaveBeenCalled()
    })

    it('refuses with what it throws', async () => {
      const verifyProof = () => {
        throw new Error('proof of another permit')
      }
      await expect(verify(await signPermit(aPermit(bound), signer), { ...expected, verifyProof })).rejects.toThrow(
        'proof of another permit',
      )
    })
  })
})

describe('verifyPermit', () => {
  it('waits for a revocation list', async () => {
    await expect(verifyPermit(token, { ...expected, isRevoked: async () => true })).rejects.toMatchObject({
      code: 'PERMIT_REVOKED',
    })
  })

  it('waits for a revocation list that does not name the permit', async () => {
    await expect(verifyPermit(token, { ...expected, isRevoked: async () => false })).resolves.toMatchObject({ params })
  })

  it('waits for a proof', async () => {
    const verifyProof = async () => {
      throw new Error('no proof')
    }
    const permit = await signPermit(aPermit({ cnf: { jkt: hash } }), signer)
    await expect(verifyPermit(permit, { ...expected, verifyProof })).rejects.toThrow('no proof')
  })

  it('refuses a key that is not on its curve', async () => {
    const off = { kty: 'EC', alg: 'ES256', kid: 'off', crv: 'P-256', x: hash, y: hash }
    const other = await privateKeySigner({ ...(await generateSigningKey('ES256')), kid: 'off' })
    await expect(
      verifyPermit(await signPermit(aPermit(), other), { ...expected, keys: keyRing([off]) }),
    ).rejects.toMatchObject({
      code: 'KEY_REJECTED',
    })
  })
})

describe('the HS256 profile', () => {
  const secret = crypto.getRandomValues(new Uint8Array(32))

  it('gives the same, and says who signed', async () => {
    const permit = await signPermit(aPermit(), secretSigner(secret))
    const options = { ...expected, profile: 'hs256', keys: secretRing(secret) } as const
    await expect(verifyPermit(permit, options)).resolves.toMatchObject({ params, kid: 'hs256', unbound: false })
  })

  it('takes the secret that is being rotated out', async () => {
    const next = crypto.getRandomValues(new Uint8Array(32))
    const keys = secretRing([{ secret }, { kid: 'next', secret: next }])
    for (const one of [secretSigner(secret), secretSigner(next, { kid: 'next' })]) {
      const permit = await signPermit(aPermit(), one)
      await expect(verifyPermit(permit, { ...expected, profile: 'hs256', keys })).resolves.toMatchObject({
        kid: one.kid,
      })
    }
  })

  it('is a TypeError with public keys (PA-24)', async () => {
    await expect(verifyPermit(token, { ...expected, profile: 'hs256' } as never)).rejects.toThrow(TypeError)
  })

  it('says so when params are not bound', async () => {
    const { iat, exp, intent_id, action, risk_tier } = aPermit()
    const { canonicalJson } = await import('../src/canonical-json.js')
    const b64 = (text: string) => Buffer.from(text).toString('base64url')
    const one = secretSigner(secret)
    const input = `${b64('{"alg":"HS256","kid":"hs256","typ":"permit+jwt"}')}.${b64(canonicalJson({ iat, exp, intent_id, action, risk_tier }))}`
    const permit = `${input}.${Buffer.from(await one.sign(Buffer.from(input))).toString('base64url')}`
    const options = { ...expected, profile: 'hs256', keys: secretRing(secret), unboundParams: true } as const
    await expect(verifyPermit(permit, options)).resolves.toMatchObject({ unbound: true, approvedBy: [] })
  })
})

describe('readPermit', () => {
  it('says what a genuine, current permit says, with nothing to compare', async () => {
    const { keys, issuer, now } = expected
    await expect(readPermit(token, { keys, issuer, now })).resolves.toEqual({
      claims: aPermit(),
      kid: signer.kid,
    })
  })

  it.each<[string, string, Record<string, unknown>]>([
    ['projectId', 'PERMIT_PROJECT', { projectId: 'prj_2' }],
    ['audience', 'PERMIT_AUDIENCE', { audience: 'urn:other' }],
    ['action', 'PERMIT_ACTION', { action: 'delete_account' }],
    ['params', 'PERMIT_PARAMS', { params: {} }],
    ['isRevoked', 'PERMIT_REVOKED', { isRevoked: async () => true }],
    ['the clock', 'PERMIT_EXPIRED', { now: () => issuedAt + 400_000 }],
    ['requireHuman, which is met', 'ok', { requireHuman: true }],
  ])('compares %s when it is given', async (_, code, change) => {
    const { keys, issuer, now } = expected
    const answer = readPermit(token, { keys, issuer, now, ...change }).then(
      () => 'ok',
      (error: { code: string }) => error.code,
    )
    await expect(answer).resolves.toBe(code)
  })

  it('reads a permit that is bound to a key: it is no proof of anything', async () => {
    const { keys, issuer, now } = expected
    const permit = await signPermit(aPermit({ cnf: { jkt: hash } }), signer)
    await expect(readPermit(permit, { keys, issuer, now })).resolves.toMatchObject({
      claims: { cnf: { jkt: hash } },
    })
  })

  it('takes null for params, and refuses it', async () => {
    const { keys, issuer, now } = expected
    await expect(readPermit(token, { keys, issuer, now, params: null })).rejects.toMatchObject({
      code: 'PARAMS_NOT_CANONICAL',
    })
  })
})

describe('one signature with two spellings (PA-7)', () => {
  // ES256 has (r, s) and (r, n - s) for one message: both are valid JWS, so a token's text is no key for single use.
  it('names the same intent and the same jti', async () => {
    const es256 = await privateKeySigner(await generateSigningKey('ES256'))
    const permit = await signPermit(aPermit(), es256)
    const [header, payload, signature] = permit.split('.') as [string, string, string]
    const bytes = Buffer.from(signature, 'base64url')
    const n = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
    const s = n - BigInt(`0x${bytes.subarray(32).toString('hex')}`)
    const other = Buffer.concat([bytes.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, '0'), 'hex')])
    const twin = `${header}.${payload}.${other.toString('base64url')}`
    expect(twin).not.toBe(permit)
    const keys = keyRing([es256.publicJwk])
    for (const { claims } of [
      await verifyPermit(twin, { ...expected, keys }),
      verifyPermitSync(twin, { ...expected, keys } as VerifySyncOptions),
    ]) {
      expect([claims.intent_id, claims.jti]).toEqual(['int_1' satisfies IntentId, 'pmt_1'])
    }
  })
})
