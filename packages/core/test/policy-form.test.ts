import { describe, expect, it } from 'vitest'
import { parsePolicy, policyToWire } from '../src/policy-form.js'
import { refusalOf } from './refusal-of.js'

/** The policy of the contract, whole. */
const contract = {
  name: 'refunds over 100 need two people',
  enabled: true,
  mode: 'enforce',
  priority: 50,
  match: {
    action_pattern: 'issue_*',
    source_type: 'any',
    risk_tier: 'any',
    source: 'refund-*',
    environment: 'production',
    params_schema: {
      type: 'object',
      properties: { amount: { type: 'number', minimum: 100 } },
      required: ['amount'],
    },
  },
  decision: 'require_approval',
  approval: {
    approvers_required: 2,
    allowed_approvers: ['ops-team', 'lead@example.com'],
    all_of: [{ group: 'security', count: 1 }],
    deny_threshold: 1,
    assurance: 'session',
    typed_confirmation: false,
    editor_may_approve: false,
  },
  time_restrictions: { timezone: 'Europe/Berlin', block_weekends: true, block_hours: [0, 6] },
  trust_claims: [],
  any_params: false,
  allow: [],
  allow_via: ['cli'],
  permit: { ttl_seconds: 300, audience: 'urn:payments:prod', proof_of_possession: false },
  intent: { expires_in: 3600, execution_window: 3600, execution_deadline: 900 },
  redact: ['/customer/iban'],
}
const minimal = { name: 'all', match: {}, decision: 'require_approval' }

