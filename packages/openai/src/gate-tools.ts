/**
 * Gating a list of tools by their names.
 *
 * @module
 */
import {
  boundCopy,
  type GateRule as CoreRule,
  type GateRules,
  gateRefusal,
  ruleBook,
  SilentAuthError,
} from '@silentauth/core'
import { checkOptions, type GateToolOptions } from './gate-options.js'
import { gateTool, isGated, requireTool } from './gate-tool.js'

/**
 * `gate`: every call is asked of the gate. `pass`: left as it is. `deny`: the model sees the tool, and no call of it runs.
 * Options gate it with these in place of the common ones.
 */
export type GateRule = CoreRule<GateToolOptions<never>>

export interface GateToolsOptions extends GateToolOptions<never>, GateRules<GateToolOptions<never>> {}

/**
 * @returns a list of the same tools, with the same types
 * @throws TypeError for a provider's tool that is not passed, for two gated tools with one action, and for a rule that names
 * a tool which is not there
 */
export function gateTools<const Tools extends readonly object[]>(
  tools: Tools,
  options: GateToolsOptions,
): { -readonly [Place in keyof Tools]: Tools[Place] } {
  const book = ruleBook<GateToolOptions<never>>(options)
  const names = tools.map(nameOf)
  book.requireTools(names)
  return tools.map((tool, index) => {
    const name = names[index] ?? ''
    const rule = book.of(name)
    if (rule.type === 'pass') return tool
    requireTool(tool)
    if (rule.type === 'deny') return denied(tool, rule.options)
    if (names.indexOf(name) !== index) throw new TypeError(`two tools are called ${name}`)
    if (!isGated(tool)) book.claimAction(name, rule.options)
    return gateTool(tool, rule.options as GateToolOptions)
  }) as unknown as { -readonly [Place in keyof Tools]: Tools[Place] }
}

/** The model sees the tool, and no call of it runs. */
export function denied(tool: object & { readonly name: string }, options: GateToolOptions<never>): object {
  checkOptions(tool.name, options)
  return boundCopy(tool, {
    needsApproval: async () => false,
    invoke: async () => {
      const refusal = new SilentAuthError('FORBIDDEN', `${tool.name}: a rule of this agent denies it`)
      if (options.onDenied === 'throw') throw refusal
      return gateRefusal(refusal).text
    },
  })
}

function nameOf(tool: object): string {
  return 'name' in tool && typeof tool.name === 'string' ? tool.name : ''
}
