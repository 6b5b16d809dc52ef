/**
 * Gating a list of tools by their names: the place where tools are defined is the one that no middleware, no graph and no
 * direct call goes around.
 *
 * @module
 */
import { compileGlob, gateRefusal, SilentAuthError } from '@silentauth/core'
import { actionName } from './action-name.js'
import { checkOptions, type GateToolOptions } from './gate-options.js'
import { type ClientTool, gateTool, guarded, isGated, requireTool } from './gate-tool.js'
import type { GateableTool } from './gated-call.js'
import { refusalMessage } from './tool-result.js'

/**
 * `gate`: every call is asked of the gate. `pass`: left as it is. `deny`: the model sees the tool, and no call of it runs.
 * Options gate it with these in place of the common ones.
 */
export type GateRule = 'gate' | 'pass' | 'deny' | Partial<GateToolOptions<never>>

export interface GateToolsOptions extends GateToolOptions<never> {
  /** Glob over tool names (`*` any text, `?` one character) → what holds for them; the first that matches, as written. */
  rules?: Readonly<Record<string, GateRule>> | undefined
  /** Of tools that no rule matches. @default 'gate' */
  default?: 'gate' | 'pass' | 'deny' | undefined
}

/**
 * @returns the same list, with the same types
 * @throws TypeError for a provider's tool that is not passed, for two gated tools with one action, and for a rule that names
 * a tool which is not there
 */
export function gateTools<const Tools extends readonly object[]>(tools: Tools, options: GateToolsOptions): Tools {
  const { rules: _, default: otherwise = 'gate', ...common } = options
  const rules = Object.entries(options.rules ?? {}).map(([pattern, rule]) => ({ glob: compileGlob(pattern), rule }))
  const names = tools.map(nameOf)
  const lost = rules.find(({ glob }) => glob.exact && !names.includes(glob.pattern))
  if (lost) throw new TypeError(`rules: no tool is called ${JSON.stringify(lost.glob.pattern)}`)
  if (!['gate', 'pass', 'deny'].includes(otherwise)) throw new TypeError(`default: '${otherwise}' is no rule`)

  const owners = new Map<string, string>()
  return tools.map((tool, index) => {
    const name = names[index] ?? ''
    const rule = rules.find(({ glob }) => glob.matches(name))?.rule ?? otherwise
    if (rule === 'pass') return tool
    requireTool(tool)
    if (rule === 'deny') return denied(tool, common)
    if (rule !== 'gate' && typeof rule !== 'object') throw new TypeError(`rules: ${String(rule)} is no rule`)
    const own: GateToolOptions<never> = rule === 'gate' ? common : { ...common, ...rule }
    if (!isGated(tool)) claimAction(owners, name, own)
    return gateTool(tool, own as GateToolOptions)
  }) as unknown as Tools
}

/** A permit names action and params: two tools with one action could use each other's. */
function claimAction(owners: Map<string, string>, name: string, { action }: GateToolOptions<never>): void {
  if (typeof action === 'function') return
  const claimed = action ?? actionName(name)
  const owner = owners.get(claimed)
  if (owner !== undefined) {
    throw new TypeError(
      `tools ${owner} and ${name} have the same action ${claimed}: give one another with the option action`,
    )
  }
  owners.set(claimed, name)
}

function denied(tool: ClientTool & GateableTool, options: GateToolOptions<never>): unknown {
  const { name, responseFormat } = tool
  checkOptions(name, options)
  return guarded(ungated(tool), async ({ toolCallId }) => {
    const refusal = new SilentAuthError('FORBIDDEN', `${name}: a rule of this agent denies it`)
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

function nameOf(tool: object): string {
  return 'name' in tool && typeof tool.name === 'string' ? tool.name : ''
}