describe('parsePolicy', () => {
  it('reads the policy of the contract', () => {
    expect(parsePolicy(contract)).toEqual({
      name: 'refunds over 100 need two people',
      enabled: true,
      mode: 'enforce',
      priority: 50,
      match: {
        actionPattern: 'issue_*',
        sourceType: 'any',
        riskTier: 'any',
        source: 'refund-*',
        environment: 'production',
        paramsSchema: contract.match.params_schema,
      },
      decision: 'require_approval',
      approval: {
        approversRequired: 2,
        allowedApprovers: ['ops-team', 'lead@example.com'],
        allOf: [{ group: 'security', count: 1 }],
        denyThreshold: 1,
        assurance: 'session',
        typedConfirmation: false,
        editorMayApprove: false,
      },
      timeRestrictions: { timezone: 'Europe/Berlin', blockWeekends: true, blockHours: [0, 6] },
      trustClaims: [],
      anyParams: false,
      allow: [],
      allowVia: ['cli'],
      permit: { ttlSeconds: 300, audience: 'urn:payments:prod', proofOfPossession: false },
      intent: { expiresInSeconds: 3600, executionWindowSeconds: 3600, executionDeadlineSeconds: 900 },
      redact: ['/customer/iban'],
    })
  })

  it('is enabled, enforced and of priority 0 unless it says otherwise', () => {
    expect(parsePolicy(minimal)).toStrictEqual({
      name: 'all',
      enabled: true,
      mode: 'enforce',
      priority: 0,
      match: {},
      decision: 'require_approval',
    })
  })

  it.each([
    ['name', '/name'],
    ['match', '/match'],
    ['decision', '/decision'],
  ])('asks for %s', (member, field) => {
    const { [member as keyof typeof minimal]: _, ...rest } = minimal
    expect(refusalOf(() => parsePolicy(rest))).toMatchObject({ code: 'MISSING_FIELDS', field })
  })

  it.each([
    ['at the top', { ...minimal, prioritty: 5 }, '/prioritty'],
    ['in camelCase', { ...minimal, anyParams: true }, '/anyParams'],
    ['an id, which the store gives', { ...minimal, id: 'pol_1' }, '/id'],
    ['in match', { ...minimal, match: { action: 'x' } }, '/match/action'],
    ['in approval', { ...minimal, approval: { quorum: 2 } }, '/approval/quorum'],
    ['in all_of', { ...minimal, approval: { all_of: [{ group: 'a', count: 1, of: 2 }] } }, '/approval/all_of/0/of'],
    ['in time_restrictions', { ...minimal, time_restrictions: { hours: [0, 6] } }, '/time_restrictions/hours'],
    ['in permit', { ...minimal, permit: { ttl: 1 } }, '/permit/ttl'],
    ['in intent', { ...minimal, intent: { expires_in_seconds: 1 } }, '/intent/expires_in_seconds'],
    ['named __proto__', JSON.parse('{"name":"x","match":{},"decision":"auto_deny","__proto__":{}}'), '/__proto__'],
  ])('refuses an unknown member %s, by its name', (_, json, field) => {
    expect(refusalOf(() => parsePolicy(json))).toMatchObject({ code: 'INVALID_FIELD', field })
  })

  it.each([
    ['an empty name', { name: '' }, '/name'],
    ['a name with a line break', { name: 'a\nb' }, '/name'],
    ['enabled as a text', { enabled: 'true' }, '/enabled'],
    ['an unknown mode', { mode: 'log' }, '/mode'],
    ['a priority with a fraction', { priority: 1.5 }, '/priority'],
    ['a priority as a text', { priority: '5' }, '/priority'],
    ['an unknown decision', { decision: 'approve' }, '/decision'],
    ['an action that cannot be one', { match: { action_pattern: 'Issue_*' } }, '/match/action_pattern'],
    ['an empty action', { match: { action_pattern: '' } }, '/match/action_pattern'],
    ['an action that is too long', { match: { action_pattern: 'a'.repeat(129) } }, '/match/action_pattern'],
    ['an unknown source type', { match: { source_type: 'human' } }, '/match/source_type'],
    ['an unknown tier', { match: { risk_tier: 'extreme' } }, '/match/risk_tier'],
    ['a source that is too long', { match: { source: 'a'.repeat(257) } }, '/match/source'],
    ['a schema that is none', { match: { params_schema: true } }, '/match/params_schema'],
    ['a schema with another keyword', { match: { params_schema: { $ref: '#' } } }, '/match/params_schema/$ref'],
    ['no approvers', { approval: { approvers_required: 0 } }, '/approval/approvers_required'],
    ['an empty list of approvers', { approval: { allowed_approvers: [] } }, '/approval/allowed_approvers'],
    ['an approver twice', { approval: { allowed_approvers: ['a', 'a'] } }, '/approval/allowed_approvers'],
    ['an approver without a name', { approval: { allowed_approvers: [''] } }, '/approval/allowed_approvers/0'],
    [
      'a group that nobody must be of',
      { approval: { all_of: [{ group: 'a', count: 0 }] } },
      '/approval/all_of/0/count',
    ],
    [
      'a group twice',
      {
        approval: {
          all_of: [
            { group: 'a', count: 1 },
            { group: 'a', count: 2 },
          ],
        },
      },
      '/approval/all_of',
    ],
    ['a deny threshold of zero', { approval: { deny_threshold: 0 } }, '/approval/deny_threshold'],
    ['an unknown assurance', { approval: { assurance: 'email' } }, '/approval/assurance'],
    ['an unknown zone', { time_restrictions: { timezone: 'Mars/Olympus' } }, '/time_restrictions/timezone'],
    ['an offset as a zone', { time_restrictions: { timezone: '+02:00' } }, '/time_restrictions/timezone'],
    ['hours beyond the day', { time_restrictions: { block_hours: [0, 25] } }, '/time_restrictions/block_hours/1'],
    ['hours that begin at 24', { time_restrictions: { block_hours: [24, 6] } }, '/time_restrictions/block_hours'],
    [
      'hours that mean nothing or all',
      { time_restrictions: { block_hours: [6, 6] } },
      '/time_restrictions/block_hours',
    ],
    ['half hours', { time_restrictions: { block_hours: [0, 6.5] } }, '/time_restrictions/block_hours/1'],
    ['one hour', { time_restrictions: { block_hours: [6] } }, '/time_restrictions/block_hours'],
    ['an unknown claim', { trust_claims: ['environment'] }, '/trust_claims/0'],
    ['a claim twice', { trust_claims: ['source', 'source'] }, '/trust_claims'],
    ['any_params as a text', { any_params: 'yes' }, '/any_params'],
    ['an unknown permission', { allow: ['everything'] }, '/allow/0'],
    ['an unknown channel', { allow_via: ['phone'] }, '/allow_via/0'],
    ['a permit beyond an hour', { permit: { ttl_seconds: 3601 } }, '/permit/ttl_seconds'],
    ['a permit of no time', { permit: { ttl_seconds: 0 } }, '/permit/ttl_seconds'],
    ['an empty audience', { permit: { audience: '' } }, '/permit/audience'],
    ['a window beyond 30 days', { intent: { execution_window: 30 * 86_400 + 1 } }, '/intent/execution_window'],
    ['a pointer without a slash', { redact: ['customer/iban'] }, '/redact/0'],
    ['a pointer with a bare tilde', { redact: ['/a', '/a~b'] }, '/redact/1'],
    ['a pointer with a star, which would hide nothing', { redact: ['/items/*/iban'] }, '/redact/0'],
    ['a pointer behind the end of a list', { redact: ['/items/-'] }, '/redact/0'],
    ['a pointer twice', { redact: ['/a', '/a'] }, '/redact'],
    ['null in place of an absent member', { approval: null }, '/approval'],
  ])('refuses %s', (_, change, field) => {
    expect(refusalOf(() => parsePolicy({ ...minimal, ...change }))).toMatchObject({ code: 'INVALID_FIELD', field })
  })

  it.each([null, [], 'policy', 5, undefined])('refuses %j in place of a policy', (json) => {
    expect(refusalOf(() => parsePolicy(json))?.code).toMatch(/INVALID_FIELD|MISSING_FIELDS/)
  })

  it('never quotes what was written', () => {
    const refusal = refusalOf(() => parsePolicy({ ...minimal, decision: 'sk_live_1234567890' }))
    expect(refusal?.message).not.toContain('sk_live')
  })

  it.each([['/customer/iban'], ['/a~1b/c~0d'], ['/0'], [''], ['/']])('takes %j as a pointer', (pointer) => {
    expect(parsePolicy({ ...minimal, redact: [pointer] }).redact).toEqual([pointer])
  })

  it('begins its pointers where the policy stands', () => {
    const refusal = refusalOf(() => parsePolicy({ ...minimal, priority: 0.5 }, { at: '/policies/3' }))
    expect(refusal?.field).toBe('/policies/3/priority')
  })
})

describe('policyToWire', () => {
  it('writes the policy of the contract as it stands there', () => {
    expect(policyToWire(parsePolicy(contract))).toStrictEqual(contract)
  })

  it.each([
    ['the least', minimal],
    ['the contract', contract],
    ['a shadow', { ...minimal, mode: 'shadow', enabled: false, priority: -3 }],
    [
      'one that approves',
      { ...minimal, decision: 'auto_approve', any_params: true, allow: ['reenters'], allow_unseen: true },
    ],
    ['empty parts', { ...minimal, approval: {}, permit: {}, intent: {}, time_restrictions: {}, redact: [''] }],
  ])('is read again as the same: %s', (_, json) => {
    const policy = parsePolicy(json)
    expect(parsePolicy(JSON.parse(JSON.stringify(policyToWire(policy))))).toStrictEqual(policy)
  })
})
