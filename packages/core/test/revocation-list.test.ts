import { beforeAll, describe, expect, it } from 'vitest'
import { encodeBase64url } from '../src/base64url.js'
import { canonicalJson } from '../src/canonical-json.js'
import { type KeyRing, keyRing } from '../src/key-ring.js'
import type { Revocable } from '../src/permit.js'
import type { StoredRevocations } from '../src/permit-trace.js'
import {
  MAX_LIST_LENGTH,
  MAX_LISTED_PERMITS,
  type RevocationClaims,
  readRevocationList,
  revocationClaims,
  signRevocationList,
} from '../src/revocation-list.js'
import { generateSigningKey, privateKeySigner, type Signer } from '../src/signer.js'

const NOW = 1_773_662_400_000
const IAT = NOW / 1000
const ISSUER = 'https://gate.example.com'
const PROJECT = 'prj_test'

let signer: Signer
let permitSigner: Signer
let keys: KeyRing
beforeAll(async () => {
  signer = await privateKeySigner(await generateSigningKey('EdDSA'))
  permitSigner = await privateKeySigner(await generateSigningKey('EdDSA'))
  keys = keyRing([signer.publicJwk])
})

const claims = (changes: object = {}): RevocationClaims => ({
  iss: ISSUER,
  project_id: PROJECT,
  iat: IAT,
  exp: IAT + 120,
  ver: 1,
  number: NOW,
  jtis: ['pmt_1', 'pmt_2'],
  kids: ['a-stolen-key'],
  agents: ['agt_1'],
  keys: ['key_1'],
  intents: ['int_1'],
  ...changes,
})
const read = (list: unknown, changes: object = {}) =>
  readRevocationList(list, { keys, issuer: ISSUER, projectId: PROJECT, now: () => NOW, ...changes })
const aPermit = (changes: Partial<Revocable> = {}): Revocable => ({
  jti: 'pmt_9',
  kid: 'good',
  sub: 'key:key_9',
  intentId: 'int_9',
  declaredBy: 'key:key_9',
  ...changes,
})
/** Whatever is asked for, signed: what no gate would sign. */
async function forged(payload: unknown, { by = signer, header = {} }: { by?: Signer; header?: object } = {}) {
  const segment = (value: unknown) =>
    encodeBase64url(new TextEncoder().encode(typeof value === 'string' ? value : canonicalJson(value as object)))
  const input = `${segment({ alg: by.alg, kid: by.kid, typ: 'permit-revocations+jwt', ...header })}.${segment(payload)}`
  return `${input}.${encodeBase64url(await by.sign(new TextEncoder().encode(input)))}`
}

