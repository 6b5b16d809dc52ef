/**
 * Gating a list of tools by their names: the place where tools are defined is the one that no middleware, no graph and no
 * direct call goes around.
 *
 * @module
 */
import { type GateRule as CoreRule, deniedByRule, type GateRules, gateRefusal, ruledTools } from '@silentauth/core'
import { checkOptions, type GateToolOptions } from './gate-options.js'
import { type ClientTool, gateTool, guarded, isGated, requireTool } from './gate-tool.js'
import type { GateableTool } from './gated-call.js'
import { refusalMessage } from './tool-result.js'

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
    deny: (tool, own) => denied(tool as ClientTool & GateableTool, own),
  })
}

/** The model sees the tool, and no call of it runs. */
export function denied(tool: ClientTool & GateableTool, options: GateToolOptions<never>): ClientTool {
  const { name, responseFormat } = tool
  checkOptions(name, options)
  return guarded(ungated(tool), async ({ toolCallId }) => {
    const refusal = deniedByRule(name)
    if (options.onDenied === 'throw') throw refusal
    return refusalMessage(gateRefusal(refusal), { name, responseFormat, toolCallId })
  })
}

/** A denial is stricter than any gate, and takes its place. */
function ungated(tool: ClientTool): ClientTool {
  let found = tool
  while (isGated(found)) found = Object.getPrototypeOf(found)
  return found
}
