import { describe, expect, it } from 'vitest'
import { parsePolicyFile } from '../src/policy-file.js'
import { refusalOf } from './refusal-of.js'

const asking = { name: 'asks', match: {}, decision: 'require_approval' }
/** The short form of the contract. */
const contract = {
  rules: [
    {
      action: 'deploy_production',
      require_approval: true,
      approvers_required: 1,
      allowed_approvers: ['ops-team'],
      time_restrictions: { block_weekends: true, block_hours: [0, 6] },
    },
    { action: 'read_logs', require_approval: false },
  ],
}

describe('parsePolicyFile', () => {
  it('reads the short form of the contract as policies in order', () => {
    expect(parsePolicyFile(contract)).toEqual([
      {
        name: 'rule 1: deploy_production',
        enabled: true,
        mode: 'enforce',
        priority: 2,
        match: { actionPattern: 'deploy_production' },
        decision: 'require_approval',
        approval: { approversRequired: 1, allowedApprovers: ['ops-team'] },
        timeRestrictions: { blockWeekends: true, blockHours: [0, 6] },
      },
      {
        name: 'rule 2: read_logs',
        enabled: true,
        mode: 'enforce',
        priority: 1,
        match: { actionPattern: 'read_logs' },
        decision: 'auto_approve',
        anyParams: true,
      },
    ])
  })

  it('asks for approval where a rule does not say', () => {
    expect(parsePolicyFile({ rules: [{ action: 'read_*' }] })[0]?.decision).toBe('require_approval')
  })

  it.each([
    ['one policy', asking, ['asks']],
    ['a list', [asking, { ...asking, name: 'asks too' }], ['asks', 'asks too']],
    ['a list under policies', { policies: [asking, { ...asking, name: 'asks too' }] }, ['asks', 'asks too']],
    ['an empty list', [], []],
    ['no rules', { rules: [] }, []],
  ])('reads %s', (_, json, names) => {
    expect(parsePolicyFile(json).map(({ name }) => name)).toEqual(names)
  })

  it.each([
    ['a policy of a list', [asking, { ...asking, priority: 'x' }], '/1/priority'],
    ['a policy under policies', { policies: [{ ...asking, extra: 1 }] }, '/policies/0/extra'],
    ['policies that are no list', { policies: asking }, '/policies'],
    ['a member beside policies', { policies: [], version: 1 }, '/version'],
    ['rules and policies', { policies: [], rules: [] }, '/rules'],
    ['a member beside rules', { rules: [], default: 'deny' }, '/default'],
    ['an unknown member of a rule', { rules: [{ action: 'a', approve: true }] }, '/rules/0/approve'],
    ['a rule for no action', { rules: [{ action: 'DROP TABLE' }] }, '/rules/0/action'],
    ['a rule that is not sure', { rules: [{ action: 'a', require_approval: 'no' }] }, '/rules/0/require_approval'],
    [
      'approvers whom nobody asks',
      { rules: [{ action: 'a', require_approval: false, approvers_required: 2 }] },
      '/rules/0',
    ],
    [
      'one bad zone',
      { rules: [{ action: 'a', time_restrictions: { timezone: 'X' } }] },
      '/rules/0/time_restrictions/timezone',
    ],
    ['something else', 'allow all', ''],
  ])('refuses %s, by its pointer in the file', (_, json, field) => {
    expect(refusalOf(() => parsePolicyFile(json))).toMatchObject({ code: 'INVALID_FIELD', field })
  })

  it('asks for the action of a rule', () => {
    expect(refusalOf(() => parsePolicyFile({ rules: [{ require_approval: false }] }))).toMatchObject({
      code: 'MISSING_FIELDS',
      field: '/rules/0/action',
    })
  })

  it('holds every policy to the rules of storing', () => {
    const refusal = refusalOf(() => parsePolicyFile([asking, { ...asking, decision: 'auto_approve' }]))
    expect(refusal?.field).toBe('/1/match/params_schema')
  })
})
