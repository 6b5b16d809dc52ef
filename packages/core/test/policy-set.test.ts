import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileGlob } from '../src/glob.js'
import type { Policy } from '../src/policy.js'
import { evaluate, policySet, type Subject } from '../src/policy-set.js'
import { type EffectiveTier, effectiveTier, type RiskTier } from '../src/risk.js'
import { refusalOf } from './refusal-of.js'

const closed = {
  type: 'object',
  properties: { amount: { type: 'number', minimum: 0, maximum: 100 } },
  required: ['amount'],
  additionalProperties: false,
}

function aPolicy(change: Partial<Policy> = {}): Policy {
  return {
    id: 'pol_a',
    version: 1,
    createdAt: 1_000,
    name: 'a policy',
    enabled: true,
    mode: 'enforce',
    priority: 0,
    match: {},
    decision: 'require_approval',
    ...change,
  }
}
const approving = (change: Partial<Policy> = {}) =>
  aPolicy({ id: 'pol_yes', decision: 'auto_approve', anyParams: true, ...change })
const asking = (change: Partial<Policy> = {}) => aPolicy({ id: 'pol_ask', priority: 10, ...change })

/** A bound key that claims nothing beyond its source. */
function aSubject({ claimed, ...change }: Partial<Subject> & { claimed?: RiskTier } = {}): Subject {
  return {
    action: 'issue_refund',
    params: { amount: 50 },
    sourceType: 'ai_agent',
    source: 'refund-agent',
    sourceIsBound: true,
    risk: effectiveTier({ action: 'issue_refund', claimed }),
    environment: 'production',
    reenters: false,
    idempotent: false,
    ...change,
  }
}

const judge = (policies: readonly Policy[], subject: Subject = aSubject()) => evaluate(policySet(policies), subject)
const verdictOf = (policies: readonly Policy[], subject?: Subject) => judge(policies, subject).verdict
const winnerOf = (policies: readonly Policy[], subject?: Subject) => judge(policies, subject).policy?.id

