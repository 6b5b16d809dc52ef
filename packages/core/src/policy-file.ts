/**
 * A policy file holds one policy, a list of them, or the short form: rules in order, of which the first that matches wins.
 *
 * @module
 */
import { z } from 'zod'
import { parseForm } from './json-form.js'
import type { PolicyDefinition } from './policy.js'
import {
  actionPatternForm,
  approverCountForm,
  approversForm,
  type PolicyFormOptions,
  parsePolicy,
  timeRestrictionsForm,
} from './policy-form.js'

/**
 * The policies of a file: `{ "rules": […] }`, `{ "policies": […] }`, a list, or one policy.
 *
 * @throws SilentAuthError `MISSING_FIELDS` or `INVALID_FIELD` with the JSON pointer in the file
 */
export function parsePolicyFile(json: unknown, options: PolicyFormOptions = {}): readonly PolicyDefinition[] {
  const { at = '' } = options
  if (Array.isArray(json)) return parseList(json, options)
  if (has(json, 'policies')) {
    return parseList(parseForm(policiesForm, json, at).policies, { ...options, at: `${at}/policies` })
  }
  if (has(json, 'rules')) {
    const { rules } = parseForm(rulesForm, json, at)
    return rules.map((rule, index) =>
      parsePolicy(policyOf(rule, index, rules.length), { ...options, at: `${at}/rules/${index}` }),
    )
  }
  return [parsePolicy(json, options)]
}

const MAX_POLICIES = 10_000

const policiesForm = z.strictObject({ policies: z.array(z.unknown()).max(MAX_POLICIES) })
const ruleForm = z
  .strictObject({
    action: actionPatternForm,
    require_approval: z.boolean().default(true),
    approvers_required: approverCountForm.optional(),
    allowed_approvers: approversForm.optional(),
    time_restrictions: timeRestrictionsForm.optional(),
  })
  .refine(
    (rule) => rule.require_approval || (rule.approvers_required ?? rule.allowed_approvers) === undefined,
    'names approvers, but needs no approval',
  )
const rulesForm = z.strictObject({ rules: z.array(ruleForm).max(MAX_POLICIES) })

function parseList(list: readonly unknown[], options: PolicyFormOptions): readonly PolicyDefinition[] {
  const policies = parseForm(z.array(z.unknown()).max(MAX_POLICIES), list, options.at ?? '')
  return policies.map((policy, index) => parsePolicy(policy, { ...options, at: `${options.at ?? ''}/${index}` }))
}

/** A rule as the policy that it is short for. Earlier rules are asked first. */
function policyOf(rule: z.output<typeof ruleForm>, index: number, count: number): object {
  const { approvers_required, allowed_approvers, time_restrictions } = rule
  return {
    name: `rule ${index + 1}: ${rule.action}`,
    priority: count - index,
    match: { action_pattern: rule.action },
    ...(rule.require_approval
      ? { decision: 'require_approval', approval: { approvers_required, allowed_approvers } }
      : { decision: 'auto_approve', any_params: true }),
    time_restrictions,
  }
}

function has(json: unknown, member: string): boolean {
  return typeof json === 'object' && json !== null && Object.hasOwn(json, member)
}