describe('a list', () => {
  it('says when it was made, and for how long it is good', async () => {
    const list = await read(await signRevocationList(claims(), signer))
    expect(list).toMatchObject({ number: NOW, issuedAt: NOW, expiresAt: NOW + 120_000 })
  })

  it.each<[string, Partial<Revocable>]>([
    ['permit', { jti: 'pmt_2' }],
    ['signing key', { kid: 'a-stolen-key' }],
    ['bound agent', { sub: 'agent:agt_1' }],
    ['declaring agent', { declaredBy: 'agent:agt_1' }],
    ['project key', { sub: 'key:key_1', declaredBy: 'key:key_1' }],
    ['intent', { intentId: 'int_1' }],
  ])('revokes by %s', async (_, changes) => {
    const list = await read(await signRevocationList(claims(), signer))
    expect([list.isRevoked(aPermit(changes)), list.isRevoked(aPermit())]).toEqual([true, false])
  })

  it.each<[string, object, object?]>([
    ['of another issuer', { iss: 'https://evil.example.com' }],
    ['of another project', { project_id: 'prj_other' }],
    ['that is over', { iat: IAT - 125, exp: IAT - 5 }],
    ['that begins later', { iat: IAT + 6, exp: IAT + 60 }],
  ])('%s is refused', async (_, changes) => {
    const list = await signRevocationList(claims(changes), signer)
    await expect(read(list)).rejects.toMatchObject({ code: 'GATE_UNAVAILABLE' })
  })

  it('is good to the last millisecond of its time and skew, and not a millisecond longer', async () => {
    const list = await signRevocationList(claims(), signer)
    await expect(read(list, { now: () => NOW + 124_999 })).resolves.toBeDefined()
    await expect(read(list, { now: () => NOW + 125_000 })).rejects.toMatchObject({ code: 'GATE_UNAVAILABLE' })
  })

  it.each<[string, () => Promise<unknown> | unknown]>([
    ['signed by the permit key', () => signRevocationList(claims(), permitSigner)],
    [
      'signed by the permit key under the kid of the list key',
      () => forged(claims(), { by: { ...permitSigner, kid: signer.kid } }),
    ],
    ['of type permit', () => forged(claims(), { header: { typ: 'permit+jwt' } })],
    ['without a type', () => forged(claims(), { header: { typ: 'JWT' } })],
    ['with another algorithm', () => forged(claims(), { header: { alg: 'none' } })],
    ['that names its own key', () => forged(claims(), { header: { jwk: signer.publicJwk } })],
    ['good for longer than two minutes', () => forged(claims({ exp: IAT + 121 }))],
    ['without an end', () => forged({ ...claims(), exp: null })],
    ['with a member that is not known', () => forged({ ...claims(), more: [] })],
    ['without one of its lists', () => forged({ ...claims(), keys: null })],
    ['with ids in no order', () => forged(claims({ jtis: ['pmt_2', 'pmt_1'] }))],
    ['with an id twice', () => forged(claims({ jtis: ['pmt_1', 'pmt_1'] }))],
    ['with ids of another kind', () => forged(claims({ agents: ['key_1'] }))],
    ['without a number', () => forged(claims({ number: 0 }))],
    ['that is not canonical', () => forged(JSON.stringify(claims(), null, 1))],
    ['with a member twice', () => forged(canonicalJson(claims()).replace('"exp"', '"exp":1,"exp"'))],
    ['whose signature was cut', async () => (await signRevocationList(claims(), signer)).slice(0, -8)],
    ['that was cut in the payload', async () => (await signRevocationList(claims(), signer)).slice(0, 120)],
    [
      'with another payload',
      async () => {
        const [one, other] = await Promise.all(
          [claims(), claims({ jtis: [] })].map((of) => signRevocationList(of, signer)),
        )
        const [header, , signature] = (one as string).split('.')
        return [header, (other as string).split('.')[1], signature].join('.')
      },
    ],
    ['that is too long', () => 'a'.repeat(MAX_LIST_LENGTH + 1)],
    ['of four segments', async () => `${await signRevocationList(claims(), signer)}.x`],
    ['that is nothing', () => undefined],
    ['that is a page of a proxy', () => '<html>'],
  ])('%s is refused', async (_, make) => {
    await expect(read(await make())).rejects.toMatchObject({ code: 'GATE_UNAVAILABLE' })
  })
})

describe('what a gate signs', () => {
  const about = { issuer: ISSUER, projectId: PROJECT, kids: ['b', 'a'], number: NOW, now: NOW } as const
  const permit = (number: number, changes: object = {}): StoredRevocations['permits'][number] => ({
    id: `pmt_${String(number).padStart(26, '0')}`,
    intentId: `int_${number}`,
    withdrawn: false,
    expiresAt: NOW + 1,
    ...changes,
  })

  it('names everything once, in order, and the intents that were withdrawn', () => {
    const stored: StoredRevocations = {
      permits: [
        permit(2, { withdrawn: true, intentId: 'int_1' }),
        permit(1, { withdrawn: true, intentId: 'int_1' }),
        permit(3),
      ],
      agents: ['agt_2', 'agt_1'],
      keys: [],
    }
    expect(revocationClaims(stored, about)).toEqual({
      iss: ISSUER,
      project_id: PROJECT,
      iat: IAT,
      exp: IAT + 120,
      ver: 1,
      number: NOW,
      jtis: [1, 2, 3].map((number) => permit(number).id),
      kids: ['a', 'b'],
      agents: ['agt_1', 'agt_2'],
      keys: [],
      intents: ['int_1'],
    })
  })

  it('leaves out only what has expired when it is full, and fits', async () => {
    const live = Array.from({ length: MAX_LISTED_PERMITS }, (_, index) => permit(index, { withdrawn: true }))
    const stored = { permits: [...live, permit(MAX_LISTED_PERMITS, { expiresAt: NOW })], agents: [], keys: [] }
    const made = revocationClaims(stored, about)
    expect(made.jtis).toHaveLength(MAX_LISTED_PERMITS)
    await expect(signRevocationList(made, signer)).resolves.toBeDefined()
  })

  it('is nothing at all when a live permit would be left out', () => {
    const permits = Array.from({ length: MAX_LISTED_PERMITS + 1 }, (_, index) => permit(index))
    expect(() => revocationClaims({ permits, agents: [], keys: [] }, about)).toThrow(/GATE_UNAVAILABLE/)
  })
})
