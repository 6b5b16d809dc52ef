import { readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { asciiOfBase64url } from '../src/base64url.js'
import { canonicalJson } from '../src/canonical-json.js'
import { checkApprovals } from '../src/permit-checks.js'
import { checkShape, type PermitClaims } from '../src/permit-claims.js'
import { ordinaryClaims } from '../src/permit-grammar.js'
import { readSegment } from '../src/permit-segment.js'

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31)
const iat = 1_800_000_000
const hash = 'A'.repeat(43)

function aPermit(change: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    iss: 'https://gate.example.com',
    aud: 'urn:silentauth:prj_1:issue_refund',
    sub: 'agent:agt_1',
    jti: 'pmt_1',
    iat,
    exp: iat + 300,
    use_until: iat + 3600,
    ver: 1,
    intent_id: 'int_1',
    project_id: 'prj_1',
    action: 'issue_refund',
    params_digest: `sha-256:${hash}`,
    risk_tier: 'high',
    decision: { kind: 'human', policy: 'pol_1@7', quorum: 2 },
    approvals: [
      { at: iat - 60, by: 'user:usr_1', ref: hash, via: 'session' },
      { at: iat - 30, by: 'user:usr_2', ref: hash, via: 'webauthn' },
    ],
    uses: 1,
    declared_by: 'agent:agt_1',
    approved_by: ['ada@example.com', 'bob@example.com'],
    context_digest: `sha-256:${hash}`,
    ...change,
  }
}
const automatic = (): Record<string, unknown> => {
  const {
    approved_by: _,
    context_digest: __,
    ...claims
  } = aPermit({ approvals: [], decision: { kind: 'policy', policy: 'pol_1@1', quorum: 0 } })
  return claims
}

/** What the careful way makes of the same text; undefined when it refuses its bytes or the shape of any claim. */
function carefully(text: string): unknown {
  try {
    const claims = readSegment(Buffer.from(text).toString('base64url'), 'payload')
    checkShape(claims, 'v1')
    const shapes = claims as unknown as PermitClaims
    // Who approved is judged later, for both ways alike: here only the shape of each approval counts.
    for (const [index, approval] of shapes.approvals.entries()) {
      const one = {
        ...shapes,
        approvals: [approval],
        approved_by: [shapes.approved_by?.[index] ?? 'a'],
        sub: '',
        declared_by: '',
      }
      const decision = { kind: 'human', policy: null, quorum: 1 } as const
      checkApprovals(
        { claims: { ...one, decision } as unknown as PermitClaims, ordinary: false },
        { requireHuman: false, allowedVia: undefined, set: 'v1' },
      )
    }
    return claims
  } catch {
    return undefined
  }
}

