/**
 * A policy index finds the policies that an action, a source and an environment can match at all, in their order, without asking
 * the others.
 *
 * Each policy lies in one list: by the literal beginning of its action pattern, then that of its source pattern, then its
 * environment.
 *
 * @module
 */
import { compileGlob, type Glob } from './glob.js'
import { compileParamsMatch, type ParamsMatch } from './params-match.js'
import type { Policy } from './policy.js'

export interface CompiledPolicy {
  readonly policy: Policy
  /** Position in the order of precedence. */
  readonly rank: number
  /** Undefined: every action. */
  readonly action: Glob | undefined
  /** Undefined: every source. */
  readonly source: Glob | undefined
  readonly matchesParams: ParamsMatch
}

export interface PolicyIndex {
  /** Those that can match, in order of precedence, one by one, as far as the caller asks. */
  candidates(action: string, source: string, environment: string | undefined): () => CompiledPolicy | undefined
}

/** @param policies in order of precedence */
export function policyIndex(policies: readonly Policy[]): PolicyIndex {
  const byAction = nameMap(() => nameMap(() => new Map<string | undefined, CompiledPolicy[]>()))
  for (const [rank, policy] of policies.entries()) {
    const compiled = compilePolicy(policy, rank)
    const byEnvironment = byAction.of(compiled.action).of(compiled.source)
    const list = byEnvironment.get(policy.match.environment)
    if (list === undefined) byEnvironment.set(policy.match.environment, [compiled])
    else list.push(compiled)
  }
  return {
    candidates(action, source, environment) {
      const lists: (readonly CompiledPolicy[])[] = []
      for (const bySource of byAction.matching(action)) {
        for (const byEnvironment of bySource.matching(source)) {
          for (const key of environment === undefined ? [undefined] : [undefined, environment]) {
            const list = byEnvironment.get(key)
            if (list !== undefined) lists.push(list)
          }
        }
      }
      return inOrder(lists)
    },
  }
}

function compilePolicy(policy: Policy, rank: number): CompiledPolicy {
  const { actionPattern, source, paramsSchema } = policy.match
  let compiled: ParamsMatch | undefined
  return {
    policy,
    rank,
    action: actionPattern === undefined ? undefined : compileGlob(actionPattern),
    source: source === undefined ? undefined : compileGlob(source),
    matchesParams:
      paramsSchema === undefined
        ? () => true
        : (params) => {
            // On first use: most schemas of a large set are never asked.
            compiled ??= compileParamsMatch(paramsSchema, policy.decision)
            return compiled(params)
          },
  }
}

/** What is kept for names, found by a name. */
interface NameMap<Value> {
  /** For the names that a glob can match; undefined: all. */
  of(glob: Glob | undefined): Value
  matching(name: string): readonly Value[]
}

function nameMap<Value>(empty: () => Value): NameMap<Value> {
  const exact = new Map<string, Value>()
  const prefixes = new Map<string, Value>()
  const lengths = new Set<number>()
  return {
    of(glob) {
      const values = glob?.exact ? exact : prefixes
      const key = glob?.prefix ?? ''
      if (!glob?.exact) lengths.add(key.length)
      let value = values.get(key)
      if (value === undefined) {
        value = empty()
        values.set(key, value)
      }
      return value
    },
    matching(name) {
      const found: Value[] = []
      const same = exact.get(name)
      if (same !== undefined) found.push(same)
      for (const length of lengths) {
        const value = length <= name.length ? prefixes.get(name.slice(0, length)) : undefined
        if (value !== undefined) found.push(value)
      }
      return found
    },
  }
}

/** Merges lists that are each in order, no further than asked. */
function inOrder(lists: readonly (readonly CompiledPolicy[])[]): () => CompiledPolicy | undefined {
  const positions = lists.map(() => 0)
  return () => {
    let first: CompiledPolicy | undefined
    let from = 0
    for (let list = 0; list < lists.length; list++) {
      const head = lists[list]?.[positions[list] as number]
      if (head !== undefined && (first === undefined || head.rank < first.rank)) {
        first = head
        from = list
      }
    }
    positions[from] = (positions[from] as number) + 1
    return first
  }
}
