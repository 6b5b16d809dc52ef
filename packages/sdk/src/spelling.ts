/**
 * Spelling: users come with snippets in camelCase and in snake_case, so results can be read and inputs written in both.
 *
 * @module
 */

export type SnakeCase<Name extends string> = Name extends `${infer First}${infer Rest}`
  ? `${First extends Lowercase<First> ? First : `_${Lowercase<First>}`}${SnakeCase<Rest>}`
  : Name

/** The same members, spelled as on the wire. */
export type Snake<Members> = { [Name in keyof Members as SnakeCase<Name & string>]: Members[Name] }

export type BothSpellings<Members> = Members & Snake<Members>
/** One spelling for each member; they may be mixed. */
export type EitherSpelling<Members> = Members | Snake<Members>

/** `result`, whose members can also be read in snake_case. Those are not enumerable, so that nothing prints them twice. */
export function bothSpellings<Members extends object>(result: Members): BothSpellings<Members> {
  for (const name of Object.keys(result)) {
    const spelled = snakeCase(name)
    if (spelled === name) continue
    Object.defineProperty(result, spelled, { get: () => result[name as keyof Members] })
  }
  return result as BothSpellings<Members>
}

/**
 * The members of `input` in camelCase.
 *
 * @param others spellings that are not just another case, `parameters` for `params`
 * @throws TypeError for a member that is not in `names`, and for one that comes in two spellings
 */
export function inCamelCase<Members extends object>(
  input: EitherSpelling<Members>,
  names: readonly (keyof Members & string)[],
  others: Readonly<Record<string, keyof Members & string>> = {},
): Members {
  const known = new Map<string, string>(Object.entries(others))
  for (const name of names) known.set(name, name).set(snakeCase(name), name)
  const members: Record<string, unknown> = {}
  for (const [spelled, value] of Object.entries(input)) {
    const name = known.get(spelled)
    if (name === undefined) throw new TypeError(`${spelled} is not an option; there are ${names.join(', ')}`)
    if (value === undefined) continue
    if (name in members) throw new TypeError(`${name} came in two spellings`)
    members[name] = value
  }
  return members as Members
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
