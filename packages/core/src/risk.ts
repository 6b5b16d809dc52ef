/**
 * Risk: the tier of an intent, which policies and votes go by, and a score that tells an approver where to look.
 *
 * The score is the sum of named factors, at most 100. It decides nothing.
 *
 * @module
 */
import { compileGlob } from './glob.js'
import type { EpochMs, Json, JsonObject } from './json.js'
import { blockedAt } from './time-restriction.js'

/** In ascending order. `critical` also wants the typed confirmation when no policy matches. */
export const RISK_TIERS = ['low', 'medium', 'high', 'critical'] as const
export type RiskTier = (typeof RISK_TIERS)[number]

export function highestTier(first: RiskTier, ...others: readonly (RiskTier | undefined)[]): RiskTier {
  let highest = first
  for (const tier of others) {
    if (tier !== undefined && RISK_TIERS.indexOf(tier) > RISK_TIERS.indexOf(highest)) highest = tier
  }
  return highest
}

/** The tier of one intent, and how much of it rests on what the caller said. */
export interface EffectiveTier {
  /** The highest of the claim, what the agent's registration enforces, and what the project demands for the action. */
  readonly tier: RiskTier
  /** The same, had the caller claimed nothing. */
  readonly unclaimed: RiskTier
  /** `action_tiers` names the action, so that `auto_approve` believes a claim of `low` (LIFECYCLE I14). */
  readonly named: boolean
}

export interface TierInput {
  readonly action: string
  /** @default 'medium' */
  readonly claimed?: RiskTier | undefined
  /** The registered agent that `source` names; its sensitivity is a minimum only when `enforce` is set. */
  readonly agent?: { readonly riskSensitivity: RiskTier | undefined; readonly enforce: boolean } | undefined
  /** Of the project: glob of actions → lowest tier. */
  readonly actionTiers?: Readonly<Record<string, RiskTier>> | undefined
}

export function effectiveTier({ action, claimed, agent, actionTiers = {} }: TierInput): EffectiveTier {
  const demanded = Object.keys(actionTiers)
    .filter((pattern) => compileGlob(pattern).matches(action))
    .map((pattern) => actionTiers[pattern])
  const enforced = agent?.enforce ? agent.riskSensitivity : undefined
  return {
    tier: highestTier(claimed ?? 'medium', enforced, ...demanded),
    unclaimed: highestTier('medium', enforced, ...demanded),
    named: demanded.length > 0,
  }
}

/** One factor that applies to an intent. */
export interface RiskFactor {
  readonly name: string
  readonly weight: number
}

/** Every factor there is; the docs list this table. */
export const RISK_FACTORS = {
  tier_medium: { weight: 10, description: 'The effective risk tier is medium.' },
  tier_high: { weight: 30, description: 'The effective risk tier is high.' },
  tier_critical: { weight: 50, description: 'The effective risk tier is critical.' },
  no_policy: { weight: 10, description: 'No policy matched: nobody has written a rule for this.' },
  unregistered_source: { weight: 15, description: 'The source is no registered agent, or none was named.' },
  unbound_key: { weight: 10, description: 'The key is not bound to the agent, so the source is only claimed.' },
  first_time: { weight: 10, description: 'The first intent of this principal for this action.' },
  maybe_repeated: {
    weight: 25,
    description:
      'The same principal has an execution of the same action and params that is running, suspended or unknown: this may be the second time.',
  },
  accepts_edits: { weight: 5, description: 'An approver may change the params.' },
  reenters: { weight: 5, description: 'The tool may pause itself and be entered again under the same approval.' },
  idempotent: { weight: 5, description: 'The tool may run again after a failure under the same approval.' },
  hidden_characters: {
    weight: 20,
    description: 'Params, context or metadata hold invisible, bidirectional or control characters.',
  },
  bulky_params: { weight: 5, description: 'The params hold more than 8,192 characters: hard to review.' },
  out_of_hours: {
    weight: 5,
    description: 'Declared at a weekend or not between 8:00 and 18:00 in the zone of the project.',
  },
} as const satisfies Readonly<Record<string, { readonly weight: number; readonly description: string }>>

