/**
 * What the types of a verdict promise.
 *
 * @module
 */
import type { Policy } from '../src/policy.js'
import type { Evaluation } from '../src/policy-set.js'

export function policyOf(evaluation: Evaluation): Policy | undefined {
  switch (evaluation.verdict) {
    case 'auto_approve':
    case 'auto_deny':
      return evaluation.policy satisfies Policy
    case 'require_approval':
      // @ts-expect-error: without a matching policy a person decides, so there may be none
      return evaluation.policy satisfies Policy
  }
}

export function codeOf(evaluation: Evaluation & { verdict: 'auto_approve' | 'require_approval' }): undefined {
  // Only a denial has a reason of its own.
  return evaluation.code
}

// @ts-expect-error: a policy is not written to once it is stored
export const rename = (policy: Policy): string => (policy.name = 'x')