describe('which policy matches', () => {
  it('is none without policies: a person decides', () => {
    expect(judge([])).toEqual({
      verdict: 'require_approval',
      policy: undefined,
      code: undefined,
      shadow: [],
      withheld: [],
    })
  })

  it.each([
    ['everything', {}, {}, true],
    ['the action', { actionPattern: 'issue_refund' }, {}, true],
    ['another action', { actionPattern: 'issue_refunds' }, {}, false],
    ['a pattern of actions', { actionPattern: 'issue_*' }, {}, true],
    ['a pattern with an open beginning', { actionPattern: '*_refund' }, {}, true],
    ['any source type', { sourceType: 'any' }, {}, true],
    ['the source type', { sourceType: 'ai_agent' }, {}, true],
    ['another source type', { sourceType: 'devops' }, {}, false],
    ['any tier', { riskTier: 'any' }, {}, true],
    ['the tier', { riskTier: 'medium' }, {}, true],
    ['a lower tier', { riskTier: 'low' }, {}, false],
    ['a higher tier', { riskTier: 'high' }, {}, false],
    ['the source', { source: 'refund-agent' }, {}, true],
    ['a pattern of sources', { source: 'refund-*' }, {}, true],
    ['another source', { source: 'deploy-*' }, {}, false],
    ['a source where there is none', { source: 'refund-*' }, { source: undefined }, false],
    ['every source where there is none', { source: '*' }, { source: undefined }, true],
    ['the environment', { environment: 'production' }, {}, true],
    ['another environment', { environment: 'staging' }, {}, false],
    ['an environment, literally', { environment: 'prod*' }, {}, false],
    ['an environment where the key has none', { environment: 'production' }, { environment: undefined }, false],
    ['the params', { paramsSchema: { properties: { amount: { minimum: 50 } } } }, {}, true],
    ['other params', { paramsSchema: { properties: { amount: { minimum: 51 } } } }, {}, false],
    [
      'params of another type',
      { paramsSchema: { properties: { amount: { minimum: 51 } } } },
      { params: { amount: '9' } },
      true,
    ],
    ['all but one', { actionPattern: 'issue_*', source: 'refund-*', environment: 'staging' }, {}, false],
  ] as const)('%s: %j', (_, match, change, expected) => {
    expect(winnerOf([aPolicy({ match })], aSubject(change))).toBe(expected ? 'pol_a' : undefined)
  })

  it.each([
    ['the higher priority', { priority: 1 }, { priority: 2 }, 'pol_2'],
    ['the older of equal ones', { createdAt: 2_000 }, { createdAt: 1_999 }, 'pol_2'],
    ['the smaller id of equal ages', {}, {}, 'pol_1'],
    ['a higher priority, however old', { priority: 1, createdAt: 1 }, { priority: 2, createdAt: 9 }, 'pol_2'],
    ['the exact action, only by priority', { match: { actionPattern: 'issue_refund' } }, { priority: 1 }, 'pol_2'],
    ['an enabled one', { enabled: false, priority: 9 }, {}, 'pol_2'],
    ['one that matches', { priority: 9, match: { environment: 'staging' } }, {}, 'pol_2'],
  ] as const)('is %s', (_, one, other, expected) => {
    const policies = [aPolicy({ id: 'pol_1', ...one }), aPolicy({ id: 'pol_2', ...other })]
    expect([winnerOf(policies), winnerOf(policies.toReversed())]).toEqual([expected, expected])
  })

  it('is the one that a search through all of them finds', () => {
    const action = fc.string({ unit: fc.constantFrom('a', 'b', '_'), maxLength: 4 }).map((rest) => `a${rest}`)
    const pattern = fc.option(
      fc.string({ unit: fc.constantFrom('a', 'b', '_', '*', '?'), minLength: 1, maxLength: 4 }),
      { nil: undefined },
    )
    const policies = fc.array(
      fc.record({ actionPattern: pattern, source: pattern, priority: fc.integer({ min: 0, max: 5 }) }),
      { maxLength: 30 },
    )
    fc.assert(
      fc.property(policies, action, action, (drafts, name, source) => {
        const all = drafts.map(({ priority, ...match }, index) =>
          aPolicy({ id: `pol_${index}`, priority, createdAt: index, match }),
        )
        const expected = all
          .filter(({ match }) => compileGlob(match.actionPattern ?? '*').matches(name))
          .filter(({ match }) => compileGlob(match.source ?? '*').matches(source))
          .sort((one, other) => other.priority - one.priority || one.createdAt - other.createdAt)[0]
        expect(winnerOf(all, aSubject({ action: name, source }))).toBe(expected?.id)
      }),
      { numRuns: 1000 },
    )
  })

  it('counts the policies that are enabled', () => {
    expect(policySet([aPolicy(), aPolicy({ enabled: false })]).size).toBe(1)
  })

  it('does not judge by a schema that no parser has seen', () => {
    const set = policySet([aPolicy({ match: { paramsSchema: { pattern: 'x' } } })])
    expect(refusalOf(() => evaluate(set, aSubject()))?.code).toBe('INVALID_FIELD')
  })
})

describe('the verdict', () => {
  it.each(['auto_approve', 'auto_deny', 'require_approval'] as const)('is %s, as the policy says', (decision) => {
    expect(judge([aPolicy({ decision, match: { paramsSchema: closed } })])).toMatchObject({
      verdict: decision,
      policy: { id: 'pol_a' },
      code: undefined,
    })
  })

  it.each([
    ['within the schema', { amount: 100 }, 'auto_approve'],
    ['above it', { amount: 101 }, 'require_approval'],
    ['as a text', { amount: '50' }, 'require_approval'],
    ['with a member more', { amount: 50, to: 'x' }, 'require_approval'],
  ] as const)('of a closed schema, %s', (_, params, expected) => {
    expect(verdictOf([approving({ anyParams: false, match: { paramsSchema: closed } })], aSubject({ params }))).toBe(
      expected,
    )
  })

  it.each([
    ['reenters', { reenters: true }, undefined, 'require_approval'],
    ['idempotent', { idempotent: true }, [], 'require_approval'],
    ['reenters, allowed', { reenters: true }, ['reenters'], 'auto_approve'],
    ['idempotent, where the other is allowed', { idempotent: true }, ['reenters'], 'require_approval'],
    ['both, one allowed', { reenters: true, idempotent: true }, ['idempotent'], 'require_approval'],
    ['both, allowed', { reenters: true, idempotent: true }, ['idempotent', 'reenters'], 'auto_approve'],
  ] as const)('I14: an intent that is %s', (_, flags, allow, expected) => {
    expect(verdictOf([approving({ allow })], aSubject(flags))).toBe(expected)
  })

  it('I14: a person decides under the policy that would have approved, not the next one', () => {
    const policies = [approving({ id: 'pol_1', priority: 1 }), approving({ id: 'pol_2', allow: ['reenters'] })]
    expect(judge(policies, aSubject({ reenters: true }))).toMatchObject({
      verdict: 'require_approval',
      policy: { id: 'pol_1' },
      withheld: [{ policy: 'pol_1@1', because: 'allow' }],
    })
  })

  it.each(['auto_deny', 'require_approval'] as const)('%s needs no permission for reentry', (decision) => {
    expect(verdictOf([aPolicy({ decision })], aSubject({ reenters: true, idempotent: true }))).toBe(decision)
  })
})

