import { describe, expect, it } from 'vitest'
import { parsePolicy } from '../src/policy-form.js'
import { refusalOf } from './refusal-of.js'

const closed = {
  type: 'object',
  properties: { amount: { type: 'number', minimum: 0, maximum: 100 } },
  required: ['amount'],
  additionalProperties: false,
}
const approving = { name: 'approves', match: { params_schema: closed }, decision: 'auto_approve' }
const asking = { name: 'asks', match: {}, decision: 'require_approval' }

describe('I14: auto_approve', () => {
  it.each([
    ['with a closed schema', approving],
    ['with an open schema and any_params', { ...approving, match: { params_schema: {} }, any_params: true }],
    ['with any_params', { ...approving, match: { action_pattern: 'read_*' }, any_params: true }],
    [
      'of low, trusting the claim',
      { ...approving, match: { ...approving.match, risk_tier: 'low' }, trust_claims: ['risk_tier'] },
    ],
    ['of medium', { ...approving, match: { ...approving.match, risk_tier: 'medium' } }],
    ['of a source, which a bound key proves', { ...approving, match: { ...approving.match, source: 'ci-*' } }],
  ])('is stored %s', (_, json) => {
    expect(parsePolicy(json).decision).toBe('auto_approve')
  })

  it.each([
    ['without a schema', { ...approving, match: {} }, '/match/params_schema'],
    ['with an open schema', { ...approving, match: { params_schema: { type: 'object' } } }, '/match/params_schema'],
    [
      'with a number without maximum',
      {
        ...approving,
        match: { params_schema: { ...closed, properties: { amount: { type: 'number', minimum: 0 } } } },
      },
      '/match/params_schema/properties/amount',
    ],
    ['with any_params: false', { ...approving, match: {}, any_params: false }, '/match/params_schema'],
    ['in shadow mode without a schema', { ...approving, match: {}, mode: 'shadow' }, '/match/params_schema'],
    ['disabled without a schema', { ...approving, match: {}, enabled: false }, '/match/params_schema'],
    ['of low without trust', { ...approving, match: { ...approving.match, risk_tier: 'low' } }, '/trust_claims'],
    [
      'of low with trust in something else',
      { ...approving, match: { ...approving.match, risk_tier: 'low' }, trust_claims: ['source'] },
      '/trust_claims',
    ],
    [
      'of another keyword even with any_params',
      { ...approving, match: { params_schema: { $ref: '#' } }, any_params: true },
      '/match/params_schema/$ref',
    ],
  ])('is refused %s, by the pointer', (_, json, field) => {
    expect(refusalOf(() => parsePolicy(json))).toMatchObject({ code: 'INVALID_FIELD', field })
  })

  it.each([
    ['the pattern itself', 'read_*', { 'read_*': 'low' }, true],
    ['a wider pattern', 'read_logs_*', { 'read_*': 'low' }, true],
    ['the action', 'read_logs', { 'read_*': 'low' }, true],
    ['a narrower pattern', 'read_*', { read_logs: 'low' }, false],
    ['one character that the pattern leaves open', 'read_*', { 'read_?': 'low' }, false],
    ['another action', 'read_*', { 'write_*': 'low' }, false],
  ] as const)('of low, where action_tiers has %s: %j', (_, action_pattern, actionTiers, stored) => {
    const json = { ...approving, match: { ...approving.match, action_pattern, risk_tier: 'low' } }
    expect(refusalOf(() => parsePolicy(json, { actionTiers })) === undefined).toBe(stored)
  })
})

describe('what this build cannot enforce', () => {
  it.each([
    ['passkeys', { approval: { assurance: 'passkey' } }, '/approval/assurance'],
    ['proof of possession', { permit: { proof_of_possession: true } }, '/permit/proof_of_possession'],
  ])('%s is refused', (_, change, field) => {
    expect(refusalOf(() => parsePolicy({ ...asking, ...change }))).toMatchObject({ code: 'INVALID_FIELD', field })
  })
})

describe('an editor who may approve', () => {
  it.each([
    ['low', true],
    ['medium', true],
    ['any', true],
    ['high', false],
    ['critical', false],
  ])('of %s: %s', (risk_tier, stored) => {
    const json = { ...asking, match: { risk_tier }, approval: { editor_may_approve: true } }
    expect(refusalOf(() => parsePolicy(json))?.field).toBe(stored ? undefined : '/approval/editor_may_approve')
  })
})

describe('E21: the deadline outlasts the permit', () => {
  it.each([
    ['the defaults', {}, true],
    ['just enough', { permit: { ttl_seconds: 840 } }, true],
    ['a second too little', { permit: { ttl_seconds: 841 } }, false],
    ['a long permit with the default deadline', { permit: { ttl_seconds: 3600 } }, false],
    ['both long', { permit: { ttl_seconds: 3600 }, intent: { execution_deadline: 3660 } }, true],
    ['a short deadline', { intent: { execution_deadline: 359 } }, false],
    ['the shortest deadline', { intent: { execution_deadline: 360 } }, true],
  ])('%s: %j is %s', (_, change, stored) => {
    const field = refusalOf(() => parsePolicy({ ...asking, ...change }))?.field
    expect(field).toBe(stored ? undefined : '/intent/execution_deadline')
  })

  it.each([
    [30 * 86_400, true],
    [30 * 86_400 + 1, false],
  ])('an execution window of %i s: %s', (execution_window, stored) => {
    const field = refusalOf(() => parsePolicy({ ...asking, intent: { execution_window } }))?.field
    expect(field).toBe(stored ? undefined : '/intent/execution_window')
  })
})

it('keeps a schema that its author cannot change afterwards', () => {
  const { paramsSchema } = parsePolicy(approving).match
  expect(Object.isFrozen(paramsSchema)).toBe(true)
})
