/**
 * Rules over many tools: which are gated, which pass, which are denied, by globs over their names; and that no two gated
 * ones are asked for under one action.
 *
 * @module
 */
import { actionName } from './action-name.js'
import { SilentAuthError } from './errors.js'
import { compileGlob } from './glob.js'

/**
 * `gate`: every call is asked of the gate. `pass`: left as it is. `deny`: the model sees the tool, and no call of it runs.
 * Options gate it with these in place of the common ones.
 */
export type GateRule<Options> = 'gate' | 'pass' | 'deny' | Partial<Options>

export interface GateRules<Options> {
  /** Glob over tool names (`*` any text, `?` one character) → what holds for them; the first that matches, as written. */
  rules?: Readonly<Record<string, GateRule<Options>>> | undefined
  /** Of tools that no rule matches. @default 'gate' */
  default?: 'gate' | 'pass' | 'deny' | undefined
}

export type RuledTool<Options> =
  | { readonly type: 'gate' | 'deny'; readonly options: Options }
  | { readonly type: 'pass' }

export interface RuleBook<Options> {
  /** Of tools that no rule matches. */
  readonly otherwise: 'gate' | 'pass' | 'deny'
  of(toolName: string): RuledTool<Options>
  /** @throws TypeError for a rule that names one tool, which is not among these: a name that was mistyped would not be gated */
  requireTools(names: readonly string[]): void
  /** @throws TypeError when another tool is asked for under the same action: each could use a permit of the other */
  claimAction(toolName: string, options: Options): void
}

interface HasAction {
  readonly action?: string | ((...args: never) => string) | undefined
}

/** @throws TypeError for what is no rule */
export function ruleBook<Options extends HasAction>(given: Options & GateRules<Options>): RuleBook<Options> {
  const { rules: _, default: __, ...rest } = given
  const common = rest as unknown as Options
  const otherwise = memberOf<GateRules<Options>, 'default'>(given, 'default') ?? 'gate'
  const rules = Object.entries(memberOf<GateRules<Options>, 'rules'>(given, 'rules') ?? {}).map(([pattern, rule]) => ({
    glob: compileGlob(pattern),
    rule,
  }))
  for (const { glob, rule } of rules) if (!isRule(rule)) throw new TypeError(`rules: ${glob.pattern} has no rule`)
  if (!VERDICTS.includes(otherwise)) throw new TypeError(`default: '${otherwise}' is no rule`)
  const owners = new Map<string, string>()

  return {
    otherwise,
    of(toolName) {
      const rule = rules.find(({ glob }) => glob.matches(toolName))?.rule ?? otherwise
      if (rule === 'pass') return { type: 'pass' }
      if (rule === 'deny' || rule === 'gate') return { type: rule, options: common }
      return { type: 'gate', options: { ...common, ...rule } }
    },
    requireTools(names) {
      const lost = rules.find(({ glob }) => glob.exact && !names.includes(glob.pattern))
      if (lost) throw new TypeError(`rules: no tool is called ${JSON.stringify(lost.glob.pattern)}`)
    },
    claimAction(toolName, { action }) {
      if (typeof action === 'function') return
      const claimed = action ?? actionName(toolName)
      const owner = owners.get(claimed)
      if (owner !== undefined && owner !== toolName) {
        throw new TypeError(
          `tools ${owner} and ${toolName} have the same action ${claimed}: give one another with the option action`,
        )
      }
      owners.set(claimed, toolName)
    },
  }
}

/** Undefined for what every object inherits: whoever polluted that prototype has not written these rules. */
function memberOf<Given extends object, Name extends keyof Given>(given: Given, name: Name): Given[Name] | undefined {
  let holder: object | null = given
  while (holder && holder !== Object.prototype) {
    if (Object.hasOwn(holder, name)) return given[name]
    holder = Object.getPrototypeOf(holder)
  }
  return undefined
}

/** How a framework's tools are gated. */
export interface ToolGating<Options> {
  /** @throws TypeError for a tool that cannot be gated */
  require(tool: object): void
  isGated(tool: object): boolean
  gate(tool: object, options: Options): object
  /** The model sees the tool, and no call of it runs. */
  deny(tool: object, options: Options): object
}

/**
 * A list of tools under rules over their names.
 *
 * @throws TypeError for a tool that cannot be gated and is not passed, for two gated tools of one name or action, and for a
 * rule that names a tool which is not there
 */
export function ruledTools<const Tools extends readonly object[], Options extends HasAction>(
  tools: Tools,
  options: Options & GateRules<Options>,
  gating: ToolGating<Options>,
): { -readonly [Place in keyof Tools]: Tools[Place] } {
  const book = ruleBook<Options>(options)
  const names = tools.map(nameOf)
  book.requireTools(names)
  const ruled = tools.map((tool, index): object => {
    const name = names[index] ?? ''
    const rule = book.of(name)
    if (rule.type === 'pass') return tool
    gating.require(tool)
    if (rule.type === 'deny') return gating.deny(tool, rule.options)
    if (names.indexOf(name) !== index) throw new TypeError(`two tools are called ${name}`)
    if (!gating.isGated(tool)) book.claimAction(name, rule.options)
    return gating.gate(tool, rule.options)
  })
  return ruled as unknown as { -readonly [Place in keyof Tools]: Tools[Place] }
}

function nameOf(tool: object): string {
  return 'name' in tool && typeof tool.name === 'string' ? tool.name : ''
}

/** What a denied tool answers. */
export function deniedByRule(toolName: string): SilentAuthError {
  return new SilentAuthError('FORBIDDEN', `${toolName}: a rule of this agent denies it`)
}

const VERDICTS = ['gate', 'pass', 'deny']

function isRule(rule: unknown): boolean {
  return typeof rule === 'string' ? VERDICTS.includes(rule) : typeof rule === 'object' && rule !== null
}
