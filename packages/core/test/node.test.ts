import { readdirSync, readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { keyRing } from '../src/key-ring.js'
import { verifyPermitSync } from '../src/node.js'
import { snapshot } from '../src/params.js'
import { signPermit } from '../src/permit.js'
import { defaultAudience, type PermitClaims } from '../src/permit-claims.js'
import { generateSigningKey, privateKeySigner, type Signer } from '../src/signer.js'

const iat = 1_800_000_000
const claims: PermitClaims = {
  iss: 'urn:silentauth:embedded:1',
  aud: defaultAudience('prj_1', 'read_logs'),
  sub: 'key:key_1',
  jti: 'pmt_1',
  iat,
  exp: iat + 300,
  use_until: iat + 300,
  ver: 1,
  intent_id: 'int_1',
  project_id: 'prj_1',
  action: 'read_logs',
  params_digest: snapshot({}).digest,
  risk_tier: 'low',
  decision: { kind: 'policy', policy: 'pol_1@1', quorum: 0 },
  approvals: [],
  uses: 1,
  declared_by: 'key:key_1',
}
const options = (signer: Signer) => ({
  keys: keyRing([signer.publicJwk]),
  issuer: claims.iss,
  projectId: 'prj_1',
  action: 'read_logs' as const,
  audience: claims.aud,
  params: {},
  now: () => iat * 1000,
})
// What the two verifiers share is in permit.test.ts and permit-vectors.test.ts.

let es256: Signer
beforeAll(async () => {
  es256 = await privateKeySigner(await generateSigningKey('ES256'))
})

describe('verifyPermitSync', () => {
  it('answers at once', async () => {
    const token = await signPermit(claims, es256)
    expect(verifyPermitSync(token, options(es256)).claims).toEqual(claims)
  })

  // PA-9: each integer of a DER signature is as long as it needs to be, and never negative.
  it('takes ES256 signatures of every length in DER', async () => {
    const lengths = new Set<string>()
    const keys = options(es256)
    for (let n = 0; n < 3000 && lengths.size < 6; n++) {
      const token = await signPermit({ ...claims, jti: `pmt_${n}` }, es256)
      const bytes = Buffer.from(token.split('.')[2] as string, 'base64url')
      const shape = [bytes.subarray(0, 32), bytes.subarray(32)].map((half) =>
        half[0] === 0 ? 'short' : (half[0] as number) > 127 ? 'padded' : 'plain',
      )
      lengths.add(shape.join(' '))
      expect(verifyPermitSync(token, keys).claims.jti).toBe(`pmt_${n}`)
    }
    expect(lengths.size).toBeGreaterThanOrEqual(6)
  })

  it.each<[string, (signature: Buffer) => Buffer]>([
    ['r and s of zero', () => Buffer.alloc(64)],
    ['r of zero', (signature) => Buffer.concat([Buffer.alloc(32), signature.subarray(32)])],
    ['s of zero', (signature) => Buffer.concat([signature.subarray(0, 32), Buffer.alloc(32)])],
    ['r and s of the largest number', () => Buffer.alloc(64, 255)],
    ['r and s exchanged', (signature) => Buffer.concat([signature.subarray(32), signature.subarray(0, 32)])],
    ['65 bytes', (signature) => Buffer.concat([signature, Buffer.alloc(1)])],
    ['DER', () => Buffer.from('3006020101020101', 'hex')],
  ])('refuses an ES256 signature of %s', async (_, change) => {
    const token = await signPermit(claims, es256)
    const [header, payload, signature] = token.split('.') as [string, string, string]
    const forged = `${header}.${payload}.${change(Buffer.from(signature, 'base64url')).toString('base64url')}`
    expect(() => verifyPermitSync(forged, options(es256))).toThrow(
      expect.objectContaining({ code: 'PERMIT_SIGNATURE' }),
    )
  })

  it('refuses EdDSA with S + L', async () => {
    const ed = await privateKeySigner(await generateSigningKey('EdDSA'))
    const token = await signPermit(claims, ed)
    const [header, payload, signature] = token.split('.') as [string, string, string]
    const bytes = Buffer.from(signature, 'base64url')
    const L = 2n ** 252n + 27742317777372353535851937790883648493n
    const s = BigInt(`0x${Buffer.from(bytes.subarray(32)).reverse().toString('hex')}`) + L
    const other = Buffer.from(s.toString(16).padStart(64, '0'), 'hex').reverse()
    const forged = `${header}.${payload}.${Buffer.concat([bytes.subarray(0, 32), other]).toString('base64url')}`
    expect(() => verifyPermitSync(forged, options(ed))).toThrow(expect.objectContaining({ code: 'PERMIT_SIGNATURE' }))
  })

  it('refuses whatever the identity point would sign', async () => {
    const identity = {
      kty: 'OKP',
      crv: 'Ed25519',
      alg: 'EdDSA',
      kid: es256.kid,
      x: Buffer.concat([Buffer.from([1]), Buffer.alloc(31)]).toString('base64url'),
    }
    const ed = await privateKeySigner({ ...(await generateSigningKey('EdDSA')), kid: es256.kid })
    const [header, payload] = (await signPermit(claims, ed)).split('.') as [string, string]
    const forged = `${header}.${payload}.${Buffer.concat([Buffer.from([1]), Buffer.alloc(63)]).toString('base64url')}`
    expect(() => verifyPermitSync(forged, { ...options(es256), keys: keyRing([identity]) })).toThrow(
      expect.objectContaining({ code: 'PERMIT_SIGNATURE' }),
    )
  })

  it('refuses a key that is not on its curve', async () => {
    const off = { kty: 'EC', alg: 'ES256', kid: es256.kid, crv: 'P-256', x: 'A'.repeat(43), y: 'A'.repeat(43) }
    const token = await signPermit(claims, es256)
    expect(() => verifyPermitSync(token, { ...options(es256), keys: keyRing([off]) })).toThrow(
      expect.objectContaining({ code: 'KEY_REJECTED' }),
    )
  })

  it('counts a promise for an answer about revocation as revoked', async () => {
    const token = await signPermit(claims, es256)
    const isRevoked = (async () => false) as unknown as () => boolean
    expect(() => verifyPermitSync(token, { ...options(es256), isRevoked })).toThrow(
      expect.objectContaining({ code: 'PERMIT_REVOKED' }),
    )
  })

  it('is a TypeError with a proof that would be checked later', async () => {
    const token = await signPermit({ ...claims, cnf: { jkt: 'A'.repeat(43) } }, es256)
    const verifyProof = (async () => {}) as unknown as () => void
    expect(() => verifyPermitSync(token, { ...options(es256), verifyProof })).toThrow(TypeError)
  })
})

describe('the main entry', () => {
  it('imports nothing of node: only node.ts does, so that the rest loads in any runtime', () => {
    const src = new URL('../src/', import.meta.url)
    const mine = readdirSync(src).filter((name) =>
      /^(permit|key-ring|public-key|signature|signer|params|canonical|digest|base64url|strict)/.test(name),
    )
    expect(mine.filter((name) => /from 'node:/.test(readFileSync(new URL(name, src), 'utf8')))).toEqual([])
  })
})
