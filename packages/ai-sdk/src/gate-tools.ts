/**
 * Gating a tool set by the names of its tools: the place where tools are defined is the one that no approval setting, no
 * middleware and no message of a client goes around.
 *
 * @module
 */
import { type GateRule as CoreRule, deniedByRule, type GateRules, gateRefusal, ruleBook } from '@silentauth/core'
import type { ToolSet } from 'ai'
import { checkOptions, type GateToolOptions } from './gate-options.js'
import { gatedTool, guarded, isGated, keptBy, requireExecute, type SdkTool } from './gate-tool.js'
import { refusalThrown, type Surroundings } from './gated-call.js'

/**
 * `gate`: every call is asked of the gate. `pass`: left as it is. `deny`: the model sees the tool, and no call of it runs.
 * Options gate it with these in place of the common ones.
 */
export type GateRule = CoreRule<GateToolOptions<never>>

export interface GateToolsOptions extends GateToolOptions<never>, GateRules<GateToolOptions<never>> {}

/**
 * @returns a set of the same tools, with the same types
 * @throws TypeError for a tool without `execute` that is not passed, for two gated tools with one action, and for a rule that
 * names a tool which is not there
 */
export function gateTools<Tools extends ToolSet>(tools: Tools, options: GateToolsOptions): Tools {
  return gatedTools(tools, options, {})
}

export function gatedTools<Tools extends ToolSet>(
  tools: Tools,
  options: GateToolsOptions,
  surroundings: Surroundings,
): Tools {
  const book = ruleBook<GateToolOptions<never>>(options)
  const names = Object.keys(tools)
  book.requireTools(names)
  const gated = names.map((name): [string, unknown] => {
    const tool: unknown = tools[name]
    const rule = book.of(name)
    if (rule.type === 'pass') return [name, tool]
    requireExecute(name, tool)
    if (rule.type === 'deny') return [name, denied(name, tool, rule.options)]
    if (!isGated(tool)) book.claimAction(name, rule.options)
    return [name, gatedTool(name, tool, rule.options as GateToolOptions, surroundings)]
  })
  return Object.fromEntries(gated) as Tools
}

/** The model sees the tool, and no call of it runs. A denial is stricter than any gate, and takes its place. */
function denied(name: string, tool: SdkTool, options: GateToolOptions<never>): SdkTool {
  checkOptions(name, options)
  const original = (isGated(tool) && keptBy(tool)?.original) || tool
  requireExecute(name, original)
  const refusal = () => deniedByRule(name)
  return guarded(original, {
    name,
    wait: 'hold',
    preliminary: false,
    async execute() {
      if (options.onDenied === 'throw' || original.outputSchema !== undefined) throw refusalThrown(refusal())
      return { type: 'output', output: gateRefusal(refusal()) }
    },
    look: async () => undefined,
    askedFor: () => undefined,
    letGo: async () => gateRefusal(refusal()),
    routeOf: () => 'message',
  })
}