export type RiskFactorName = keyof typeof RISK_FACTORS

/** What the gate knows when an intent is declared. */
export interface RiskInput {
  readonly tier: RiskTier
  readonly policyMatched: boolean
  /** `source` names a registered agent. */
  readonly sourceIsRegistered: boolean
  /** The key is bound to the agent that `source` names. */
  readonly sourceIsBound: boolean
  /** Earlier intents of this principal for this action. */
  readonly earlierOfAction: number
  /** Of the same principal, action and digest, those that are `started`, `suspended` or `unknown` (LIFECYCLE E23). */
  readonly unsettledTwins: number
  readonly acceptsEdits: boolean
  readonly reenters: boolean
  readonly idempotent: boolean
  readonly params: JsonObject
  readonly context?: JsonObject | undefined
  readonly metadata?: JsonObject | undefined
  readonly now: EpochMs
  /** @default 'UTC' */
  readonly projectZone?: string | undefined
}

export interface Risk {
  /** 0 to 100. */
  readonly score: number
  /** Those that apply, in the order of the table. */
  readonly factors: readonly RiskFactor[]
}

export function riskScore(input: RiskInput): Risk {
  const params = survey(input.params)
  const claims = [input.context, input.metadata].filter((claim) => claim !== undefined).map(survey)
  const applies: Readonly<Record<RiskFactorName, boolean>> = {
    tier_medium: input.tier === 'medium',
    tier_high: input.tier === 'high',
    tier_critical: input.tier === 'critical',
    no_policy: !input.policyMatched,
    unregistered_source: !input.sourceIsRegistered,
    unbound_key: !input.sourceIsBound,
    first_time: input.earlierOfAction === 0,
    maybe_repeated: input.unsettledTwins > 0,
    accepts_edits: input.acceptsEdits,
    reenters: input.reenters,
    idempotent: input.idempotent,
    hidden_characters: [params, ...claims].some(({ hidden }) => hidden),
    bulky_params: params.characters > 8_192,
    out_of_hours: blockedAt(OUT_OF_HOURS, input.now, input.projectZone),
  }
  const names = (Object.keys(RISK_FACTORS) as RiskFactorName[]).filter((name) => applies[name])
  const factors = names.map((name) => ({ name, weight: RISK_FACTORS[name].weight }))
  return {
    score: Math.min(
      100,
      factors.reduce((sum, { weight }) => sum + weight, 0),
    ),
    factors,
  }
}

const OUT_OF_HOURS = { blockWeekends: true, blockHours: [18, 8] } as const

/** Characters of all names and texts, and whether any of them cannot be seen as what it is. */
function survey(value: Json): { characters: number; hidden: boolean } {
  if (typeof value === 'string') return { characters: value.length, hidden: hasHiddenCharacters(value) }
  if (value === null || typeof value !== 'object') return { characters: 1, hidden: false }
  let characters = 0
  let hidden = false
  for (const [member, item] of Object.entries(value)) {
    const inner = survey(item as Json)
    characters += inner.characters + (Array.isArray(value) ? 0 : member.length)
    hidden ||= inner.hidden || hasHiddenCharacters(member)
  }
  return { characters, hidden }
}

/**
 * Whether a text holds characters that a reader cannot see, or that make others appear elsewhere. Line breaks and tabs are visible
 * enough, and so are the joiners inside emoji.
 */
export function hasHiddenCharacters(text: string): boolean {
  return HIDDEN.test(text)
}

/** Single classes and one character of context: nothing here can backtrack. */
const HIDDEN =
  /(?![\t\n\r]|\u200d|\ufe0f)[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|\u200d(?!\p{Extended_Pictographic})|(?<!\p{Emoji})\ufe0f/u
