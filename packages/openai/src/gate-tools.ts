/**
 * Gating a list of tools by their names.
 *
 * @module
 */
import {
  boundCopy,
  type GateRule as CoreRule,
  deniedByRule,
  type GateRules,
  gateRefusal,
  ruledTools,
} from '@silentauth/core'
import { checkOptions, type GateToolOptions } from './gate-options.js'
import { type ClientTool, gateTool, isGated, requireTool } from './gate-tool.js'

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
  return ruledTools<Tools, GateToolOptions<never>>(tools, options, {
    require: requireTool,
    isGated,
    gate: (tool, own) => gateTool(tool as ClientTool, own as GateToolOptions),
    deny: (tool, own) => denied(tool as ClientTool, own),
  })
}

/** The model sees the tool, and no call of it runs. */
export function denied(tool: object & { readonly name: string }, options: GateToolOptions<never>): object {
  checkOptions(tool.name, options)
  return boundCopy(tool, {
    needsApproval: async () => false,
    invoke: async () => {
      const refusal = deniedByRule(tool.name)
      if (options.onDenied === 'throw') throw refusal
      return gateRefusal(refusal).text
    },
  })
}