describe('ordinaryClaims', () => {
  it.each<[string, Record<string, unknown>]>([
    ['people approved', aPermit()],
    ['a policy approved', automatic()],
    ['no policy matched', aPermit({ decision: { kind: 'human', policy: null, quorum: 1 } })],
    ['a log entry is named', aPermit({ audit: { leaf: hash, log: 'gate.example.com/audit/prj_1' } })],
    ['a key declared', aPermit({ declared_by: 'key:key_1' })],
  ])('reads a permit where %s', (_, claims) => {
    expect(ordinaryClaims(canonicalJson(claims))).toEqual(claims)
  })

  // Left to the careful way, which takes some of them.
  it.each<[string, string]>([
    ['rare claims', canonicalJson(aPermit({ nbf: iat }))],
    ['letters beyond ASCII', canonicalJson(aPermit({ approved_by: ['Bo\u00eb', 'Ada'] }))],
    ['escapes', canonicalJson(aPermit({ approved_by: ['"Ada"', 'Bob'] }))],
    ['an unknown claim', canonicalJson(aPermit({ zz: 1 }))],
    ['a missing claim', canonicalJson(aPermit()).replace('"sub":"agent:agt_1",', '')],
    ['an empty text', canonicalJson(aPermit({ sub: '' }))],
    ['labels without context_digest', canonicalJson(aPermit()).replace(/"context_digest":"[^"]*",/, '')],
    ['context_digest of another length', canonicalJson(aPermit({ context_digest: `sha-256:${hash}AAAA` }))],
    [
      'a policy decision with labels',
      canonicalJson(aPermit({ decision: { kind: 'policy', policy: 'pol_1@1', quorum: 0 } })),
    ],
    [
      'a policy decision without policy',
      canonicalJson({ ...automatic(), decision: { kind: 'policy', policy: null, quorum: 0 } }),
    ],
    [
      'a policy decision with a quorum',
      canonicalJson({ ...automatic(), decision: { kind: 'policy', policy: 'pol_1@1', quorum: 1 } }),
    ],
    ['a quorum of 0', canonicalJson(aPermit({ decision: { kind: 'human', policy: null, quorum: 0 } }))],
    ['a number of twelve digits', canonicalJson(aPermit({ exp: 100_000_000_000 }))],
    ['a number beyond all doubles', canonicalJson(aPermit()).replace('1800000300', '9'.repeat(400))],
    ['a number with a leading zero', canonicalJson(aPermit()).replace('1800000300', '01800000300')],
    ['a comma after the last approval', canonicalJson(aPermit()).replace('}],"approved_by"', '},],"approved_by"')],
    ['an approval with a longer reference', canonicalJson(aPermit()).replace(`"ref":"${hash}"`, `"ref":"${hash}AAAA"`)],
    ['a line feed at the end', `${canonicalJson(aPermit())}\n`],
    ['a byte order mark', `\ufeff${canonicalJson(aPermit())}`],
  ])('leaves %s', (_, text) => {
    expect(ordinaryClaims(text)).toBeUndefined()
  })
})

/** Texts of letters from one range of Unicode. */
const written = (min: number, max: number, maxLength: number) =>
  fc.array(fc.integer({ min, max }), { maxLength }).map((points) => String.fromCodePoint(...points))

describe('the grammar and the careful way', () => {
  const { cases } = JSON.parse(
    readFileSync(new URL('../../../test/vectors/permits.json', import.meta.url), 'utf8'),
  ) as {
    cases: { token: string }[]
  }
  const payloads = [...new Set(cases.map(({ token }) => token.split('.')[1] ?? ''))]
    .map((segment) => asciiOfBase64url(segment))
    .filter((text) => text !== undefined)

  it('agree on every payload of the vectors', () => {
    const read = payloads.filter((text) => ordinaryClaims(text) !== undefined)
    expect(read.length).toBeGreaterThan(20)
    for (const text of read) expect(ordinaryClaims(text)).toEqual(carefully(text))
  })

  const texts = [
    canonicalJson(aPermit()),
    canonicalJson(automatic()),
    canonicalJson(
      aPermit({
        audit: { leaf: hash, log: 'gate.example.com/audit/prj_1' },
        decision: { kind: 'human', policy: null, quorum: 1 },
      }),
    ),
  ]

  it(`agree on whatever a changed permit says (seed ${seed})`, () => {
    let read = 0
    const piece = fc.oneof(
      fc.string({ maxLength: 3 }),
      fc.constantFrom(
        '"',
        '\\',
        ',',
        '}',
        ']',
        '0',
        '1e3',
        '-',
        '.',
        ' ',
        '\n',
        '\u0000',
        '":"',
        '","',
        '\\u0041',
        'null',
      ),
    )
    fc.assert(
      fc.property(fc.constantFrom(...texts), fc.nat(), fc.nat(3), piece, (text, at, cut, more) => {
        const start = at % text.length
        const changed = text.slice(0, start) + more + text.slice(start + cut)
        const claims = ordinaryClaims(changed)
        if (claims === undefined) return true
        read++
        return isDeepStrictEqual(claims, carefully(changed))
      }),
      { seed, numRuns: 4000 },
    )
    expect(read).toBeGreaterThan(50)
  })

  it(`agree on permits of any texts and numbers (seed ${seed})`, () => {
    let read = 0
    const text = fc.oneof(written(32, 126, 12), written(0, 0xd7ff, 6), written(0xe000, 0x10ffff, 3))
    const number = fc.oneof(
      fc.integer({ min: 1, max: 99_999_999_999 }),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.integer(),
    )
    const claims = {
      iss: text,
      aud: text,
      sub: text,
      action: text,
      params_digest: text,
      project_id: text,
      approved_by: fc.array(text, { maxLength: 3 }),
      iat: number,
      exp: number,
      use_until: number,
      decision: fc.record({
        kind: fc.constantFrom('human', 'policy'),
        policy: fc.constantFrom(null, 'pol_1@1', 'pol_1@01', 'pol_1'),
        quorum: fc.constantFrom(0, 1, 2, 1.5, -1, 2 ** 53),
      }),
      jti: fc.constantFrom('pmt_', 'pmt_a.b', 'pmt_A-z_9', 'int_1'),
    }
    const change = fc
      .tuple(fc.record(claims), fc.subarray(Object.keys(claims), { maxLength: 2 }))
      .map(([all, names]) => Object.fromEntries(Object.entries(all).filter(([name]) => names.includes(name))))
    fc.assert(
      fc.property(change, (changes) => {
        const said = canonicalJson(aPermit(changes))
        const found = ordinaryClaims(said)
        if (found === undefined) return true
        read++
        return isDeepStrictEqual(found, carefully(said))
      }),
      { seed, numRuns: 1000 },
    )
    expect(read).toBeGreaterThan(10)
  })
})
