/**
 * A policy index finds the policies that an action and a source can match at all, in their order, without asking the others.
 *
 * Each policy lies in one list: by the literal beginning of its action pattern, else of its source pattern, else among the rest.
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
  candidates(action: string, source: string): () => CompiledPolicy | undefined
}

/** @param policies in order of precedence */
export function policyIndex(policies: readonly Policy[]): PolicyIndex {
  const byAction = nameIndex()
  const bySource = nameIndex()
  const rest: CompiledPolicy[] = []
  for (const [rank, policy] of policies.entries()) {
    const compiled = compilePolicy(policy, rank)
    if (compiled.action?.prefix) add(byAction, compiled.action, compiled)
    else if (compiled.source?.prefix) add(bySource, compiled.source, compiled)
    else rest.push(compiled)
  }
  return {
    candidates: (action, source) => inOrder([...listsOf(byAction, action), ...listsOf(bySource, source), rest]),
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

interface NameIndex {
  readonly exact: Map<string, CompiledPolicy[]>
  readonly prefixes: Map<string, CompiledPolicy[]>
  /** Of the prefixes that occur. */
  readonly lengths: Set<number>
}

function nameIndex(): NameIndex {
  return { exact: new Map(), prefixes: new Map(), lengths: new Set() }
}

function add({ exact, prefixes, lengths }: NameIndex, glob: Glob, compiled: CompiledPolicy): void {
  const lists = glob.exact ? exact : prefixes
  if (!glob.exact) lengths.add(glob.prefix.length)
  const list = lists.get(glob.prefix)
  if (list === undefined) lists.set(glob.prefix, [compiled])
  else list.push(compiled)
}

function listsOf({ exact, prefixes, lengths }: NameIndex, name: string): (readonly CompiledPolicy[])[] {
  const lists: (readonly CompiledPolicy[])[] = []
  const same = exact.get(name)
  if (same !== undefined) lists.push(same)
  for (const length of lengths) {
    const list = length <= name.length ? prefixes.get(name.slice(0, length)) : undefined
    if (list !== undefined) lists.push(list)
  }
  return lists
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
