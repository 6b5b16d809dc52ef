import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { decodeBase64url } from '../src/base64url.js'
import { isSilentAuthError, SilentAuthError } from '../src/errors.js'
import type { Via } from '../src/intent.js'
import { type HmacKeyRing, type KeyRing, keyRing, secretRing } from '../src/key-ring.js'
import { verifyPermitSync } from '../src/node.js'
import { verifyPermit } from '../src/permit.js'
import type { RiskTier } from '../src/risk.js'

interface VectorOptions {
  issuer: string
  project_id: string
  audience: string
  action: string
  params: unknown
  now: number
  subject?: string
  skew_seconds?: number
  max_lifetime_seconds?: number
  require_human?: boolean
  require_proof?: boolean
  allowed_via?: Via[] | Partial<Record<RiskTier, Via[]>>
  proof?: 'good' | 'bad'
  revoked?: boolean
  profile?: 'hs256'
  unbound_params?: boolean
}
interface Vector {
  id: string
  name: string
  expect: string
  token: string
  ring: string
  token_pad?: { with: string; to: number }
  token_type?: 'object' | 'bytes'
  options?: Partial<VectorOptions>
}
const vectors = JSON.parse(readFileSync(new URL('../../../test/vectors/permits.json', import.meta.url), 'utf8')) as {
  options: VectorOptions
  rings: Record<string, { keys: Record<string, string>[] }>
  cases: Vector[]
}

const rings = new Map<string, KeyRing | HmacKeyRing>(
  Object.entries(vectors.rings).map(([name, { keys }]) => [
    name,
    name === 'HS256'
      ? secretRing(
          keys.map(({ kid, k }) => ({ kid: kid as string, secret: decodeBase64url(k as string) as Uint8Array })),
        )
      : keyRing(keys),
  ]),
)

const EVERY: readonly Via[] = ['session', 'webauthn', 'slack', 'teams', 'api', 'cli']

function tokenOf({ token, token_pad, token_type }: Vector): unknown {
  if (token_type === 'object') return { toString: () => token }
  if (token_type === 'bytes') return Buffer.from(token)
  return token_pad === undefined ? token : token.padEnd(token_pad.to, token_pad.with)
}

function optionsOf(vector: Vector) {
  const given: VectorOptions = { ...vectors.options, ...vector.options }
  const { allowed_via: via } = given
  return {
    keys: rings.get(vector.ring),
    issuer: given.issuer,
    projectId: given.project_id,
    audience: given.audience,
    action: given.action,
    params: given.params,
    now: () => given.now * 1000,
    ...(given.subject !== undefined && { subject: given.subject }),
    ...(given.skew_seconds !== undefined && { skewSeconds: given.skew_seconds }),
    ...(given.max_lifetime_seconds !== undefined && { maxLifetimeSeconds: given.max_lifetime_seconds }),
    ...(given.require_human !== undefined && { requireHuman: given.require_human }),
    ...(given.require_proof !== undefined && { requireProof: given.require_proof }),
    ...(given.unbound_params !== undefined && { unboundParams: given.unbound_params }),
    ...(given.profile !== undefined && { profile: given.profile }),
    ...(via !== undefined && { allowedVia: Array.isArray(via) ? via : (tier: RiskTier) => via[tier] ?? EVERY }),
    ...(given.revoked !== undefined && { isRevoked: () => given.revoked === true }),
    ...(given.proof !== undefined && {
      verifyProof: () => {
        if (given.proof === 'bad') throw new SilentAuthError('PERMIT_POP', 'the proof is of another key')
      },
    }),
    // The vectors say what a verifier written in any language is given; the types of this one are narrower.
  } as unknown as Parameters<typeof verifyPermit>[1] & Parameters<typeof verifyPermitSync>[1]
}

/** As loaded in a browser or at an edge: nothing of Node to be had. */
let elsewhere: typeof import('../src/permit.js')
beforeAll(async () => {
  const { Buffer } = globalThis
  const builtin = vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined as never)
  vi.resetModules()
  globalThis.Buffer = undefined as never
  try {
    elsewhere = await import('../src/permit.js')
  } finally {
    globalThis.Buffer = Buffer
    builtin.mockRestore()
  }
})

/** `ok`, the code, or what else was thrown. */
async function answerOf(verify: () => unknown): Promise<string> {
  try {
    await verify()
    return 'ok'
  } catch (error) {
    return isSilentAuthError(error) ? error.code : String(error)
  }
}

describe('permit vectors', () => {
  it('hold all attacks for each algorithm', () => {
    for (const alg of ['RS256', 'ES256', 'EdDSA']) {
      expect(vectors.cases.filter(({ id }) => new RegExp(`^${alg}-\\d+$`).test(id))).toHaveLength(108)
    }
  })

  it('are also answered by a copy that was loaded without anything of Node', () => {
    expect(elsewhere.verifyPermit).not.toBe(verifyPermit)
  })

  it('name each case once', () => {
    expect(new Set(vectors.cases.map(({ id }) => id)).size).toBe(vectors.cases.length)
  })
})

describe.each(Object.keys(vectors.rings))('%s', (alg) => {
  it.each(vectors.cases.filter(({ id }) => id.startsWith(`${alg}-`)).map((vector) => [vector.id, vector.name, vector]))(
    '%s: %s',
    async (_id, _name, vector) => {
      const token = tokenOf(vector) as string
      const options = optionsOf(vector)
      const answers = {
        verifyPermit: await answerOf(() => verifyPermit(token, options)),
        verifyPermitSync: await answerOf(() => verifyPermitSync(token, options)),
        elsewhere: await answerOf(() => elsewhere.verifyPermit(token, options)),
      }
      expect(answers).toEqual({
        verifyPermit: vector.expect,
        verifyPermitSync: vector.expect,
        elsewhere: vector.expect,
      })
    },
  )
})