describe('time restrictions', () => {
  const saturday = Date.parse('2026-01-10T12:00:00Z')
  const monday = Date.parse('2026-01-12T12:00:00Z')
  const restricted = { timeRestrictions: { blockWeekends: true } }

  it.each([
    ['auto_approve on Monday', approving(restricted), { now: monday }, 'auto_approve', undefined],
    ['auto_approve on Saturday', approving(restricted), { now: saturday }, 'auto_deny', 'TIME_RESTRICTED'],
    ['require_approval on Saturday', asking(restricted), { now: saturday }, 'auto_deny', 'TIME_RESTRICTED'],
    ['auto_deny on Monday', asking({ ...restricted, decision: 'auto_deny' }), { now: monday }, 'auto_deny', undefined],
    ['no clock', asking(restricted), {}, 'require_approval', undefined],
    [
      'the zone of the project',
      asking(restricted),
      { now: Date.parse('2026-01-09T23:30:00Z'), projectZone: 'Europe/Berlin' },
      'auto_deny',
      'TIME_RESTRICTED',
    ],
  ] as const)('%s', (_, policy, change, verdict, code) => {
    expect(judge([policy], aSubject(change))).toMatchObject({ verdict, code, policy: { id: policy.id } })
  })

  it('belong to the policy that matched, not to those behind it', () => {
    expect(verdictOf([asking(), approving(restricted)], aSubject({ now: saturday }))).toBe('require_approval')
  })
})

