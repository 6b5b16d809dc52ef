/** What came of one attack, for the story and for machines. */

export interface Attack {
  readonly name: string
  /** What the attacker does, as a person reads it. */
  readonly story: readonly string[]
  /** What changes in the application. */
  readonly wrap: string
  /** Why it is refused. */
  readonly why: string
  readonly stock: string
  run(): Promise<AttackReport>
}

export interface AttackReport {
  /** What the framework paid, as it comes. */
  readonly stock: readonly number[]
  /** What the attack was paid with a gate: nothing. */
  readonly gated: readonly number[]
  /** How often a person was asked on account of it. */
  readonly asked: number
  /** What was tried → the code of the refusal. */
  readonly refusals: Readonly<Record<string, string | undefined>>
}

/** Nothing was paid, and every try has a refusal with a code. */
export function isRefused({ gated, refusals }: AttackReport): boolean {
  const codes = Object.values(refusals)
  return gated.length === 0 && codes.length > 0 && codes.every((code) => code !== undefined)
}
