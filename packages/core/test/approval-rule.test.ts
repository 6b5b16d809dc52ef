import { describe, expect, it } from 'vitest'
import { approvalRule } from '../src/approval-rule.js'

describe('approvalRule', () => {
  it('asks one person of the project when no policy says more', () => {
    expect(approvalRule(undefined, 'medium')).toEqual({
      approversRequired: 1,
      allowedApprovers: undefined,
      allOf: [],
      denyThreshold: 1,
      assurance: 'session',
      typedConfirmation: false,
      editorMayApprove: false,
      allowVia: ['session', 'webauthn', 'slack', 'teams', 'api', 'cli'],
    })
  })

  it('takes what the policy demands', () => {
    const approval = {
      approversRequired: 2,
      allowedApprovers: ['ops-team', 'lead@example.com'],
      allOf: [{ group: 'security', count: 1 }],
      denyThreshold: 3,
    }
    expect(approvalRule({ decision: 'require_approval', approval }, 'high')).toMatchObject(approval)
  })

  it.each([
    ['critical without a policy', undefined, 'critical', true],
    ['high without a policy', undefined, 'high', false],
    ['critical under a policy that does not ask for it', { decision: 'require_approval' }, 'critical', false],
    [
      'low under a policy that asks for it',
      { decision: 'require_approval', approval: { typedConfirmation: true } },
      'low',
      true,
    ],
    ['assurance confirm', { decision: 'require_approval', approval: { assurance: 'confirm' } }, 'low', true],
    [
      'assurance confirm against typed_confirmation: false',
      { decision: 'require_approval', approval: { assurance: 'confirm', typedConfirmation: false } },
      'low',
      true,
    ],
    ['critical held by an approving policy', { decision: 'auto_approve' }, 'critical', true],
  ] as const)('typed confirmation: %s', (_, policy, tier, expected) => {
    expect(approvalRule(policy, tier).typedConfirmation).toBe(expected)
  })

  it.each([
    ['low', true],
    ['medium', true],
    ['high', false],
    ['critical', false],
  ] as const)('an editor may approve %s: %s', (tier, expected) => {
    const policy = { decision: 'require_approval', approval: { editorMayApprove: true } } as const
    expect(approvalRule(policy, tier).editorMayApprove).toBe(expected)
  })

  it.each([
    ['low', undefined, true],
    ['medium', undefined, true],
    ['high', undefined, false],
    ['critical', undefined, false],
    ['high', ['cli'], true],
    ['critical', ['cli'], true],
    ['critical', ['slack'], false],
  ] as const)('votes by cli count for %s with allow_via %j: %s', (tier, allowVia, expected) => {
    expect(approvalRule({ decision: 'require_approval', allowVia }, tier).allowVia.includes('cli')).toBe(expected)
  })

  it.each(['session', 'webauthn'] as const)('votes of a %s always count', (via) => {
    expect(approvalRule({ decision: 'require_approval', allowVia: ['cli'] }, 'critical').allowVia).toContain(via)
  })
})