describe('I14: what auto_approve believes', () => {
  const unbound = { sourceIsBound: false }
  const namedLow: EffectiveTier = effectiveTier({
    action: 'issue_refund',
    claimed: 'low',
    actionTiers: { 'issue_*': 'low' },
  })

  it.each([
    ['a claimed low is medium', { match: { riskTier: 'low' } }, { claimed: 'low' }, false],
    ['and matches medium', { match: { riskTier: 'medium' } }, { claimed: 'low' }, true],
    ['a claimed low, trusted', { match: { riskTier: 'low' }, trustClaims: ['risk_tier'] }, { claimed: 'low' }, true],
    [
      'trust in the source is none in the tier',
      { match: { riskTier: 'low' }, trustClaims: ['source'] },
      { claimed: 'low' },
      false,
    ],
    ['a low that action_tiers names', { match: { riskTier: 'low' } }, { risk: namedLow }, true],
    ['a claimed high', { match: { riskTier: 'high' } }, { claimed: 'high' }, false],
    ['a claimed high, trusted', { match: { riskTier: 'high' }, trustClaims: ['risk_tier'] }, { claimed: 'high' }, true],
    ['medium, where high is claimed', { match: { riskTier: 'medium' } }, { claimed: 'high' }, false],
    ['any tier, where critical is claimed', { match: {} }, { claimed: 'critical' }, true],
    ['a source of a bound key', { match: { source: 'refund-*' } }, {}, true],
    ['a source that is only claimed', { match: { source: 'refund-*' } }, unbound, false],
    [
      'a source that is only claimed, trusted',
      { match: { source: 'refund-*' }, trustClaims: ['source'] },
      unbound,
      true,
    ],
    [
      'trust in the tier is none in the source',
      { match: { source: 'refund-*' }, trustClaims: ['risk_tier'] },
      unbound,
      false,
    ],
    ['any source, of an unbound key', { match: {} }, unbound, true],
    [
      'a source type that is only claimed',
      { match: { sourceType: 'devops' } },
      { ...unbound, sourceType: 'devops' },
      false,
    ],
    ['a source type of a bound key', { match: { sourceType: 'devops' } }, { sourceType: 'devops' }, true],
    [
      'a source type that is only claimed, trusted',
      { match: { sourceType: 'devops' }, trustClaims: ['source'] },
      { ...unbound, sourceType: 'devops' },
      true,
    ],
    ['ai_agent, the strictest claim', { match: { sourceType: 'ai_agent' } }, unbound, true],
    [
      'ai_agent, where devops is claimed',
      { match: { sourceType: 'ai_agent' } },
      { ...unbound, sourceType: 'devops' },
      false,
    ],
  ] as const)('%s', (_, change, subject, approved) => {
    expect(verdictOf([approving(change)], aSubject(subject))).toBe(approved ? 'auto_approve' : 'require_approval')
  })

  it.each([
    ['medium, by claiming low', { riskTier: 'medium' }, { claimed: 'low' }],
    ['medium, by claiming high', { riskTier: 'medium' }, { claimed: 'high' }],
    ['ai_agent, by claiming devops', { sourceType: 'ai_agent' }, { ...unbound, sourceType: 'devops' }],
  ] as const)('no claim leads past a stricter policy for %s', (_, match, subject) => {
    expect(judge([asking({ match }), approving()], aSubject(subject))).toMatchObject({
      verdict: 'require_approval',
      policy: { id: 'pol_ask' },
      withheld: [{ policy: 'pol_yes@1', because: 'trust_claims' }],
    })
  })

  it.each([
    ['the tier is trusted', { riskTier: 'medium' }, { trustClaims: ['risk_tier'] }, { claimed: 'low' }],
    [
      'the source is trusted',
      { sourceType: 'ai_agent' },
      { trustClaims: ['source'] },
      { ...unbound, sourceType: 'devops' },
    ],
    ['the key is bound', { sourceType: 'ai_agent' }, {}, { sourceType: 'devops' }],
    ['action_tiers names the action', { riskTier: 'medium' }, {}, { risk: namedLow }],
    [
      'the stricter policy is for other params',
      { riskTier: 'medium', paramsSchema: { properties: { amount: { minimum: 51 } } } },
      {},
      { claimed: 'low' },
    ],
    ['the stricter policy is for another tier', { riskTier: 'critical' }, {}, { claimed: 'low' }],
  ] as const)('but past it when %s', (_, match, change, subject) => {
    expect(verdictOf([asking({ match }), approving(change)], aSubject(subject))).toBe('auto_approve')
  })

  it('a stricter policy behind the approving one is not asked', () => {
    const policies = [asking({ priority: -1, match: { riskTier: 'medium' } }), approving()]
    expect(verdictOf(policies, aSubject({ claimed: 'low' }))).toBe('auto_approve')
  })

  it('a stricter policy in shadow mode holds nobody up', () => {
    const policies = [asking({ mode: 'shadow', match: { riskTier: 'medium' } }), approving()]
    expect(verdictOf(policies, aSubject({ claimed: 'low' }))).toBe('auto_approve')
  })

  it('stricter policies believe every claim', () => {
    const deny = aPolicy({ decision: 'auto_deny', match: { source: 'refund-*', riskTier: 'critical' } })
    expect(verdictOf([deny], aSubject({ ...unbound, claimed: 'critical' }))).toBe('auto_deny')
  })

  it('says which approval needed trust', () => {
    const { verdict, withheld } = judge([approving({ match: { riskTier: 'low' } })], aSubject({ claimed: 'low' }))
    expect([verdict, withheld]).toEqual(['require_approval', [{ policy: 'pol_yes@1', because: 'trust_claims' }]])
  })
})

describe('shadow mode', () => {
  it('is recorded and not enforced', () => {
    const shadow = aPolicy({ id: 'pol_shadow', version: 3, mode: 'shadow', priority: 9, decision: 'auto_deny' })
    expect(judge([shadow, approving()])).toMatchObject({
      verdict: 'auto_approve',
      policy: { id: 'pol_yes' },
      shadow: [{ policy: 'pol_shadow@3', verdict: 'auto_deny' }],
    })
  })

  it.each([
    ['behind the policy that matched', { priority: -1 }],
    ['that does not match', { priority: 9, match: { environment: 'staging' } }],
    ['that is disabled', { priority: 9, enabled: false }],
  ] as const)('leaves out one %s', (_, change) => {
    expect(judge([aPolicy({ mode: 'shadow', ...change }), approving()]).shadow).toEqual([])
  })

  it('is recorded where nothing is enforced', () => {
    expect(judge([approving({ mode: 'shadow' })])).toMatchObject({
      verdict: 'require_approval',
      policy: undefined,
      shadow: [{ policy: 'pol_yes@1', verdict: 'auto_approve' }],
    })
  })

  it('keeps to a bounded number', () => {
    const policies = Array.from({ length: 50 }, (_, index) => aPolicy({ id: `pol_${index}`, mode: 'shadow' }))
    expect(judge(policies).shadow).toHaveLength(20)
  })
})
