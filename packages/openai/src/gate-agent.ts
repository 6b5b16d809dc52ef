/**
 * A gated agent: all of its function tools, those of its MCP servers included, under one set of rules.
 *
 * @module
 */
import type { Model, RunContext, Tool } from '@openai/agents'
import { ruleBook } from '@silentauth/core'
import type { GateToolOptions } from './gate-options.js'
import { type Belonging, type ClientTool, checkedGate, isGated } from './gate-tool.js'
import { denied, type GateToolsOptions } from './gate-tools.js'
import { sightings } from './model-sightings.js'
import type { AnyAgent } from './resolve-interruptions.js'

/**
 * A copy of an agent, whose own copies by `clone()` are under the same rules. Agents as tools are gated in place. Shells,
 * editors, computers and hosted MCP servers are gated where they are made, and so are handoffs, which are left as they are.
 *
 * @throws TypeError for two gated tools with one action, for options that make no sense, for any other tool that is neither
 * gated nor passed by a rule, and for a sandbox agent, unless it has no capabilities or `default` is `pass`
 */
export function gateAgent<Gated extends AnyAgent>(agent: Gated, options: GateToolsOptions): Gated {
  const book = ruleBook<GateToolOptions<never>>(options)
  const {
    name: agentName,
    model,
    capabilities = [],
  } = agent as AnyAgent & { readonly capabilities?: readonly unknown[] }
  if (capabilities.length > 0 && book.otherwise !== 'pass') {
    throw new TypeError(
      `${agentName}: the tools of its sandbox are made while it runs, and no gate sees them: give it capabilities: [], or pass them with default: 'pass'`,
    )
  }
  const isNamed = typeof model === 'string'
  const seen = isNamed ? undefined : sightings()
  const of: Belonging = { agentName, model: isNamed && model !== '' ? model : undefined, sightings: seen }
  const made = new WeakMap<object, object>()
  const gate = (tool: Tool<unknown>): Tool<unknown> => {
    const rule = book.of(tool.name)
    if (rule.type === 'pass') return tool
    if (tool.type !== 'function') return gatedBefore(tool, rule.type)
    if (rule.type !== 'deny' && isGated(tool)) return tool
    if (rule.type === 'deny') return denied(tool, rule.options) as Tool<unknown>
    const before = made.get(tool)
    if (before) return before as Tool<unknown>
    book.claimAction(tool.name, rule.options)
    const gated = checkedGate(tool as unknown as ClientTool, rule.options as GateToolOptions, of)
    made.set(tool, gated)
    return gated as unknown as Tool<unknown>
  }
  const copy = agent.clone({
    tools: agent.tools.map((tool: Tool<unknown>) => gate(tool)),
    ...(seen && { model: seen.watch(model as Model, undefined) }),
  }) as Gated
  const listed = copy.getMcpTools.bind(copy)
  copy.getMcpTools = async (context: RunContext<never>, ...rest: never[]) =>
    (await listed(context, ...rest)).map((tool) => gate(tool as Tool<unknown>)) as never
  // The SDK's own would leave tools of MCP servers ungated, and tools that it is given.
  const cloned = copy.clone.bind(copy)
  copy.clone = (config: never) => gateAgent(cloned(config), options)
  return copy
}

/** Silence would let it act without anybody being asked. */
function gatedBefore(tool: Exclude<Tool<unknown>, { type: 'function' }>, rule: 'gate' | 'deny'): Tool<unknown> {
  const { shell, editor, computer, providerData } = tool as Actor
  const isGatedWhereMade = [tool, shell, editor, computer, providerData?.on_approval].some(isGated)
  if (rule === 'gate' && isGatedWhereMade) return tool
  const advice = rule === 'deny' ? 'take it out of the agent' : 'gate it where it is made, or pass it by a rule'
  throw new TypeError(`${tool.name}: is no function tool: ${advice}`)
}

/** What of a tool acts. */
interface Actor {
  readonly shell?: unknown
  readonly editor?: unknown
  readonly computer?: unknown
  readonly providerData?: { readonly on_approval?: unknown } | undefined
}
