/**
 * Stored policies: from the definitions of a file to the policies of a project. What a definition said before keeps its id,
 * and its version while it says the same, so that reading a file again changes nothing.
 *
 * @module
 */
import {
  type Directory,
  type LocalGate,
  newId,
  type Policy,
  type PolicyDefinition,
  parsePolicy,
  policyToWire,
  type Store,
} from '@silentauth/core'
import type { Logger } from 'pino'

/** What an embedded gate starts with when nobody wrote a policy: reading needs nobody. */
export const DEFAULT_POLICIES: readonly PolicyDefinition[] = [
  parsePolicy({
    name: 'reads need no approval',
    match: { action_pattern: 'read_*' },
    decision: 'auto_approve',
    any_params: true,
  }),
]

export interface StoredChange {
  readonly changed: boolean
  /** Names in `allowed_approvers` and `all_of` that are neither a group nor a person yet: nobody can approve by them. */
  readonly unknownApprovers: readonly string[]
}

/** Replaces all policies of the gate's project, in one audited change. Policies of equal priority are asked in this order. */
export async function storePolicies(
  { gate, store }: { readonly gate: LocalGate; readonly store: Store },
  definitions: readonly PolicyDefinition[],
): Promise<StoredChange> {
  const { projectId } = gate
  const directory = await store.directory(projectId)
  const resolved = definitions.map((definition) => withUserIds(definition, directory))
  const { policies: before } = await store.policies(projectId)
  const next = versioned(resolved, before, await store.now())
  const changed = namesOf(next) !== namesOf(before)
  if (changed) {
    const data = { policies: next.map(({ id, version }) => `${id}@${version}`) }
    await gate.administer('system:setup', 'policies.changed', data, (tx) => tx.putPolicies(projectId, next))
  }
  return { changed, unknownApprovers: unknownIn(resolved, directory) }
}

/** A name with a typo stops nobody from starting, but whoever then waits should not have to guess. */
export function warnOfUnknownApprovers({ unknownApprovers }: StoredChange, logger: Pick<Logger, 'warn'>): void {
  for (const name of unknownApprovers) {
    logger.warn(
      { approver: name },
      'a policy names an approver who is neither a group nor a person yet: nobody votes by it',
    )
  }
}

/** Ages follow the order of the file, because of two with equal priority the older is asked first. */
function versioned(
  definitions: readonly PolicyDefinition[],
  before: readonly Policy[],
  now: number,
): readonly Policy[] {
  const left = [...before]
  const kept = definitions.map((definition) => {
    const index = left.findIndex(({ name }) => name === definition.name)
    const [earlier] = index < 0 ? [] : left.splice(index, 1)
    if (!earlier) return { ...definition, id: newId('pol'), version: 1, createdAt: now }
    const same = JSON.stringify(policyToWire(earlier)) === JSON.stringify(policyToWire(definition))
    return {
      ...definition,
      id: earlier.id,
      version: same ? earlier.version : earlier.version + 1,
      createdAt: earlier.createdAt,
    }
  })
  const ordered = kept.every(({ createdAt }, index) => index === 0 || createdAt > (kept[index - 1]?.createdAt ?? 0))
  return ordered ? kept : kept.map((policy, index) => ({ ...policy, createdAt: now + index }))
}

/** What makes two lists the same list. */
function namesOf(policies: readonly Policy[]): string {
  return policies
    .map(({ id, version, createdAt }) => `${id}@${version} of ${createdAt}`)
    .sort()
    .join()
}

/** An e-mail can be given to somebody else later; an id cannot. */
function withUserIds(definition: PolicyDefinition, { people }: Directory): PolicyDefinition {
  const { approval } = definition
  if (approval?.allowedApprovers === undefined) return definition
  const idOf = (name: string): string =>
    people.find(({ email }) => email.toLowerCase() === name.toLowerCase())?.id ?? name
  return { ...definition, approval: { ...approval, allowedApprovers: approval.allowedApprovers.map(idOf) } }
}

function unknownIn(definitions: readonly PolicyDefinition[], { people, groups }: Directory): readonly string[] {
  const names = definitions.flatMap(({ approval }) => [
    ...(approval?.allowedApprovers ?? []),
    ...(approval?.allOf ?? []).map(({ group }) => group),
  ])
  const known = new Set<string>([
    ...groups,
    ...people.map(({ id }) => id),
    ...people.flatMap((person) => person.groups),
  ])
  return [...new Set(names)].filter((name) => !known.has(name))
}
